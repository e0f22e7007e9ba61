"""A run's training in one figure."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from pet_dcgan.config import TrainConfig
from pet_dcgan.evaluation.plots import COLOURS, plots, save
from pet_dcgan.evaluation.training_log import Curves

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
