"""Confidence intervals that take subjects, not slices, as independent."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm
from scipy.stats import t as student

# 95 % intervals of a mean hold it in 93 of 100 cohorts of 8 subjects (90 if
# their means are skewed), of 4 subjects in 85 (83): `benchmarks/intervals.py`.
MIN_SUBJECTS = 8
LEVEL = 0.95
_RESAMPLES = 2000
_HALVES = 50


@dataclasses.dataclass(frozen=True)
class Interval:
    """Interval at `LEVEL` of a number, for other subjects of the same kind.

    Args:
        low: Lower end; None if there are too few subjects.
        high: Upper end; None if there are too few subjects.
        reason: Why there are no ends; otherwise None.
    """

    low: float | None
    high: float | None
    reason: str | None = None


def mean_interval(
    values: np.ndarray,
    subjects: np.ndarray,
    *,
    partners: np.ndarray | None = None,
    seed: int = 0,
) -> Interval:
    """Interval of a mean, resampling subjects and not values.

    A cluster bootstrap: as many subjects as there are, drawn with replacement,
    each with all of its values (Davison & Hinkley 1997, "Bootstrap Methods and
    their Application", section 3.8). The ends are those of
    `percentile_interval`.

    Args:
        values: `[n]`, for instance the PSNR of each image.
        subjects: Subject of each value `[n]`; `np.arange(n)` if the values
            are independent, as those of synthetic images are.
        partners: For values of two images, the second one's subject `[n]`.
            A value then counts as often as both subjects were drawn, which
            is conservative: the interval is too wide by up to `sqrt(3)` if
            values depend little on either (Owen 2007, doi
            10.1214/07-AOAS122).
        seed: Seed of the resamples.

    Returns:
        The interval; with fewer than `MIN_SUBJECTS` one without ends.

    Raises:
        ValueError: If the lengths differ, or values are missing or not finite.
    """
    values = np.asarray(values, np.float64)
    groups = [subjects] if partners is None else [subjects, partners]
    if values.ndim != 1 or any(len(g) != len(values) for g in groups):
        found = ", ".join(str(np.shape(g)) for g in (values, *groups))
        raise ValueError(
            f"expected one subject for each of the values [n], found {found}"
        )
    bad = np.count_nonzero(~np.isfinite(values))
    if not len(values) or bad:
        raise ValueError(
            f"expected one or more finite values, found {bad} of "
            f"{len(values)} that are not: leave them out"
        )
    names, codes = np.unique(np.concatenate(groups), return_inverse=True)
    count = len(names)
    drawn = np.random.default_rng(seed).multinomial(
        count, np.full(count, 1 / count), size=_RESAMPLES
    )
    drawn = drawn.astype(np.float64)
    if partners is None:
        sums, counts = np.bincount(codes, values, count), np.bincount(codes)
    else:
        first, second = np.split(codes, 2)
        drawn = drawn[:, first] * drawn[:, second]
        sums, counts = values, np.ones(len(values))
    total = drawn @ counts
    held = total > 0  # resamples that hold a value at all
    means = (drawn @ sums)[held] / total[held]
    return percentile_interval(means, count)


def percentile_interval(resampled: np.ndarray, count: int) -> Interval:
    """Percentiles of resampled means, moved outwards for few subjects.

    Resamples vary too little, by one degree of freedom, and the normal
    quantile is below Student's: the ends of a normal mean become
    those of Student's t (Hesterberg 2015, doi 10.1080/00031305.2015.1089789).

    Args:
        resampled: The mean of each resample `[resamples]`.
        count: Number of subjects.

    Returns:
        The interval; with fewer than `MIN_SUBJECTS` one without ends.
    """
    if count < MIN_SUBJECTS:
        return _too_few(count)
    degrees = count - 1
    quantile = student.ppf((1 + LEVEL) / 2, degrees)
    reach = np.sqrt(count / degrees) * quantile
    low, high = np.quantile(resampled, norm.cdf([-reach, reach]))
    return Interval(float(low), float(high))


def halves_interval(
    statistic: Callable[..., float],
    *,
    subjects: Sequence[np.ndarray],
    seed: int = 0,
) -> Interval:
    """Interval of a statistic that repeated rows would distort.

    Metrics of neighbours (precision, coverage) take a repeated row for a
    copy, so subjects are drawn without replacement: the spread over random
    halves is that of the whole over samples (Politis & Romano 1994, doi
    10.1214/aos/1176325770, with the factor `sqrt(b / (n - b))` for `b` of
    `n`). The interval is the value for all rows plus and minus that spread
    times Student's t; it can exceed the range of the statistic.

    Args:
        statistic: Takes, for each set, the rows of a half, int64 `[m]`.
        subjects: For each set, which is halved separately, the subject of each
            row `[n]`; `np.arange(n)` for independent rows.
        seed: Seed of the halves.

    Returns:
        The interval by the smallest number of subjects in a set; one without
        ends if these are fewer than `MIN_SUBJECTS`, where `statistic` is not
        called, or if the statistic of a half is not finite.

    Raises:
        ValueError: If the statistic of all rows is not finite.
    """
    sets = [_rows_by_subject(each) for each in subjects]
    count = min(map(len, sets))
    if count < MIN_SUBJECTS:
        return _too_few(count)
    rng = np.random.default_rng(seed)
    halves = [
        statistic(*(_half(rng, rows) for rows in sets)) for _ in range(_HALVES)
    ]
    value = statistic(*(np.arange(len(each)) for each in subjects))
    if not np.isfinite(value):
        raise ValueError(
            "expected a statistic that is finite for all rows, found "
            f"{value}: leave out rows that are not"
        )
    if not np.isfinite(halves).all():
        reason = "the number is NaN or infinite for some half of the subjects"
        return Interval(None, None, reason)
    # half of an odd number is less than one half
    share = np.mean([len(rows) // 2 / len(rows) for rows in sets])
    spread = np.std(halves, ddof=1) * np.sqrt(share / (1 - share))
    return student_interval(value, spread, count)


def student_interval(
    value: float, standard_error: float, count: int
) -> Interval:
    """A value plus and minus its standard error times Student's t.

    Args:
        value: The number.
        standard_error: Its own.
        count: Subjects that it rests on, one more than the degrees of
            freedom.

    Returns:
        The interval; with fewer than `MIN_SUBJECTS` one without ends.
    """
    if count < MIN_SUBJECTS:
        return _too_few(count)
    reach = standard_error * student.ppf((1 + LEVEL) / 2, count - 1)
    return Interval(float(value - reach), float(value + reach))


def auc_interval(
    auc: float, positives: int, negatives: int, *, level: float = LEVEL
) -> Interval:
    """Interval of an area under the ROC curve, right near 0 and 1 as well.

    Method 5 of Newcombe (2006, doi 10.1002/sim.2324): all areas `theta` for
    which the one that was found is at most a normal quantile of standard
    errors away, with the variance that scores of exponential distributions
    have at `theta`: `theta (1 - theta) [1 + n (1 - theta) / (2 - theta) +
    n theta / (1 + theta)] / (positives negatives)` with
    `n = (positives + negatives) / 2 - 1`. Its coverage, beside that of the
    bootstrap and others: `benchmarks/auc_intervals.py`.

    Args:
        auc: The area, 0 to 1.
        positives: Independent subjects of the class, 1 or more.
        negatives: Independent other subjects, 1 or more.
        level: Coverage, between 0 and 1.

    Returns:
        The interval, which has a width even at 0 and 1; with fewer than
        `MIN_SUBJECTS` in both classes together one without ends.

    Raises:
        ValueError: If the area is not within 0 to 1, or a class is empty.
    """
    if not 0 <= auc <= 1 or min(positives, negatives) < 1:
        raise ValueError(
            "expected an area from 0 to 1 and subjects of both classes, found "
            f"{auc} of {positives} and {negatives}"
        )
    if positives + negatives < MIN_SUBJECTS:
        return _too_few(positives + negatives)
    low = _auc_low(auc, positives, negatives, level)
    # the variance is the same at theta and at 1 - theta
    return Interval(low, 1 - _auc_low(1 - auc, positives, negatives, level))


def _auc_low(auc: float, m: int, n: int, level: float) -> float:
    """The least area that `auc` is not too far above."""
    reach = norm.ppf((1 + level) / 2)
    half = (m + n) / 2 - 1

    def excess(theta: float) -> float:
        spread = half * (1 - theta) / (2 - theta) + half * theta / (1 + theta)
        variance = theta * (1 - theta) * (1 + spread) / (m * n)
        return auc - theta - reach * np.sqrt(variance)

    if auc == 0:
        return 0.0
    # at 1 the variance is 0, so that an area of 1 has a second root there
    return float(brentq(excess, 0, min(auc, 1 - 1e-9)))


def share_interval(
    share: float, count: float, *, level: float = LEVEL
) -> Interval:
    """Wilson's interval of a share of independent subjects.

    Wilson (1927, doi 10.1080/01621459.1927.10502953); it has a width where
    all or none are counted, too.

    Args:
        share: The share, 0 to 1; a mean over repetitions may lie between
            whole numbers of subjects.
        count: Number of subjects, 1 or more.
        level: Coverage, between 0 and 1.

    Returns:
        The interval, however few subjects there are: it is wide then.

    Raises:
        ValueError: If the share is not within 0 to 1, or there is nobody.
    """
    if not 0 <= share <= 1 or count < 1:
        raise ValueError(
            "expected a share from 0 to 1 of one or more subjects, found "
            f"{share} of {count}"
        )
    square = norm.ppf((1 + level) / 2) ** 2
    middle = share + square / (2 * count)
    reach = np.sqrt(square * (share * (1 - share) + square / (4 * count)))
    ends = middle + np.array([-1, 1]) * reach / np.sqrt(count)
    low, high = np.clip(ends / (1 + square / count), 0, 1)
    return Interval(float(low), float(high))


def _rows_by_subject(subjects: np.ndarray) -> list[np.ndarray]:
    """The rows of each subject."""
    codes = np.unique(np.asarray(subjects), return_inverse=True)[1]
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)


def _half(rng: np.random.Generator, rows: list[np.ndarray]) -> np.ndarray:
    """All rows of a random half of the subjects."""
    chosen = rng.choice(len(rows), len(rows) // 2, replace=False)
    return np.concatenate([rows[c] for c in np.sort(chosen)])


def _too_few(count: int) -> Interval:
    """An interval without ends, and why."""
    verb = "is" if count == 1 else "are"
    reason = f"an interval needs {MIN_SUBJECTS} or more subjects, and there "
    return Interval(None, None, f"{reason}{verb} {count}")
