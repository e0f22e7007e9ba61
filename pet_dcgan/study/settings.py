"""Settings of a study, and the fractions of its training subjects."""

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pet_dcgan.config import PLANES, check_overrides
from pet_dcgan.models.classifier import STEPS

TASKS = {"nc-ad": ("NC", "AD"), "three": ("NC", "MCI", "AD")}
REAL, AUGMENTED = "real", "real+augmentation"
MIXED, SYNTHETIC = "real+synthetic", "synthetic"
ARMS = (REAL, AUGMENTED, MIXED, SYNTHETIC)


@dataclasses.dataclass(frozen=True, kw_only=True)
class StudySettings:
    """Everything that decides what a study finds.

    Args:
        data_dir: Folder that holds `adni/<dataset>/<version>`.
        dataset: Configuration of the prepared set, as `"axial_128"`.
        task: `"nc-ad"`, or `"three"` for all stages.
        planes: Which the classifiers see; a subject's answer joins them.
        fractions: Percentages of the training subjects of each stage, each
            subset holding the smaller ones.
        seeds: How many classifiers are trained of each arm and fraction.
        preset: Of the generators that the study trains.
        overrides: Changes to it; `epochs` are those at 100 %.
        steps: Optimiser steps of every classifier.
        with_validation: Whether validation subjects are judged as well as
            test subjects; only where no generator was chosen by them.
        shuffle_labels: Whether training labels are dealt out at random, as a
            control: what is found then is chance.
        seed: Fixes subsets, generators and all that is drawn.

    Raises:
        ValueError: If a value is unknown or out of range.
    """

    data_dir: str
    dataset: str = "axial_128"
    task: str = "nc-ad"
    planes: tuple[str, ...] = ("axial",)
    fractions: tuple[int, ...] = (25, 100)
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
        """The stages to tell apart; a label is a place among them."""
        return TASKS[self.task]

    @property
    def judged_on(self) -> tuple[str, ...]:
        """Splits whose subjects are judged."""
        return ("validation", "test") if self.with_validation else ("test",)

    def to_dict(self) -> dict[str, Any]:
        """The settings as they are read back from JSON."""
        return json.loads(json.dumps(dataclasses.asdict(self)))


def in_order(subjects: Iterable[str], *, seed: int) -> list[str]:
    """Subjects in an order that depends on the seed and their names alone.

    Args:
        subjects: Subject ids; repeats are dropped.
        seed: Of the order.
    """

    def place(subject: str) -> str:
        return hashlib.sha256(f"{seed}:{subject}".encode()).hexdigest()

    return sorted(set(subjects), key=place)


def subset(
    subjects_of_stage: Mapping[str, Iterable[str]],
    *,
    percent: int,
    seed: int,
) -> dict[str, set[str]]:
    """So many percent of the subjects of each stage, one or more.

    Args:
        subjects_of_stage: Training subjects by stage.
        percent: From 1 to 100; a larger one holds all of a smaller one.
        seed: Another seed gives other subjects.

    Returns:
        Subjects by stage.

    Raises:
        ValueError: If the percentage is out of range.
    """
    if not 1 <= percent <= 100:
        raise ValueError(f"expected 1 to 100 percent, found {percent}")
    chosen = {}
    for stage, subjects in subjects_of_stage.items():
        ordered = in_order(subjects, seed=seed)
        count = max(1, round(len(ordered) * percent / 100))
        chosen[stage] = set(ordered[:count])
    return chosen
