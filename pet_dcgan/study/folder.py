"""The files of a study's folder: settings, splits and predictions."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pet_dcgan.study.data import StudyData
from pet_dcgan.study.scores import Predictions
from pet_dcgan.study.settings import Cell
from pet_dcgan.study.splits import split_table
from pet_dcgan.utils.files import replacing, sweep, sweep_beside
from pet_dcgan.utils.locks import is_free

_MOVABLE = ("data_dir",)


def claim(path: Path, settings: Mapping[str, Any], *, resume: bool) -> None:
    """Starts a study in a free folder, or resumes the same study.

    Args:
        path: The study's folder.
        settings: What must be the same, for `settings.json`.
        resume: Whether to continue the study in it.

    Raises:
        FileExistsError: If the folder is in use.
        FileNotFoundError: If there is no study to resume.
        ValueError: If it is another study.
    """
    if resume:
        _require_same(path, settings)
        sweep(path)
        return
    sweep_beside(path / "settings.json")
    if not is_free(path):
        raise FileExistsError(
            f"{path} already holds a study or other files: continue with "
            "--resume, or choose another --out"
        )
    write_json(path / "settings.json", settings)


def _require_same(path: Path, settings: Mapping[str, Any]) -> None:
    """Raises unless the study in this folder has the same settings."""
    file = path / "settings.json"
    if not file.is_file():
        raise FileNotFoundError(
            f"no study to resume, {file} does not exist: leave out --resume"
        )
    try:
        before = json.loads(file.read_text(encoding="utf-8"))
        changed = [
            f"{name} {value} instead of {before[name]}"
            for name, value in settings.items()
            if name not in _MOVABLE and before[name] != value
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"expected a study's settings in {file}, found {error!r}: "
            "choose another --out"
        ) from error
    if changed:
        raise ValueError(
            f"expected the settings of {path}, found "
            f"{', '.join(changed)}: resume with the original options"
        )


def keep_splits(file: Path, data: StudyData) -> None:
    """Writes the splits, or raises if a study began with others.

    Args:
        file: `splits.csv`.
        data: The study's splits.

    Raises:
        ValueError: If the file holds other subjects or splits.
    """
    table = pd.DataFrame(split_table(data.splits, data.stages), dtype=str)
    if file.is_file():
        before = pd.read_csv(file, dtype=str, keep_default_na=False)
        if not table.equals(before):
            raise ValueError(
                f"expected the subjects and splits of {file}, found others: "
                "the set was prepared again, choose another --out"
            )
    write_csv(file, table)


def predictions_file(path: Path, cell: Cell) -> Path:
    """The file of the predictions of one classifier.

    Args:
        path: The study's folder.
        cell: The classifier.
    """
    name = f"{cell.fraction:03}_{cell.arm}_{cell.seed}.csv"
    return path / f"split_{cell.split}" / "predictions" / name


def write_predictions(
    file: Path, classes: Sequence[str], found: Predictions
) -> None:
    """Writes the predictions of a classifier.

    Args:
        file: Where they go.
        classes: The stages that are told apart.
        found: The predictions.
    """
    table = pd.DataFrame(found.probabilities, columns=classes)
    table.insert(0, "subject", found.subjects)
    table.insert(1, "stage", [classes[label] for label in found.truth])
    write_csv(file, table)


def read_predictions(
    file: Path, classes: Sequence[str], expected: tuple[np.ndarray, np.ndarray]
) -> Predictions:
    """Reads the predictions of a classifier.

    Args:
        file: From `write_predictions`.
        classes: The stages that are told apart.
        expected: Subjects and labels that they must be of, `[n]` each.

    Raises:
        ValueError: If the file is damaged, or of other subjects.
    """
    try:
        table = pd.read_csv(file, dtype=str, keep_default_na=False)
        if table.isna().any(axis=None):
            raise ValueError("a row is too short")
        found = Predictions(
            table["subject"].to_numpy(str),
            np.array([classes.index(s) for s in table["stage"]]),
            table[list(classes)].to_numpy(np.float64),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"expected subject, stage and probabilities in {file}, found "
            f"{error!r}: delete it, and it is made again"
        ) from error
    if not all(map(np.array_equal, (found.subjects, found.truth), expected)):
        raise ValueError(
            f"expected the held-out subjects of the set in {file}, found "
            "others: the set was prepared again, choose another --out"
        )
    return found


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Writes a table, completely or not at all.

    Args:
        path: A CSV.
        table: Its columns.
    """
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Writes an object, completely or not at all.

    Args:
        path: A JSON file.
        values: What JSON can hold, without NaN.
    """
    text = json.dumps(values, indent=2, allow_nan=False) + "\n"
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
