"""The classifiers of a study: what each learns from, and what it says.

What one says of slices is aggregated by subject.
"""

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
from pet_dcgan.study.data import LabelledSlices, Material
from pet_dcgan.study.generators import Place, drawn
from pet_dcgan.study.settings import (
    ARMS,
    AUGMENTED,
    MIXED,
    SYNTHETIC,
    StudySettings,
)
from pet_dcgan.study.statistics import Answer


def aggregate_by_subject(
    planes: Sequence[tuple[np.ndarray, np.ndarray]],
) -> tuple[np.ndarray, np.ndarray]:
    """The mean over the slices of a plane, then over the planes.

    Every slice of a plane counts the same, and so does every plane, however
    many slices it has. A subject without slices of a plane is judged by the
    others.

    Args:
        planes: For each plane, probabilities `[n, classes]` of its slices,
            and the name of the subject of each `[n]`.

    Returns:
        Names of all subjects, sorted, `[m]`, and their probabilities
        `[m, classes]`.

    Raises:
        ValueError: If there is no slice, the shapes do not fit, or a
            probability is no number from 0 to 1.
    """
    if not planes:
        raise ValueError("expected slices of a plane or more, found no plane")
    for votes, subjects in planes:
        _check(votes, subjects)
    names = np.unique(np.concatenate([np.asarray(s) for _, s in planes]))
    total = np.zeros([len(names), np.shape(planes[0][0])[1]])
    count = np.zeros([len(names), 1])
    for votes, subjects in planes:
        present, means = _means(np.asarray(votes, np.float64), subjects)
        rows = np.searchsorted(names, present)
        total[rows] += means
        count[rows] += 1
    return names, total / count


def _means(
    votes: np.ndarray, subjects: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    names, codes = np.unique(subjects, return_inverse=True)
    total = np.zeros([len(names), votes.shape[1]])
    np.add.at(total, codes, votes)
    return names, total / np.bincount(codes)[:, None]


def _check(votes: np.ndarray, subjects: np.ndarray) -> None:
    votes = np.asarray(votes)
    if votes.ndim != 2 or not len(votes) or len(votes) != len(subjects):
        raise ValueError(
            "expected probabilities [n, classes] and a subject for each of "
            f"one or more slices, found {votes.shape} and {len(subjects)}"
        )
    if not ((votes >= 0) & (votes <= 1)).all():
        raise ValueError(
            "expected probabilities from 0 to 1, found others (or NaN)"
        )


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


def cells(fractions: tuple[int, ...], seeds: int) -> list[Cell]:
    """Every classifier, those that need a generator last.

    Args:
        fractions: Percent of the training subjects.
        seeds: Classifiers of each arm and fraction.
    """
    return [
        Cell(fraction, seed, arm)
        for with_generator in (False, True)
        for fraction in fractions
        for seed in range(seeds)
        for arm in ARMS
        if Cell(fraction, seed, arm).needs_synthetic == with_generator
    ]


def fitting_of(arm: str, *, steps: int) -> Fitting:
    """How an arm's classifiers are trained: alike but for augmentation.

    Args:
        arm: One of `ARMS`.
        steps: Of every arm.
    """
    return Fitting(steps=steps, augment=arm == AUGMENTED)


def labelled_of(
    arm: str,
    real: LabelledSlices,
    synthetic: np.ndarray | None,
    synthetic_labels: np.ndarray | None = None,
) -> Labelled:
    """The images of an arm.

    Real and synthetic images fill half a batch each where there are both, so
    that it does not matter how many of each there are.

    Args:
        arm: One of `ARMS`.
        real: Slices of the fraction's subjects.
        synthetic: uint16 `[n, size, size]`, for arms that use a generator.
        synthetic_labels: Integers `[n]`.

    Raises:
        ValueError: If the arm needs synthetic images and there are none.
    """
    if arm not in (MIXED, SYNTHETIC):
        return Labelled(real.images, real.labels)
    if synthetic is None or synthetic_labels is None:
        raise ValueError(f"expected synthetic images for arm {arm}, found none")
    if arm == SYNTHETIC:
        return Labelled(synthetic, synthetic_labels)
    labels = np.concatenate([real.labels, synthetic_labels])
    is_synthetic = np.arange(len(labels)) >= len(real.labels)
    return Labelled(
        np.concatenate([real.images, synthetic]),
        labels,
        groups=2 * labels + is_synthetic,
    )


def dealt_out(
    labels: np.ndarray, owners: np.ndarray, *, seed: int
) -> np.ndarray:
    """Labels dealt out at random, all of an owner's alike.

    Args:
        labels: Integers `[n]`.
        owners: Whose each is `[n]`; of synthetic images, their own numbers.
        seed: Each deals otherwise.

    Returns:
        Integers `[n]`, every label to as many owners as before.
    """
    _, first, codes = np.unique(owners, return_index=True, return_inverse=True)
    rng = np.random.default_rng([seed, 1])
    return rng.permutation(np.asarray(labels)[first])[codes]


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
    _, probabilities = aggregate_by_subject(votes)
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
