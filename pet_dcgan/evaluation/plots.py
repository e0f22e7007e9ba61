"""Plots of an evaluation's numbers, in one style."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from pet_dcgan.config import VOLUME, TrainConfig
from pet_dcgan.image_facts import place_in_words
from pet_dcgan.metrics.spectrum import Spectrum
from pet_dcgan.references import SUVR_LABELS
from pet_dcgan.utils.files import replacing

COLOURS = {
    "real": "#2563a8",
    "synthetic": "#c2570c",
    "others": "#6b7280",
    "mark": "#111827",
}
_STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "legend.frameon": False,
}
_NAMES = {
    "real": "held-out real (test)",
    "others": "other real subjects (validation)",
    "synthetic": "synthetic",
}


@contextlib.contextmanager
def plots(
    path: str | Path,
    config: TrainConfig,
    words: str,
    *,
    rows: int = 1,
    columns: int = 1,
) -> Iterator[list[Axes]]:
    """A figure to draw into, saved when its block ends.

    Args:
        path: PNG to write.
        config: The run's.
        words: What the figure shows; the title also names the run.
        rows: Of plots.
        columns: Of plots.

    Yields:
        The axes, row by row.
    """
    with mpl.rc_context(_STYLE):
        size = (max(6.4, 3.2 * columns), 3.0 * rows + 0.6)
        figure = Figure(figsize=size, layout="constrained", dpi=100)
        FigureCanvasAgg(figure)
        figure.suptitle(run_title(config, words))
        grid = figure.subplots(rows, columns, squeeze=False)
    yield list(grid.ravel())
    save(figure, path)


def run_title(config: TrainConfig, words: str) -> str:
    """A title: the run, what is shown, and whether it is a phantom.

    Args:
        config: The run's.
        words: What is shown.
    """
    mark = " (phantom)" if config.phantom else ""
    place = place_in_words(config.stage, config.plane)
    preset = config.preset
    if config.plane == VOLUME:
        preset = f"preset {preset}"  # which is called "volume", too
    return f"{place}, {preset}: {words}{mark}"


def save(figure: Figure, path: str | Path) -> None:
    """Writes a PNG whose bytes depend only on what it shows.

    Args:
        figure: From `plots`.
        path: PNG to write.
    """
    with mpl.rc_context(_STYLE), replacing(path) as temporary:
        figure.savefig(temporary, format="png", metadata={"Software": None})


def save_intensities(
    path: str | Path, histograms: dict[str, np.ndarray], config: TrainConfig
) -> None:
    """Shares of pixels by SUVR, on a logarithmic axis.

    Args:
        path: PNG to write.
        histograms: Shares by kind, an image a row `[n, bins]`.
        config: The run's.
    """
    with plots(path, config, "how often each SUVR occurs") as (axes,):
        for kind, shares in histograms.items():
            axes.stairs(
                shares.mean(axis=0),
                np.linspace(0, config.suvr_max, shares.shape[1] + 1),
                color=COLOURS[kind],
                label=_NAMES[kind],
                linewidth=1.4,
            )
        axes.set_yscale("log")
        axes.set_xlabel(SUVR_LABELS[config.reference])
        axes.set_ylabel("share of pixels")
        axes.legend()


def save_spectra(
    path: str | Path, spectra: dict[str, Spectrum], config: TrainConfig
) -> None:
    """Mean power by spatial frequency, with the middle 80 % of images.

    Args:
        path: PNG to write.
        spectra: By kind.
        config: The run's.
    """
    with plots(path, config, "power by spatial frequency") as (axes,):
        for kind, (frequency, power) in spectra.items():
            colour, mean = COLOURS[kind], power.mean(axis=0)
            axes.plot(frequency[1:], mean[1:], color=colour, label=_NAMES[kind])
            low, high = np.quantile(power, [0.1, 0.9], axis=0)
            band = np.maximum((low[1:], high[1:]), 1e-16)
            axes.fill_between(frequency[1:], *band, color=colour, alpha=0.15)
        axes.axvline(
            1 / (2 * config.spacing_mm),
            color=COLOURS["mark"],
            linestyle=":",
            label="Nyquist",
        )
        axes.set_yscale("log")
        axes.set_xlabel("cycles per mm")
        axes.set_ylabel("power (SUVR²)")
        axes.legend()
