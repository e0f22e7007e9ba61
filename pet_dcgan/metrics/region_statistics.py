"""Means, SDs and correlations of regions over a set, and how two sets agree."""

from typing import NamedTuple

import numpy as np
from scipy.stats import t as student

from pet_dcgan.metrics.arrays import require_finite, subject_codes
from pet_dcgan.metrics.ceiling import (
    correlation,
    correlation_interval,
    half_pairs,
    reliability,
)
from pet_dcgan.metrics.confidence import LEVEL, MIN_SUBJECTS, Interval

# on which scale means, SDs and correlations vary alike, and the way back
_SCALES = (
    (lambda x: x, lambda x: x),
    (lambda x: np.log(np.where(x > 0, x, np.nan)), np.exp),
    (lambda x: np.arctanh(x * (1 - 1e-9)), np.tanh),
)


class Estimate(NamedTuple):
    """Numbers of several regions with the ends of their intervals.

    Args:
        value: Of any shape; NaN where it is not defined.
        low: Lower ends of the same shape; None with too few subjects.
        high: Upper ends; None with too few subjects.
    """

    value: np.ndarray
    low: np.ndarray | None
    high: np.ndarray | None


class SetStatistics(NamedTuple):
    """What `set_statistics` finds.

    Args:
        mean: Of each region `[r]`.
        sd: Over images `[r]`.
        correlations: Between regions over images `[r, r]`; NaN for a region
            that does not vary.
    """

    mean: Estimate
    sd: Estimate
    correlations: Estimate


class SetAgreement(NamedTuple):
    """How alike regions vary in two sets, from `set_agreement`.

    Each number stands beside that of a perfect generator with any number of
    images, as halves of the real subjects tell it; None where it is unknown.

    Args:
        correlation: Of the two correlation matrices' entries off the
            diagonal.
        interval: Of `correlation`, by subject.
        ceiling: `correlation` of a perfect generator.
        difference: Root mean square difference of these entries.
        least_difference: `difference` of a perfect generator.
        sd_factor: Factor, 1 or more, by which SDs differ: the exponential of
            the root mean square of `log(synthetic / real)`.
        least_sd_factor: `sd_factor` of a perfect generator.
    """

    correlation: float | None
    interval: Interval
    ceiling: float | None
    difference: float | None
    least_difference: float | None
    sd_factor: float | None
    least_sd_factor: float | None


def set_statistics(values: np.ndarray, subjects: np.ndarray) -> SetStatistics:
    """Mean, SD and correlations with intervals over subjects.

    The images of a set lie at several levels of several subjects; SDs and
    correlations are over both. Intervals are jackknife ones, leaving out one
    subject after the other (Miller 1974, doi 10.1093/biomet/61.1.1), of the
    logarithm of SDs and of Fisher's z of correlations; SDs resampled with
    replacement are too small with few subjects (`benchmarks/regions.py`).

    Args:
        values: A row for each image and a column for each region `[n, r]`.
        subjects: Subject of each row `[n]`; `np.arange(n)` for synthetic ones.

    Raises:
        ValueError: If the shapes differ, there is only one row, or a value is
            not finite.
    """
    values, codes = _checked(values, subjects)
    count = codes.max() + 1
    sums = _by_subject(_centred(values), codes, count)
    whole = [x[0] for x in _moments(np.ones([1, count]), *sums)]
    centre = values.mean(axis=0)
    if count < MIN_SUBJECTS:
        ends = [(None, None)] * 3
    else:
        without = _moments(1 - np.eye(count), *sums)
        ends = [
            [back(end) for end in _jackknife(there(value), there(others))]
            for value, others, (there, back) in zip(
                whole, without, _SCALES, strict=True
            )
        ]
        ends[0] = [end + centre for end in ends[0]]
    whole[0] = whole[0] + centre
    return SetStatistics(
        *(Estimate(x, *e) for x, e in zip(whole, ends, strict=True))
    )


