"""What a run's own files say about its training."""

import csv
import math
from pathlib import Path
from typing import Any, NamedTuple

from pet_dcgan.config import TrainConfig
from pet_dcgan.looks import generator_facts

_SETTINGS = ("epochs", "width", "channels", "latent_dim", "batch_size")


class Curves(NamedTuple):
    """Columns of numbers by epoch, each empty where there is no such file.

    Args:
        log: Of `log.csv`.
        selection: Of `selection.csv`.
        health: Of `health.csv`.
    """

    log: dict[str, list[float]]
    selection: dict[str, list[float]]
    health: dict[str, list[float]]


def read_curves(run_path: str | Path) -> Curves:
    """Reads the three files; one that is missing or damaged is empty."""
    return Curves(
        *(
            _columns(Path(run_path) / f"{name}.csv")
            for name in ("log", "selection", "health")
        )
    )


def training_facts(
    run_path: str | Path,
    config: TrainConfig,
    *,
    subjects: int,
    slices: int,
) -> dict[str, Any]:
    """What was trained on what, in counts, and which generator was kept.

    Args:
        run_path: The run's folder.
        config: What the run was told.
        subjects: Number of training subjects.
        slices: Number of training slices.
    """
    facts = generator_facts(run_path, epochs=config.epochs)
    return {
        "subjects": subjects,
        "slices": slices,
        **{name: getattr(config, name) for name in _SETTINGS},
        "generator": facts,
        "warnings": _states(Path(run_path) / "health.csv"),
    }


def _states(path: Path) -> list[str]:
    """Names of the states that were said while training, each once."""
    words = [row.get("states") or "" for row in _rows(path)]
    return list(dict.fromkeys(" ".join(words).split()))


def _columns(path: Path) -> dict[str, list[float]]:
    """The columns of numbers, of rows that have an epoch."""
    rows = [row for row in _rows(path) if _is_number(row.get("epoch"))]
    names = [n for n in (rows[0] if rows else ()) if n is not None]
    columns = {name: [_float(row[name]) for row in rows] for name in names}
    return {
        name: values
        for name, values in columns.items()
        if not all(map(math.isnan, values))
    }


def _is_number(text: str | None) -> bool:
    return not math.isnan(_float(text))


def _float(text: str | None) -> float:
    """A cell as a number, NaN where it is none."""
    try:
        return float(text)
    except (TypeError, ValueError):
        return math.nan


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    except (OSError, ValueError, csv.Error):
        return []
