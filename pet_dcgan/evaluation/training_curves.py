"""The log files of a training: facts, and plots of losses, KID, health."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes

from pet_dcgan.evaluation.plots import COLOURS, plots, run_title
from pet_dcgan.runs.run import Run
from pet_dcgan.runs.selection_log import generator_facts
from pet_dcgan.utils.foreign_tables import read_table

if TYPE_CHECKING:
    import keras

_SETTINGS = ("epochs", "width", "channels", "latent_dim", "batch_size")
# a plot each: file, its columns, what they are
_PANELS = (
    ("log", ("d_loss", "g_loss"), "loss"),
    ("log", ("real_accuracy", "fake_accuracy"), "recognised by D"),
    ("selection", ("val_kid",), "KID, validation"),
    ("health", ("diversity", "distinctness", "misfit"), "health"),
)
_NAMES = {
    "g_loss": "generator",
    "d_loss": "discriminator",
    "real_accuracy": "real called real",
    "fake_accuracy": "synthetic called synthetic",
    "val_kid": "KID",
}
_PALETTE = tuple(COLOURS[kind] for kind in ("real", "synthetic", "others"))
_WIDTH, _HEIGHT = 5.0, 3.2  # inches per plot in a notebook
# columns of numbers by epoch, by name; empty where there is no such file
Columns = dict[str, list[float]]
# those of `log.csv`, `selection.csv` and `health.csv`
Curves = dict[str, Columns]
_FILES = ("log", "selection", "health")
# columns of a file, the names of those that are drawn, and their label
_Panel = tuple[Columns, list[str], str]


def read_curves(run_path: str | Path) -> Curves:
    """Reads the three log files; one that is missing or damaged is empty."""
    return {name: _columns(Path(run_path) / f"{name}.csv") for name in _FILES}


def training_facts(run: Run, *, slices: int) -> dict[str, Any]:
    """What was trained on what, in counts, and which generator was kept.

    Args:
        run: A finished run.
        slices: Number of training slices.
    """
    config = run.config
    rows = _rows(run.path / "health.csv")
    states = " ".join(row.get("states") or "" for row in rows).split()
    return {
        "subjects": len(run.subjects),
        "slices": slices,
        **{name: getattr(config, name) for name in _SETTINGS},
        # a width of a configuration is not that of another network
        **({"width": None} if "generator" in run.networks else {}),
        "own_networks": sorted(run.networks),
        "generator": generator_facts(run),
        "warnings": list(dict.fromkeys(states)),
    }


def _columns(path: Path) -> Columns:
    """The columns that hold numbers, of the rows that have an epoch."""
    rows = [
        {name: _float(cell) for name, cell in row.items()}
        for row in _rows(path)
    ]
    rows = [row for row in rows if not math.isnan(row.get("epoch", math.nan))]
    names = rows[0] if rows else ()
    columns = {name: [row[name] for row in rows] for name in names}
    return {k: x for k, x in columns.items() if not all(map(math.isnan, x))}


def _rows(path: Path) -> list[dict[str, str]]:
    """The rows of a file, none where it is missing or damaged."""
    try:
        return read_table(path, ["epoch"])
    except (OSError, ValueError):
        return []


def _float(text: str | None) -> float:
    """A cell as a number, NaN where it is none."""
    try:
        return float(text)
    except (TypeError, ValueError):
        return math.nan


def save_training_curves(path: str | Path, run: Run) -> bool:
    """Draws what a finished run's files hold of losses, KID and health.

    Args:
        path: PNG to write.
        run: The run.

    Returns:
        Whether there was anything to draw.
    """
    panels = _panels(read_curves(run.path))
    if panels:
        rows, columns = _grid(len(panels))
        with plots(
            path, run.config, "training", rows=rows, columns=columns
        ) as axes:
            _draw(axes, panels, _kept(run))
    return bool(panels)


def plot_run(run: Run, *, axes: Sequence[Axes] | None = None) -> list[Axes]:
    """Plots what a run's files hold: losses, accuracies, KID and health.

    It can be called while the training is running.

    Args:
        run: Finished or not. Of a finished one a line marks the epoch of the
            generator that was kept.
        axes: Axes to draw into, at least as many as there are plots (at most
            four); new ones of one figure by default.

    Returns:
        The axes, one per plot, by epoch from 1.

    Raises:
        ValueError: If the run has no complete epoch yet, or there are too few
            axes.
    """
    title = run_title(run.config, "training")
    kept = _kept(run) if run.finished else None
    return _plot(read_curves(run.path), axes, title=title, kept=kept)


def plot_history(
    history: "keras.callbacks.History", *, axes: Sequence[Axes] | None = None
) -> list[Axes]:
    """Plots what `DCGAN.fit` returned: losses, accuracies, and a `val_kid`.

    Args:
        history: What `fit` returned.
        axes: Axes to draw into, two, or three where `fit` had
            `validation_data` in every epoch; new ones of one figure by
            default.

    Returns:
        The axes, one per plot, by epoch from 1.

    Raises:
        ValueError: If there is no epoch in it, or there are too few axes.
    """
    epochs = [float(epoch + 1) for epoch in history.epoch]
    # of validation_freq=2 Keras does not say to which epochs values belong
    whole = {k: v for k, v in history.history.items() if len(v) == len(epochs)}
    log = {"epoch": epochs, **whole} if epochs else {}
    curves = {"log": log, "selection": log}
    return _plot(curves, axes, title="training", kept=None)


def _kept(run: Run) -> int | None:
    """The epoch of a finished run's generator, if it is known."""
    return generator_facts(run)["epoch"]


