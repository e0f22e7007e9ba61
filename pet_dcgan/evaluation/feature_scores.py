"""Scores by one encoder: KID, Fréchet distance, precision and the like.

Also the search for copies of the run's training subjects.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from pet_dcgan.evaluation.images import EvaluationImages, RealSlices, Samples
from pet_dcgan.evaluation.numbers import Number, number, rounded
from pet_dcgan.features.encoder import Encoder
from pet_dcgan.metrics.distribution import (
    Prdc,
    frechet_distance,
    frechet_ratio,
    kid,
    precision_recall_density_coverage,
)
from pet_dcgan.metrics.memorization import MemorizationCheck, check_memorization

_NUMBERS = (
    "authenticity",
    "held_out_authenticity",
    "twins",
    "held_out_twins",
)
_ONE_SUBJECT = (
    "Not looked for: telling a copy from a likeness needs two training "
    "subjects, and there is 1."
)


class Closest(NamedTuple):
    """Synthetic images that are nearest to one training subject.

    Args:
        synthetic: `[k, size, size]` in SUVR, the closest first.
        training: The training image nearest to each.
        ratios: Distance to the nearest training subject over that to the
            second nearest `[k]`.
    """

    synthetic: np.ndarray
    training: np.ndarray
    ratios: np.ndarray


def copies(
    judged: EvaluationImages, *, shown: int = 8
) -> tuple[dict[str, Any], Closest | None]:
    """The verdict on copies with its numbers, and the pairs to look at.

    All synthetic images are looked through; held-out images are those of
    the validation and test subjects together, since neither was trained on.

    Args:
        judged: The images.
        shown: Pairs to give.

    Returns:
        The numbers as they stand in `metrics.json`, and the pairs; with a
        single training subject a sentence in place of numbers, and None.
    """
    if len(set(judged.training.subjects)) < 2:
        return {"verdict": None, "words": _ONE_SUBJECT}, None
    training = judged.training_suvr
    both = judged.test, judged.validation
    check = check_memorization(
        training,
        np.concatenate([each.images for each in both]),
        judged.synthetic,
        train_subjects=judged.training.subjects,
        held_out_subjects=np.concatenate([each.subjects for each in both]),
    )
    order = np.argsort(check.ratios, kind="stable")[:shown]
    pairs = Closest(
        judged.synthetic[order],
        training[check.nearest[order]],
        check.ratios[order],
    )
    return _described(check, len(judged.synthetic)), pairs


def _described(check: MemorizationCheck, images: int) -> dict[str, Any]:
    return {
        "verdict": check.verdict,
        "words": check.words,
        "images": images,
        "held_out_subjects": check.held_out_subjects,
        "c_t": rounded(check.test.z_score),
        "p_value": rounded(check.test.p_value),
        "share_nearer": rounded(check.test.share_nearer),
        "closest_ratio": rounded(check.ratios.min()),
        **{name: rounded(getattr(check, name)) for name in _NUMBERS},
    }


# more than the neighbours that a ball of precision holds, also in a half
LEAST_IMAGES = 16
_LEAST_SUBJECTS = 4
# Frechet distances of wider features take too long to be taken of halves
_WIDE = 256


def feature_scores(
    judged: EvaluationImages, encoder: Encoder
) -> dict[str, Any]:
    """How far synthetic from real images lie, beside real from real ones.

    Synthetic images, and real ones of the validation split, are each compared
    with as many real ones of the test split.

    Args:
        judged: The images.
        encoder: What features are taken by.

    Returns:
        `encoder` (its facts), and by metric `synthetic` and `real` (None
        without validation images), each a value and its interval.
    """
    samples = judged.samples()
    found = {"encoder": encoder.facts, "images": len(samples.synthetic)}
    if len(samples.synthetic) < LEAST_IMAGES:
        return found | {"missing": _too_few(len(samples.synthetic))}
    return found | _scores(samples, encoder, judged.seed)


def _scores(samples: Samples, encoder: Encoder, seed: int) -> dict[str, Any]:
    real = encoder.features(samples.real.images)
    owners = samples.real.subjects
    synthetic = encoder.features(samples.synthetic)
    kinds = {
        "synthetic": _compared(
            (real, synthetic), (owners, np.arange(len(synthetic))), seed
        )
    }
    if samples.others is not None:
        others = encoder.features(samples.others.images)
        kinds["real"] = _compared(
            (real, others), (owners, samples.others.subjects), seed
        )
    return _by_metric(kinds) | _ratio(real, synthetic, samples.real, seed)


def _by_metric(kinds: dict[str, dict[str, Number]]) -> dict[str, Any]:
    none = dict.fromkeys(kinds["synthetic"])
    real = kinds.get("real", none)
    return {
        name: {"synthetic": value, "real": real[name]}
        for name, value in kinds["synthetic"].items()
    }


def _compared(
    features: tuple[np.ndarray, np.ndarray],
    sets: tuple[np.ndarray, np.ndarray],
    seed: int,
) -> dict[str, Number]:
    """Every number of two sets of rows."""
    real, other = features
    narrow_real, narrow_other = _narrow(real, other)

    def distance(a: np.ndarray, b: np.ndarray) -> float:
        return frechet_distance(narrow_real[a], narrow_other[b])

    # the same halves serve its four numbers
    @functools.lru_cache
    def neighbours(rows: bytes, others: bytes) -> Prdc:
        a, b = (np.frombuffer(each, np.int64) for each in (rows, others))
        least = min(len(a), len(b))
        return precision_recall_density_coverage(
            real[_spread(a, least)], other[_spread(b, least)]
        )

    def one(name: str, a: np.ndarray, b: np.ndarray) -> float:
        return getattr(neighbours(a.tobytes(), b.tobytes()), name)

    return {
        "kid": _kid(real, other, sets, seed),
        "frechet": _of_narrow(distance, sets, narrow_real, seed),
        **{
            name: number(functools.partial(one, name), sets, seed=seed)
            for name in Prdc._fields
        },
    }


def _kid(real, other, sets, seed: int) -> Number:
    """KID with its standard error, by subjects where there are enough."""

    def value(a: np.ndarray, b: np.ndarray) -> float:
        return kid(real[a], other[b], subsets=2).value

    found = number(value, sets, seed=seed)
    owners, others = sets
    error = _standard_error(real, other, owners, seed)
    if len(np.unique(others)) < len(others):
        # the other ones are of subjects as well: errors of either add up
        error = np.hypot(error, _standard_error(other, real, others, seed))
    by_subjects = all(len(np.unique(s)) >= _LEAST_SUBJECTS for s in sets)
    return found | {
        "standard_error": rounded(error),
        "error_of": "subjects" if by_subjects else "slices",
    }


def _standard_error(a, b, owners: np.ndarray, seed: int) -> float:
    few = len(np.unique(owners)) < _LEAST_SUBJECTS
    return kid(a, b, seed=seed, subjects=None if few else owners).standard_error


def _ratio(
    real: np.ndarray, synthetic: np.ndarray, slices: RealSlices, seed: int
) -> dict[str, Number | None]:
    """Where halves have two subjects each, and so can be halved again."""
    if slices.subject_count < 2:
        return {"frechet_ratio": None}

    real, synthetic = _narrow(real, synthetic)

    def ratio(a: np.ndarray, b: np.ndarray) -> float:
        whole = len(a) == len(real)
        return frechet_ratio(
            real[a],
            synthetic[b],
            seed=seed,
            subjects=slices.subjects[a],
            # the interval's own halves are many
            splits=10 if whole else 2,
        )

    sets = slices.subjects, np.arange(len(synthetic))
    return {"frechet_ratio": _of_narrow(ratio, sets, real, seed)}


def _of_narrow(
    statistic: Callable[..., float],
    sets: tuple[np.ndarray, np.ndarray],
    features: np.ndarray,
    seed: int,
) -> Number:
    """As `number`, of wide features without an interval."""
    if features.shape[1] <= _WIDE:
        return number(statistic, sets, seed=seed)
    value = statistic(*(np.arange(len(owners)) for owners in sets))
    return {"value": rounded(value), "interval": None}


def _narrow(*features: np.ndarray) -> list[np.ndarray]:
    """The same rows with no more columns than there are rows.

    In the space that the rows span, distances and so the Frechet distance
    are what they were.
    """
    rows = np.concatenate(features).astype(np.float64)
    if len(rows) >= rows.shape[1]:
        return list(features)
    basis = np.linalg.qr(rows.T)[0]
    return [each @ basis for each in features]


def _spread(rows: np.ndarray, count: int) -> np.ndarray:
    return rows[np.linspace(0, len(rows) - 1, count).round().astype(int)]


def _too_few(count: int) -> str:
    return (
        f"features need {LEAST_IMAGES} images of each kind, and there are "
        f"{count}"
    )
