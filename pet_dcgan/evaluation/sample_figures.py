"""Plots of samples: intensities, spectra, regional uptake, pairs."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from pet_dcgan.config import TrainConfig
from pet_dcgan.evaluation.image_scores import BandMeans
from pet_dcgan.evaluation.pair_scores import Pairs
from pet_dcgan.evaluation.plots import COLOURS, plots, save
from pet_dcgan.metrics.spectrum import Spectrum
from pet_dcgan.metrics.uptake import bland_altman, joint_histogram, region_names
from pet_dcgan.plotting import save_sheet
from pet_dcgan.utils.files import replacing

_NAMES = {
    "real": "held-out real (test)",
    "others": "other real subjects (validation)",
    "synthetic": "synthetic",
}
_COLOURS = COLOURS | {"others": COLOURS["other"]}


def save_intensities(
    path: str | Path, histograms: dict[str, np.ndarray], config: TrainConfig
) -> None:
    """Shares of pixels by SUVR, on a logarithmic axis.

    Args:
        path: PNG to write.
        histograms: Shares by kind, an image a row `[n, bins]`.
        config: The run's.
    """
    figure, (axes,) = plots(config, "how often each SUVR occurs")
    for kind, shares in histograms.items():
        edges = np.linspace(0, config.suvr_max, shares.shape[1] + 1)
        axes.stairs(
            shares.mean(axis=0),
            edges,
            color=_COLOURS[kind],
            label=_NAMES[kind],
            linewidth=1.4,
        )
    axes.set_yscale("log")
    axes.set_xlabel("SUVR")
    axes.set_ylabel("share of pixels")
    axes.legend()
    save(figure, path)


def save_spectra(
    path: str | Path, spectra: dict[str, Spectrum], config: TrainConfig
) -> None:
    """Mean power by spatial frequency, with the middle 80 % of images.

    Args:
        path: PNG to write.
        spectra: By kind.
        config: The run's.
    """
    figure, (axes,) = plots(config, "power by spatial frequency")
    for kind, (frequency, power) in spectra.items():
        low, high = np.quantile(power, [0.1, 0.9], axis=0)
        colour = _COLOURS[kind]
        axes.plot(
            frequency[1:],
            power.mean(axis=0)[1:],
            color=colour,
            label=_NAMES[kind],
        )
        band = np.maximum((low[1:], high[1:]), 1e-16)
        axes.fill_between(frequency[1:], *band, color=colour, alpha=0.15)
    nyquist = 1 / (2 * config.spacing_mm)
    axes.axvline(nyquist, color="#111827", linestyle=":", label="Nyquist")
    axes.set_yscale("log")
    axes.set_xlabel("cycles per mm")
    axes.set_ylabel("power (SUVR²)")
    axes.legend()
    save(figure, path)


def save_bands(
    path: str | Path, means: dict[str, BandMeans | None], config: TrainConfig
) -> None:
    """A Bland-Altman plot a band, synthetic beside real against real.

    Args:
        path: PNG to write.
        means: By kind; None where there are no pairs.
        config: The run's.
    """
    words = "uptake by band against the nearest real image"
    figure, axes = plots(config, words, rows=2, columns=3)
    names = region_names(config.plane)
    for index, (place, band) in enumerate(zip(axes, names, strict=False)):
        for kind in ("real", "synthetic"):
            if means[kind] is not None:
                _agreement(place, means[kind], index, kind)
        place.axhline(0, color="#111827", linewidth=0.6)
        place.set_title(band, fontsize="medium")
        place.set_xlabel("mean of both (SUVR)")
        place.set_ylabel("image − nearest real")
    handles, labels = axes[0].get_legend_handles_labels()
    axes[-1].axis("off")
    axes[-1].legend(handles, labels, loc="center")
    save(figure, path)


def _agreement(axes: Axes, means: BandMeans, column: int, kind: str) -> None:
    images, partners = means.images[:, column], means.partners[:, column]
    limits = bland_altman(partners, images)
    colour = _COLOURS[kind]
    label = {"real": "real beside real", "synthetic": "synthetic"}[kind]
    axes.scatter(
        (images + partners) / 2,
        images - partners,
        s=9,
        alpha=0.45,
        color=colour,
        linewidths=0,
        label=label,
    )
    axes.axhline(limits.bias, color=colour, label=f"{label}: mean")
    for end, name in ((limits.lower, "95 % limits"), (limits.upper, None)):
        axes.axhline(
            end,
            color=colour,
            linestyle="--",
            linewidth=0.9,
            label=f"{label}: {name}" if name else None,
        )


_SHOWN = 8
_MISSING = "held-out images of\none subject only"
_KINDS = {
    "real": "A real image and its nearest real one\nof another subject",
    "synthetic": "A synthetic image and its nearest real one",
}


def save_histograms(
    path: str | Path, pairs: dict[str, Pairs | None], config: TrainConfig
) -> None:
    """Joint histograms of a real and of a synthetic image's typical pair.

    The kinds stand side by side as in Figure 9 of Islam & Zhang (2020), doi
    10.1186/s40708-020-00104-2. Which pair is shown is not chosen by eye: it
    is the one of median distance.

    Args:
        path: PNG to write.
        pairs: Pairs of `"real"` (None where there are none) and
            `"synthetic"` images.
        config: The run's configuration.
    """
    figure = Figure(figsize=(9.6, 7.0), layout="constrained", dpi=100)
    figure.suptitle(_title(config, "joint histograms of pixel intensities"))
    grid = figure.add_gridspec(2, 4, height_ratios=[1, 2.2])
    panels = []
    for kind, first in (("real", 0), ("synthetic", 2)):
        thumbnails = [figure.add_subplot(grid[0, first + i]) for i in (0, 1)]
        axes = figure.add_subplot(grid[1, first : first + 2])
        axes.set_title(_KINDS[kind], fontsize="medium")
        panels.append(axes)
        drawn = _draw_kind(axes, thumbnails, kind, pairs[kind], config)
    bar = figure.colorbar(drawn, ax=panels)
    bar.set_label("share of pixels")
    with replacing(path) as temporary:
        # no version of matplotlib and no date in the file
        figure.savefig(temporary, format="png", metadata={"Software": None})


def save_real_and_synthetic(
    path: str | Path, pairs: Pairs, config: TrainConfig
) -> None:
    """A sheet of held-out real slices above synthetic ones.

    Real ones are spread evenly over all of them; synthetic ones are those of
    the first seeds. Neither is chosen by eye.

    Args:
        path: PNG to write.
        pairs: Synthetic images and the real ones.
        config: The run's.
    """
    count = min(_SHOWN, len(pairs.real), len(pairs.images))
    spread = np.linspace(0, len(pairs.real) - 1, count).round().astype(int)
    rows = [
        ("real, held out", pairs.real[spread]),
        ("synthetic", pairs.images[:count]),
    ]
    save_sheet(
        path,
        rows,
        title=_name(config, "real and synthetic"),
        suvr_max=config.suvr_max,
        phantom=config.phantom,
    )


def _draw_kind(
    axes: Axes,
    thumbnails: list[Axes],
    kind: str,
    pairs: Pairs | None,
    config: TrainConfig,
) -> AxesImage | None:
    """The two images of a kind's typical pair above their histogram."""
    if pairs is None:
        axes.text(0.5, 0.5, _MISSING, ha="center", transform=axes.transAxes)
        for each in (axes, *thumbnails):
            each.axis("off")
        return None
    image, partner = pairs.typical()
    names = (f"{kind} image", "its nearest real image")
    _draw_slice(thumbnails[0], image, names[0], config.suvr_max)
    _draw_slice(thumbnails[1], partner, names[1], config.suvr_max)
    axes.set_xlabel(f"SUVR of the {names[0]}")
    axes.set_ylabel(f"SUVR of {names[1]}")
    return _draw_histogram(axes, image, partner, config.suvr_max)


def _draw_histogram(
    axes: Axes, image: np.ndarray, partner: np.ndarray, suvr_max: float
) -> AxesImage:
    shares = joint_histogram(image, partner, suvr_max=suvr_max)
    axes.plot([0, suvr_max], [0, suvr_max], color="crimson", linewidth=0.8)
    return axes.imshow(
        np.ma.masked_equal(shares, 0).T,
        origin="lower",
        extent=(0, suvr_max, 0, suvr_max),
        # from one pixel to half of the image, in every figure alike
        norm=LogNorm(1 / image.size, 0.5),
        cmap="viridis",
        interpolation="nearest",
    )


def _draw_slice(
    axes: Axes, image: np.ndarray, name: str, suvr_max: float
) -> None:
    axes.imshow(image, cmap="gray", vmin=0, vmax=suvr_max)
    axes.set_title(name, fontsize="small")
    axes.axis("off")


def _title(config: TrainConfig, words: str) -> str:
    return _name(config, words) + (" (phantom)" if config.phantom else "")


def _name(config: TrainConfig, words: str) -> str:
    return f"{config.stage} {config.plane}, {config.preset}: {words}"
