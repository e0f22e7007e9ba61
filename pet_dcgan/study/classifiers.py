"""The classifiers of a study: their training images and predictions."""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from pet_dcgan.models.classifier import (
    Labelled,
    slice_probabilities,
    train_classifier,
)
from pet_dcgan.runs.run import Run
from pet_dcgan.study.data import LabelledSlices, StudyData
from pet_dcgan.study.generator_specs import GeneratorSpec, spec_of
from pet_dcgan.study.generators import generate_stored
from pet_dcgan.study.scores import Predictions
from pet_dcgan.study.settings import (
    AUGMENTED,
    Cell,
    StudySettings,
)


def study_cells(settings: StudySettings) -> list[Cell]:
    """Every classifier, by repetition; those that need a generator last."""
    cells = [
        Cell(*values)
        for values in itertools.product(
            range(settings.splits),
            range(settings.seeds),
            settings.fractions,
            settings.arms,
        )
    ]
    return sorted(cells, key=lambda c: (c.split, c.seed, c.needs_synthetic))


def aggregate_by_subject(
    planes: Sequence[tuple[np.ndarray, np.ndarray]],
) -> tuple[np.ndarray, np.ndarray]:
    """Mean probabilities over the slices of a plane, then over the planes.

    Every slice of a plane has the same weight, and so has every plane,
    however many slices it has. A subject without slices of a plane is
    averaged over the others.

    Args:
        planes: For each plane, probabilities `[n, classes]` of its slices,
            and the subject of each `[n]`.

    Returns:
        Names of all subjects, sorted, `[m]`, and their probabilities
        `[m, classes]`.

    Raises:
        ValueError: If a probability is not a number from 0 to 1.
    """
    names = np.unique(np.concatenate([subjects for _, subjects in planes]))
    total = np.zeros([len(names), planes[0][0].shape[1]])
    count = np.zeros([len(names), 1])
    for probabilities, subjects in planes:
        if not ((probabilities >= 0) & (probabilities <= 1)).all():
            raise ValueError("expected probabilities from 0 to 1")
        present, codes = np.unique(subjects, return_inverse=True)
        sums = np.zeros([len(present), total.shape[1]])
        np.add.at(sums, codes, probabilities)
        rows = np.searchsorted(names, present)
        total[rows] += sums / np.bincount(codes)[:, None]
        count[rows] += 1
    return names, total / count


def train_and_predict(
    cell: Cell,
    *,
    data: StudyData,
    generators: Mapping[GeneratorSpec, Run],
) -> Predictions:
    """Trains a classifier for each plane and averages their predictions.

    Args:
        cell: Split, seed, fraction and arm.
        data: Settings, slices and subjects of the study.
        generators: Those of the cell's place, if its arm uses any.

    Raises:
        ValueError: If a generator produces no images.
    """
    settings, planes = data.settings, []
    for plane in settings.planes:
        model = train_classifier(
            _training_images(cell, plane, data, generators),
            classes=len(settings.classes),
            # the same for every arm, so that these differ by it alone
            seed=settings.seed_at(cell),
            steps=settings.steps,
            augment=cell.arm == AUGMENTED,
        )
        test = data.slices[plane].of(data.splits[cell.split].test)
        planes.append((slice_probabilities(model, test.images), test.owners()))
    _, probabilities = aggregate_by_subject(planes)
    return Predictions(*data.test_subjects(cell.split), probabilities)


def _training_images(
    cell: Cell,
    plane: str,
    data: StudyData,
    generators: Mapping[GeneratorSpec, Run],
) -> Labelled:
    """The images that a classifier is trained on.

    Where there are real and synthetic ones, each kind fills half a batch,
    however many there are of it.
    """
    kinds = []
    if cell.needs_real:
        kinds.append(data.slices[plane].of(data.subjects(cell)))
    if cell.needs_synthetic:
        kinds.append(_synthetic(cell, plane, data, generators))
    labels = [kind.labels for kind in kinds]
    if data.settings.shuffle_labels:
        seed = data.settings.seed_at(cell)
        labels = [
            _shuffle_by_owner(kind.labels, kind.subjects, seed=seed)
            for kind in kinds
        ]
    groups = [len(kinds) * own + number for number, own in enumerate(labels)]
    images = [kind.images for kind in kinds]
    return Labelled(
        images[0] if len(images) == 1 else np.concatenate(images),
        np.concatenate(labels),
        groups=np.concatenate(groups),
    )


def _synthetic(
    cell: Cell,
    plane: str,
    data: StudyData,
    generators: Mapping[GeneratorSpec, Run],
) -> LabelledSlices:
    """As many images of each stage as there are real ones at 100 %.

    Each is of a subject of its own.
    """
    training = data.splits[cell.split].training
    classes = data.settings.classes
    counts = [
        data.slices[plane].count(label, of=training)
        for label in range(len(classes))
    ]
    kind, settings = cell.generators, data.settings
    images = [
        generate_stored(
            generators[spec_of(kind, cell, plane, stage, settings)],
            count=count,
            seed=cell.seed,
            stage=stage,
            plane=plane,
        )
        for stage, count in zip(classes, counts, strict=True)
    ]
    labels = np.repeat(np.arange(len(counts)), counts)
    return LabelledSlices(
        np.concatenate(images),
        labels,
        subjects=np.arange(len(labels)),
        positions_mm=np.zeros(len(labels), np.float32),
    )


def _shuffle_by_owner(
    labels: np.ndarray, owners: np.ndarray, *, seed: int
) -> np.ndarray:
    """Shuffles labels `[n]` among their owners, who keep a common label."""
    _, first, codes = np.unique(owners, return_index=True, return_inverse=True)
    rng = np.random.default_rng([seed, 1])
    return rng.permutation(labels[first])[codes]
