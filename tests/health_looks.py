"""Looks at trainings that never were, for what a rule does at its edge."""

from pet_dcgan.training.health.states import HealthLook

SOUND = {
    "d_loss": 1.1,
    "g_loss": 1.4,
    "real_accuracy": 0.7,
    "fake_accuracy": 0.7,
    "diversity": 0.9,
    "distinctness": 0.25,
    "misfit": 0.05,
    "training_distance": 1.0,
}


def make_looks(count, **changes):
    """`count` looks; a change is a number, or one number a look."""
    looks = []
    for index in range(count):
        values = {
            name: value[index] if isinstance(value, list | tuple) else value
            for name, value in (SOUND | changes).items()
        }
        looks.append(HealthLook(epoch=index + 1, **values))
    return looks
