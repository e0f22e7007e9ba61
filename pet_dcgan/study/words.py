"""What a study found, in sentences."""

from collections.abc import Mapping
from typing import Any

from pet_dcgan.study.settings import ARMS, MIXED, REAL, SYNTHETIC

NAMES = {"accuracy": "accuracy", "balanced_accuracy": "balanced accuracy"}


def conclusions(summary: Mapping[str, Any]) -> list[str]:
    """Sentences for a reader who sees no table.

    Args:
        summary: What stands in `study.json`, made by `run_study`.

    Returns:
        What the figures may be taken for, what was found at each fraction,
        and what the intervals leave out.
    """
    lines = _cautions(summary)
    for fraction in summary["settings"]["fractions"]:
        lines += _found(summary, fraction)
    lines.append(
        f"Intervals are over the {sum(summary['judged'].values())} held-out "
        "subjects and the seeds of the classifiers; every generator was "
        "trained once, so what another training of it would give is not in "
        "them."
    )
    return lines


def name_of(metric: str) -> str:
    """A metric as it is written in a sentence."""
    return NAMES.get(metric, "AUC")


def _cautions(summary: Mapping[str, Any]) -> list[str]:
    lines = []
    if summary["phantom"]:
        lines.append(
            "Phantom: invented brains, no patients. Nothing here is a finding "
            "about patients."
        )
    if not summary["complete"]:
        lines.append(
            f"Partial: {summary['done']} of {summary['of']} classifiers are "
            "there; go on with --resume."
        )
    if summary["settings"]["shuffle_labels"]:
        lines.append(
            "Control: the training labels were dealt out at random, so every "
            "arm should be at chance."
        )
    return lines


def _found(summary: Mapping[str, Any], fraction: int) -> list[str]:
    means = {
        row["arm"]: row["mean"]
        for row in summary["arms"]
        if row["fraction"] == fraction and row["metric"] == "auc"
    }
    if REAL not in means:
        return []
    subjects = summary["training_subjects"][str(fraction)]
    counted = ", ".join(f"{n} {stage}" for stage, n in subjects.items())
    lines = [
        f"{fraction} % of the training subjects ({counted}): AUC "
        + ", ".join(f"{arm} {means[arm]:.3f}" for arm in ARMS if arm in means)
        + "."
    ]
    lines += [
        f"At {fraction} % adding synthetic images changed the "
        f"{name_of(row['metric'])} by {_difference(row)}"
        for row in summary["differences"]
        if row["fraction"] == fraction and row["arm"] == MIXED
    ]
    for row in summary["kept_signal"]:
        if row["fraction"] == fraction and row["share"] is not None:
            lines.append(
                f"At {fraction} % {SYNTHETIC} images alone kept "
                f"{100 * row['share']:.0f} % of what real ones give above "
                "chance (AUC)."
            )
    return lines


def _difference(row: Mapping[str, Any]) -> str:
    value = f"{row['mean']:+.3f}"
    if row["low"] is None:
        return f"{value}; {row['reason']}."
    between = f"{value} (95 % interval {row['low']:+.3f} to {row['high']:+.3f})"
    if row["low"] > 0:
        return f"{between}: they helped."
    if row["high"] < 0:
        return f"{between}: they harmed."
    return f"{between}: whether they help cannot be told."
