"""Plots of regions: means, SDs, correlations and Bland-Altman."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from pet_dcgan.config import TrainConfig
from pet_dcgan.evaluation.plots import COLOURS, plots
from pet_dcgan.evaluation.region_scores import RegionData
from pet_dcgan.metrics.region_statistics import SetStatistics
from pet_dcgan.metrics.regions import BlandAltman, region_names
from pet_dcgan.references import SUVR_LABELS

_KINDS = {"real": "held-out real (test)", "synthetic": "synthetic"}


def save_regions(
    path: str | Path, data: RegionData, config: TrainConfig
) -> None:
    """Means and SDs by region, and both correlation matrices.

    Args:
        path: PNG to write.
        data: What is drawn.
        config: The run's.
    """
    words = "uptake by region"
    names = region_names(config.plane)
    with plots(path, config, words, rows=2, columns=2) as axes:
        grid = axes[0].get_gridspec()
        figure = axes[0].figure
        axes[0].remove()
        axes[1].remove()
        wide = figure.add_subplot(grid[0, :])
        _draw_means(wide, data.statistics, names)
        wide.set_ylabel(SUVR_LABELS[config.reference])
        for place, (kind, label) in zip(axes[2:], _KINDS.items(), strict=True):
            drawn = _draw_matrix(place, data.statistics[kind], names)
            place.set_title(f"correlations, {label}", fontsize="medium")
        figure.colorbar(drawn, ax=axes[2:], label="correlation over images")
        figure.set_size_inches(9.6, 8.4)


def _draw_means(
    axes: Axes, statistics: dict[str, SetStatistics], names: tuple[str, ...]
) -> None:
    """Means as points with bars of one SD, real beside synthetic."""
    for kind, shift in (("real", -0.12), ("synthetic", 0.12)):
        found = statistics[kind]
        places = np.arange(len(names)) + shift
        style = {"color": COLOURS[kind], "linestyle": "none"}
        axes.errorbar(
            places,
            found.mean.value,
            yerr=found.sd.value,
            marker="o",
            markersize=4,
            capsize=3,
            label=f"{_KINDS[kind]}: mean ± SD",
            **style,
        )
        if found.mean.low is not None:
            ends = np.abs([found.mean.low, found.mean.high] - found.mean.value)
            axes.errorbar(
                places,
                found.mean.value,
                yerr=ends,
                elinewidth=5,
                alpha=0.35,
                label=f"{_KINDS[kind]}: 95 % interval of the mean",
                **style,
            )
    axes.set_xticks(range(len(names)), [n.replace(" ", "\n") for n in names])
    axes.legend(fontsize="small", ncols=2)


def _draw_matrix(
    axes: Axes, found: SetStatistics, names: tuple[str, ...]
) -> AxesImage:
    """A correlation matrix on the scale from -1 to 1, with its numbers."""
    values = found.correlations.value
    drawn = axes.imshow(values, cmap="RdBu_r", vmin=-1, vmax=1)
    for (row, column), value in np.ndenumerate(values):
        text = f"{value:.1f}".replace("-0.0", "0.0").replace("-", "−")
        colour = "white" if abs(value) > 0.7 else "black"
        style = {"ha": "center", "va": "center", "fontsize": 6}
        axes.text(column, row, text, color=colour, **style)
    ticks = range(len(names))
    axes.set_xticks(ticks, names, rotation=90, fontsize="x-small")
    axes.set_yticks(ticks, names, fontsize="x-small")
    axes.grid(visible=False)
    return drawn


def save_agreement(
    path: str | Path, data: RegionData, config: TrainConfig
) -> None:
    """A Bland-Altman plot per region, synthetic beside real against real.

    Args:
        path: PNG to write.
        data: What is drawn.
        config: The run's.
    """
    words = "uptake by region against the nearest real image"
    with plots(path, config, words, rows=3, columns=3) as axes:
        names = region_names(config.plane)
        for index, (place, region) in enumerate(zip(axes, names, strict=True)):
            for kind, label in (
                ("real", "real vs. real"),
                ("synthetic", "synthetic"),
            ):
                found = data.differences[kind]
                if found is not None:
                    _draw_agreement(place, found, index, label, COLOURS[kind])
            place.axhline(0, color=COLOURS["mark"], linewidth=0.6)
            place.set_title(region, fontsize="medium")
        for place in axes[6:]:
            place.set_xlabel("mean of both (SUVR)")
        for place in axes[::3]:
            place.set_ylabel("image − nearest real")
        handles, labels = axes[0].get_legend_handles_labels()
        axes[0].figure.legend(
            handles, labels, loc="outside lower center", ncols=len(handles) // 3
        )


def _draw_agreement(
    axes: Axes, found: BlandAltman, column: int, label: str, colour: str
) -> None:
    """The differences of one region with their mean and limits."""
    axes.scatter(
        found.averages[:, column],
        found.differences[:, column],
        s=9,
        alpha=0.45,
        color=colour,
        linewidths=0,
        label=label,
    )
    axes.axhline(found.bias[column], color=colour, label=f"{label}: mean")
    for ends, name in (
        (found.lower, f"{label}: 95 % limits"),
        (found.upper, None),
    ):
        axes.axhline(
            ends[column],
            color=colour,
            linestyle="--",
            linewidth=0.9,
            label=name,
        )