def _plot(
    curves: Curves,
    axes: Sequence[Axes] | None,
    *,
    title: str,
    kept: int | None,
) -> list[Axes]:
    """Draws into the axes, or into those of a figure that a notebook shows."""
    panels = _panels(curves)
    count = len(panels)
    if not count:
        raise ValueError(
            "expected losses of one epoch or more, found none: wait for the "
            "training's first epoch"
        )
    if axes is None:
        # imported late: it searches for a display
        from matplotlib import pyplot

        rows, columns = _grid(count)
        figure, grid = pyplot.subplots(
            rows,
            columns,
            squeeze=False,
            figsize=(_WIDTH * columns, _HEIGHT * rows),
            layout="constrained",
        )
        figure.suptitle(title)
        _draw(list(grid.flat), panels, kept)
        return list(grid.flat)[:count]
    found = list(np.ravel(axes))[:count]
    if len(found) < count:
        raise ValueError(f"expected {count} axes or more, found {len(found)}")
    _draw(found, panels, kept)
    return found


def _grid(count: int) -> tuple[int, int]:
    """Rows and columns for that many plots, at most two in a row."""
    columns = min(2, count)
    return -(-count // columns), columns


def _panels(curves: Curves) -> list[_Panel]:
    """Every plot that there is something to draw of."""
    found = []
    for file, names, label in _PANELS:
        columns = curves.get(file, {})
        if present := [name for name in names if name in columns]:
            found.append((columns, present, label))
    return found


def _draw(axes: list[Axes], panels: list[_Panel], kept: int | None) -> None:
    """A plot into each of the axes; those left over are hidden."""
    for place in axes[len(panels) :]:
        place.axis("off")
    for place, (columns, names, label) in zip(axes, panels, strict=False):
        epochs = columns["epoch"]
        for name, colour in zip(names, _PALETTE, strict=False):
            place.plot(
                epochs,
                columns[name],
                marker="." if len(epochs) < 20 else "",
                color=colour,
                label=_NAMES.get(name, name),
            )
        if "standard_error" in columns:
            value = np.array(columns["val_kid"])
            error = np.array(columns["standard_error"])
            place.fill_between(
                epochs,
                value - error,
                value + error,
                color=_PALETTE[0],
                alpha=0.2,
                label="± standard error",
            )
        if "val_kid" in names and _falls_far(columns["val_kid"]):
            place.set_yscale("log")
        place.set_ylabel(label)
        if kept is not None:
            place.axvline(
                kept, color=COLOURS["mark"], linestyle=":", label="kept"
            )
        place.set_xlabel("epoch")
        place.legend(fontsize="small")


def _falls_far(kids: list[float]) -> bool:
    """Whether the first epochs would hide the others on a linear axis."""
    return max(kids) > 100 * np.median(kids) > 0
