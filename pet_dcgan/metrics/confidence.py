"""How far chance alone could have moved a number: intervals over subjects."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
from scipy.stats import norm
from scipy.stats import t as student

# Of intervals that should hold a mean in 95 of 100 cohorts, those of 8 subjects
# do in 93 (90 where subjects are spread unevenly), those of 4 in 85 (83):
# `benchmarks/intervals.py`.
MIN_SUBJECTS = 8


@dataclasses.dataclass(frozen=True)
class Interval:
    """Where a number lies, other subjects of the same kind having been drawn.

    Args:
        low: Lower end, None where there are too few subjects.
        high: Upper end, None where there are too few subjects.
        level: How often such an interval is meant to hold the number.
        subjects: Subjects that it rests on.
        resamples: How often they were drawn anew.
        reason: In words why there are no ends, else None.
    """

    low: float | None
    high: float | None
    level: float
    subjects: int
    resamples: int
    reason: str | None = None


def mean_interval(
    values: np.ndarray,
    subjects: np.ndarray,
    *,
    partners: np.ndarray | None = None,
    seed: int = 0,
    resamples: int = 2000,
    level: float = 0.95,
) -> Interval:
    """Interval of a mean, resampling subjects and not values.

    A cluster bootstrap: whole subjects are drawn with replacement, as many as
    there are, each with all of its values (Davison & Hinkley 1997,
    "Bootstrap Methods and their Application", section 3.8). The ends are
    percentiles of the resampled means, moved outwards for few subjects so
    that they agree with Student's t where the mean is normal (Hesterberg
    2015, doi 10.1080/00031305.2015.1089789).

    Args:
        values: `[n]`, for instance the PSNR of each image.
        subjects: Subject of each value `[n]`; for values that are independent
            of one another, as of synthetic images, `np.arange(n)`.
        partners: For values of two images, the second one's subject `[n]`.
            A value then counts as often as both subjects were drawn, which
            is careful: where it depends little on either, the interval is
            too wide by up to `sqrt(3)` (Owen 2007, doi 10.1214/07-AOAS122).
        seed: Fixes the resamples.
        resamples: How often subjects are drawn.
        level: Between 0 and 1.

    Returns:
        The interval; with fewer than `MIN_SUBJECTS` one without ends.

    Raises:
        ValueError: If the lengths differ, there is no value, a value is not
            finite, or an option is out of range.
    """
    _check_options(resamples, level)
    values = np.asarray(values, np.float64)
    groups = [subjects] if partners is None else [subjects, partners]
    if values.ndim != 1 or any(len(g) != len(values) for g in groups):
        found = ", ".join(str(np.shape(g)) for g in (values, *groups))
        raise ValueError(
            f"expected one subject for each of the values [n], found {found}"
        )
    if not len(values) or not np.isfinite(values).all():
        raise ValueError(
            "expected one or more finite values, found "
            f"{np.count_nonzero(~np.isfinite(values))} of {len(values)} that "
            "are not: leave these out"
        )
    names, codes = np.unique(np.concatenate(groups), return_inverse=True)
    count = len(names)
    if count < MIN_SUBJECTS:
        return _too_few(count, level)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(
        count, np.full(count, 1 / count), size=resamples
    ).astype(np.float64)
    if partners is None:
        sums = np.bincount(codes, values, count), np.bincount(codes)
    else:
        first, second = np.split(codes, 2)
        drawn = drawn[:, first] * drawn[:, second]
        sums = values, np.ones(len(values))
    return _ends(_ratios(drawn, *sums), count, level)


def bootstrap_interval(
    statistic: Callable[..., float],
    *,
    subjects: np.ndarray | Sequence[np.ndarray],
    seed: int = 0,
    resamples: int = 1000,
    level: float = 0.95,
) -> Interval:
    """Interval of any statistic, resampling subjects and not rows.

    As `mean_interval`, for a function of row indices. A subject that is drawn
    twice gives all of its rows twice, which numbers that look at neighbours
    (precision, coverage, authenticity) or at pairs (KID) take for copies: use
    `halves_interval` for these.

    Args:
        statistic: Called with the rows of a resample, int64 `[m]`, and to
            return a number. With several sets of rows it is called with one
            such array for each.
        subjects: Subject of each row `[n]`, or a tuple of such arrays, one a
            set, each of which is resampled on its own. Rows independent of
            one another, as synthetic images, are `np.arange(n)`.
        seed: Fixes the resamples.
        resamples: How often `statistic` is called.
        level: Between 0 and 1.

    Returns:
        The interval by the smallest number of subjects in a set; with fewer
        than `MIN_SUBJECTS` one without ends, and no call.

    Raises:
        ValueError: If an option is out of range, or the statistic is not
            finite for a resample.

    Example:
    >>> values, subjects = np.arange(30.0), np.arange(30) // 3
    >>> bootstrap_interval(
    ...     lambda rows: np.median(values[rows]), subjects=subjects
    ... ).subjects
    10
    """
    _check_options(resamples, level)
    sets = [_rows_of(each) for each in _sets(subjects)]
    count = min(map(len, sets))
    if count < MIN_SUBJECTS:
        return _too_few(count, level)
    rng = np.random.default_rng(seed)
    found = [
        statistic(*(_drawn(rng, rows, len(rows), True) for rows in sets))
        for _ in range(resamples)
    ]
    return _ends(np.asarray(found, np.float64), count, level)


def halves_interval(
    statistic: Callable[..., float],
    *,
    subjects: np.ndarray | Sequence[np.ndarray],
    seed: int = 0,
    resamples: int = 50,
    level: float = 0.95,
) -> Interval:
    """Interval of a statistic that repeated rows would mislead.

    The statistic is taken of halves of the subjects without replacement; for
    halves, its spread over them is that of the whole over samples (Politis &
    Romano 1994, doi 10.1214/aos/1176325770, with the factor `sqrt(b / (n -
    b))` for `b` of `n`). The interval is the value of all rows, plus and
    minus that spread times Student's t, since a statistic of half as many
    rows may have another mean. Its ends can lie beyond what the statistic can
    be (a precision above 1).

    Args:
        statistic: As for `bootstrap_interval`. Halves of subjects with
            unequal numbers of rows differ in length: one that needs equal
            counts has to cut the longer.
        subjects: As for `bootstrap_interval`.
        seed: Fixes the halves.
        resamples: How many halves are taken.
        level: Between 0 and 1.

    Returns:
        As `bootstrap_interval`.

    Raises:
        ValueError: As `bootstrap_interval`.
    """
    _check_options(resamples, level)
    sets = [_rows_of(each) for each in _sets(subjects)]
    count = min(map(len, sets))
    if count < MIN_SUBJECTS:
        return _too_few(count, level)
    rng = np.random.default_rng(seed)
    found = [
        statistic(*(_drawn(rng, rows, len(rows) // 2, False) for rows in sets))
        for _ in range(resamples)
    ]
    everything = statistic(*(np.sort(np.concatenate(rows)) for rows in sets))
    _require_finite([everything, *found])
    # of an odd number a half is less than one
    share = np.mean([len(rows) // 2 / len(rows) for rows in sets])
    spread = np.std(found, ddof=1) * np.sqrt(share / (1 - share))
    reach = spread * student.ppf((1 + level) / 2, count - 1)
    return Interval(
        float(everything - reach),
        float(everything + reach),
        level,
        count,
        resamples,
    )


def _sets(subjects) -> list[np.ndarray]:
    several = isinstance(subjects, tuple | list) and np.ndim(subjects[0]) == 1
    return list(subjects) if several else [np.asarray(subjects)]


def _rows_of(subjects: np.ndarray) -> list[np.ndarray]:
    """The rows of each subject."""
    codes = np.unique(np.asarray(subjects), return_inverse=True)[1]
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)


def _drawn(rng, rows: list, count: int, replace: bool) -> np.ndarray:
    chosen = rng.choice(len(rows), count, replace=replace)
    return np.concatenate([rows[c] for c in np.sort(chosen)])


def _ratios(drawn, sums, counts) -> np.ndarray:
    """Means of the resamples that hold a value at all."""
    held = drawn @ counts
    return (drawn @ sums)[held > 0] / held[held > 0]


def _ends(found: np.ndarray, count: int, level: float) -> Interval:
    _require_finite(found)
    # a resample varies by (n - 1) / n too little, and the normal quantile
    # that percentiles stand for is below Student's
    reach = np.sqrt(count / (count - 1)) * student.ppf(
        (1 + level) / 2, count - 1
    )
    low, high = np.quantile(found, norm.cdf([-reach, reach]))
    return Interval(float(low), float(high), level, count, len(found))


def _require_finite(found: Sequence[float] | np.ndarray) -> None:
    if not np.isfinite(found).all():
        raise ValueError(
            "expected a statistic that is finite for every resample, found "
            f"{np.count_nonzero(~np.isfinite(found))} of {len(found)} that "
            "are not"
        )


def _too_few(count: int, level: float) -> Interval:
    reason = (
        f"an interval needs {MIN_SUBJECTS} or more subjects, and there "
        f"{'is' if count == 1 else 'are'} {count}"
    )
    return Interval(None, None, level, count, 0, reason)


def _check_options(resamples: int, level: float) -> None:
    if resamples < 2 or not 0 < level < 1:
        raise ValueError(
            "expected two or more resamples and a level between 0 and 1, "
            f"found {resamples} and {level}"
        )
