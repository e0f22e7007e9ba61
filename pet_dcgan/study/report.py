"""The results of a study as numbers and sentences, without names."""

from collections.abc import Mapping, Sequence
from typing import Any

from pet_dcgan.study.data import StudyData
from pet_dcgan.study.generator_kid import kid_summary
from pet_dcgan.study.scores import Predictions
from pet_dcgan.study.settings import Cell
from pet_dcgan.study.sites import site_of
from pet_dcgan.study.splits import Place
from pet_dcgan.study.statistics import compare
from pet_dcgan.study.words import conclusions

_DIGITS = 6


def summarise(
    data: StudyData,
    predictions: Mapping[Cell, Predictions],
    *,
    cells: Sequence[Cell],
    generators: Sequence[Mapping[str, Any]],
    looks: Mapping[str, Mapping[str, Any] | None] | None = None,
) -> dict[str, Any]:
    """The content of `study.json`.

    Args:
        data: Settings, slices and subjects of the study.
        predictions: Those of the finished classifiers.
        cells: All classifiers.
        generators: Facts about those that are finished.
        looks: Of a finished study `contrast`, from `study_contrast`, and
            `asymmetry`, from `study_asymmetry`; where there are both kinds of
            generators, `conditional_contrast` and so on as well.
    """
    settings, classes = data.settings, data.settings.classes
    looks = {"contrast": None, "asymmetry": None} | dict(looks or {})
    public = settings.to_dict()
    del public["data_dir"]
    summary = {
        "phantom": data.meta.phantom,
        "complete": len(predictions) == len(cells),
        "done": len(predictions),
        "of": len(cells),
        "classes": list(classes),
        **_design(data),
        "generators": list(generators),
        "generator_kid": kid_summary(generators),
        **compare(predictions, classes=classes, splits=settings.splits),
        **looks,
        "results": [
            _result(cell, data, predictions[cell])
            for cell in cells
            if cell in predictions
        ],
        "settings": public,
    }
    lines = conclusions(summary)
    of_second = "Of the conditional generators: "
    lines += [
        of_second * name.startswith("conditional") + look["words"]
        for name, look in looks.items()
        if look
    ]
    return {"words": lines, **summary}


def _design(data: StudyData) -> dict[str, Any]:
    """Who is tested, in how many splits, and how many train."""
    settings = data.settings
    truth = [
        label
        for split in data.splits
        for label in data.test_subjects(split.number)[1].tolist()
    ]
    sites = {site_of(subject) for subject in data.stages}
    return {
        "tested_on": "the set's test subjects"
        if settings.splits == 1
        else "every subject, in one split each",
        "tested": {s: truth.count(k) for k, s in enumerate(settings.classes)},
        "by_site": settings.by_site,
        "sites": None if None in sites else len(sites),
        "training_subjects": {
            str(fraction): _training_subjects(data, fraction)
            for fraction in settings.fractions
        },
    }


def _training_subjects(data: StudyData, fraction: int) -> dict[str, int]:
    """The subjects of each stage at a fraction, the fewest of all splits."""
    return {
        stage: min(
            len(data.subjects(Place(split.number, 0, fraction), stage))
            for split in data.splits
        )
        for stage in data.settings.classes
    }


def _result(cell: Cell, data: StudyData, found: Predictions) -> dict[str, Any]:
    """One row of `results.csv`."""
    parts, subjects = data.slices.values(), data.subjects(cell)
    training = data.splits[cell.split].training
    real = sum(part.count(of=subjects) for part in parts)
    synthetic = sum(part.count(of=training) for part in parts)
    classes = set(data.settings.classes)
    return {
        "split": cell.split,
        "seed": cell.seed,
        "fraction": cell.fraction,
        "arm": cell.arm,
        "training_subjects": sum(
            not classes.isdisjoint(data.stages[s]) for s in subjects
        ),
        "real_images": real if cell.needs_real else 0,
        "synthetic_images": synthetic if cell.needs_synthetic else 0,
        "test_subjects": len(found.truth),
        **{k: round(v, _DIGITS) for k, v in found.scores().items()},
        "phantom": str(data.meta.phantom).lower(),
    }
