"""Numbers of whole sets of images: features, texture, intensities."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from pet_dcgan.evaluation.images import EvaluationImages, Samples, evenly_spaced
from pet_dcgan.evaluation.pair_scores import Number, interval_ends, rounded
from pet_dcgan.features.encoder import Encoder
from pet_dcgan.metrics.confidence import halves_interval
from pet_dcgan.metrics.distribution import (
    Prdc,
    frechet_distance,
    frechet_ratio,
    kid,
    precision_recall_density_coverage,
)
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

# more than the neighbours that a ball of precision holds, also in a half
_LEAST_IMAGES = 16
_LEAST_SUBJECTS = 4
# Fréchet distances of wider features have no interval: it takes too long
_WIDE = 256
_BINS = 256
# what is compared with held-out real images: synthetic ones, and real ones of
# other subjects
_COMPARED = {"synthetic": "synthetic", "real": "others"}


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
    if interval:
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
        for name, kind in _COMPARED.items()
    }


def feature_scores(
    images: EvaluationImages, encoder: Encoder
) -> dict[str, Any]:
    """Distances of sets by an encoder's features, beside those of real ones.

    Synthetic images, and real ones of the validation split, are each compared
    with as many real ones of the test split.

    Args:
        images: The images.
        encoder: Computes the features.

    Returns:
        `encoder` (its facts), and by metric `synthetic` and `real` (None
        without validation images), each a value and its interval; with too
        few images `missing`, the reason, in place of metrics.
    """
    samples = images.samples
    count = len(samples.images["real"])
    scores: dict[str, Any] = {"encoder": encoder.facts, "images": count}
    if count < _LEAST_IMAGES:
        return scores | {
            "missing": f"features need {_LEAST_IMAGES} images of each kind, "
            f"and there are {count}"
        }
    features = {k: encoder.features(x) for k, x in samples.images.items()}
    found = {
        name: _compare_features(features, samples, kind)
        for name, kind in _COMPARED.items()
        if kind in features
    }
    for metric in found["synthetic"]:
        scores[metric] = {k: found.get(k, {}).get(metric) for k in _COMPARED}
    # it compares halves of the real subjects
    several = images.real.subject_count > 1
    scores["frechet_ratio"] = (
        _frechet_ratio(features, samples) if several else None
    )
    return scores


def _compare_features(
    features: dict[str, np.ndarray], samples: Samples, kind: str
) -> dict[str, Number]:
    """Every number of the features of real images and of another kind."""
    real, other = features["real"], features[kind]
    kinds = "real", kind
    rows = {k: np.arange(len(features[k])) for k in kinds}

    # four numbers are of the same halves
    @functools.lru_cache
    def neighbours(rows: bytes, others: bytes) -> Prdc:
        a, b = (np.frombuffer(each, np.int64) for each in (rows, others))
        least = min(len(a), len(b))
        a, b = (each[evenly_spaced(len(each), least)] for each in (a, b))
        return precision_recall_density_coverage(real[a], other[b])

    def score(name: str, a: np.ndarray, b: np.ndarray) -> float:
        return getattr(neighbours(a.tobytes(), b.tobytes()), name)

    narrow, is_narrow = _narrowed(features, kind)
    found = {
        "kid": _kid(features, samples, kind),
        "frechet": number(
            frechet_distance, narrow, samples, *kinds, interval=is_narrow
        ),
    }
    for name in Prdc._fields:
        one = functools.partial(score, name)
        found[name] = number(one, rows, samples, *kinds)
    return found


def _kid(
    features: dict[str, np.ndarray], samples: Samples, kind: str
) -> Number:
    """KID with its standard error, by subjects where there are enough."""
    subjects = {k: samples.subjects[k] for k in ("real", kind)}
    counts = {k: len(np.unique(owners)) for k, owners in subjects.items()}
    enough = {k: count >= _LEAST_SUBJECTS for k, count in counts.items()}

    def error(one: str, other: str) -> float:
        owners = subjects[one] if enough[one] else None
        pair = features[one], features[other]
        return kid(*pair, seed=samples.seed, subjects=owners).standard_error

    total = error("real", kind)
    if counts[kind] < len(subjects[kind]):
        # the other images are of subjects as well: errors of either add up
        total = np.hypot(total, error(kind, "real"))

    def value(real: np.ndarray, other: np.ndarray) -> float:
        return kid(real, other, subsets=2).value

    return number(value, features, samples, "real", kind) | {
        "standard_error": rounded(total),
        "error_of": "subjects" if all(enough.values()) else "slices",
    }


def _frechet_ratio(features: dict[str, np.ndarray], samples: Samples) -> Number:
    """Fréchet distance of real halves over that of real and synthetic ones."""
    narrow, is_narrow = _narrowed(features, "synthetic")
    rows = {k: np.arange(len(x)) for k, x in narrow.items()}

    def ratio(a: np.ndarray, b: np.ndarray) -> float:
        return frechet_ratio(
            narrow["real"][a],
            narrow["synthetic"][b],
            seed=samples.seed,
            subjects=samples.subjects["real"][a],
            # the halves of an interval are many themselves
            splits=10 if len(a) == len(rows["real"]) else 2,
        )

    kinds = "real", "synthetic"
    return number(ratio, rows, samples, *kinds, interval=is_narrow)


def _narrowed(
    features: dict[str, np.ndarray], kind: str
) -> tuple[dict[str, np.ndarray], bool]:
    """Features with no more columns than rows, and whether they are narrow.

    In the space that the rows span, distances and so the Fréchet distance
    are what they were.
    """
    narrow = {k: features[k] for k in ("real", kind)}
    rows = np.concatenate(list(narrow.values())).astype(np.float64)
    if len(rows) < rows.shape[1]:
        basis = np.linalg.qr(rows.T)[0]
        narrow = {k: each @ basis for k, each in narrow.items()}
    return narrow, narrow["real"].shape[1] <= _WIDE


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
            kinds = samples.images["real"], samples.images[_COMPARED[name]]
            found["value"] = rounded(wasserstein(*kinds))
    return {"wasserstein": distances}, histograms
