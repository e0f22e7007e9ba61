"""Sheets of a conditional generator's images, for people to look at."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from pet_dcgan.config import STAGES, TrainConfig
from pet_dcgan.evaluation.plots import save
from pet_dcgan.plotting import mosaic
from pet_dcgan.references import SUVR_LABELS

_TILE = 1.28  # inches, so that 128 pixels are drawn one to one
_DPI = 100
_HEAD, _MARGIN, _BAR, _GAP = 0.75, 0.2, 0.85, 0.15
_LETTER = 0.095  # width of a letter of a label
# a map's scale reaches this quantile of its absolute values
_REACH = 0.995
_DIVERGING = "RdBu_r"
_OUTSIDE = "#ffffff"


class Panel(NamedTuple):
    """Equally many rows of images on one scale.

    Args:
        rows: Images `[rows, columns, height, width]` in SUVR; NaN is left
            white.
        columns: What stands above each column.
        signed: Whether they are differences, drawn on a scale of their own
            that is white at 0.
    """

    rows: np.ndarray
    columns: Sequence[str]
    signed: bool = False


def save_panels(
    path: str | Path,
    panels: Sequence[Panel],
    labels: Sequence[str],
    *,
    words: str,
    config: TrainConfig,
    plane: str,
) -> None:
    """Draws panels side by side, which share the labels of their rows.

    Args:
        path: PNG to write; the same input gives the same bytes.
        panels: One or more, with as many rows as there are labels.
        labels: Of the rows.
        words: What is shown; the title also names the run.
        config: The run's.
        plane: Of the images.
    """
    shape = panels[0].rows.shape
    tile = _TILE * shape[3] / shape[2]
    widths = [tile * panel.rows.shape[1] for panel in panels]
    left = _MARGIN + _LETTER * max(map(len, labels))
    mark = " (phantom)" if config.phantom else ""
    title = f"{plane}, {config.preset}: {words}{mark}"
    wide = left + sum(widths) + len(panels) * (_BAR + _GAP)
    wide = max(wide, 2 * _MARGIN + _LETTER * 1.1 * len(title))
    high = _HEAD + _TILE * shape[0] + _MARGIN
    with mpl.rc_context({"font.family": "DejaVu Sans", "font.size": 10}):
        figure = Figure(figsize=(wide, high), dpi=_DPI)
        FigureCanvasAgg(figure)
        figure.text(0.5, 1 - 0.2 / high, title, ha="center", va="center")
        for panel, width in zip(panels, widths, strict=True):
            box = [left, _MARGIN, width, _TILE * shape[0]]
            _draw(figure, panel, box, labels, config)
            labels = [""] * len(labels)
            left += width + _BAR + _GAP
    save(figure, path)


def _draw(
    figure: Figure,
    panel: Panel,
    box: list[float],
    labels: Sequence[str],
    config: TrainConfig,
) -> None:
    """One panel with its colour bar, in inches."""
    wide, high = figure.get_size_inches()
    scale = np.array([wide, high, wide, high])
    axes = figure.add_axes(np.array(box) / scale)
    options = _colours(panel, config)
    images = panel.rows.reshape(-1, *panel.rows.shape[2:])
    shown = axes.imshow(
        np.ma.masked_invalid(mosaic(images, panel.rows.shape[1])),
        interpolation="nearest",
        **options,
    )
    _name(axes, panel, labels)
    left, bottom, width, height = box
    bar = figure.add_axes(
        np.array([left + width + 0.1, bottom, 0.12, height]) / scale
    )
    label = SUVR_LABELS[config.reference]
    if panel.signed:
        label = "difference in SUVR"
    figure.colorbar(shown, cax=bar, label=label)


def _colours(panel: Panel, config: TrainConfig) -> dict:
    """How values become colours; 0 is white where they are differences."""
    colours = mpl.colormaps[_DIVERGING if panel.signed else "gray"]
    colours = colours.with_extremes(bad=_OUTSIDE)
    if not panel.signed:
        return {"cmap": colours, "vmin": 0, "vmax": config.suvr_max}
    known = np.abs(panel.rows[np.isfinite(panel.rows)])
    reach = float(np.quantile(known, _REACH)) if known.size else 0.0
    reach = max(reach, 1e-3)
    return {"cmap": colours, "vmin": -reach, "vmax": reach}


def _name(axes: Axes, panel: Panel, labels: Sequence[str]) -> None:
    """Labels of rows at the left, of columns above."""
    height, width = panel.rows.shape[2:]
    rows, columns = (
        (np.arange(n) + 0.5) * side - 0.5
        for n, side in zip(panel.rows.shape[:2], (height, width), strict=True)
    )
    axes.set_yticks(rows, labels)
    axes.set_xticks(columns, panel.columns)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)


def stage_steps(
    stages: Sequence[str],
) -> list[tuple[str, tuple[float, ...]]]:
    """Stages and their halves in between, from the first to the last.

    Args:
        stages: Those that were trained on, in order.

    Returns:
        Name and weights of NC, MCI and AD of each.
    """
    whole = [tuple(float(s == name) for s in STAGES) for name in stages]
    found = [(stages[0], whole[0])]
    pairs = zip(stages[1:], whole[1:], strict=True)
    for name, weights in pairs:
        before, last = found[-1]
        half = tuple((a + b) / 2 for a, b in zip(last, weights, strict=True))
        found += [(f"½ {before} ½ {name}", half), (name, weights)]
    return found
