"""Numbers of one encoder's features: KID, Fréchet distance, precision."""

import functools
from typing import Any

import numpy as np

from pet_dcgan.evaluation.images import EvaluationImages, Samples
from pet_dcgan.evaluation.pair_scores import Number, rounded
from pet_dcgan.evaluation.set_scores import number
from pet_dcgan.features.encoder import Encoder
from pet_dcgan.metrics.distribution import (
    Prdc,
    frechet_distance,
    frechet_ratio,
    kid,
    precision_recall_density_coverage,
)

# more than the neighbours that a ball of precision holds, also in a half
_LEAST_IMAGES = 16
_LEAST_SUBJECTS = 4
# Fréchet distances of wider features take too long to be taken of halves
_WIDE = 256


def feature_scores(
    images: EvaluationImages, encoder: Encoder
) -> dict[str, Any]:
    """How far synthetic from real images lie, beside real from real ones.

    Synthetic images, and real ones of the validation split, are each compared
    with as many real ones of the test split.

    Args:
        images: The images.
        encoder: What features are taken by.

    Returns:
        `encoder` (its facts), and by metric `synthetic` and `real` (None
        without validation images), each a value and its interval.
    """
    samples, seed = images.samples, images.seed
    count = len(samples.images["real"])
    facts = {"encoder": encoder.facts, "images": count}
    if count < _LEAST_IMAGES:
        return facts | {
            "missing": f"features need {_LEAST_IMAGES} images of each kind, "
            f"and there are {count}"
        }
    features = {k: encoder.features(x) for k, x in samples.images.items()}

    def compare(kind: str) -> dict[str, Number]:
        kinds = "real", kind
        return _scores(
            *(features[k] for k in kinds),
            [samples.subjects[k] for k in kinds],
            seed,
        )

    synthetic = compare("synthetic")
    real = compare("others") if "others" in features else {}
    ratio = None
    # halves are halved once more
    if images.real.subject_count > 1:
        ratio = _frechet_ratio(features, samples, seed)
    return (
        facts
        | {
            name: {"synthetic": found, "real": real.get(name)}
            for name, found in synthetic.items()
        }
        | {"frechet_ratio": ratio}
    )


def _scores(
    real: np.ndarray, other: np.ndarray, subjects: list[np.ndarray], seed: int
) -> dict[str, Number]:
    """Every number of two sets of features."""
    narrow_real, narrow_other, is_narrow = _narrowed(real, other)

    # the same halves serve its four numbers
    @functools.lru_cache
    def neighbours(rows: bytes, others: bytes) -> Prdc:
        a, b = (np.frombuffer(each, np.int64) for each in (rows, others))
        least = min(len(a), len(b))
        return precision_recall_density_coverage(
            real[_spread(a, least)], other[_spread(b, least)]
        )

    def score(name: str, a: np.ndarray, b: np.ndarray) -> float:
        return getattr(neighbours(a.tobytes(), b.tobytes()), name)

    return {
        "kid": _kid(real, other, subjects, seed),
        "frechet": number(
            lambda a, b: frechet_distance(narrow_real[a], narrow_other[b]),
            subjects,
            seed=seed,
            interval=is_narrow,
        ),
    } | {
        name: number(functools.partial(score, name), subjects, seed=seed)
        for name in Prdc._fields
    }


def _kid(
    real: np.ndarray, other: np.ndarray, subjects: list[np.ndarray], seed: int
) -> Number:
    """KID with its standard error, by subjects where there are enough."""
    enough = [len(np.unique(each)) >= _LEAST_SUBJECTS for each in subjects]

    def error(a: np.ndarray, b: np.ndarray, which: int) -> float:
        owners = subjects[which] if enough[which] else None
        return kid(a, b, seed=seed, subjects=owners).standard_error

    total = error(real, other, 0)
    if len(np.unique(subjects[1])) < len(subjects[1]):
        # the other images are of subjects as well: errors of either add up
        total = np.hypot(total, error(other, real, 1))
    found = number(
        lambda a, b: kid(real[a], other[b], subsets=2).value,
        subjects,
        seed=seed,
    )
    return found | {
        "standard_error": rounded(total),
        "error_of": "subjects" if all(enough) else "slices",
    }


def _frechet_ratio(
    features: dict[str, np.ndarray], samples: Samples, seed: int
) -> Number:
    """Fréchet distance of real halves over that of real and synthetic ones."""
    real, synthetic, is_narrow = _narrowed(
        features["real"], features["synthetic"]
    )
    owners = samples.subjects["real"]

    def ratio(a: np.ndarray, b: np.ndarray) -> float:
        return frechet_ratio(
            real[a],
            synthetic[b],
            seed=seed,
            subjects=owners[a],
            # the halves of an interval are many themselves
            splits=10 if len(a) == len(real) else 2,
        )

    subjects = owners, samples.subjects["synthetic"]
    return number(ratio, subjects, seed=seed, interval=is_narrow)


def _narrowed(
    real: np.ndarray, other: np.ndarray
) -> tuple[np.ndarray, np.ndarray, bool]:
    """The same rows with no more columns than rows, and if they are `_WIDE`.

    In the space that the rows span, distances and so the Fréchet distance
    are what they were.
    """
    rows = np.concatenate([real, other]).astype(np.float64)
    if len(rows) < rows.shape[1]:
        basis = np.linalg.qr(rows.T)[0]
        real, other = real @ basis, other @ basis
    return real, other, real.shape[1] <= _WIDE


def _spread(rows: np.ndarray, count: int) -> np.ndarray:
    """`count` of the rows `[n]`, evenly."""
    return rows[np.linspace(0, len(rows) - 1, count).round().astype(int)]
