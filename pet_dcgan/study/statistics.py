"""Scores of the arms and their differences, with confidence intervals."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pet_dcgan.metrics.classification import (
    accuracy,
    balanced_accuracy,
    mean_auc,
    pairwise_wins,
)
from pet_dcgan.metrics.confidence import (
    MIN_SUBJECTS,
    Interval,
    percentile_ends,
)
from pet_dcgan.study.settings import ARMS, REAL, SYNTHETIC

METRICS = ("accuracy", "balanced_accuracy", "auc")
_RESAMPLES = 2000
_DIGITS = 6


@dataclasses.dataclass(frozen=True)
class Predictions:
    """Predicted stages of the test subjects, by one classifier per plane.

    Args:
        subjects: Names, sorted, `[n]`.
        truth: Their stages as integers `[n]`.
        probabilities: `[n, classes]`.
    """

    subjects: np.ndarray
    truth: np.ndarray
    probabilities: np.ndarray

    def scores(self) -> dict[str, float]:
        """Accuracy, balanced accuracy and AUC by subject."""
        predicted = self.probabilities.argmax(axis=1)
        return {
            "accuracy": accuracy(self.truth, predicted),
            "balanced_accuracy": balanced_accuracy(self.truth, predicted),
            "auc": mean_auc(self.truth, self.probabilities),
        }


def compare(
    predictions: Mapping[tuple[str, int], Mapping[int, Predictions]],
    *,
    seed: int = 0,
) -> dict[str, list[dict[str, Any]]]:
    """Scores of every arm and its differences from real images alone.

    Subjects are drawn with replacement within their stage, and seeds among
    each other, the same for both arms of a difference: a paired bootstrap
    (Davison & Hinkley 1997, "Bootstrap Methods and their Application",
    section 3.8), its percentiles moved outwards for few subjects (Hesterberg
    2015, doi 10.1080/00031305.2015.1089789). The variation between trainings
    of the same generators is not included.

    Args:
        predictions: By arm and fraction, those of each seed, all of the same
            subjects.
        seed: Of the resamples.

    Returns:
        `arms` and `differences`: rows with `arm`, `fraction`, `metric`,
        `mean`, `low`, `high`, `reason` if there are too few subjects for an
        interval, and `seeds`.
    """
    arms, differences = [], []
    for fraction in sorted({fraction for _, fraction in predictions}):
        real = predictions.get((REAL, fraction), {})
        for arm in ARMS:
            own = predictions.get((arm, fraction))
            if not own:
                continue
            names = {"arm": arm, "fraction": fraction}
            found = _statistics(list(own.values()), seed)
            arms += [names | row for row in found]
            shared = [s for s in own if s in real]
            if arm != REAL and shared:
                pair = [own[s] for s in shared], [real[s] for s in shared]
                found = _statistics(pair[0], seed, minus=pair[1])
                differences += [names | row for row in found]
    return {"arms": arms, "differences": differences}


def _statistics(
    predictions: Sequence[Predictions],
    seed: int,
    minus: Sequence[Predictions] = (),
) -> list[dict[str, Any]]:
    """Mean and interval of each metric, or of its difference."""
    truth = predictions[0].truth
    draws = _draw(truth, len(predictions), resamples=_RESAMPLES, seed=seed)
    resampled, means = _resample(predictions, *draws), _means(predictions)
    if minus:
        others, other_means = _resample(minus, *draws), _means(minus)
        resampled = {m: resampled[m] - others[m] for m in METRICS}
        means = {m: means[m] - other_means[m] for m in METRICS}
    rows = []
    for metric in METRICS:
        interval = _interval(resampled[metric], truth)
        reason = {"reason": interval.reason} if interval.reason else {}
        rows.append(
            {
                "metric": metric,
                "mean": _rounded(means[metric]),
                "low": _rounded(interval.low),
                "high": _rounded(interval.high),
                **reason,
                "seeds": len(predictions),
            }
        )
    return rows


def _draw(
    truth: np.ndarray, seeds: int, *, resamples: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """How often each subject of a stage is drawn, and the weight of each seed.

    Both `[resamples, ...]`; weights sum to 1.
    """
    rng = np.random.default_rng([seed, 2])
    counts = np.zeros([resamples, len(truth)])
    for stage in np.unique(truth):
        rows = np.flatnonzero(truth == stage)
        share = np.full(len(rows), 1 / len(rows))
        counts[:, rows] = rng.multinomial(len(rows), share, size=resamples)
    share = np.full(seeds, 1 / seeds)
    return counts, rng.multinomial(seeds, share, size=resamples) / seeds


def _resample(
    predictions: Sequence[Predictions], counts: np.ndarray, weights: np.ndarray
) -> dict[str, np.ndarray]:
    """Each metric `[resamples]` of the drawn subjects, over the drawn seeds.

    All three are means over subjects, or over pairs of subjects of different
    stages, so weighting is enough and nothing is predicted again.
    """
    found = dict.fromkeys(METRICS, 0.0)
    for one, weight in zip(predictions, weights.T, strict=True):
        for name, values in _resample_seed(one, counts).items():
            found[name] = found[name] + weight * values
    return found


def _resample_seed(
    one: Predictions, counts: np.ndarray
) -> dict[str, np.ndarray]:
    """Each metric of the drawn subjects, for a single seed."""
    truth = one.truth
    right = (one.probabilities.argmax(axis=1) == truth).astype(np.float64)
    members = [truth == stage for stage in np.unique(truth)]
    shares = [counts[:, m] @ right[m] / m.sum() for m in members]
    areas = []
    for stage, table in pairwise_wins(truth, one.probabilities):
        own, others = counts[:, truth == stage], counts[:, truth != stage]
        areas.append(((own @ table) * others).sum(axis=1) / table.size)
    return {
        "accuracy": counts @ right / len(truth),
        "balanced_accuracy": np.mean(shares, axis=0),
        "auc": np.mean(areas, axis=0),
    }


def _interval(resampled: np.ndarray, truth: np.ndarray) -> Interval:
    """Percentile interval of resamples of these subjects."""
    count = len(truth)
    if count < MIN_SUBJECTS:
        reason = (
            f"an interval needs {MIN_SUBJECTS} or more held-out subjects, and "
            f"there are {count}"
        )
        return Interval(None, None, reason)
    # drawing within stages costs a degree of freedom for each
    degrees = count - len(np.unique(truth))
    return Interval(*percentile_ends(resampled, count, degrees))


def kept_signal(arms: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """How much of the signal of real images synthetic ones alone keep.

    Args:
        arms: Rows of `compare`.

    Returns:
        By fraction, the AUC above 0.5 with synthetic images over that with
        real ones; None if real images are at chance.
    """
    means = {
        (row["arm"], row["fraction"]): row["mean"]
        for row in arms
        if row["metric"] == "auc"
    }
    rows = []
    for fraction in sorted({f for _, f in means}):
        real, synthetic = (means.get((a, fraction)) for a in (REAL, SYNTHETIC))
        if real is not None and synthetic is not None:
            share = (synthetic - 0.5) / (real - 0.5) if real > 0.5 else None
            rows.append({"fraction": fraction, "share": _rounded(share)})
    return rows


def _means(predictions: Sequence[Predictions]) -> dict[str, float]:
    """Each metric, averaged over the seeds."""
    scores = [one.scores() for one in predictions]
    return {name: float(np.mean([s[name] for s in scores])) for name in METRICS}


def _rounded(value: float | None) -> float | None:
    """A number as it stands in `study.json`."""
    return None if value is None else round(float(value), _DIGITS)
