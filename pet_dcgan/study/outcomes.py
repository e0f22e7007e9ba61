"""What the classifiers said, and the three numbers made of it."""

import dataclasses

import numpy as np

from pet_dcgan.metrics.accuracy import accuracy, balanced_accuracy
from pet_dcgan.metrics.auc import above_by_class, mean_auc

METRICS = ("accuracy", "balanced_accuracy", "auc")


@dataclasses.dataclass(frozen=True)
class Answer:
    """What one classifier, or one a plane, says of each subject.

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
        called = self.probabilities.argmax(axis=1)
        return {
            "accuracy": accuracy(self.truth, called),
            "balanced_accuracy": balanced_accuracy(self.truth, called),
            "auc": mean_auc(self.truth, self.probabilities),
        }


@dataclasses.dataclass(frozen=True)
class Draws:
    """Subjects and seeds drawn anew, for a bootstrap.

    Args:
        subjects: How often each subject was drawn `[resamples, n]`.
        seeds: The weight of each seed `[resamples, seeds]`; rows sum to 1.
    """

    subjects: np.ndarray
    seeds: np.ndarray


def draw(truth: np.ndarray, seeds: int, *, resamples: int, seed: int) -> Draws:
    """Draws subjects, as many of each stage as there are, and seeds.

    Args:
        truth: Stages of the subjects `[n]`.
        seeds: How many seeds there are.
        resamples: How often.
        seed: Fixes what is drawn.
    """
    rng = np.random.default_rng([seed, 2])
    counts = np.zeros([resamples, len(truth)])
    for stage in np.unique(truth):
        rows = np.flatnonzero(truth == stage)
        share = np.full(len(rows), 1 / len(rows))
        counts[:, rows] = rng.multinomial(len(rows), share, size=resamples)
    share = np.full(seeds, 1 / seeds)
    weights = rng.multinomial(seeds, share, size=resamples) / seeds
    return Draws(counts, weights)


def resampled(answers: list[Answer], draws: Draws) -> dict[str, np.ndarray]:
    """Each metric of the drawn subjects, meant over the drawn seeds.

    All three are means over subjects or pairs of subjects of different
    stages, so that no resample has to be judged on its own.

    Args:
        answers: Of each seed, of the same subjects.
        draws: From `draw`.

    Returns:
        `[resamples]` by metric.
    """
    found = dict.fromkeys(METRICS, 0.0)
    for answer, weight in zip(answers, draws.seeds.T, strict=True):
        for name, values in _of_one(answer, draws.subjects).items():
            found[name] = found[name] + weight * values
    return found


def _of_one(answer: Answer, counts: np.ndarray) -> dict[str, np.ndarray]:
    truth = answer.truth
    right = (answer.probabilities.argmax(axis=1) == truth).astype(np.float64)
    shares = [
        counts[:, truth == stage]
        @ right[truth == stage]
        / (truth == stage).sum()
        for stage in np.unique(truth)
    ]
    areas = []
    for stage, table in above_by_class(truth, answer.probabilities):
        own, others = counts[:, truth == stage], counts[:, truth != stage]
        areas.append(((own @ table) * others).sum(axis=1) / table.size)
    return {
        "accuracy": counts @ right / len(truth),
        "balanced_accuracy": np.mean(shares, axis=0),
        "auc": np.mean(areas, axis=0),
    }
