"""Variety, texture, intensities and uptake of the images themselves."""

from typing import Any, NamedTuple

import numpy as np

from pet_dcgan.evaluation.judged import Judged, Samples
from pet_dcgan.evaluation.numbers import (
    Number,
    ends,
    number,
    rounded,
    summary,
)
from pet_dcgan.evaluation.pair_scores import whose
from pet_dcgan.evaluation.pairs import Pairs
from pet_dcgan.metrics.bands import band_names, band_uptake, bland_altman
from pet_dcgan.metrics.histogram import (
    histogram_distance,
    intensity_histogram,
    wasserstein,
)
from pet_dcgan.metrics.intervals import mean_interval
from pet_dcgan.metrics.msssim import diversity
from pet_dcgan.metrics.spectrum import (
    Spectrum,
    checkerboard_ratio,
    nyquist_power,
    radial_power_spectrum,
    spectrum_distance,
)

_PAIRS = 500
_BINS = 256


class Profiles(NamedTuple):
    """What the plots of whole samples show, by kind of image.

    Args:
        spectra: Powers by frequency.
        histograms: Shares of pixels by SUVR, an image a row.
    """

    spectra: dict[str, Spectrum]
    histograms: dict[str, np.ndarray]


class BandMeans(NamedTuple):
    """Mean SUVR in each band of paired images.

    Args:
        images: `[n, 5]`.
        partners: Of the nearest real image `[n, 5]`.
    """

    images: np.ndarray
    partners: np.ndarray


def variety(judged: Judged) -> dict[str, Number | None]:
    """MS-SSIM of equally many pairs of synthetic and of real images."""
    if judged.real.subject_count < 2 or len(judged.synthetic) < 2:
        return {"synthetic": None, "real": None}
    options = {"dynamic_range": judged.config.suvr_max, "seed": judged.seed}
    real, owners = judged.real
    of_real = diversity(real, subjects=owners, pairs=_PAIRS, **options)
    pairs = len(of_real.values)
    of_synthetic = diversity(judged.synthetic, pairs=pairs, **options)
    independent = np.arange(len(judged.synthetic))
    return {
        kind: summary(
            found.values,
            whose_images[found.first],
            partners=whose_images[found.second],
            seed=judged.seed,
        )
        for kind, found, whose_images in (
            ("synthetic", of_synthetic, independent),
            ("real", of_real, owners),
        )
    }


def profiles(
    samples: Samples, *, spacing_mm: float, suvr_max: float
) -> Profiles:
    """Spectra and histograms of each kind, `"others"` where there are such."""
    kinds = _kinds(samples)
    return Profiles(
        {
            kind: radial_power_spectrum(images, spacing_mm=spacing_mm)
            for kind, images in kinds.items()
        },
        {
            kind: intensity_histogram(images, suvr_max=suvr_max, bins=_BINS)
            for kind, images in kinds.items()
        },
    )


def texture(judged: Judged, found: Profiles) -> dict[str, Any]:
    """Distance of power spectra, and how strong the finest detail is.

    `finest_detail` is the root mean square SUVR near the Nyquist frequency;
    `checkerboard` its power over that of the held-out images, which says
    little where smooth images have next to none.
    """
    samples = judged.samples()
    nyquist = {k: nyquist_power(x) for k, x in _kinds(samples).items()}
    distances, boards = {}, {}
    for kind, sets in _compared(samples).items():
        other = _OTHER[kind]
        powers = found.spectra["real"].power, found.spectra[other].power
        distances[kind] = sets and number(
            lambda a, b, p=powers: spectrum_distance(p[0][a], p[1][b]),
            sets,
            seed=judged.seed,
        )
        sums = nyquist["real"], nyquist.get(other)
        boards[kind] = sets and number(
            lambda a, b, s=sums: checkerboard_ratio(s[0][a], s[1][b]),
            sets,
            seed=judged.seed,
        )
    return {
        "distance": distances,
        "checkerboard": boards,
        "finest_detail": {
            "synthetic": _amplitude(
                nyquist["synthetic"],
                np.arange(len(samples.synthetic)),
                judged.seed,
            ),
            "real": _amplitude(
                nyquist["real"], samples.real.subjects, judged.seed
            ),
        },
    }


def _amplitude(power: np.ndarray, owners: np.ndarray, seed: int) -> Number:
    return number(
        lambda rows: float(np.sqrt(power[rows].mean())), (owners,), seed=seed
    )


def intensities(judged: Judged, found: Profiles) -> dict[str, Any]:
    """Wasserstein distance of the SUVR of all pixels.

    The value is exact; its interval is that of histograms.
    """
    samples = judged.samples()
    images = _kinds(samples)
    suvr_max = judged.config.suvr_max
    distances = {}
    for kind, sets in _compared(samples).items():
        if sets is None:
            distances[kind] = None
            continue
        other = _OTHER[kind]
        shares = found.histograms["real"], found.histograms[other]

        def apart(a, b, shares=shares):
            means = shares[0][a].mean(axis=0), shares[1][b].mean(axis=0)
            return float(histogram_distance(*means, suvr_max=suvr_max))

        value = wasserstein(images["real"].ravel(), images[other].ravel())
        distances[kind] = number(apart, sets, seed=judged.seed) | {
            "value": rounded(value)
        }
    return {"wasserstein": distances}


def uptake(
    judged: Judged, pairs: dict[str, Pairs | None]
) -> tuple[dict[str, Any], dict[str, BandMeans | None]]:
    """Bland-Altman by band, of images and their nearest real ones."""
    means = {
        kind: each
        and BandMeans(
            band_uptake(each.images),
            band_uptake(each.real)[each.partners["nearest"]],
        )
        for kind, each in pairs.items()
    }
    numbers = {
        kind: each and _agreement(judged, pairs[kind], kind, each)
        for kind, each in means.items()
    }
    return numbers, means


def _agreement(
    judged: Judged, pairs: Pairs, kind: str, means: BandMeans
) -> dict[str, Number]:
    own, others = whose(judged, pairs, kind, "nearest")
    limits = bland_altman(means.partners, means.images)
    return {
        band: {
            "value": rounded(limits.bias[column]),
            "lower": rounded(limits.lower[column]),
            "upper": rounded(limits.upper[column]),
            "interval": ends(
                mean_interval(
                    limits.differences[:, column],
                    own,
                    partners=others,
                    seed=judged.seed,
                )
            ),
        }
        for column, band in enumerate(band_names(judged.config.plane))
    }


# what each kind of comparison holds beside held-out real images
_OTHER = {"synthetic": "synthetic", "real": "others"}


def _kinds(samples: Samples) -> dict[str, np.ndarray]:
    kinds = {"real": samples.real.images, "synthetic": samples.synthetic}
    if samples.others is not None:
        kinds["others"] = samples.others.images
    return kinds


def _compared(samples: Samples) -> dict[str, tuple | None]:
    """Whose the rows are of each comparison, None where there is none."""
    real = samples.real.subjects
    others = samples.others
    return {
        "synthetic": (real, np.arange(len(samples.synthetic))),
        "real": others and (real, others.subjects),
    }
