"""Tables of a study: the arms, their differences, sensitivity, calibration."""

import collections
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import t as student

from pet_dcgan.metrics.confidence import LEVEL, Interval, share_interval
from pet_dcgan.study.intervals import (
    Splits,
    by_split,
    count_tested,
    difference_over_subjects,
    over_subjects,
    over_trainings,
    standard_error,
    wider,
)
from pet_dcgan.study.scores import (
    METRICS,
    SCORES,
    Predictions,
    area_stages,
)
from pet_dcgan.study.settings import ARMS, REAL, Cell

MARGIN = 0.05  # arms whose AUC differs by less are called equivalent
POWER = 0.8
BINS = 5
_DIGITS = 6


def compare(
    predictions: Mapping[Cell, Predictions],
    *,
    classes: Sequence[str],
    splits: int,
) -> dict[str, list[dict[str, Any]]]:
    """Scores of every arm, and its differences from real images alone.

    A score is averaged over the seeds of a split, then over the splits. A
    difference is of the repetitions (split, seed) that both arms have.

    Args:
        predictions: Those of the finished classifiers. Each split tests
            subjects of its own, all of its classifiers the same.
        classes: Names of the stages, in the order of the labels.
        splits: Number of splits of the whole study.

    Returns:
        Rows with `fraction`, `arm`, and, if there is no interval, `reason`:

        * `arms`: for each of `SCORES` as `metric` the `mean`, `low`, `high`.
        * `differences`: the same for each of `METRICS`, and `by_split`, the
          difference in each; `detectable`, the difference that a study like
          this would see with a probability of `POWER` (None where it would
          see none of them, even the largest); and of the AUC whether
          it is `equivalent` to 0 within `MARGIN`.
        * `sensitivity`: for each `stage` the share that is recognised, of how
          many `subjects`; Wilson's interval, over subjects.
        * `calibration`: see `reliability`.
    """
    by_arm = collections.defaultdict(dict)
    for cell in sorted(predictions):
        own = by_arm[cell.fraction, cell.arm]
        own[cell.split, cell.seed] = predictions[cell]
    names = ("arms", "differences", "sensitivity", "calibration")
    tables = {name: [] for name in names}
    for fraction, arm in sorted(by_arm, key=_in_order):
        own, real = by_arm[fraction, arm], by_arm.get((fraction, REAL), {})
        nested = _nested(own)
        rows = {
            "arms": [score_row(nested, metric, splits) for metric in SCORES],
            "differences": [],
            "sensitivity": _sensitivity(nested),
            "calibration": reliability(nested),
        }
        shared = sorted(set(own) & set(real)) if arm != REAL else ()
        if shared:
            pair = [_nested({s: a[s] for s in shared}) for a in (own, real)]
            rows["differences"] = [
                difference_row(*pair, m, splits) for m in METRICS
            ]
        for part, found in rows.items():
            for row in found:
                if "stage" in row:
                    row["stage"] = classes[row["stage"]]
                tables[part].append({"fraction": fraction, "arm": arm} | row)
    return tables


def _in_order(key: tuple[int, str]) -> tuple[int, int]:
    """Fractions upwards, arms as they are listed everywhere."""
    return key[0], ARMS.index(key[1])


def _nested(own: Mapping[tuple[int, int], Predictions]) -> Splits:
    """The predictions of each split, in the order of splits and seeds."""
    found = collections.defaultdict(list)
    for split, seed in sorted(own):
        found[split].append(own[split, seed])
    return list(found.values())


def score_row(own: Splits, metric: str, splits: int) -> dict[str, Any]:
    """Mean and interval of a score of an arm.

    Args:
        own: Predictions of the arm.
        metric: One of `SCORES`.
        splits: Number of splits of the whole study.

    Returns:
        A row of `arms`; of one split its interval is over subjects alone.
    """
    values = by_split(own, lambda one: one.score(metric))
    interval = over_subjects(own, metric)
    if len(own) > 1:
        interval = wider(interval, over_trainings(values, splits))
    most = 2 if metric == "brier" else 1
    return {"metric": metric} | _row(values.mean(), _within(interval, 0, most))


