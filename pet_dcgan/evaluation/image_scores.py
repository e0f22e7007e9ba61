"""Variety, texture, intensities and uptake of the images themselves."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from pet_dcgan.evaluation.images import EvaluationImages, Samples
from pet_dcgan.evaluation.numbers import Number, ends, number, rounded, summary
from pet_dcgan.evaluation.pair_scores import Pairs, whose
from pet_dcgan.metrics.confidence import mean_interval
from pet_dcgan.metrics.image_quality import diversity
from pet_dcgan.metrics.spectrum import (
    Spectrum,
    checkerboard_ratio,
    nyquist_power,
    radial_power_spectrum,
    spectrum_distance,
)
from pet_dcgan.metrics.uptake import (
    bland_altman,
    histogram_distance,
    intensity_histogram,
    region_names,
    regional_uptake,
    wasserstein,
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


def variety(judged: EvaluationImages) -> dict[str, Number | None]:
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
    """Spectra and histograms of each kind, `"others"` where there are such.

    Args:
        samples: Equally many images of each kind.
        spacing_mm: Side of a pixel.
        suvr_max: Upper end of the histograms.
    """
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


def texture(judged: EvaluationImages, found: Profiles) -> dict[str, Any]:
    """Distance of power spectra, and how strong the finest detail is.

    `finest_detail` is the root mean square SUVR near the Nyquist frequency;
    `checkerboard` its power over that of the held-out images, which says
    little where smooth images have next to none.

    Args:
        judged: The images.
        found: What `profiles` made of their samples.
    """
    samples = judged.samples()
    sums = {kind: nyquist_power(x) for kind, x in _kinds(samples).items()}
    powers = {kind: each.power for kind, each in found.spectra.items()}
    owners = _compared(samples)
    return {
        "distance": _by_kind(spectrum_distance, powers, owners, judged.seed),
        "checkerboard": _by_kind(checkerboard_ratio, sums, owners, judged.seed),
        "finest_detail": {
            kind: _amplitude(sums[kind], whose_images, judged.seed)
            for kind, whose_images in (
                ("synthetic", np.arange(len(samples.synthetic))),
                ("real", samples.real.subjects),
            )
        },
    }


def _by_kind(
    statistic: Callable[[np.ndarray, np.ndarray], float],
    values: dict[str, np.ndarray],
    owners: dict[str, tuple | None],
    seed: int,
) -> dict[str, Number | None]:
    """A statistic of held-out real rows and those of each comparison."""

    def found(kind: str) -> Number | None:
        if owners[kind] is None:
            return None
        real, other = values["real"], values[_OTHER[kind]]
        return number(
            lambda a, b: statistic(real[a], other[b]), owners[kind], seed=seed
        )

    return {kind: found(kind) for kind in owners}


def _amplitude(power: np.ndarray, owners: np.ndarray, seed: int) -> Number:
    return number(
        lambda rows: float(np.sqrt(power[rows].mean())), (owners,), seed=seed
    )


def intensities(judged: EvaluationImages, found: Profiles) -> dict[str, Any]:
    """Wasserstein distance of the SUVR of all pixels.

    The value is exact; its interval is that of histograms.

    Args:
        judged: The images.
        found: What `profiles` made of their samples.
    """
    suvr_max = judged.config.suvr_max

    def apart(a: np.ndarray, b: np.ndarray) -> float:
        means = a.mean(axis=0), b.mean(axis=0)
        return float(histogram_distance(*means, suvr_max=suvr_max))

    samples = judged.samples()
    images = _kinds(samples)
    distances = _by_kind(
        apart, found.histograms, _compared(samples), judged.seed
    )
    for kind, each in distances.items():
        if each is not None:
            exact = wasserstein(images["real"], images[_OTHER[kind]])
            each["value"] = rounded(exact)
    return {"wasserstein": distances}


def uptake(
    judged: EvaluationImages, pairs: dict[str, Pairs | None]
) -> tuple[dict[str, Any], dict[str, BandMeans | None]]:
    """Bland-Altman by band, of images and their nearest real ones.

    Args:
        judged: The images.
        pairs: Images with their partners, by kind; None where there are none.

    Returns:
        The numbers by kind and band, in SUVR, and the means that figures are
        drawn of, by kind.
    """
    means = {
        kind: each
        and BandMeans(
            regional_uptake(each.images),
            regional_uptake(each.real)[each.partners["nearest"]],
        )
        for kind, each in pairs.items()
    }
    numbers = {
        kind: each and _agreement(judged, pairs[kind], kind, each)
        for kind, each in means.items()
    }
    return numbers, means


def _agreement(
    judged: EvaluationImages, pairs: Pairs, kind: str, means: BandMeans
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
        for column, band in enumerate(region_names(judged.config.plane))
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
