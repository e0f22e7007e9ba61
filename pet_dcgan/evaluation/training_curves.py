"""A run's logs, and its training in one figure."""

import csv
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes

from pet_dcgan.config import TrainConfig
from pet_dcgan.evaluation.plots import COLOURS, plots, save
from pet_dcgan.runs.selection_log import generator_facts

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


_PANELS = (
    ("log", ("d_loss", "g_loss"), "loss"),
    ("log", ("real_accuracy", "fake_accuracy"), "recognised by D"),
    ("selection", ("val_kid",), "KID, validation"),
    ("health", ("diversity", "distinctness", "misfit"), "health"),
)
_PALETTE = (COLOURS["real"], COLOURS["synthetic"], COLOURS["other"])
_NAMES = {
    "g_loss": "generator",
    "d_loss": "discriminator",
    "real_accuracy": "real called real",
    "fake_accuracy": "synthetic called synthetic",
    "val_kid": "KID ± standard error",
}


def save_training_curves(
    path: str | Path,
    curves: Curves,
    config: TrainConfig,
    *,
    kept: int,
) -> bool:
    """Draws what the run's files hold of losses, KID and health.

    Args:
        path: PNG to write.
        curves: What was read.
        config: The run's.
        kept: Epoch of the generator that was kept, marked by a line.

    Returns:
        Whether there was anything to draw.
    """
    count = len(panels_of(curves))
    if not count:
        return False
    columns = min(2, count)
    rows = -(-count // columns)
    figure, axes = plots(config, "training", rows=rows, columns=columns)
    draw_curves(axes, curves, kept=kept)
    save(figure, path)
    return True


def panels_of(curves: Curves) -> list[tuple]:
    """What there is something to draw of, a plot each.

    Args:
        curves: What was read.

    Returns:
        At most four panels, as `draw_curves` takes them in this order.
    """
    return [panel for panel in _PANELS if _held(curves, panel)]


def draw_curves(
    axes: Sequence[Axes], curves: Curves, *, kept: int | None = None
) -> None:
    """Draws each panel into axes that are there; those left over are hidden.

    Args:
        axes: As many as there are panels, or more.
        curves: What was read, by epoch.
        kept: Epoch of the generator that was kept, marked by a line.
    """
    panels = panels_of(curves)
    for place in axes[len(panels) :]:
        place.axis("off")
    for place, panel in zip(axes, panels, strict=False):
        _draw(place, curves, panel)
        if kept is not None:
            place.axvline(kept, color="#111827", linestyle=":", label="kept")
        place.set_xlabel("epoch")
        place.legend(fontsize="small")


def _held(curves: Curves, panel: tuple) -> list[str]:
    """The panel's columns that there are."""
    table, names, _ = panel
    return [name for name in names if name in getattr(curves, table)]


def _draw(axes: Axes, curves: Curves, panel: tuple) -> None:
    table, _, label = panel
    columns = getattr(curves, table)
    epochs = columns["epoch"]
    few = "." if len(epochs) < 20 else ""
    names = _held(curves, panel)
    for name, colour in zip(names, _PALETTE, strict=False):
        axes.plot(
            epochs,
            columns[name],
            marker=few,
            color=colour,
            label=_NAMES.get(name, name),
        )
    if "standard_error" in columns:
        value = np.array(columns["val_kid"])
        error = np.array(columns["standard_error"])
        band = value - error, value + error
        axes.fill_between(epochs, *band, color=_PALETTE[0], alpha=0.2)
    axes.set_ylabel(label)
