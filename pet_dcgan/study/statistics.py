"""Scores of the arms and their differences, with confidence intervals."""

import collections
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pet_dcgan.study.settings import Cell

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
    predictions: Mapping[Cell, Predictions],
    *,
    classes: Sequence[str],
    splits: int,
) -> dict[str, list[dict[str, Any]]]:
    """Means of every arm; to be replaced by intervals over repetitions."""
    by_arm = collections.defaultdict(list)
    for cell in sorted(predictions):
        by_arm[cell.fraction, cell.arm].append(predictions[cell].scores())
    none = {"low": None, "high": None, "reason": "not worked out"}
    arms = [
        {"fraction": fraction, "arm": arm, "metric": metric}
        | {"mean": _rounded(np.mean([one[metric] for one in found]))}
        | none
        for (fraction, arm), found in by_arm.items()
        for metric in METRICS
    ]
    return {"arms": arms, "differences": []}


def _rounded(value: float | None) -> float | None:
    """Rounds a number for `study.json`."""
    return None if value is None else round(float(value), _DIGITS)
