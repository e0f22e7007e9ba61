"""Studies of the toy set that take seconds, and a summary of one."""

import dataclasses

import numpy as np
import toy_data
from toy_run import make_run

from pet_dcgan.conditions import Conditions
from pet_dcgan.data.training_data import resolve_config
from pet_dcgan.models.networks import build_generator
from pet_dcgan.runs.run import Run
from pet_dcgan.study.scores import METRICS, SCORES, Predictions
from pet_dcgan.study.settings import StudySettings, arms_of

SMALL = {"width": 4, "latent_dim": 6, "batch_size": 4, "epochs": 2}


def make_settings(data_dir, **changes):
    """A third and all of the set's three training subjects of each stage."""
    settings = {
        "dataset": "axial_32",
        "splits": 1,
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


def conditional_run(
    path, toy_set, *, subjects, validation=(), generator=True, **facts
):
    """A run of all stages; without `generator` that is an empty file."""
    config = resolve_config(
        "demo",
        data_dir=toy_set,
        dataset="axial_32",
        stage="ALL",
        overrides={"conditions": "stage,position"} | SMALL,
    )
    config = dataclasses.replace(config, **facts)
    conditions = Conditions(
        names=config.condition_names, bands_mm={"axial": (0.0, 18.0)}
    )
    run = Run.create(path, config, subjects, validation, conditions=conditions)
    (run.path / "generator.keras").touch()
    if generator:
        network = build_generator(
            size=32, channels=1, latent_dim=6, width=4, conditions=conditions
        )
        network.set_weights([w * 12 for w in network.get_weights()])
        run.save_generator(network)
    return run


def prepare_leaky(data_dir, into="test"):
    """The toy set, but a training subject of each stage is held out, too."""
    held_out = {"validation": (3, 1), "test": (4, 2)} | {into: (2, 2)}

    class Adni(toy_data.Adni, skip_registration=True):
        def _split_generators(self, dl_manager):
            splits = {"train": (0, 3)} | held_out
            return {s: toy_data._split(*where) for s, where in splits.items()}

    return toy_data.prepare(data_dir, Adni)


def two_classes(ones, truth):
    """Predictions with these probabilities of the second stage."""
    names = np.array([f"s{i:02}" for i in range(len(ones))])
    probabilities = np.stack([1 - np.asarray(ones), ones], axis=1)
    return Predictions(names, np.array(truth), probabilities)


def make_summary(
    *,
    low=-0.1,
    high=0.2,
    equivalent=False,
    detectable=0.17,
    generators=("separate",),
    **changes,
):
    """Two fractions, four arms; `low` and `high` are of every difference."""
    ends = {"low": low, "high": high, "by_split": [0.0, 0.1]}
    if low is None:
        ends["reason"] = "an interval needs 8 or more subjects"
    else:
        ends |= {"detectable": detectable, "equivalent": equivalent}
    arms = arms_of(generators)
    names = [{"fraction": f, "arm": arm} for f in (25, 100) for arm in arms]
    interval = {"low": 0.6, "high": 0.9}
    return {
        "phantom": True,
        "complete": True,
        "done": 16,
        "of": 16,
        "classes": ["NC", "AD"],
        "tested": {"NC": 4, "AD": 5},
        "sites": 3,
        "generator_kid": {"words": "Generators: as good as they are."},
        "training_subjects": {
            "25": {"NC": 1, "AD": 1},
            "100": {"NC": 4, "AD": 4},
        },
        "arms": [
            name | {"metric": metric, "mean": 0.8} | interval
            for name in names
            for metric in SCORES
        ],
        "differences": [
            name | {"metric": metric, "mean": 0.05} | ends
            for name in names
            for metric in METRICS
            if name["arm"] != "real"
        ],
        "sensitivity": [
            name | {"stage": "AD", "subjects": 5, "mean": 0.8} | interval
            for name in names
        ],
        "calibration": [
            name
            | {"stage": "AD", "predicted": 0.7, "answers": 9, "mean": 0.8}
            | interval
            for name in names
        ],
        "results": [name | dict.fromkeys(SCORES, 0.7) for name in names],
        "settings": {
            "fractions": [25, 100],
            "planes": ["axial"],
            "splits": 2,
            "by_site": False,
            "seeds": 1,
            "generators": list(generators),
            "shuffle_labels": False,
        },
        **changes,
    }
