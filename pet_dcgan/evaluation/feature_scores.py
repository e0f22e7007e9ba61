"""Numbers of whole sets of images by an encoder's features, by subject."""

import functools
from typing import Any

import numpy as np

from pet_dcgan.evaluation.images import EvaluationImages, Samples, evenly_spaced
from pet_dcgan.evaluation.pair_scores import Number, interval_ends, rounded
from pet_dcgan.evaluation.set_scores import COMPARED, number
from pet_dcgan.features.encoder import Encoder
from pet_dcgan.metrics.confidence import student_interval
from pet_dcgan.metrics.distribution import (
    Prdc,
    frechet_distance,
    frechet_ratio,
    kid,
    mean_shift,
    precision_recall_density_coverage,
)
from pet_dcgan.metrics.significance import kid_p_value

_LEAST_IMAGES = 16
# images that a ball of precision, recall, density and coverage holds
_NEIGHBOURS = 5
# Fréchet distances of wider features have no interval: it takes too long
_WIDE = 256


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
        for name, kind in COMPARED.items()
        if kind in features
    }
    for metric in found["synthetic"]:
        scores[metric] = {k: found.get(k, {}).get(metric) for k in COMPARED}
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
