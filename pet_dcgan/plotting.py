"""Grey pictures of images on one fixed SUVR scale.

Figures are drawn without pyplot, so they share no state and need no display.
"""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from pet_dcgan.utils.files import replacing

_TILE = 1.28  # inches, so that 128 pixels are drawn one to one
_DPI = 100
_TOP = 0.5
_MARGIN = 0.2
_LETTER = 0.095  # width of a letter of a label
_BAR = 1.0  # colour bar with its labels


def mosaic(images: np.ndarray, columns: int) -> np.ndarray:
    """Images side by side, row after row; unused tiles are 0.

    Args:
        images: `[n, height, width]`, at least one.
        columns: Images in a row, at least 1.

    Returns:
        `[rows * height, columns * width]` of the same type.

    Raises:
        ValueError: If there is no image, or no column.
    """
    images = np.asarray(images)
    if images.ndim != 3 or not len(images) or columns < 1:
        raise ValueError(
            "expected images [n, height, width] and columns above 0, found "
            f"shape {images.shape} and {columns} columns"
        )
    count, height, width = images.shape
    rows = -(-count // columns)
    tiles = np.zeros((rows * columns, height, width), images.dtype)
    tiles[:count] = images
    grid = tiles.reshape(rows, columns, height, width).swapaxes(1, 2)
    return grid.reshape(rows * height, columns * width)


def save_sheet(
    path: str | Path,
    rows: Sequence[tuple[str, np.ndarray]],
    *,
    title: str,
    suvr_max: float,
    phantom: bool,
) -> None:
    """Writes labelled rows of images as a PNG with a colour bar.

    The same input gives the same bytes.

    Args:
        path: Where the PNG goes; it is replaced.
        rows: Label and images `[n, height, width]` in SUVR of each row; rows
            may differ in n.
        title: Line above the sheet.
        suvr_max: SUVR shown as white; 0 is black.
        phantom: Whether the title says that it is a phantom.

    Raises:
        ValueError: If there is no row, or images differ in size.
    """
    shapes = {np.shape(images)[1:] for _, images in rows}
    if len(shapes) != 1:
        raise ValueError(
            "expected rows of images of one size, found "
            f"{sorted(shapes) if shapes else 'no row'}"
        )
    columns = max(len(images) for _, images in rows)
    canvas = np.concatenate([mosaic(images, columns) for _, images in rows])
    labels = [label for label, _ in rows]
    if phantom:
        title = f"{title} (phantom)"
    with mpl.rc_context({"font.family": "DejaVu Sans", "font.size": 10}):
        figure = _draw(canvas, labels, title, suvr_max)
        with replacing(path) as temporary:
            # no version of matplotlib and no date in the file
            figure.savefig(
                temporary, format="png", dpi=_DPI, metadata={"Software": None}
            )


def _draw(
    canvas: np.ndarray, labels: Sequence[str], title: str, suvr_max: float
) -> Figure:
    """A canvas of equally high rows, with labels, a title and a colour bar."""
    tile = canvas.shape[0] / len(labels)
    height = len(labels) * _TILE
    width = canvas.shape[1] / tile * _TILE
    left = _MARGIN + _LETTER * max(len(label) for label in labels)
    total = (
        max(left + width + _BAR, 2 * _MARGIN + _LETTER * 1.1 * len(title)),
        _TOP + height + _MARGIN,
    )
    figure = Figure(figsize=total, dpi=_DPI)
    FigureCanvasAgg(figure)
    box = [left / total[0], _MARGIN / total[1], width / total[0]]
    axes = figure.add_axes([*box, height / total[1]])
    shown = axes.imshow(
        canvas, cmap="gray", vmin=0, vmax=suvr_max, interpolation="nearest"
    )
    axes.set_xticks([])
    centres = (np.arange(len(labels)) + 0.5) * tile - 0.5
    axes.set_yticks(centres, labels)
    axes.tick_params(length=0)
    bar = [(left + width + 0.15) / total[0], box[1], 0.12 / total[0]]
    figure.colorbar(
        shown,
        cax=figure.add_axes([*bar, height / total[1]]),
        label="SUVR",
    )
    figure.text(0.5, 1 - 0.28 / total[1], title, ha="center", va="center")
    return figure
