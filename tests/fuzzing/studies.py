"""The folder of a study that is resumed: settings, splits, predictions."""

from pathlib import Path
from random import Random

import numpy as np

from fuzzing.damage import damaged_json
from fuzzing.oracle import require
from fuzzing.plan import Files
from fuzzing.spreadsheets import damaged_table
from pet_dcgan.study.folder import (
    claim,
    read_predictions,
    write_json,
    write_predictions,
)
from pet_dcgan.study.scores import Predictions

_CLASSES = ("NC", "AD")
_SETTINGS = {
    "data_dir": "data",
    "dataset": "axial_32",
    "splits": 2,
    "fractions": [25, 100],
    "overrides": {"width": 4},
    "shuffle_labels": False,
}
_SUBJECTS = np.array([f"999_S_9{number:03}" for number in range(6)])
_TRUTH = np.array([0, 1] * 3)


def prepare(base: Path) -> None:
    write_json(base / "settings.json", _SETTINGS)
    ones = np.linspace(0.1, 0.9, 6)
    found = Predictions(_SUBJECTS, _TRUTH, np.stack([1 - ones, ones], axis=1))
    write_predictions(base / "025_real_0.csv", _CLASSES, found)


def mutate(base: Path, dice: Random) -> Files:
    path = dice.choice(sorted(base.iterdir()))
    change = damaged_json if path.suffix == ".json" else damaged_table
    return {path.name: change(path.read_bytes(), dice)}


def run(folder: Path, attempt) -> None:
    attempt(claim, folder, _SETTINGS, resume=True)
    expected = (_SUBJECTS, _TRUTH)
    file = folder / "025_real_0.csv"
    found = attempt(read_predictions, file, _CLASSES, expected)
    if found is not None:
        attempt(_check, found)


def _check(found: Predictions) -> None:
    ones = found.probabilities
    require(ones.shape == (6, 2), f"shape {ones.shape}")
    require(bool(((ones >= 0) & (ones <= 1)).all()), "no probabilities")
