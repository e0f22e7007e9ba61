"""What a study compares: its settings, its subjects and their slices."""

import dataclasses
import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pet_dcgan.config import PLANES, STAGES, check_overrides
from pet_dcgan.data.leakage import require_disjoint_splits
from pet_dcgan.data.prepared_set import (
    SetMeta,
    load_slices,
    open_set,
    subjects_of,
)
from pet_dcgan.models.classifier import STEPS

TASKS = {"nc-ad": ("NC", "AD"), "three": ("NC", "MCI", "AD")}
REAL, AUGMENTED = "real", "real+augmentation"
MIXED, SYNTHETIC = "real+synthetic", "synthetic"
ARMS = (REAL, AUGMENTED, MIXED, SYNTHETIC)


@dataclasses.dataclass(frozen=True, order=True)
class Cell:
    """One classifier of the study; (split, seed) is its repetition."""

    split: int
    seed: int
    fraction: int
    arm: str

    @property
    def needs_synthetic(self) -> bool:
        """Whether its arm uses a generator."""
        return self.arm in (MIXED, SYNTHETIC)


@dataclasses.dataclass(frozen=True, kw_only=True)
class StudySettings:
    """Everything that determines the result of a study.

    Args:
        data_dir: Folder that holds `adni/<dataset>/<version>`.
        dataset: Configuration of the prepared set, as `"axial_128"`.
        task: `"nc-ad"`, or `"three"` for all stages.
        planes: Planes of the classifiers, whose predictions are averaged.
        fractions: Percentages of the training subjects of each stage, each
            subset containing the smaller ones.
        splits: Number of splits of the subjects.
        seeds: Number of classifiers for each arm, fraction and split.
        preset: Preset of the generators that the study trains.
        overrides: Changes to it; `epochs` are those at 100 %.
        steps: Optimiser steps of every classifier.
        with_validation: Whether to test on validation subjects too, which no
            generator may then be selected by.
        shuffle_labels: Whether to shuffle the training labels, as a control
            in which every arm should be at chance.
        seed: Fixes subsets, generators and all random draws.

    Raises:
        ValueError: If a value is unknown or out of range.
    """

    data_dir: str
    dataset: str = "axial_128"
    task: str = "nc-ad"
    planes: tuple[str, ...] = ("axial",)
    fractions: tuple[int, ...] = (25, 100)
    splits: int = 1
    seeds: int = 5
    preset: str = "demo"
    overrides: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    steps: int = STEPS
    with_validation: bool = False
    shuffle_labels: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        path = str(Path(self.data_dir).resolve())
        object.__setattr__(self, "data_dir", path)
        for name in ("planes", "fractions"):
            values = tuple(sorted(set(getattr(self, name))))
            object.__setattr__(self, name, values)
        if self.task not in TASKS:
            raise ValueError(
                f"expected task among {', '.join(TASKS)}, found {self.task!r}"
            )
        if not self.planes or not set(self.planes) <= set(PLANES):
            raise ValueError(
                f"expected planes among {', '.join(PLANES)}, found "
                f"{', '.join(self.planes) or 'none'}"
            )
        if not self.fractions or not all(1 <= f <= 100 for f in self.fractions):
            raise ValueError(
                "expected fractions from 1 to 100 percent, found "
                f"{', '.join(map(str, self.fractions)) or 'none'}"
            )
        if self.seeds < 1 or self.steps < 1 or self.seed < 0:
            raise ValueError(
                "expected seeds and steps above 0 and a seed of 0 or more, "
                f"found {self.seeds}, {self.steps} and {self.seed}"
            )
        check_overrides(self.preset, self.overrides)

    @property
    def classes(self) -> tuple[str, ...]:
        """The stages to tell apart; a label is an index into them."""
        return TASKS[self.task]

    @property
    def test_splits(self) -> tuple[str, ...]:
        """Splits whose subjects the classifiers are tested on."""
        return ("validation", "test") if self.with_validation else ("test",)

    def to_dict(self) -> dict[str, Any]:
        """The settings as they are read back from JSON."""
        return json.loads(json.dumps(dataclasses.asdict(self)))


def _subset(subjects: Iterable[str], *, percent: int, seed: int) -> set[str]:
    """A percentage of the subjects, at least one.

    The order depends on the seed and the names alone, so that a larger subset
    contains every smaller one.
    """

    def rank(subject: str) -> str:
        return hashlib.sha256(f"{seed}:{subject}".encode()).hexdigest()

    ordered = sorted(set(subjects), key=rank)
    return set(ordered[: max(1, round(len(ordered) * percent / 100))])


