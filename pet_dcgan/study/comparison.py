"""Arms against real images alone, with intervals over subjects and seeds."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.stats import norm
from scipy.stats import t as student

from pet_dcgan.metrics.intervals import MIN_SUBJECTS, Interval
from pet_dcgan.study.outcomes import METRICS, Answer, draw, resampled
from pet_dcgan.study.settings import ARMS, REAL, SYNTHETIC

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
