"""The toy set with enough held-out subjects for intervals."""

import toy_data
from toy_data import STAGES
from toy_run import make_run

TRAINING, HELD_OUT = 6, 9


class Adni(toy_data.Adni, skip_registration=True):
    """As `toy_data.Adni`, with more subjects."""

    pkg_dir_path = None

    def _split_generators(self, dl_manager):
        first = TRAINING + HELD_OUT
        return {
            "train": toy_data._split(0, TRAINING),
            "validation": toy_data._split(TRAINING, HELD_OUT),
            "test": toy_data._split(first, HELD_OUT),
        }


def prepare(data_dir):
    """Writes `<data_dir>/adni/axial_32/2.0.0` and returns `data_dir`."""
    return toy_data.prepare(data_dir, Adni)


def cohort_run(path, data_dir, stage="AD", **facts):
    """A finished run at `path` that trained on every training subject."""
    number = STAGES.index(stage) + 1
    subjects = [f"999_S_{number}{i:03}" for i in range(TRAINING)]
    return make_run(path, data_dir, stage, subjects=subjects, **facts)
