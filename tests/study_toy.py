"""Studies of the toy set that take seconds, and a summary of one."""

import toy_data
from toy_run import make_run

from pet_dcgan.study.settings import ARMS, StudySettings
from pet_dcgan.study.statistics import METRICS

SMALL = {"width": 4, "latent_dim": 6, "batch_size": 4, "epochs": 2}


def make_settings(data_dir, **changes):
    """One seed of a third and of all of the three subjects of each stage."""
    settings = {
        "dataset": "axial_32",
        "fractions": (34, 100),
        "seeds": 1,
        "steps": 40,
        "overrides": SMALL,
    }
    return StudySettings(data_dir=str(data_dir), **settings | changes)


def untrained_run(path, toy_set, stage="AD", **changes):
    """A run that counts as finished, though its generator is an empty file."""
    run = make_run(path, toy_set, stage, finished=False, **changes)
    (path / "generator.keras").touch()
    return run


def prepare_leaky(data_dir, into="test"):
    """The toy set, but a training subject of each stage is held out, too."""
    held_out = {"validation": (3, 1), "test": (4, 2)} | {into: (2, 2)}

    class Adni(toy_data.Adni, skip_registration=True):
        def _split_generators(self, dl_manager):
            splits = {"train": (0, 3)} | held_out
            return {s: toy_data._split(*where) for s, where in splits.items()}

    return toy_data.prepare(data_dir, Adni)


def make_summary(*, low=-0.1, high=0.2, complete=True, **changes):
    """Two fractions, four arms; `low` and `high` are of every difference."""
    ends = {"low": low, "high": high, "seeds": 2}
    if low is None:
        ends["reason"] = "an interval needs 8 or more held-out subjects"
    rows = [
        {"fraction": f, "arm": arm, "metric": metric}
        for f in (25, 100)
        for arm in ARMS
        for metric in METRICS
    ]
    return {
        "phantom": True,
        "complete": complete,
        "done": 16 if complete else 7,
        "of": 16,
        "classes": ["NC", "AD"],
        "judged": {"NC": 4, "AD": 5},
        "training_subjects": {
            "25": {"NC": 1, "AD": 1},
            "100": {"NC": 4, "AD": 4},
        },
        "arms": [r | {"mean": 0.8, "low": 0.6, "high": 0.9} for r in rows],
        "differences": [
            r | {"mean": 0.05} | ends for r in rows if r["arm"] != "real"
        ],
        "kept_signal": [
            {"fraction": 25, "share": 0.81},
            {"fraction": 100, "share": None},
        ],
        "results": [
            {"fraction": f, "arm": arm, **dict.fromkeys(METRICS, 0.7)}
            for f in (25, 100)
            for arm in ARMS
        ],
        "settings": {
            "fractions": [25, 100],
            "planes": ["axial"],
            "seeds": 2,
            "shuffle_labels": False,
        },
        **changes,
    }
