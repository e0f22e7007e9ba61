"""The classifiers of a study: their training images and predictions."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from pet_dcgan.models.classifier import (
    Fitting,
    Labelled,
    slice_probabilities,
    train_classifier,
)
from pet_dcgan.runs.run import Run
from pet_dcgan.study.generators import GeneratorSpec, generate_stored
from pet_dcgan.study.settings import (
    ARMS,
    AUGMENTED,
    MIXED,
    SYNTHETIC,
    LabelledSlices,
    StudyData,
    StudySettings,
)
from pet_dcgan.study.statistics import Predictions


@dataclasses.dataclass(frozen=True, order=True)
class Cell:
    """One classifier of the study."""

    fraction: int
    seed: int
    arm: str

    @property
    def needs_synthetic(self) -> bool:
        """Whether its arm uses a generator."""
        return self.arm in (MIXED, SYNTHETIC)


def study_cells(settings: StudySettings) -> list[Cell]:
    """Every classifier of a study, those that need a generator last."""
    cells = [
        Cell(fraction, seed, arm)
        for fraction in settings.fractions
        for seed in range(settings.seeds)
        for arm in ARMS
    ]
    return sorted(cells, key=lambda cell: cell.needs_synthetic)


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
        ValueError: If there is no slice, the shapes do not fit, or a
            probability is not a number from 0 to 1.
    """
    if not planes:
        raise ValueError("expected slices of one or more planes, found none")
    for probabilities, subjects in planes:
        _check(np.asarray(probabilities), subjects)
    names = np.unique(np.concatenate([subjects for _, subjects in planes]))
    total = np.zeros([len(names), np.shape(planes[0][0])[1]])
    count = np.zeros([len(names), 1])
    for probabilities, subjects in planes:
        present, codes = np.unique(subjects, return_inverse=True)
        sums = np.zeros([len(present), total.shape[1]])
        np.add.at(sums, codes, np.asarray(probabilities, np.float64))
        rows = np.searchsorted(names, present)
        total[rows] += sums / np.bincount(codes)[:, None]
        count[rows] += 1
    return names, total / count


def _check(probabilities: np.ndarray, subjects: np.ndarray) -> None:
    """Raises unless there are probabilities, each of a subject's slice."""
    shape = probabilities.shape
    if len(shape) != 2 or not shape[0] or shape[0] != len(subjects):
        raise ValueError(
            "expected probabilities [n, classes] and a subject for each of "
            f"one or more slices, found {shape} and {len(subjects)}"
        )
    if not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise ValueError("expected probabilities from 0 to 1")


def uniform_predictions(
    test: Mapping[str, LabelledSlices], classes: int
) -> Predictions:
    """The test subjects with all stages equally probable.

    Args:
        test: Slices by plane.
        classes: Number of stages.
    """
    keys = np.unique(np.concatenate([_keys(s) for s in test.values()]))
    pairs = [key.split("\t") for key in keys]
    return Predictions(
        subjects=np.array([subject for subject, _ in pairs]),
        truth=np.array([int(label) for _, label in pairs]),
        probabilities=np.full([len(keys), classes], 1 / classes),
    )


def train_and_predict(
    cell: Cell,
    *,
    settings: StudySettings,
    data: StudyData,
    generators: Mapping[GeneratorSpec, Run],
) -> Predictions:
    """Trains a classifier for each plane and averages their predictions.

    Args:
        cell: Which arm, fraction and seed.
        settings: How they are trained.
        data: Training and test slices.
        generators: Those of the cell's fraction, if its arm uses any.

    Raises:
        ValueError: If a generator produces no images.
    """
    planes = []
    for plane in settings.planes:
        model = train_classifier(
            _training_images(cell, plane, settings, data, generators),
            classes=len(settings.classes),
            # the same for every arm, so that these differ by it alone
            seed=1000 * settings.seed + cell.seed,
            fitting=Fitting(
                steps=settings.steps, augment=cell.arm == AUGMENTED
            ),
        )
        test = data.test[plane]
        planes.append((slice_probabilities(model, test.images), _keys(test)))
    _, probabilities = aggregate_by_subject(planes)
    uniform = uniform_predictions(data.test, len(settings.classes))
    return dataclasses.replace(uniform, probabilities=probabilities)


def _training_images(
    cell: Cell,
    plane: str,
    settings: StudySettings,
    data: StudyData,
    generators: Mapping[GeneratorSpec, Run],
) -> Labelled:
    """The images that a classifier is trained on.

    Where there are real and synthetic ones, each kind fills half a batch,
    however many there are of it.
    """
    real = data.training[plane].of(data.subjects(cell.fraction))
    labels, shuffle = real.labels, settings.shuffle_labels
    if shuffle:
        labels = _shuffle_by_owner(labels, real.subjects, seed=cell.seed)
    if not cell.needs_synthetic:
        return Labelled(real.images, labels)
    synthetic, others = _synthetic(cell, plane, settings, data, generators)
    if shuffle:
        owners = np.arange(len(others))
        others = _shuffle_by_owner(others, owners, seed=cell.seed)
    if cell.arm == SYNTHETIC:
        return Labelled(synthetic, others)
    images = np.concatenate([real.images, synthetic])
    both = np.concatenate([labels, others])
    is_synthetic = np.arange(len(both)) >= len(labels)
    return Labelled(images, both, groups=2 * both + is_synthetic)


def _synthetic(
    cell: Cell,
    plane: str,
    settings: StudySettings,
    data: StudyData,
    generators: Mapping[GeneratorSpec, Run],
) -> tuple[np.ndarray, np.ndarray]:
    """As many images of each stage as there are real ones at 100 %."""
    images, labels = [], []
    for label, stage in enumerate(settings.classes):
        count = data.training[plane].count(label)
        run = generators[GeneratorSpec(cell.fraction, plane, stage)]
        images.append(generate_stored(run, count=count, seed=cell.seed))
        labels.append(np.full(count, label))
    return np.concatenate(images), np.concatenate(labels)


def _shuffle_by_owner(
    labels: np.ndarray, owners: np.ndarray, *, seed: int
) -> np.ndarray:
    """Shuffles labels `[n]` among their owners, who keep a common label."""
    _, first, codes = np.unique(owners, return_index=True, return_inverse=True)
    rng = np.random.default_rng([seed, 1])
    return rng.permutation(np.asarray(labels)[first])[codes]


def _keys(slices: LabelledSlices) -> np.ndarray:
    """A subject and its stage, which another visit may have changed."""
    pairs = zip(slices.subjects, slices.labels, strict=True)
    return np.array([f"{subject}\t{label}" for subject, label in pairs])
