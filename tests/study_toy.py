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


def prepare_leaky(data_dir):
    """The toy set, but the first test subject of each stage was trained on."""

    class Adni(toy_data.Adni, skip_registration=True):
        def _split_generators(self, dl_manager):
            return {
                "train": toy_data._split(0, 3),
                "validation": toy_data._split(3, 1),
                "test": toy_data._split(2, 2),
            }

    Adni(config="axial_32", data_dir=data_dir).download_and_prepare()
    return data_dir
