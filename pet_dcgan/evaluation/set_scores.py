"""Numbers of whole sets of images: features, texture, intensities."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from pet_dcgan.evaluation.images import EvaluationImages, Samples, evenly_spaced
from pet_dcgan.evaluation.pair_scores import Number, interval_ends, rounded
from pet_dcgan.features.encoder import Encoder
from pet_dcgan.metrics.confidence import halves_interval, student_interval
from pet_dcgan.metrics.distribution import (
    Prdc,
    frechet_distance,
    frechet_ratio,
    kid,
    mean_shift,
    precision_recall_density_coverage,
)
from pet_dcgan.metrics.significance import kid_p_value
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

_LEAST_IMAGES = 16
# images that a ball of precision, recall, density and coverage holds
_NEIGHBOURS = 5
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
        without validation images), each a value and its interval, KID also
        `p_value` and `shift`. What too few subjects leave open is None, with
        `missing`, the reason; with too few images or features that are not
        finite that stands in place of all metrics.
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
    for kind, rows in features.items():
        if not np.isfinite(rows).all():
            reason = f"features of {kind} images hold NaN or infinity"
            return scores | {"missing": reason}
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
    narrow, is_narrow = _narrowed(features, kind)
    found = {
        "kid": _kid(features, samples, kind),
        "frechet": number(
            frechet_distance,
            narrow,
            samples,
            "real",
            kind,
            interval=is_narrow,
        ),
    }
    return found | _neighbourhoods(features, samples, kind)


def _neighbourhoods(
    features: dict[str, np.ndarray], samples: Samples, kind: str
) -> dict[str, Number]:
    """Precision, recall, density and coverage."""
    kinds = "real", kind
    real, other = (features[each] for each in kinds)
    owners, other_owners = (samples.subjects[each] for each in kinds)
    if min(_others(owners), _others(other_owners)) < _NEIGHBOURS:
        reason = f"needs {_NEIGHBOURS} images of other subjects for each"
        nothing = {"value": None, "interval": None, "missing": reason}
        return {name: dict(nothing) for name in Prdc._fields}

    # four numbers are of the same halves
    @functools.lru_cache
    def neighbours(rows: bytes, others: bytes) -> Prdc:
        a, b = (np.frombuffer(each, np.int64) for each in (rows, others))
        least = min(len(a), len(b))
        a, b = (each[evenly_spaced(len(each), least)] for each in (a, b))
        return precision_recall_density_coverage(
            real[a],
            other[b],
            # in a half a subject with most of the images may leave fewer
            k=min(_NEIGHBOURS, _others(owners[a]), _others(other_owners[b])),
            subjects=owners[a],
            synthetic_subjects=other_owners[b],
        )

    def score(name: str, a: np.ndarray, b: np.ndarray) -> float:
        return getattr(neighbours(a.tobytes(), b.tobytes()), name)

    rows = {k: np.arange(len(features[k])) for k in kinds}
    return {
        name: number(functools.partial(score, name), rows, samples, *kinds)
        for name in Prdc._fields
    }


def _others(subjects: np.ndarray) -> int:
    """Rows of other subjects, for the subject with most of the rows."""
    return len(subjects) - int(np.unique(subjects, return_counts=True)[1].max())


def _kid(
    features: dict[str, np.ndarray], samples: Samples, kind: str
) -> Number:
    """KID by subject, its interval, p-value, and the shift it stands for."""
    kinds = "real", kind
    rows = [features[each] for each in kinds]
    owners = [samples.subjects[each] for each in kinds]
    count = min(len(np.unique(each)) for each in owners)
    if count < 2:
        names = "value", "interval", "p_value", "shift"
        reason = "KID needs two or more subjects, and there is 1"
        return dict.fromkeys(names) | {"missing": reason}
    by_subject = {"subjects": owners[0], "synthetic_subjects": owners[1]}
    found = kid(*rows, **by_subject)
    interval = student_interval(*found, count)
    if kind == "synthetic":
        # each image is a subject of its own, and they are grouped at random
        del by_subject["synthetic_subjects"]
    p_value = kid_p_value(*rows, **by_subject, seed=samples.seed)
    return {
        "value": rounded(found.value),
        "interval": interval_ends(interval),
        "p_value": rounded(p_value),
        "shift": rounded(mean_shift(found.value)),
    }


def _frechet_ratio(features: dict[str, np.ndarray], samples: Samples) -> Number:
    """Fréchet distance of real halves over that of real and synthetic ones."""
    narrow, is_narrow = _narrowed(features, "synthetic")
    rows = {k: np.arange(len(x)) for k, x in narrow.items()}

    def ratio(a: np.ndarray, b: np.ndarray) -> float:
        try:
            return frechet_ratio(
                narrow["real"][a],
                narrow["synthetic"][b],
                seed=samples.seed,
                subjects=samples.subjects["real"][a],
                # the halves of an interval are many themselves
                splits=10 if len(a) == len(rows["real"]) else 2,
            )
        except ValueError:
            # one subject has nearly all of the images: no halves of them
            return float("nan")

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
