"""Numbers of whole sets of images: texture and intensities."""

from collections.abc import Callable
from typing import Any

import numpy as np

from pet_dcgan.evaluation.images import EvaluationImages, Samples
from pet_dcgan.evaluation.pair_scores import Number, interval_ends, rounded
from pet_dcgan.metrics.confidence import halves_interval
from pet_dcgan.metrics.spectrum import (
    Spectrum,
    checkerboard_ratio,
    nyquist_power,
    radial_power_spectrum,
    spectrum_distance,
)
from pet_dcgan.metrics.uptake import (
    histogram_distance,
    intensity_histogram,
    wasserstein,
)

_BINS = 256
# what is compared with held-out real images: synthetic ones, and real ones of
# other subjects
COMPARED = {"synthetic": "synthetic", "real": "others"}


def number(
    statistic: Callable[..., float],
    values: dict[str, np.ndarray],
    samples: Samples,
    *kinds: str,
    interval: bool = True,
) -> Number:
    """A statistic of whole sets, and its interval by halves of subjects.

    Args:
        statistic: Takes an array of values for each of `kinds`.
        values: By kind, one for each of the samples' images `[n, ...]`.
        samples: The images, with their subjects.
        kinds: Those that the statistic compares.
        interval: Whether to compute one, which takes 50 times as long.
    """
    subjects = tuple(samples.subjects[kind] for kind in kinds)

    def of_rows(*rows: np.ndarray) -> float:
        chosen = zip(kinds, rows, strict=True)
        return statistic(*(values[kind][each] for kind, each in chosen))

    found = {
        "value": rounded(of_rows(*(np.arange(len(x)) for x in subjects))),
        "interval": None,
    }
    if interval and found["value"] is not None:
        halves = halves_interval(of_rows, subjects=subjects, seed=samples.seed)
        found["interval"] = interval_ends(halves)
    return found


def _by_comparison(
    statistic: Callable[[np.ndarray, np.ndarray], float],
    values: dict[str, np.ndarray],
    samples: Samples,
) -> dict[str, Number | None]:
    """A statistic of real images and of each kind compared with them."""
    return {
        name: number(statistic, values, samples, "real", kind)
        if kind in values
        else None
        for name, kind in COMPARED.items()
    }


def texture_scores(
    images: EvaluationImages,
) -> tuple[dict[str, Any], dict[str, Spectrum]]:
    """Distance of power spectra, and how strong the finest detail is.

    `finest_detail` is the root mean square SUVR near the Nyquist frequency;
    `checkerboard` its power over that of the held-out images, which says
    little where smooth images have next to none.

    Returns:
        The numbers, and the power spectra by kind.
    """
    samples, spacing = images.samples, images.config.spacing_mm
    spectra = {
        kind: radial_power_spectrum(each, spacing_mm=spacing)
        for kind, each in samples.images.items()
    }
    powers = {kind: each.power for kind, each in spectra.items()}
    finest = {kind: nyquist_power(x) for kind, x in samples.images.items()}

    def amplitude(power: np.ndarray) -> float:
        return float(np.sqrt(power.mean()))

    return {
        "distance": _by_comparison(spectrum_distance, powers, samples),
        "checkerboard": _by_comparison(checkerboard_ratio, finest, samples),
        "finest_detail": {
            kind: number(amplitude, finest, samples, kind)
            for kind in ("synthetic", "real")
        },
    }, spectra


def intensity_scores(
    images: EvaluationImages,
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Wasserstein distance of the SUVR of all pixels.

    The value is exact; its interval is that of histograms.

    Returns:
        The numbers, and by kind the share of each image's pixels in equal
        bins of SUVR `[n, bins]`.
    """
    samples, suvr_max = images.samples, images.config.suvr_max
    histograms = {
        kind: intensity_histogram(each, suvr_max=suvr_max, bins=_BINS)
        for kind, each in samples.images.items()
    }

    def distance(a: np.ndarray, b: np.ndarray) -> float:
        means = a.mean(axis=0), b.mean(axis=0)
        return float(histogram_distance(*means, suvr_max=suvr_max))

    distances = _by_comparison(distance, histograms, samples)
    for name, found in distances.items():
        if found is not None:
            kinds = samples.images["real"], samples.images[COMPARED[name]]
            found["value"] = rounded(wasserstein(*kinds))
    return {"wasserstein": distances}, histograms
