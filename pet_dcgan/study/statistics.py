"""Scores of the arms and their differences, with confidence intervals."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pet_dcgan.metrics.confidence import percentile_interval
from pet_dcgan.study.settings import ARMS, REAL, SYNTHETIC

METRICS = ("accuracy", "balanced_accuracy", "auc")
_RESAMPLES = 2000
_DIGITS = 6


@dataclasses.dataclass(frozen=True)
class Predictions:
    """Predicted stages of the test subjects, by one classifier per plane.

    Args:
        subjects: Names, sorted, `[n]`.
        truth: Their stages as integers from 0 `[n]`.
        probabilities: Probability of each stage `[n, classes]`.
    """

    subjects: np.ndarray
    truth: np.ndarray
    probabilities: np.ndarray

    def scores(self) -> dict[str, float]:
        """Accuracy, balanced accuracy and AUC by subject."""
        everyone_once = np.ones([1, len(self.truth)])
        found = self.resampled_scores(everyone_once)
        return {name: float(values[0]) for name, values in found.items()}

    def resampled_scores(self, counts: np.ndarray) -> dict[str, np.ndarray]:
        """Scores of resampled subjects, as many of each stage as there are.

        Balanced accuracy is the mean over the stages of the share predicted
        correctly (Brodersen et al. 2010, doi 10.1109/ICPR.2010.764). The AUC
        is the mean over the stages of the probability that a subject of the
        stage scores higher than one of another, ties counting half (Hanley &
        McNeil 1982, doi 10.1148/radiology.143.1.7063747); two stages need one
        comparison. All are means over subjects, or over pairs of subjects of
        different stages, so weighting is enough and nothing is predicted again.

        Args:
            counts: How often each subject is drawn `[resamples, n]`.

        Returns:
            By metric, from 0 to 1 `[resamples]`.

        Raises:
            ValueError: If a probability is not finite, or there are not
                subjects of every stage.
        """
        truth = self.truth
        right = (self.probabilities.argmax(axis=1) == truth).astype(np.float64)
        members = [truth == stage for stage in np.unique(truth)]
        shares = [counts[:, m] @ right[m] / m.sum() for m in members]
        areas = []
        for stage, table in self._wins():
            own, others = counts[:, truth == stage], counts[:, truth != stage]
            areas.append(((own @ table) * others).sum(axis=1) / table.size)
        return {
            "accuracy": counts @ right / len(truth),
            "balanced_accuracy": np.mean(shares, axis=0),
            "auc": np.mean(areas, axis=0),
        }

    def _wins(self) -> list[tuple[int, np.ndarray]]:
        """Which subjects of a stage score higher than which others.

        Each stage that the AUC averages over, and `[members, others]`: 1 where
        the member scores higher, 0.5 for a tie, otherwise 0.
        """
        if not np.isfinite(self.probabilities).all():
            raise ValueError("expected finite scores, found NaN or infinity")
        count = self.probabilities.shape[1]
        tables = []
        # of two stages, the second against the first is enough
        for stage in (1,) if count == 2 else range(count):
            scores, member = self.probabilities[:, stage], self.truth == stage
            if member.all() or not member.any():
                raise ValueError(
                    "expected subjects of the class and others, found "
                    f"{member.sum()} of {len(member)} in it: prepare more scans"
                )
            own, others = scores[member][:, None], scores[~member][None]
            tables.append((stage, (own > others) + 0.5 * (own == others)))
        return tables


def compare(
    predictions: Mapping[tuple[str, int], Mapping[int, Predictions]],
    *,
    seed: int = 0,
) -> dict[str, list[dict[str, Any]]]:
    """Scores of every arm and its differences from real images alone.

    Subjects are drawn with replacement within their stage, and seeds among
    each other, the same for both arms of a difference: a paired bootstrap
    (Davison & Hinkley 1997, "Bootstrap Methods and their Application",
    section 3.8) with the ends of `percentile_interval`. The variation between
    trainings of the same generators is not included.

    Args:
        predictions: By arm and fraction, those of each seed, all of the same
            subjects.
        seed: Seed of the resamples.

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
        interval = percentile_interval(
            resampled[metric],
            len(truth),
            strata=len(np.unique(truth)),
            kind="held-out subjects",
        )
        row = {
            "metric": metric,
            "mean": _rounded(means[metric]),
            "low": _rounded(interval.low),
            "high": _rounded(interval.high),
        }
        if interval.reason:
            row["reason"] = interval.reason
        rows.append(row | {"seeds": len(predictions)})
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
    """Each metric `[resamples]` of the drawn subjects, over the drawn seeds."""
    found = dict.fromkeys(METRICS, 0.0)
    for one, weight in zip(predictions, weights.T, strict=True):
        for name, values in one.resampled_scores(counts).items():
            found[name] = found[name] + weight * values
    return found


def _means(predictions: Sequence[Predictions]) -> dict[str, float]:
    """Each metric, averaged over the seeds."""
    scores = [one.scores() for one in predictions]
    return {name: float(np.mean([s[name] for s in scores])) for name in METRICS}


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


def _rounded(value: float | None) -> float | None:
    """Rounds a number for `study.json`."""
    return None if value is None else round(float(value), _DIGITS)
