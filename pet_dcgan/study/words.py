"""What a study found, in sentences that claim no more than it shows."""

from collections.abc import Mapping
from typing import Any

from pet_dcgan.metrics.confidence import LEVEL
from pet_dcgan.study.settings import (
    ARMS,
    CONDITIONAL,
    CONDITIONAL_ALONE,
    MIXED,
    MIXED_CONDITIONAL,
    REAL,
    SYNTHETIC,
)
from pet_dcgan.study.statistics import MARGIN, POWER

_PERCENT = f"{100 * LEVEL:.0f} %"
_CONDITIONAL = "images of conditional generators"
_DESCRIBED = {
    MIXED: "adding synthetic images to the real ones",
    SYNTHETIC: "synthetic images alone, instead of real ones,",
    MIXED_CONDITIONAL: f"adding {_CONDITIONAL} to the real ones",
    CONDITIONAL_ALONE: f"{_CONDITIONAL} alone, instead of real ones,",
}
_ADDED = ("they helped", "they harmed")
_ALONE = ("they were better", "they were worse")
_JUDGED = {  # where the whole interval is above 0, and below
    MIXED: _ADDED,
    SYNTHETIC: _ALONE,
    MIXED_CONDITIONAL: _ADDED,
    CONDITIONAL_ALONE: _ALONE,
}
_SAW = {SYNTHETIC: "synthetic images", CONDITIONAL_ALONE: _CONDITIONAL}


def conclusions(summary: Mapping[str, Any]) -> list[str]:
    """The results in sentences, with their limits.

    Args:
        summary: The content of `study.json` without these.
    """
    lines = []
    if summary["phantom"]:
        lines.append(
            "Phantom: simulated brains, no patients. Nothing here is a finding "
            "about patients."
        )
    if not summary["complete"]:
        lines.append(
            f"Partial: {summary['done']} of {summary['of']} classifiers are "
            "finished; continue with --resume."
        )
    if summary["settings"]["shuffle_labels"]:
        lines.append(
            "Control: the training labels were shuffled, so every arm should "
            "be at chance."
        )
    lines.append(_design(summary))
    if CONDITIONAL in summary["settings"]["generators"]:
        lines.append(
            "A conditional generator learns from all stages of the set, those "
            "not told apart as well, in as many steps as the separate ones "
            "that it stands for take together."
        )
    for fraction in summary["settings"]["fractions"]:
        lines += _results_at(summary, fraction)
    return [*lines, summary["generator_kid"]["words"], _limits(summary)]


def _design(summary: Mapping[str, Any]) -> str:
    """What varies between the repetitions."""
    settings = summary["settings"]
    splits, seeds = settings["splits"], settings["seeds"]
    tested = sum(summary["tested"].values())
    if splits == 1:
        return (
            f"One split, {tested} test subjects, seeds: {seeds}. All of it is "
            "in this training: with other training subjects or another "
            "generator it may turn out otherwise, so that nothing is said to "
            "be better or worse."
        )
    sites = ""
    if settings["by_site"]:
        sites = f", and each of {summary['sites']} sites with all its subjects"
    return (
        f"{splits} splits of the subjects, in each of which generators and "
        f"classifiers are trained anew (seeds: {seeds}); each of {tested} "
        f"subjects is tested in one of them{sites}."
    )


def _results_at(summary: Mapping[str, Any], fraction: int) -> list[str]:
    """Sentences about one fraction."""
    arms = [row for row in summary["arms"] if row["fraction"] == fraction]
    if not any(row["arm"] == REAL for row in arms):
        return []
    subjects = summary["training_subjects"][str(fraction)]
    counts = ", ".join(f"{n} {stage}" for stage, n in subjects.items())
    lines = [
        f"{fraction} % of the training subjects ({counts}): AUC (with the "
        f"interval at {_PERCENT}) {_by_arm(arms, 'auc')}.",
        f"At {fraction} % Brier's score (calibration; lower is better, equal "
        f"probabilities have {1 - 1 / len(summary['classes']):.2f}): "
        f"{_by_arm(arms, 'brier')}.",
    ]
    lines += [
        f"At {fraction} % {_DESCRIBED[row['arm']]} changed the AUC by "
        f"{_difference(row)}{_room(row, arms)}"
        for row in summary["differences"]
        if row["fraction"] == fraction
        and row["arm"] in _DESCRIBED
        and row["metric"] == "auc"
    ]
    for arm, saw in _SAW.items():
        recognised = [
            f"{row['mean']:.2f} of {row['subjects']} {row['stage']} "
            f"({_PERCENT} {_range(row, '.2f')})"
            for row in summary["sensitivity"]
            if (row["fraction"], row["arm"]) == (fraction, arm)
        ]
        if recognised:
            lines.append(
                f"At {fraction} % classifiers that saw {saw} alone "
                f"recognised {', '.join(recognised)}."
            )
    return lines


def _by_arm(rows: list[Mapping[str, Any]], metric: str) -> str:
    """A score of every arm."""
    found = {row["arm"]: row for row in rows if row["metric"] == metric}
    return ", ".join(
        f"{arm} {found[arm]['mean']:.3f}"
        + ("" if found[arm]["low"] is None else f" ({_range(found[arm])})")
        for arm in ARMS
        if arm in found
    )


def _range(row: Mapping[str, Any], form: str = ".3f") -> str:
    """An interval in words."""
    return f"{row['low']:{form}} to {row['high']:{form}}"


def _difference(row: Mapping[str, Any]) -> str:
    """A difference from real images, its interval and what it shows."""
    value = f"{row['mean']:+.3f}"
    if row["low"] is None:
        return f"{value}; {row['reason']}."
    found = []
    if row["low"] > 0:
        found.append(_JUDGED[row["arm"]][0])
    if row["high"] < 0:
        found.append(_JUDGED[row["arm"]][1])
    if row["equivalent"]:
        found.append(f"equivalent within {MARGIN:g}")
    if not found:
        found.append("inconclusive, neither a change nor equivalence was shown")
    seen = row["detectable"]
    change = "No change" if seen is None else f"A change of {seen:.3f}"
    return (
        f"{value} ({_PERCENT} interval {_range(row, '+.3f')}): "
        f"{', and '.join(found)}. {change} would have been seen in "
        f"{100 * POWER:.0f} of 100 studies like this one."
    )


def _room(row: Mapping[str, Any], arms: list[Mapping[str, Any]]) -> str:
    """Says so where real images leave no room for a gain that can be seen."""
    (real,) = (
        each["mean"]
        for each in arms
        if (each["arm"], each["metric"]) == (REAL, row["metric"])
    )
    seen = row.get("detectable")
    if seen is None or seen <= 1 - real:
        return ""
    return f" No such gain is possible: real images leave {1 - real:.3f}."


def _limits(summary: Mapping[str, Any]) -> str:
    """What the intervals are over."""
    if summary["settings"]["splits"] == 1:
        return f"{_PERCENT} intervals are over the test subjects alone."
    judged = sum(
        row["arm"] in _DESCRIBED and row["metric"] == "auc"
        for row in summary["differences"]
    )
    return (
        f"{_PERCENT} intervals are the wider of one over trainings (of two "
        "splits or more) and one over test subjects; those of single stages "
        "are over subjects alone. "
        f"Of {len(summary['differences'])} differences in study.json the "
        f"sentences above take {judged} of the AUC, each judged by itself: a "
        f"claim by chance among them is up to {judged} times as likely as in "
        "one. The others are for looking at."
    )
