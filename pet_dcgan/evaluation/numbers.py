"""The forms that numbers have in `metrics.json`."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pet_dcgan.metrics.confidence import (
    Interval,
    halves_interval,
    mean_interval,
)

_DIGITS = 6

Number = dict[str, Any]


def rounded(value: float | None) -> float | None:
    """A number for JSON, or None where it is none or not finite."""
    if value is None or not np.isfinite(value):
        return None
    return round(float(value), _DIGITS)


def ends(interval: Interval | None) -> list[float | None] | None:
    """`[low, high]`, or None where there are too few subjects."""
    if interval is None or interval.low is None:
        return None
    return [rounded(interval.low), rounded(interval.high)]


def summary(
    values: np.ndarray,
    subjects: np.ndarray,
    *,
    partners: np.ndarray | None = None,
    seed: int = 0,
) -> Number:
    """Mean, median, SD and the mean's interval of values an image.

    Args:
        values: `[n]`; those that are not finite are left out (equal images
            have no finite PSNR).
        subjects: Whose each value is `[n]`.
        partners: The other subject of each value, if there is one.
        seed: Of the interval.
    """
    known = np.isfinite(values)
    values, subjects = values[known], subjects[known]
    others = None if partners is None else partners[known]
    if not len(values):
        nothing = dict.fromkeys(("mean", "median", "sd", "interval"))
        return nothing | {"n": 0}
    found = mean_interval(values, subjects, partners=others, seed=seed)
    return {
        "mean": rounded(values.mean()),
        "median": rounded(np.median(values)),
        "sd": rounded(values.std(ddof=1)) if len(values) > 1 else None,
        "n": len(values),
        "interval": ends(found),
    }


def number(
    statistic: Callable[..., float],
    sets: Sequence[np.ndarray],
    *,
    seed: int = 0,
) -> Number:
    """A statistic of whole samples and its interval by halves of subjects.

    Args:
        statistic: Called with an array of rows for each set.
        sets: Subject of each row of each set `[n]`; `np.arange(n)` for
            synthetic images, which are independent.
        seed: Of the halves.
    """
    value = statistic(*(np.arange(len(owners)) for owners in sets))
    found = halves_interval(statistic, subjects=tuple(sets), seed=seed)
    return {"value": rounded(value), "interval": ends(found)}
