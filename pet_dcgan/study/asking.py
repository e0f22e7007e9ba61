"""One classifier of a study, from its images to what it says of subjects."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from pet_dcgan.classifier import (
    Labelled,
    slice_probabilities,
    train_classifier,
)
from pet_dcgan.run import Run
from pet_dcgan.study.arms import (
    Cell,
    dealt_out,
    fitting_of,
    labelled_of,
)
from pet_dcgan.study.generators import Place, drawn
from pet_dcgan.study.material import LabelledSlices, Material
from pet_dcgan.study.outcomes import Answer
from pet_dcgan.study.settings import StudySettings
from pet_dcgan.votes import join_votes


def nothing_said(judged: Mapping[str, LabelledSlices], classes: int) -> Answer:
    """Who is judged, before anything is said of them.

    Args:
        judged: Slices by plane.
        classes: How many stages are told apart.

    Returns:
        An answer that calls every stage equally likely.
    """
    keys = np.unique(np.concatenate([_keys(s) for s in judged.values()]))
    pairs = [key.split("\t") for key in keys]
    return Answer(
        subjects=np.array([subject for subject, _ in pairs]),
        truth=np.array([int(label) for _, label in pairs]),
        probabilities=np.full([len(keys), classes], 1 / classes),
    )


def ask(
    cell: Cell,
    *,
    settings: StudySettings,
    material: Material,
    generators: Mapping[Place, Run],
) -> Answer:
    """Trains a classifier for each plane and joins what they say.

    Args:
        cell: Which arm, fraction and seed.
        settings: How they are trained.
        material: What they learn from and who is judged.
        generators: Those of the cell's fraction, where its arm uses any.

    Raises:
        ValueError: If a generator gives no images.
    """
    votes = []
    for plane in settings.planes:
        model = train_classifier(
            _labelled(cell, plane, settings, material, generators),
            classes=len(settings.classes),
            # the same for every arm, so that these differ by it alone
            seed=1000 * settings.seed + cell.seed,
            fitting=fitting_of(cell.arm, steps=settings.steps),
        )
        judged = material.judged[plane]
        said = slice_probabilities(model, judged.images)
        votes.append((said, _keys(judged)))
    _, probabilities = join_votes(votes)
    blank = nothing_said(material.judged, len(settings.classes))
    return dataclasses.replace(blank, probabilities=probabilities)


def _labelled(
    cell: Cell,
    plane: str,
    settings: StudySettings,
    material: Material,
    generators: Mapping[Place, Run],
) -> Labelled:
    real = material.learnt_from(cell.fraction, plane)
    images, labels = None, None
    if cell.needs_synthetic:
        images, labels = _synthetic(cell, plane, settings, material, generators)
    if settings.shuffle_labels:
        dealt = dealt_out(real.labels, real.subjects, seed=cell.seed)
        real = dataclasses.replace(real, labels=dealt)
        if labels is not None:
            owners = np.arange(len(labels))
            labels = dealt_out(labels, owners, seed=cell.seed)
    return labelled_of(cell.arm, real, images, labels)


def _synthetic(
    cell: Cell,
    plane: str,
    settings: StudySettings,
    material: Material,
    generators: Mapping[Place, Run],
) -> tuple[np.ndarray, np.ndarray]:
    """As many of each stage as there are real ones at 100 %."""
    images, labels = [], []
    for label, stage in enumerate(settings.classes):
        count = material.training[plane].count(label)
        run = generators[Place(cell.fraction, plane, stage)]
        images.append(drawn(run, count=count, seed=cell.seed))
        labels.append(np.full(count, label))
    return np.concatenate(images), np.concatenate(labels)


def _keys(slices: LabelledSlices) -> np.ndarray:
    """A subject and its stage, which another visit may have changed."""
    pairs = zip(slices.subjects, slices.labels, strict=True)
    return np.array([f"{subject}\t{label}" for subject, label in pairs])
