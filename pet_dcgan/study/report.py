"""The results of a study as numbers and sentences, without names."""

from collections.abc import Mapping, Sequence
from typing import Any

from pet_dcgan.study.scores import Predictions
from pet_dcgan.study.settings import SYNTHETIC, Cell, StudyData, StudySettings
from pet_dcgan.study.statistics import compare
from pet_dcgan.study.words import conclusions

_DIGITS = 6


def summarise(
    settings: StudySettings,
    data: StudyData,
    predictions: Mapping[Cell, Predictions],
    *,
    cells: Sequence[Cell],
    generators: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """The content of `study.json`.

    Args:
        settings: Settings of the study.
        data: Training and test subjects.
        predictions: Those of the finished classifiers.
        cells: All classifiers.
        generators: Facts about those that are finished.
    """
    classes = settings.classes
    _, truth = data.test_subjects()
    public = settings.to_dict()
    del public["data_dir"]
    summary = {
        "phantom": data.meta.phantom,
        "complete": len(predictions) == len(cells),
        "done": len(predictions),
        "of": len(cells),
        "classes": list(classes),
        "tested_on": list(settings.test_splits),
        "tested": {s: int((truth == k).sum()) for k, s in enumerate(classes)},
        "training_subjects": {
            str(fraction): {s: len(data.subsets[fraction][s]) for s in classes}
            for fraction in settings.fractions
        },
        "generators": list(generators),
        **compare(predictions, classes=classes, splits=settings.splits),
        "results": [
            _result(cell, settings, data, predictions[cell])
            for cell in cells
            if cell in predictions
        ],
        "settings": public,
    }
    return {"words": conclusions(summary), **summary}


def _result(
    cell: Cell, settings: StudySettings, data: StudyData, found: Predictions
) -> dict[str, Any]:
    """One row of `results.csv`."""
    parts, subset = data.training.values(), data.subsets[cell.fraction]
    subjects = data.subjects(cell.fraction)
    real = sum(part.count(of=subjects) for part in parts)
    synthetic = sum(part.count() for part in parts)
    return {
        "fraction": cell.fraction,
        "seed": cell.seed,
        "arm": cell.arm,
        "training_subjects": sum(len(subset[s]) for s in settings.classes),
        "real_images": real if cell.arm != SYNTHETIC else 0,
        "synthetic_images": synthetic if cell.needs_synthetic else 0,
        "test_subjects": len(found.truth),
        **{k: round(v, _DIGITS) for k, v in found.scores().items()},
        "phantom": str(data.meta.phantom).lower(),
    }