def _checked(
    values: np.ndarray, subjects: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Values `[n, r]` and the code of each row's subject."""
    values = np.asarray(values, np.float64)
    if values.ndim != 2 or len(values) < 2:
        raise ValueError(
            "expected two or more images with a number for each region "
            f"[n, r], found shape {values.shape}"
        )
    require_finite(values)
    return values, subject_codes(subjects, len(values))


def _centred(values: np.ndarray) -> np.ndarray:
    """Values about their mean: squares lose no digits, constants are 0."""
    flat = np.ptp(values, axis=0) <= 1e-9 * np.abs(values).max(axis=0)
    return np.where(flat, 0.0, values - values.mean(axis=0))


def _by_subject(
    values: np.ndarray, codes: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each subject's number of rows, sums `[s, r]` and products `[s, r, r]`."""
    sums = np.zeros([count, values.shape[1]])
    np.add.at(sums, codes, values)
    products = np.zeros([count, values.shape[1], values.shape[1]])
    np.add.at(products, codes, values[:, :, None] * values[:, None, :])
    return np.bincount(codes, minlength=count), sums, products


def _moments(
    drawn: np.ndarray,
    numbers: np.ndarray,
    sums: np.ndarray,
    products: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Means, SDs and correlations if subjects counted as often as in `drawn`.

    Args:
        drawn: `[k, s]`.
        numbers: Rows of each subject `[s]`.
        sums: `[s, r]`.
        products: `[s, r, r]`.
    """
    total = (drawn @ numbers)[:, None]
    mean = drawn @ sums / total
    second = np.tensordot(drawn, products, axes=1) / total[:, :, None]
    moved = mean[:, :, None] * mean[:, None, :]
    covariance = second - moved
    variance = np.diagonal(covariance, axis1=1, axis2=2)
    # those left may have a single value; rounding leaves a trace of variance
    flat = variance <= 1e-12 * np.diagonal(second, axis1=1, axis2=2)
    variance = np.where(flat, 0.0, variance)
    sd = np.sqrt(variance * total / (total - 1))
    scale = np.sqrt(variance[:, :, None] * variance[:, None, :])
    correlations = np.full_like(scale, np.nan)
    np.divide(covariance, scale, out=correlations, where=scale > 0)
    return mean, sd, np.clip(correlations, -1, 1)


def _jackknife(
    whole: np.ndarray, without: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Ends of each number's interval, from its pseudo-values.

    Args:
        whole: Over all subjects `[...]`.
        without: Without each of the subjects `[s, ...]`.
    """
    count = len(without)
    pseudo = count * whole - (count - 1) * without
    error = pseudo.std(axis=0, ddof=1) / np.sqrt(count)
    reach = error * student.ppf((1 + LEVEL) / 2, count - 1)
    middle = pseudo.mean(axis=0)
    return middle - reach, middle + reach


def set_agreement(
    real: np.ndarray,
    synthetic: np.ndarray,
    *,
    subjects: np.ndarray,
    seed: int = 0,
) -> SetAgreement:
    """How alike regions vary and covary in real and in synthetic images.

    Both sets mix levels and subjects in the same way, and so do real halves,
    which give what a perfect generator would have: correlations by
    `ceiling.reliability`, differences as half of those between halves (two
    halves err independently, each by `sqrt(2)` times as much as the whole).

    Args:
        real: Uptake of real images by region `[n, r]`, three regions or more.
        synthetic: The same of synthetic ones `[m, r]`.
        subjects: Subject of each real row `[n]`.
        seed: Seed of the halves.

    Raises:
        ValueError: If the shapes do not fit, there are fewer than two rows of
            each or three regions, or a value is not finite.
    """
    real, codes = _checked(real, subjects)
    synthetic, own = _checked(synthetic, np.arange(len(synthetic)))
    if real.shape[1] != synthetic.shape[1] or real.shape[1] < 3:
        raise ValueError(
            "expected the same three regions or more, found "
            f"{real.shape[1]} and {synthetic.shape[1]}"
        )
    halves = [
        _compare(real[first], real[second])
        for (first,), (second,) in half_pairs([codes], seed=seed)
    ]
    found = _compare(synthetic, real)

    def agreement(rows: np.ndarray, others: np.ndarray) -> float:
        return _compare(synthetic[others], real[rows])[0]

    interval = correlation_interval(agreement, subjects=[codes, own], seed=seed)
    of_halves = np.array(halves).reshape(-1, 3)
    repeated = reliability(of_halves[:, 0])
    spread = [_root_mean_square(of_halves[:, i]) for i in (1, 2)]
    return SetAgreement(
        correlation=_known(found[0]),
        interval=interval,
        ceiling=None if repeated is None else float(np.sqrt(repeated)),
        difference=_known(found[1]),
        least_difference=_known(spread[0] / 2),
        sd_factor=_known(np.exp(found[2])),
        least_sd_factor=_known(np.exp(spread[1] / 2)),
    )


def _compare(a: np.ndarray, b: np.ndarray) -> tuple[float, float, float]:
    """Correlation and difference of correlation matrices, and of log SDs."""
    off = np.triu_indices(a.shape[1], 1)
    a, b = _centred(a), _centred(b)
    with np.errstate(invalid="ignore", divide="ignore"):
        first, second = (np.corrcoef(x, rowvar=False)[off] for x in (a, b))
        ratio = np.log(a.std(axis=0, ddof=1) / b.std(axis=0, ddof=1))
    known = np.isfinite(first).all() and np.isfinite(second).all()
    return (
        correlation(first, second) if known else float("nan"),
        _root_mean_square(first - second),
        _root_mean_square(ratio),
    )


def _root_mean_square(values: np.ndarray) -> float:
    """Of all values; NaN without any, or where one is not finite."""
    if not len(values) or not np.isfinite(values).all():
        return float("nan")
    return float(np.sqrt(np.mean(np.square(values))))


def _known(value: float) -> float | None:
    """None for NaN."""
    return float(value) if np.isfinite(value) else None
