"""What all plots of an evaluation share: style, title, the way to disk."""

from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from pet_dcgan.config import TrainConfig
from pet_dcgan.utils.files import replacing

COLOURS = {"real": "#2563a8", "synthetic": "#c2570c", "other": "#6b7280"}
_STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "legend.frameon": False,
}


def plots(
    config: TrainConfig, words: str, *, rows: int = 1, columns: int = 1
) -> tuple[Figure, list[Axes]]:
    """A figure with a title that names the run and says phantom.

    Args:
        config: The run's.
        words: What the figure shows.
        rows: Of plots.
        columns: Of plots.

    Returns:
        The figure and its axes, row by row.
    """
    with mpl.rc_context(_STYLE):
        size = (max(6.4, 3.2 * columns), 3.0 * rows + 0.6)
        figure = Figure(figsize=size, layout="constrained", dpi=100)
        FigureCanvasAgg(figure)
        figure.suptitle(titled(config, words))
        grid = figure.subplots(rows, columns, squeeze=False)
    return figure, list(grid.ravel())


def titled(config: TrainConfig, words: str) -> str:
    """The run in a few words, what is shown, and whether it is a phantom.

    Args:
        config: The run's.
        words: What is shown.
    """
    mark = " (phantom)" if config.phantom else ""
    return f"{config.stage} {config.plane}, {config.preset}: {words}{mark}"


def save(figure: Figure, path: str | Path) -> None:
    """Writes a PNG whose bytes depend on what it shows alone.

    Args:
        figure: From `plots`.
        path: PNG to write.
    """
    with mpl.rc_context(_STYLE), replacing(path) as temporary:
        figure.savefig(temporary, format="png", metadata={"Software": None})
