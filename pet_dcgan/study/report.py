"""Everything a study has found, in numbers and sentences, without names."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pet_dcgan.study.classifiers import Cell, nothing_said
from pet_dcgan.study.data import Material
from pet_dcgan.study.settings import ARMS, MIXED, REAL, SYNTHETIC, StudySettings
from pet_dcgan.study.statistics import Answer, compare, kept_signal

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


_DIGITS = 6


def summarise(
    settings: StudySettings,
    material: Material,
    answers: Mapping[Cell, Answer],
    *,
    cells: Sequence[Cell],
    generators: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """What stands in `study.json`.

    Args:
        settings: What the study was told.
        material: Whom it learnt from and judged.
        answers: Of the classifiers that are done.
        cells: All classifiers.
        generators: Facts of those that are done.
    """
    by_arm: dict[tuple[str, int], dict[int, Answer]] = {}
    for cell in sorted(answers):
        seeds = by_arm.setdefault((cell.arm, cell.fraction), {})
        seeds[cell.seed] = answers[cell]
    compared = compare(by_arm, seed=settings.seed)
    told = settings.to_dict()
    del told["data_dir"]
    summary = {
        "phantom": material.meta.phantom,
        "complete": len(answers) == len(cells),
        "done": len(answers),
        "of": len(cells),
        "classes": list(settings.classes),
        "judged_on": list(settings.judged_on),
        "judged": _judged(settings, material),
        "training_subjects": {
            str(fraction): _counts(settings, material, fraction)
            for fraction in settings.fractions
        },
        "generators": list(generators),
        **compared,
        "kept_signal": kept_signal(compared["arms"]),
        "results": [
            _row(cell, settings, material, answers[cell])
            for cell in cells
            if cell in answers
        ],
        "settings": told,
    }
    return {"words": conclusions(summary), **summary}


def _row(
    cell: Cell, settings: StudySettings, material: Material, answer: Answer
) -> dict[str, Any]:
    """One line of `results.csv`."""
    parts = material.training.values()
    subjects = material.subjects(cell.fraction)
    real = sum(part.count(of=subjects) for part in parts)
    synthetic = sum(part.count() for part in parts)
    counts = _counts(settings, material, cell.fraction)
    return {
        "fraction": cell.fraction,
        "seed": cell.seed,
        "arm": cell.arm,
        "training_subjects": sum(counts.values()),
        "real_images": real if cell.arm != SYNTHETIC else 0,
        "synthetic_images": synthetic if cell.needs_synthetic else 0,
        "judged_subjects": len(answer.truth),
        **{k: round(v, _DIGITS) for k, v in answer.scores().items()},
        "phantom": str(material.meta.phantom).lower(),
    }


def _judged(settings: StudySettings, material: Material) -> dict[str, int]:
    """How many subjects of each stage are judged."""
    blank = nothing_said(material.judged, len(settings.classes))
    return {
        stage: int(np.count_nonzero(blank.truth == label))
        for label, stage in enumerate(settings.classes)
    }


def _counts(
    settings: StudySettings, material: Material, fraction: int
) -> dict[str, int]:
    subjects = material.subsets[fraction]
    return {stage: len(subjects[stage]) for stage in settings.classes}
