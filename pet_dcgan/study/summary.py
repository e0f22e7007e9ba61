"""Everything a study has found so far, without a name or a path."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pet_dcgan.study.arms import Cell
from pet_dcgan.study.asking import nothing_said
from pet_dcgan.study.comparison import compare, kept_signal
from pet_dcgan.study.material import Material
from pet_dcgan.study.outcomes import Answer
from pet_dcgan.study.settings import SYNTHETIC, StudySettings
from pet_dcgan.study.words import conclusions

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
