"""Health records by number."""

from pet_dcgan.training.vitals import HealthRecord

HEALTHY = {
    "d_loss": 1.1,
    "g_loss": 1.4,
    "real_accuracy": 0.7,
    "fake_accuracy": 0.7,
    "diversity": 0.9,
    "distinctness": 0.25,
    "misfit": 0.05,
    "training_distance": 1.0,
}


def make_records(count, **changes):
    """`count` records; a change is a number, or one number a record."""
    records = []
    for index in range(count):
        values = {
            name: value[index] if isinstance(value, list | tuple) else value
            for name, value in (HEALTHY | changes).items()
        }
        records.append(HealthRecord(epoch=index + 1, **values))
    return records
