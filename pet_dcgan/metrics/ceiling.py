"""The ceiling: how well a perfect generator would agree with few subjects.

What is measured of some real subjects (a correlation matrix, a t-map) is the
truth and the chance of who they are. A perfect generator knows the truth
alone, so it agrees with them less than wholly. How much less, two halves of
the real subjects tell, which share the truth and not the chance.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from pet_dcgan.metrics.confidence import Interval, halves_interval

HALVES = 50
_LEAST = 4  # subjects: two in each half


def half_pairs(
    subjects: Sequence[np.ndarray], *, count: int = HALVES, seed: int = 0
) -> Iterator[tuple[list[np.ndarray], list[np.ndarray]]]:
    """Random halves of the subjects and their other halves.

    Args:
        subjects: For each set, which is halved separately, the subject of each
            row `[n]`.
        count: How many pairs of halves.
        seed: Seed of the halves.

    Yields:
        The rows of the halves of each set, and those of the other halves. None
        at all if a set has fewer than four subjects.
    """
    codes = [np.unique(each, return_inverse=True)[1] for each in subjects]
    numbers = [len(np.unique(each)) for each in codes]
    if min(numbers) < _LEAST:
        return
    rng = np.random.default_rng(seed)
    for _ in range(count):
        halves = []
        for each, number in zip(codes, numbers, strict=True):
            chosen = rng.choice(number, number // 2, replace=False)
            halves.append(np.isin(each, chosen))
        yield (
            [np.flatnonzero(half) for half in halves],
            [np.flatnonzero(~half) for half in halves],
        )


def reliability(
    correlations: Sequence[float], lengthening: float = 2.0
) -> float | None:
    """Reliability of a map or matrix, from correlations between halves.

    Spearman (1910), doi 10.1111/j.2044-8295.1910.tb00206.x, and Brown (1910),
    doi 10.1111/j.2044-8295.1910.tb00207.x: `k r / (1 + (k - 1) r)` of the mean
    `r`. Its root is the highest correlation that a measurement of the truth
    without any error can have (Spearman 1904, doi 10.2307/1412159).

    Args:
        correlations: One per pair of halves, each -1 to 1.
        lengthening: `k`, how many times as many subjects as a half there are:
            2 for all of those that were halved.

    Returns:
        0 to 1, 0 where halves do not agree; None without finite correlations.
    """
    known = np.asarray(correlations, np.float64)
    known = known[np.isfinite(known)]
    if not len(known):
        return None
    mean = max(float(known.mean()), 0.0)
    return lengthening * mean / (1 + (lengthening - 1) * mean)


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson's correlation of what is finite in both; NaN if there is none.

    Args:
        a: Values of any shape.
        b: As many values.
    """
    a, b = np.ravel(a), np.ravel(b)
    known = np.isfinite(a) & np.isfinite(b)
    if np.count_nonzero(known) < 3:
        return float("nan")
    a, b = (x[known] - x[known].mean() for x in (a, b))
    scale = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / scale) if scale > 0 else float("nan")


def slope(x: np.ndarray, y: np.ndarray) -> float:
    """Least squares slope of `y` over `x`; NaN where `x` does not vary.

    Args:
        x: Finite values `[n]`.
        y: As many values `[n]`.
    """
    x = x - x.mean()
    return float(x @ y / (x @ x)) if x @ x > 0 else float("nan")


def slope_interval(
    statistic: Callable[..., float],
    *,
    subjects: Sequence[np.ndarray],
    seed: int = 0,
) -> Interval:
    """Interval of a slope by halves.

    There is twice the chance in the difference of a half, which lowers its
    slope, and the spread of slopes with it, by up to a half: the spread is
    that of the whole after the ratio of the slopes.

    Args:
        statistic: Takes, for each set, the rows of a half, int64 `[m]`;
            returns a slope.
        subjects: For each set, the subject of each row `[n]`.
        seed: Seed of the halves.

    Returns:
        The interval; one without ends with too few subjects, or if some half
        of them does not vary.
    """
    found = []

    def kept(*rows: np.ndarray) -> float:
        found.append(statistic(*rows))
        return found[-1]

    try:
        interval = halves_interval(kept, subjects=subjects, seed=seed)
    except ValueError:
        return Interval(None, None, "what it is over does not vary")
    if interval.low is None:
        return interval
    *halves, value = found
    mean = float(np.mean(halves))
    wider = min(max(value / mean, 1.0), 2.0) if mean else 2.0
    reach = wider * (interval.high - value)
    return Interval(value - reach, value + reach)


def correlation_interval(
    statistic: Callable[..., float],
    *,
    subjects: Sequence[np.ndarray],
    seed: int = 0,
) -> Interval:
    """Interval of a correlation by halves, on Fisher's scale.

    Fisher's z (1915, doi 10.2307/2331838) keeps the ends within -1 and 1.

    Args:
        statistic: Takes, for each set, the rows of a half, int64 `[m]`;
            returns a correlation.
        subjects: For each set, the subject of each row `[n]`.
        seed: Seed of the halves.

    Returns:
        The interval; one without ends with too few subjects, or if some half
        of them does not vary.
    """

    def transformed(*rows: np.ndarray) -> float:
        inside = np.clip(statistic(*rows), -1 + 1e-9, 1 - 1e-9)
        return float(np.arctanh(inside))

    try:
        found = halves_interval(transformed, subjects=subjects, seed=seed)
    except ValueError:
        return Interval(None, None, "what is correlated does not vary")
    if found.low is None:
        return found
    return Interval(float(np.tanh(found.low)), float(np.tanh(found.high)))
