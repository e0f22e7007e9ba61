"""What a study compares, and how: its settings."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pet_dcgan.config import PLANES, check_overrides
from pet_dcgan.models.classifier import STEPS
from pet_dcgan.study.splits import Place

TASKS = {"nc-ad": ("NC", "AD"), "three": ("NC", "MCI", "AD")}
REAL, AUGMENTED = "real", "real+augmentation"
MIXED, SYNTHETIC = "real+synthetic", "synthetic"
MIXED_CONDITIONAL, CONDITIONAL_ALONE = "real+conditional", "conditional"
# one generator for each stage and plane, or one for all of them
SEPARATE, CONDITIONAL = "separate", "conditional"
# the arms that take images of each kind of generator
ARMS_OF = {
    SEPARATE: (MIXED, SYNTHETIC),
    CONDITIONAL: (MIXED_CONDITIONAL, CONDITIONAL_ALONE),
}
ARMS = (REAL, AUGMENTED, *ARMS_OF[SEPARATE], *ARMS_OF[CONDITIONAL])
_MOST = 1000


def arms_of(generators: Sequence[str]) -> tuple[str, ...]:
    """The arms of a study of some kinds of generators, in order.

    Args:
        generators: Some of `"separate"` and `"conditional"`.
    """
    own = [arm for kind in generators for arm in ARMS_OF[kind]]
    return tuple(arm for arm in ARMS if arm in (REAL, AUGMENTED, *own))


@dataclasses.dataclass(frozen=True, order=True)
class Cell(Place):
    """One classifier of the study: an arm at a place in it."""

    arm: str

    @property
    def needs_real(self) -> bool:
        """Whether its arm learns from real images."""
        return self.arm not in (SYNTHETIC, CONDITIONAL_ALONE)

    @property
    def generators(self) -> str | None:
        """The kind of generators that its arm uses, if any."""
        kinds = (kind for kind, arms in ARMS_OF.items() if self.arm in arms)
        return next(kinds, None)

    @property
    def needs_synthetic(self) -> bool:
        """Whether its arm uses a generator."""
        return self.generators is not None


@dataclasses.dataclass(frozen=True, kw_only=True)
class StudySettings:
    """Everything that determines the result of a study.

    Args:
        data_dir: Folder that holds `adni/<dataset>/<version>`.
        dataset: Configuration of the prepared set, as `"axial_128"`.
        task: `"nc-ad"`, or `"three"` for all stages.
        planes: Planes of the classifiers, whose predictions are averaged.
        splits: In how many splits every subject is tested once, or 1 for the
            set's own split, in which its test subjects are.
        by_site: Whether a site's subjects are tested in the same split.
        fractions: Percentages of the training subjects of each stage, each
            subset containing the smaller ones.
        seeds: Repetitions inside each split, each with other subsets,
            generators and classifiers.
        generators: Which generators images are drawn from, each in two arms:
            `"separate"`, one for each stage and plane, `"conditional"`, one
            for all of them, or both.
        preset: Preset of the generators that the study trains.
        overrides: Changes to it; `epochs` are those at 100 %.
        generator_steps: Optimiser steps of every separate generator, unless
            `overrides` name `epochs`. A conditional one takes as many as
            those that it replaces together.
        steps: Optimiser steps of every classifier.
        shuffle_labels: Whether to shuffle the training labels, as a control
            in which every arm should be at chance.
        seed: Fixes splits, subsets, generators and all random draws.

    Raises:
        ValueError: If a value is unknown or out of range.
    """

    data_dir: str
    dataset: str = "axial_64"
    task: str = "nc-ad"
    planes: tuple[str, ...] = ("axial",)
    splits: int = 5
    by_site: bool = False
    fractions: tuple[int, ...] = (25, 100)
    seeds: int = 1
    generators: tuple[str, ...] = (SEPARATE,)
    preset: str = "demo"
    overrides: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    generator_steps: int = 2000
    steps: int = STEPS
    shuffle_labels: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        path = str(Path(self.data_dir).resolve())
        object.__setattr__(self, "data_dir", path)
        for name in ("planes", "fractions"):
            values = tuple(sorted(set(getattr(self, name))))
            object.__setattr__(self, name, values)
        asked = set(self.generators)
        if not asked or not asked <= set(ARMS_OF):
            raise ValueError(
                f"expected generators among {', '.join(ARMS_OF)}, found "
                f"{', '.join(self.generators) or 'none'}"
            )
        ordered = tuple(kind for kind in ARMS_OF if kind in asked)
        object.__setattr__(self, "generators", ordered)
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
        counts = self.splits, self.seeds, self.steps, self.generator_steps
        if min(counts) < 1 or max(counts[:2]) > _MOST or self.seed < 0:
            raise ValueError(
                f"expected 1 to {_MOST} splits and seeds, steps above 0 and a "
                f"seed of 0 or more, found {self.splits}, {self.seeds}, "
                f"{self.steps} and {self.generator_steps}, and {self.seed}"
            )
        if self.by_site and self.splits == 1:
            raise ValueError(
                "expected 2 splits or more by site, found 1, the set's own: "
                "add --splits 5, or leave out --by-site"
            )
        check_overrides(self.preset, self.overrides)

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms of the study, in the order of `ARMS`."""
        return arms_of(self.generators)

    @property
    def classes(self) -> tuple[str, ...]:
        """The stages to tell apart; a label is an index into them."""
        return TASKS[self.task]

    def seed_at(self, place: Place) -> int:
        """The seed of a repetition, another one for each.

        Args:
            place: Where; the fraction makes no difference.
        """
        return (self.seed * _MOST + place.split) * _MOST + place.seed

    def to_dict(self) -> dict[str, Any]:
        """The settings as they are read back from JSON."""
        return json.loads(json.dumps(dataclasses.asdict(self)))
