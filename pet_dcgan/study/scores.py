"""What classifiers answered about their test subjects, and how well."""

import dataclasses

import numpy as np

METRICS = ("accuracy", "balanced_accuracy", "auc")
SCORES = (*METRICS, "brier")


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
        """All of `SCORES`, by subject; see `score`."""
        return {metric: self.score(metric) for metric in SCORES}

    def score(self, metric: str) -> float:
        """A score, by subject.

        Balanced accuracy is the mean of `recalls` (Brodersen et al. 2010, doi
        10.1109/ICPR.2010.764), `auc` that of `areas`, `brier` that of
        `squared_errors`. All but the last are 0 to 1, and higher is better.

        Args:
            metric: One of `SCORES`.

        Raises:
            ValueError: If there are not subjects of every stage, or, of the
                AUC, if a probability is not finite.
        """
        match metric:
            case "auc":
                values = self.areas()
            case "brier":
                values = self.squared_errors()
            case "balanced_accuracy":
                values = self.recalls()
            case _:
                values = self.probabilities.argmax(axis=1) == self.truth
        return float(values.mean())

    def recalls(self) -> np.ndarray:
        """Share of each stage that is recognised, 0 to 1 `[classes]`.

        Of equally probable stages the first is predicted.
        """
        right = self.probabilities.argmax(axis=1) == self.truth
        classes = range(self.probabilities.shape[1])
        members = [self._members(stage) for stage in classes]
        return np.array([right[member].mean() for member in members])

    def squared_errors(self) -> np.ndarray:
        """Brier's score of each subject, 0 to 2; lower is better `[n]`.

        The sum over the stages of the squared distance from the truth (Brier
        1950, doi 10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2), which of
        two stages is twice the squared error of one. It is least where the
        probabilities are true; equal ones score 1/2 of two, 2/3 of three.
        """
        found = self.probabilities
        return ((found - np.eye(found.shape[1])[self.truth]) ** 2).sum(axis=1)

    def areas(self) -> np.ndarray:
        """Area under the ROC curve of each stage against the others.

        The probability that a subject of the stage scores higher than another
        one, ties counting half (Hanley & McNeil 1982, doi
        10.1148/radiology.143.1.7063747).

        Returns:
            Areas `[1]` of two stages, the second against the first, otherwise
            `[classes]`.

        Raises:
            ValueError: If a probability is not finite, or there are not
                subjects of every stage.
        """
        if not np.isfinite(self.probabilities).all():
            raise ValueError("expected finite scores, found NaN or infinity")
        areas = []
        for stage in area_stages(self.probabilities.shape[1]):
            scores, member = self.probabilities[:, stage], self._members(stage)
            own, others = scores[member][:, None], scores[~member][None]
            areas.append(((own > others) + 0.5 * (own == others)).mean())
        return np.array(areas)

    def _members(self, stage: int) -> np.ndarray:
        """Which subjects are of a stage; some are and some are not `[n]`."""
        found = self.truth == stage
        if found.all() or not found.any():
            raise ValueError(
                "expected subjects of the class and others, found "
                f"{found.sum()} of {len(found)} in it: prepare more scans"
            )
        return found


def area_stages(classes: int) -> range:
    """The stages that areas and reliability are of: one of two is enough."""
    return range(1, 2) if classes == 2 else range(classes)
