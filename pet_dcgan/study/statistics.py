"""Arms against real images alone, with intervals over subjects and seeds."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.stats import norm
from scipy.stats import t as student

from pet_dcgan.metrics.classification import (
    above_by_class,
    accuracy,
    balanced_accuracy,
    mean_auc,
)
from pet_dcgan.metrics.confidence import MIN_SUBJECTS, Interval
from pet_dcgan.study.settings import ARMS, REAL, SYNTHETIC

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


LEVEL = 0.95
RESAMPLES = 2000
_DIGITS = 6

Answers = Mapping[tuple[str, int], Mapping[int, Answer]]


def compare(answers: Answers, *, seed: int = 0) -> dict[str, list]:
    """Numbers of every arm and its differences from real images alone.

    Subjects are drawn with replacement within their stage and seeds among
    each other, the same for both arms of a difference: a paired bootstrap
    (Davison & Hinkley 1997, "Bootstrap Methods and their Application",
    section 3.8), its percentiles moved outwards for few subjects (Hesterberg
    2015, doi 10.1080/00031305.2015.1089789). What another training of the
    same generators would change is not in it.

    Args:
        answers: By arm and fraction, the answer of each seed, all of the
            same subjects.
        seed: Fixes what is drawn.

    Returns:
        `arms` and `differences`: lists of rows with `arm`, `fraction`,
        `metric`, `mean`, `low`, `high`, `reason` where there are too few
        subjects for an interval, and `seeds`.
    """
    arms, differences = [], []
    for fraction in sorted({fraction for _, fraction in answers}):
        for arm in ARMS:
            own = answers.get((arm, fraction))
            if not own:
                continue
            arms += _rows(arm, fraction, list(own.values()), None, seed)
            real = answers.get((REAL, fraction), {})
            # seeds that both have come to
            both = [s for s in own if s in real]
            if arm != REAL and both:
                pair = [own[s] for s in both], [real[s] for s in both]
                differences += _rows(arm, fraction, *pair, seed)
    return {"arms": arms, "differences": differences}


def kept_signal(arms: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """How much of what real images teach the synthetic ones alone do.

    Args:
        arms: Rows of `compare`.

    Returns:
        By fraction, the AUC of synthetic images above 0.5 over that of real
        ones; None where real images teach nothing.
    """
    means = {
        (row["arm"], row["fraction"]): row["mean"]
        for row in arms
        if row["metric"] == "auc"
    }
    rows = []
    for fraction in sorted({f for _, f in means}):
        real, synthetic = (means.get((a, fraction)) for a in (REAL, SYNTHETIC))
        if real is None or synthetic is None:
            continue
        share = (synthetic - 0.5) / (real - 0.5) if real > 0.5 else None
        rows.append({"fraction": fraction, "share": _rounded(share)})
    return rows


def _rows(
    arm: str,
    fraction: int,
    own: list[Answer],
    against: list[Answer] | None,
    seed: int,
) -> list[dict[str, Any]]:
    truth = own[0].truth
    draws = draw(truth, len(own), resamples=RESAMPLES, seed=seed)
    found, value = resampled(own, draws), _means(own)
    if against is not None:
        other, mean = resampled(against, draws), _means(against)
        found = {name: found[name] - other[name] for name in METRICS}
        value = {name: value[name] - mean[name] for name in METRICS}
    return [
        {
            "arm": arm,
            "fraction": fraction,
            "metric": name,
            "mean": _rounded(value[name]),
            **_ends(interval_of(found[name], truth)),
            "seeds": len(own),
        }
        for name in METRICS
    ]


def interval_of(found: np.ndarray, truth: np.ndarray) -> Interval:
    """Percentiles of resamples, or a reason why there are none.

    Args:
        found: A number of each resample.
        truth: Stages of the subjects that were drawn `[n]`.
    """
    count, stages = len(truth), len(np.unique(truth))
    free = count - stages  # what is drawn within stages varies so much
    if count < MIN_SUBJECTS:
        reason = (
            f"an interval needs {MIN_SUBJECTS} or more held-out subjects, and "
            f"there are {count}"
        )
        return Interval(None, None, LEVEL, count, 0, reason)
    reach = np.sqrt(count / free) * student.ppf((1 + LEVEL) / 2, free)
    low, high = np.quantile(found, norm.cdf([-reach, reach]))
    return Interval(float(low), float(high), LEVEL, count, len(found))


def _means(answers: list[Answer]) -> dict[str, float]:
    scores = [answer.scores() for answer in answers]
    return {name: float(np.mean([s[name] for s in scores])) for name in METRICS}


def _ends(interval: Interval) -> dict[str, Any]:
    ends = {"low": _rounded(interval.low), "high": _rounded(interval.high)}
    return ends | ({"reason": interval.reason} if interval.reason else {})


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), _DIGITS)
