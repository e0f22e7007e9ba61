"""Studies of the toy set that take seconds."""

import toy_data

from pet_dcgan.study.settings import StudySettings

SMALL = {"width": 4, "latent_dim": 6, "batch_size": 4, "epochs": 2}


def make_settings(data_dir, **changes):
    """One seed of a third and of all of the three subjects of each stage."""
    told = {
        "dataset": "axial_32",
        "fractions": (34, 100),
        "seeds": 1,
        "steps": 40,
        "overrides": SMALL,
    }
    return StudySettings(data_dir=str(data_dir), **told | changes)


def prepare_leaky(data_dir, into="test"):
    """The toy set, but a training subject of each stage is held out, too."""
    held_out = {"validation": (3, 1), "test": (4, 2)} | {into: (2, 2)}

    class Adni(toy_data.Adni, skip_registration=True):
        def _split_generators(self, dl_manager):
            splits = {"train": (0, 3)} | held_out
            return {s: toy_data._split(*where) for s, where in splits.items()}

    return toy_data.prepare(data_dir, Adni)
