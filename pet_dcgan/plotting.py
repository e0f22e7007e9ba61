"""Grey pictures of images on one fixed SUVR scale.

Figures for files are drawn without pyplot, so they share no state and need no
display; those that a notebook shows are pyplot's.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from pet_dcgan.image_facts import ImageFacts, place_in_words
from pet_dcgan.metrics.cuts import three_plane
from pet_dcgan.references import SUVR_LABELS
from pet_dcgan.utils.files import replacing

Rows = Sequence[tuple[str, np.ndarray]]

_TILE = 1.28  # inches, so that 128 pixels are drawn one to one
_DPI = 100
_TOP = 0.5
_MARGIN = 0.2
_LETTER = 0.095  # width of a letter of a label
_BAR = 1.0  # colour bar with its labels
# what is at the left and at the right of an axial, coronal and sagittal cut
_SIDES = (("L", "R"), ("L", "R"), ("A", "P"))


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


def sheet_title(facts: ImageFacts | None, words: str) -> str:
    """A title: whose images, what is shown, and whether of a phantom.

    Args:
        facts: Of the images, where they are known.
        words: What is shown.
    """
    if facts is None:
        return words
    mark = " (phantom)" if facts.phantom else ""
    return f"{place_in_words(facts.stage, facts.plane)}, {words}{mark}"


def grey_scale(
    facts: ImageFacts | None, suvr_max: float | None = None
) -> tuple[float, str]:
    """What white stands for, and what to write at the colour bar.

    Args:
        facts: Of the images, where they are known.
        suvr_max: SUVR of white, where there are no facts.

    Returns:
        SUVR of white, or 1 for the largest uptake where it is unknown; label.

    Raises:
        ValueError: If `suvr_max` is not above 0, or not that of the facts.
    """
    if suvr_max is not None and not 0 < suvr_max < np.inf:
        raise ValueError(f"expected suvr_max above 0, found {suvr_max!r}")
    if facts is not None and suvr_max not in (None, facts.suvr_max):
        raise ValueError(
            f"expected suvr_max {facts.suvr_max:g} as of the images' facts, "
            f"found {suvr_max:g}: leave it out"
        )
    if facts is not None:
        return facts.suvr_max, SUVR_LABELS[facts.reference]
    if suvr_max is not None:
        return float(suvr_max), "SUVR"
    return 1.0, "share of the largest uptake"


def save_sheet(
    path: str | Path,
    rows: Rows,
    *,
    title: str,
    suvr_max: float,
    phantom: bool,
    label: str = "SUVR",
    cuts: bool = False,
) -> None:
    """Writes labelled rows of images as a PNG with a colour bar.

    A volume is drawn as three cuts side by side, axial, coronal and sagittal,
    see `pet_dcgan.metrics.cuts`; letters say what is left, right, anterior and
    posterior. The same input gives the same bytes.

    Args:
        path: Where the PNG goes; it is replaced.
        rows: Label and images `[n, height, width]` in SUVR of each row, or
            volumes `[n, size, size, size]`; rows may differ in n.
        title: Line above the sheet.
        suvr_max: SUVR shown as white; 0 is black.
        phantom: Whether the title says that it is a phantom.
        label: Of the colour bar.
        cuts: Whether the images are such cuts already, as of `three_plane`.

    Raises:
        ValueError: If there is no row, or images differ in size.
    """
    rows, cuts = _as_images(rows, cuts)
    if phantom:
        title = f"{title} (phantom)"
    with mpl.rc_context({"font.family": "DejaVu Sans", "font.size": 10}):
        axes = _sheet(rows, title, suvr_max, label, _figure)
        if cuts:
            _name_sides(axes, rows)
        with replacing(path) as temporary:
            # no version of matplotlib and no date in the file
            axes.figure.savefig(
                temporary, format="png", dpi=_DPI, metadata={"Software": None}
            )


def show_sheet(
    rows: Rows,
    *,
    title: str,
    suvr_max: float,
    label: str = "SUVR",
    axes: Axes | None = None,
) -> Axes:
    """Draws labelled rows of images into axes, which a notebook shows.

    Args:
        rows: As of `save_sheet`.
        title: Line above the sheet.
        suvr_max: SUVR shown as white; 0 is black.
        label: Of the colour bar.
        axes: Axes to draw into; those of a new figure by default.

    Returns:
        The axes; `axes.figure.savefig` saves them.

    Raises:
        ValueError: If there is no row, or images differ in size.
    """
    rows, cuts = _as_images(rows)
    if axes is None:
        # imported late: it searches for a display
        from matplotlib import pyplot

        axes = _sheet(rows, title, suvr_max, label, pyplot.figure)
    else:
        shown = _draw_rows(axes, rows, suvr_max)
        axes.set_title(title)
        axes.figure.colorbar(shown, ax=axes, label=label)
    if cuts:
        _name_sides(axes, rows)
    return axes


def _as_images(rows: Rows, cuts: bool = False) -> tuple[Rows, bool]:
    """Rows of images, of cuts where there are volumes; whether of cuts."""
    if not any(np.ndim(images) == 4 for _, images in rows):
        return rows, cuts
    return [(name, three_plane(volumes)) for name, volumes in rows], True


def _name_sides(axes: Axes, rows: Rows) -> None:
    """Letters at the upper corners of the cuts of the first row.

    Lines part one volume from the next.
    """
    images = rows[0][1]
    _, height, width = np.shape(images)
    inset = height / 16
    for first in range(0, len(images) * width, width):
        if first:
            axes.axvline(first - 0.5, color="gray", linewidth=0.8)
        for index, (left, right) in enumerate(_SIDES):
            start = first + index * height
            for at, name in (
                (start + inset, left),
                (start + height - inset, right),
            ):
                axes.text(
                    at,
                    inset,
                    name,
                    color="white",
                    fontsize=7,
                    ha="center",
                    va="center",
                )


def _figure(**options) -> Figure:
    """A figure without pyplot."""
    figure = Figure(**options)
    FigureCanvasAgg(figure)
    return figure


def _sheet(
    rows: Rows,
    title: str,
    suvr_max: float,
    label: str,
    new_figure: Callable[..., Figure],
) -> Axes:
    """Rows of images in a figure of their size, pixels drawn one to one."""
    tile, columns = _size(rows)
    height = len(rows) * _TILE
    width = columns * tile[1] / tile[0] * _TILE
    left = _MARGIN + _LETTER * max(len(name) for name, _ in rows)
    total = (
        max(left + width + _BAR, 2 * _MARGIN + _LETTER * 1.1 * len(title)),
        _TOP + height + _MARGIN,
    )
    figure = new_figure(figsize=total, dpi=_DPI)
    box = [left / total[0], _MARGIN / total[1], width / total[0]]
    axes = figure.add_axes([*box, height / total[1]])
    shown = _draw_rows(axes, rows, suvr_max)
    bar = [(left + width + 0.15) / total[0], box[1], 0.12 / total[0]]
    cax = figure.add_axes([*bar, height / total[1]])
    figure.colorbar(shown, cax=cax, label=label)
    figure.text(0.5, 1 - 0.28 / total[1], title, ha="center", va="center")
    return axes


def _size(rows: Rows) -> tuple[tuple[int, int], int]:
    """Height and width of the images, and how many the longest row has."""
    shapes = {np.shape(images)[1:] for _, images in rows}
    if len(shapes) != 1:
        raise ValueError(
            "expected rows of images of one size, found "
            f"{sorted(shapes) if shapes else 'no row'}"
        )
    return shapes.pop(), max(len(images) for _, images in rows)


def _draw_rows(axes: Axes, rows: Rows, suvr_max: float) -> AxesImage:
    """Equally high rows of images, each with its label."""
    tile, columns = _size(rows)
    canvas = np.concatenate([mosaic(images, columns) for _, images in rows])
    shown = axes.imshow(
        canvas, cmap="gray", vmin=0, vmax=suvr_max, interpolation="nearest"
    )
    axes.set_xticks([])
    centres = (np.arange(len(rows)) + 0.5) * tile[0] - 0.5
    axes.set_yticks(centres, [name for name, _ in rows])
    axes.tick_params(length=0)
    return shown
