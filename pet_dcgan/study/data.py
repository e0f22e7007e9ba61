"""The slices of a study: who is learnt from and who is judged."""

import dataclasses
from collections.abc import Collection

import numpy as np

from pet_dcgan.config import STAGES
from pet_dcgan.data.leakage import require_splits_apart
from pet_dcgan.data.prepared_set import (
    SetMeta,
    load_slices,
    open_set,
    subjects_of,
)
from pet_dcgan.study.settings import StudySettings, subset


@dataclasses.dataclass(frozen=True)
class LabelledSlices:
    """Slices of one plane with the stage of each.

    Args:
        images: uint16 `[n, size, size]`, as stored.
        labels: Integers `[n]`, places among the study's classes.
        subjects: Text `[n]`.
    """

    images: np.ndarray
    labels: np.ndarray
    subjects: np.ndarray

    def of(self, subjects: Collection[str]) -> "LabelledSlices":
        """Only those of these subjects."""
        rows = np.isin(self.subjects, sorted(subjects))
        return LabelledSlices(
            self.images[rows], self.labels[rows], self.subjects[rows]
        )

    def count(
        self, label: int | None = None, *, of: Collection[str] | None = None
    ) -> int:
        """How many slices there are.

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
class Material:
    """Everything of a prepared set that a study uses.

    Args:
        meta: What the set says about its images.
        training: Slices of training subjects, by plane.
        judged: Slices of the subjects that are judged, by plane.
        subsets: Training subjects by fraction and stage, of all stages.
        held_out: Every validation and test subject.
    """

    meta: SetMeta
    training: dict[str, LabelledSlices]
    judged: dict[str, LabelledSlices]
    subsets: dict[int, dict[str, set[str]]]
    held_out: set[str]

    def subjects(self, fraction: int) -> set[str]:
        """Everyone whom a fraction's classifiers and generators may see."""
        return set().union(*self.subsets[fraction].values())

    def learnt_from(self, fraction: int, plane: str) -> LabelledSlices:
        """The real slices of a fraction.

        Args:
            fraction: Percent of the training subjects.
            plane: As `axial`.
        """
        return self.training[plane].of(self.subjects(fraction))


def load_material(settings: StudySettings) -> Material:
    """Reads what a study needs, and refuses a set that leaks.

    Raises:
        FileNotFoundError: If there is no such set.
        DataLeakageError: If two of its splits share a subject.
        ValueError: If it lacks a plane or a stage.
    """
    meta = open_set(settings.data_dir, settings.dataset).meta
    missing = sorted(set(settings.planes) - set(meta.planes))
    if missing:
        raise ValueError(
            f"expected planes among {', '.join(meta.planes)} for "
            f"{settings.dataset}, found {', '.join(missing)}: prepare a "
            "configuration that holds them, such as --config all_128"
        )
    split_subjects = require_splits_apart(settings.data_dir, settings.dataset)
    return Material(
        meta=meta,
        training={p: _load(settings, p, ("train",)) for p in settings.planes},
        judged={
            p: _load(settings, p, settings.judged_on) for p in settings.planes
        },
        subsets=_subsets(settings),
        held_out=split_subjects["validation"] | split_subjects["test"],
    )


def _load(
    settings: StudySettings, plane: str, splits: tuple[str, ...]
) -> LabelledSlices:
    parts = [
        (
            load_slices(
                settings.data_dir,
                settings.dataset,
                split=split,
                stage=stage,
                plane=plane,
            ),
            label,
        )
        for split in splits
        for label, stage in enumerate(settings.classes)
    ]
    return LabelledSlices(
        images=np.concatenate([s.images for s, _ in parts]),
        labels=np.concatenate([np.full(len(s.images), k) for s, k in parts]),
        subjects=np.concatenate([s.subjects for s, _ in parts]),
    )


def _subsets(settings: StudySettings) -> dict[int, dict[str, set[str]]]:
    where = (settings.data_dir, settings.dataset)
    found = {s: subjects_of(*where, split="train", stage=s) for s in STAGES}
    present = {stage: subjects for stage, subjects in found.items() if subjects}
    return {
        fraction: subset(present, percent=fraction, seed=settings.seed)
        for fraction in settings.fractions
    }
