"""Intervals of the scores of an arm and of a difference of two.

Two things vary: who is tested, and what was trained. Every interval is the
wider of two, one for each, since neither alone holds what it should
(`benchmarks/study_claims.py`):

* over trainings: the corrected resampled t interval over the splits (Nadeau &
  Bengio 2003, doi 10.1023/A:1024068626366), whose variance is `s^2 (1/K +
  n_test/n_train)`, as the training subjects of the splits overlap;
* over test subjects: Newcombe's interval of an AUC, Wilson's of a share. It
  has a width where every answer is right, which the first one has not.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.stats import t as student

from pet_dcgan.metrics.confidence import (
    LEVEL,
    MIN_SUBJECTS,
    Interval,
    auc_interval,
    mean_interval,
    share_interval,
)
from pet_dcgan.study.scores import Predictions, area_stages

# An arm at a fraction: for each split, which tests subjects of its own, the
# predictions of each seed.
Splits = Sequence[Sequence[Predictions]]


def by_split(own: Splits, measure: Callable[[Predictions], Any]) -> np.ndarray:
    """A measure of each split, averaged over its seeds.

    Args:
        own: Predictions of an arm.
        measure: Takes predictions, and gives a number or an array.

    Returns:
        Float64 `[splits, ...]`.
    """
    return np.array(
        [np.mean([measure(one) for one in seeds], axis=0) for seeds in own]
    )


def count_tested(own: Splits) -> np.ndarray:
    """Number of test subjects of each stage, over all splits `[classes]`."""
    classes = own[0][0].probabilities.shape[1]
    counts = [np.bincount(s[0].truth, minlength=classes) for s in own]
    return np.sum(counts, axis=0)


def standard_error(values: np.ndarray, splits: int) -> float:
    """Corrected standard error of a mean over two or more splits.

    Args:
        values: A value of each split that is finished `[k]`.
        splits: Number of splits of the whole study, each of which tests one
            part of the subjects and trains on the others: `n_test/n_train`
            is `1 / (splits - 1)`. With a fraction of the training subjects
            the splits have fewer of them in common, not more.
    """
    share = 1 / len(values) + 1 / (splits - 1)
    return float(np.std(values, ddof=1) * np.sqrt(share))


def over_trainings(
    values: np.ndarray, splits: int, *, level: float = LEVEL
) -> Interval:
    """The corrected resampled t interval of a mean over splits.

    Args:
        values: A value of each split that is finished `[k]`.
        splits: Number of splits of the whole study.
        level: Coverage, between 0 and 1.

    Returns:
        The interval; of fewer than two splits one without ends.
    """
    if len(values) < 2:
        return Interval(
            None,
            None,
            f"{len(values)} split is not enough, since the difference could "
            "come from one training: 2 or more (--splits) are needed",
        )
    quantile = student.ppf((1 + level) / 2, len(values) - 1)
    reach = standard_error(values, splits) * quantile
    return Interval(
        float(np.mean(values) - reach), float(np.mean(values) + reach)
    )


def over_subjects(
    own: Splits, metric: str, *, level: float = LEVEL
) -> Interval:
    """Interval of a score for other test subjects and the same trainings.

    Of balanced accuracy, a mean of independent shares, the distances to the
    ends add up as squares (Zou & Donner 2008, doi 10.1002/sim.3095). The areas
    of three stages depend on each other, so that their ends are averaged,
    which is right if they are fully correlated, and otherwise too wide.

    Args:
        own: Predictions of an arm.
        metric: One of `SCORES`.
        level: Coverage, between 0 and 1; of Brier's score always `LEVEL`.

    Returns:
        The interval; with fewer than `MIN_SUBJECTS` one without ends.
    """
    counts = count_tested(own)
    if metric == "brier" or counts.sum() < MIN_SUBJECTS:
        errors = [
            np.mean([one.squared_errors() for one in seeds], axis=0)
            for seeds in own
        ]
        errors = np.concatenate(errors)
        return mean_interval(errors, np.arange(len(errors)))
    if metric == "accuracy":
        share = by_split(own, lambda one: one.score(metric)).mean()
        return share_interval(share, counts.sum(), level=level)
    if metric == "balanced_accuracy":
        values = by_split(own, Predictions.recalls).mean(axis=0)
        found = [
            share_interval(share, count, level=level)
            for share, count in zip(values, counts, strict=True)
        ]
        reach = np.sqrt((_distances(values, found) ** 2).sum(axis=1))
    else:
        values = by_split(own, Predictions.areas).mean(axis=0)
        members = [counts[stage] for stage in area_stages(len(counts))]
        found = [
            auc_interval(area, count, counts.sum() - count, level=level)
            for area, count in zip(values, members, strict=True)
        ]
        reach = _distances(values, found).sum(axis=1)
    below, above = reach / len(values)
    return Interval(float(values.mean() - below), float(values.mean() + above))


def difference_over_subjects(
    own: Splits, other: Splits, metric: str, *, level: float = LEVEL
) -> Interval:
    """Interval of a difference for other test subjects, as if unpaired.

    The distances to the ends of both arms add up as squares (Zou & Donner
    2008, doi 10.1002/sim.3095). Both arms answer about the same subjects and
    mostly agree, so it is too wide; but it exists where all are right.

    Args:
        own: Predictions of an arm.
        other: Predictions of the arm that is subtracted, of the same splits.
        metric: One of `METRICS`.
        level: Coverage, between 0 and 1.

    Returns:
        The interval; with fewer than `MIN_SUBJECTS` one without ends.
    """
    arms = own, other
    found = [over_subjects(arm, metric, level=level) for arm in arms]
    if found[0].low is None:
        return found[0]
    means = [
        by_split(arm, lambda one: one.score(metric)).mean() for arm in arms
    ]
    (below, low), (above, high) = _distances(np.array(means), found)
    middle = means[0] - means[1]
    return Interval(
        float(middle - np.hypot(below, high)),
        float(middle + np.hypot(above, low)),
    )


def wider(first: Interval, second: Interval) -> Interval:
    """The interval that holds both.

    Args:
        first: An interval.
        second: Another one.

    Returns:
        From the lower low to the higher high; if one has no ends, that one.
    """
    for each in (first, second):
        if each.low is None:
            return each
    return Interval(min(first.low, second.low), max(first.high, second.high))


def _distances(values: np.ndarray, found: Sequence[Interval]) -> np.ndarray:
    """How far the lower and upper ends lie from the values `[2, n]`."""
    low = np.array([each.low for each in found])
    high = np.array([each.high for each in found])
    return np.stack([values - low, high - values])