@dataclasses.dataclass(frozen=True)
class LabelledSlices:
    """Slices of one plane with the stage of each.

    Args:
        images: uint16 `[n, size, size]`, as stored.
        labels: Integers `[n]`, indices into the study's classes.
        subjects: Text `[n]`.
    """

    images: np.ndarray
    labels: np.ndarray
    subjects: np.ndarray

    def owners(self) -> np.ndarray:
        """Subject and label of each slice as one text `[n]`.

        A subject whose stage changed between visits counts once as each.
        """
        pairs = zip(self.subjects, self.labels, strict=True)
        return np.array([f"{subject}\t{label}" for subject, label in pairs])

    def of(self, subjects: Collection[str]) -> "LabelledSlices":
        """The slices of these subjects."""
        rows = np.isin(self.subjects, sorted(subjects))
        return LabelledSlices(
            self.images[rows], self.labels[rows], self.subjects[rows]
        )

    def count(
        self, label: int | None = None, *, of: Collection[str] | None = None
    ) -> int:
        """Number of slices, counted without copying them.

        Args:
            label: Only of this stage.
            of: Only of these subjects.
        """
        counted = np.ones(len(self.labels), bool)
        if label is not None:
            counted &= self.labels == label
        if of is not None:
            counted &= np.isin(self.subjects, sorted(of))
        return int(np.count_nonzero(counted))


@dataclasses.dataclass(frozen=True)
class StudyData:
    """Everything of a prepared set that a study uses.

    Args:
        meta: Facts about its images.
        training: Slices of training subjects, by plane.
        test: Slices that classifiers are tested on, by plane.
        subsets: Training subjects by fraction and stage, of all stages.
        held_out: Every validation and test subject.
    """

    meta: SetMeta
    training: dict[str, LabelledSlices]
    test: dict[str, LabelledSlices]
    subsets: dict[int, dict[str, set[str]]]
    held_out: set[str]

    def subjects(self, fraction: int) -> set[str]:
        """All subjects that a fraction's classifiers and generators may see."""
        return set().union(*self.subsets[fraction].values())

    def test_subjects(self) -> tuple[np.ndarray, np.ndarray]:
        """Everyone that the classifiers are tested on.

        Returns:
            Names, sorted, text `[n]`, and labels, int64 `[n]`.
        """
        owners = [slices.owners() for slices in self.test.values()]
        parts = np.char.partition(np.unique(np.concatenate(owners)), "\t")
        return parts[:, 0], parts[:, 2].astype(np.int64)


def load_study_data(settings: StudySettings) -> StudyData:
    """Loads the slices of a study from a prepared set without leakage.

    Raises:
        FileNotFoundError: If there is no such set.
        DataLeakageError: If two of its splits share a subject.
        ValueError: If it lacks a plane or a stage.
    """
    where = settings.data_dir, settings.dataset
    meta = open_set(*where).meta
    missing = sorted(set(settings.planes) - set(meta.planes))
    if missing:
        raise ValueError(
            f"expected planes among {', '.join(meta.planes)} for "
            f"{settings.dataset}, found {', '.join(missing)}: prepare a "
            "configuration that holds them, such as --config all_128"
        )
    split_subjects = require_disjoint_splits(*where)
    by_stage = {s: subjects_of(*where, split="train", stage=s) for s in STAGES}
    return StudyData(
        meta=meta,
        training=_load(settings, ("train",)),
        test=_load(settings, settings.test_splits),
        subsets={
            fraction: {
                stage: _subset(subjects, percent=fraction, seed=settings.seed)
                for stage, subjects in by_stage.items()
                if subjects
            }
            for fraction in settings.fractions
        },
        held_out=split_subjects["validation"] | split_subjects["test"],
    )


def _load(
    settings: StudySettings, splits: tuple[str, ...]
) -> dict[str, LabelledSlices]:
    """The slices of some splits by plane, stage by stage in each split."""
    labels = list(range(len(settings.classes))) * len(splits)
    slices = {}
    for plane in settings.planes:
        parts = [
            load_slices(
                settings.data_dir,
                settings.dataset,
                split=split,
                stage=stage,
                plane=plane,
            )
            for split in splits
            for stage in settings.classes
        ]
        slices[plane] = LabelledSlices(
            images=np.concatenate([part.images for part in parts]),
            labels=np.repeat(labels, [len(part.images) for part in parts]),
            subjects=np.concatenate([part.subjects for part in parts]),
        )
    return slices
