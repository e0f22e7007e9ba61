"""What a study learns from and is tested on: subjects and their slices."""

import dataclasses
import functools
from collections.abc import Collection

import numpy as np

from pet_dcgan.config import STAGES
from pet_dcgan.data.leakage import require_disjoint_splits
from pet_dcgan.data.prepared_set import (
    ALL_SPLITS,
    SPLITS,
    SetMeta,
    load_slices,
    open_set,
    subjects_of,
)
from pet_dcgan.study.settings import StudySettings
from pet_dcgan.study.sites import Stages
from pet_dcgan.study.splits import Place, Split, make_splits, subset


@dataclasses.dataclass(frozen=True)
class LabelledSlices:
    """Slices of one plane with the stage of each.

    Args:
        images: uint16 `[n, size, size]`, as stored.
        labels: Integers `[n]`, indices into the study's classes.
        subjects: Text `[n]`.
        positions_mm: Of real slices, float32 `[n]`, from the brain's centre;
            0 for synthetic ones, which have none.
    """

    images: np.ndarray
    labels: np.ndarray
    subjects: np.ndarray
    positions_mm: np.ndarray

    def owners(self) -> np.ndarray:
        """Subject and label of each slice as one text `[n]`.

        A subject whose stage changed between visits counts once as each.
        """
        pairs = zip(self.subjects, self.labels, strict=True)
        return np.array([f"{subject}\t{label}" for subject, label in pairs])

    def rows_of(self, subjects: Collection[str]) -> np.ndarray:
        """Which slices are of these subjects, bool `[n]`.

        Args:
            subjects: Names, of whom some may have none.
        """
        names, codes = self._coded
        return np.isin(names, sorted(subjects))[codes]

    def of(self, subjects: Collection[str]) -> "LabelledSlices":
        """The slices of these subjects.

        Args:
            subjects: Names, of whom some may have none.
        """
        rows = self.rows_of(subjects)
        return LabelledSlices(
            self.images[rows],
            self.labels[rows],
            self.subjects[rows],
            self.positions_mm[rows],
        )

    def count(self, label: int | None = None, *, of: Collection[str]) -> int:
        """Number of slices, counted without copying them.

        Args:
            label: Only of this stage.
            of: Of these subjects.
        """
        counted = self.rows_of(of)
        if label is not None:
            counted &= self.labels == label
        return int(np.count_nonzero(counted))

    @functools.cached_property
    def _coded(self) -> tuple[np.ndarray, np.ndarray]:
        """Every subject once, and which of them each slice is of."""
        names, codes = np.unique(self.subjects, return_inverse=True)
        return names, codes


@dataclasses.dataclass(frozen=True)
class StudyData:
    """Everything of a prepared set that a study uses.

    Args:
        settings: Those of the study.
        meta: Facts about the set's images.
        stages: The stages of every subject, of those not told apart as well.
        splits: Who trains, selects and is tested in each split.
        slices: Those of all subjects, of the stages told apart, by plane.
    """

    settings: StudySettings
    meta: SetMeta
    stages: Stages
    splits: tuple[Split, ...]
    slices: dict[str, LabelledSlices]

    def subjects(self, place: Place, stage: str | None = None) -> set[str]:
        """Those that classifiers and generators of a place may learn from.

        Args:
            place: Split, seed and fraction.
            stage: Only those with a scan of it; all if unset.
        """
        chosen = subset(
            self.splits[place.split].training,
            self.stages,
            percent=place.fraction,
            seed=self.settings.seed_at(place),
        )
        return self._of(chosen, stage)

    def validation(self, split: int, stage: str | None = None) -> set[str]:
        """Those by whom a split's generators of a stage are measured.

        Args:
            split: Number of the split.
            stage: Only those with a scan of it; all if unset.
        """
        return self._of(self.splits[split].validation, stage)

    def test_subjects(self, split: int) -> tuple[np.ndarray, np.ndarray]:
        """Everyone that the classifiers of a split are tested on.

        Args:
            split: Its number.

        Returns:
            Names, sorted, text `[n]`, and labels, int64 `[n]`.
        """
        found = set()
        for part in self.slices.values():
            rows = part.rows_of(self.splits[split].test)
            pairs = part.subjects[rows].tolist(), part.labels[rows].tolist()
            found.update(zip(*pairs, strict=True))
        names, labels = zip(*sorted(found), strict=True)
        return np.array(names), np.array(labels, np.int64)

    def _of(self, subjects: Collection[str], stage: str | None) -> set[str]:
        """Those with a scan of a stage."""
        return {s for s in subjects if stage in (None, *self.stages[s])}


def load_study_data(settings: StudySettings) -> StudyData:
    """Loads the slices of a study, and partitions its subjects.

    Raises:
        FileNotFoundError: If there is no such set.
        DataLeakageError: If two of its splits share a subject.
        ValueError: If it is of volumes, lacks a plane or a stage, or has too
            few subjects or sites.
    """
    where = settings.data_dir, settings.dataset
    meta = open_set(*where).meta
    if meta.is_volume:
        raise ValueError(
            "expected a set of slices, by which classifiers of a study tell "
            f"stages apart, found volumes in {settings.dataset}: choose "
            "another --config, such as axial_64"
        )
    missing = sorted(set(settings.planes) - set(meta.planes))
    if missing:
        raise ValueError(
            f"expected planes among {', '.join(meta.planes)} for "
            f"{settings.dataset}, found {', '.join(missing)}: prepare a "
            "configuration that holds them, such as --config all_128"
        )
    own = require_disjoint_splits(*where)
    stages = _stages(settings)
    if settings.splits == 1:
        splits = (Split(0, *(frozenset(own[s]) for s in SPLITS)),)
    else:
        splits = make_splits(
            stages,
            classes=settings.classes,
            count=settings.splits,
            by_site=settings.by_site,
            seed=settings.seed,
        )
    slices = {plane: _load(settings, plane) for plane in settings.planes}
    data = StudyData(settings, meta, stages, splits, slices)
    for split in splits:
        _require_classes(data, split.number)
    return data


def _stages(settings: StudySettings) -> dict[str, frozenset[str]]:
    """The stages of each subject of the set."""
    where = settings.data_dir, settings.dataset
    by_stage = {
        s: subjects_of(*where, split=ALL_SPLITS, stage=s) for s in STAGES
    }
    return {
        subject: frozenset(s for s in STAGES if subject in by_stage[s])
        for subject in sorted(set().union(*by_stage.values()))
    }


def _load(settings: StudySettings, plane: str) -> LabelledSlices:
    """The slices of a plane, stage by stage."""
    parts = [
        load_slices(
            settings.data_dir,
            settings.dataset,
            split=ALL_SPLITS,
            stage=stage,
            plane=plane,
        )
        for stage in settings.classes
    ]
    return LabelledSlices(
        images=np.concatenate([part.images for part in parts]),
        labels=np.repeat(
            np.arange(len(parts)), [len(part.images) for part in parts]
        ),
        subjects=np.concatenate([part.subjects for part in parts]),
        positions_mm=np.concatenate([part.positions_mm for part in parts]),
    )


def _require_classes(data: StudyData, split: int) -> None:
    """Raises unless a split trains and tests on slices of every stage."""
    parts = data.splits[split]
    for plane, slices in data.slices.items():
        for label, stage in enumerate(data.settings.classes):
            for part in ("training", "test"):
                if not slices.count(label, of=parts.parts[part]):
                    raise ValueError(
                        f"expected {plane} slices of {part} subjects of "
                        f"{stage} in split {split}, found none: prepare more "
                        "scans"
                    )
