"""Plots of whole samples: intensities, power spectra, uptake by band."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from pet_dcgan.config import TrainConfig
from pet_dcgan.evaluation.image_scores import BandMeans
from pet_dcgan.evaluation.plots import COLOURS, plots, save
from pet_dcgan.metrics.bands import band_names, bland_altman
from pet_dcgan.metrics.spectrum import Spectrum

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
    names = band_names(config.plane)
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