def difference_row(
    own: Splits, real: Splits, metric: str, splits: int
) -> dict[str, Any]:
    """Mean and interval of a difference, and what it could have shown.

    Equivalence takes two one-sided tests at 5 % each (Schuirmann 1987, doi
    10.1007/BF01068419): an interval of 90 % within the margin.

    Args:
        own: Predictions of an arm.
        real: Those of real images, of the same splits and seeds.
        metric: One of `METRICS`.
        splits: Number of splits of the whole study.

    Returns:
        A row of `differences`; of one split without an interval.
    """
    values = by_split(own, lambda one: one.score(metric))
    values = values - by_split(real, lambda one: one.score(metric))

    def interval(level: float) -> Interval:
        return wider(
            over_trainings(values, splits, level=level),
            difference_over_subjects(own, real, metric, level=level),
        )

    found, mean = interval(LEVEL), values.mean()
    row = {"metric": metric} | _row(mean, _within(found, -1, 1))
    row["by_split"] = [_rounded(value) for value in values]
    if found.low is None:
        return row
    reach = max(mean - found.low, found.high - mean)
    quantile = student.ppf(POWER, len(values) - 1)
    seen = reach + quantile * standard_error(values, splits)
    row["detectable"] = _rounded(seen) if seen <= 1 else None
    if metric == "auc":
        inner = interval(2 * LEVEL - 1)
        row["equivalent"] = bool(inner.low > -MARGIN and inner.high < MARGIN)
    return row


def _sensitivity(own: Splits) -> list[dict[str, Any]]:
    """Share of each stage that is recognised, and its interval."""
    shares, counts = by_split(own, Predictions.recalls), count_tested(own)
    return [
        {"stage": stage, "subjects": int(count)}
        | _row(share, share_interval(share, count))
        for stage, (share, count) in enumerate(
            zip(shares.mean(axis=0), counts, strict=True)
        )
    ]


def reliability(own: Splits) -> list[dict[str, Any]]:
    """How often a stage is true where it is given a probability.

    A reliability diagram (Murphy & Winkler 1977, doi 10.2307/2346866) of each
    stage against the others, in `BINS` bins of equal width.

    Args:
        own: Predictions of an arm.

    Returns:
        A row for each stage and bin with answers: `stage`, `predicted` (mean
        probability), `mean` (share of the stage), `answers`, and Wilson's
        interval `low` to `high` by test subjects; the answers of several
        seeds about a subject count as one.
    """
    everyone = [one for seeds in own for one in seeds]
    truth = np.concatenate([one.truth for one in everyone])
    found = np.concatenate([one.probabilities for one in everyone])
    seeds = len(truth) / count_tested(own).sum()
    bins = np.minimum((found * BINS).astype(int), BINS - 1)
    rows = []
    for stage in area_stages(found.shape[1]):
        for number in np.unique(bins[:, stage]):
            inside = bins[:, stage] == number
            share = (truth[inside] == stage).mean()
            answers = int(np.count_nonzero(inside))
            interval = share_interval(share, max(1, answers / seeds))
            rows.append(
                {
                    "stage": stage,
                    "predicted": _rounded(found[inside, stage].mean()),
                    "answers": answers,
                }
                | _row(share, interval)
            )
    return rows


def _within(found: Interval, least: float, most: float) -> Interval:
    """An interval of what a score, or a difference of two, can be."""
    if found.low is None:
        return found
    return Interval(max(least, found.low), min(most, found.high))


def _row(mean: float, interval: Interval) -> dict[str, Any]:
    """A number and its interval, for `study.json`."""
    row = {
        "mean": _rounded(mean),
        "low": _rounded(interval.low),
        "high": _rounded(interval.high),
    }
    return row | ({"reason": interval.reason} if interval.reason else {})


def _rounded(value: float | None) -> float | None:
    """Rounds a number for `study.json`."""
    return None if value is None else round(float(value), _DIGITS)
