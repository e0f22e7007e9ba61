"""Health records by number."""

from pet_dcgan.training.condition_vitals import ConditionalRecord
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
OBEDIENT = {
    "label_weight": 1.0,
    "conditional_diversity": 0.9,
    "stage_effect": 0.8,
    "plane_effect": 1.0,
    "position_effect": 1.1,
}


def make_records(count, **changes):
    """`count` records; a change is a number, or one number a record."""
    return _records(HealthRecord, count, HEALTHY | changes)


def make_conditional_records(count, **changes):
    """The same of a conditional training."""
    return _records(ConditionalRecord, count, HEALTHY | OBEDIENT | changes)


def _records(kind, count, values):
    records = []
    for index in range(count):
        own = {
            name: value[index] if isinstance(value, list | tuple) else value
            for name, value in values.items()
        }
        records.append(kind(epoch=index + 1, **own))
    return records
