"""The real slices of a conditional run, by plane and stage."""

import dataclasses
import functools
from pathlib import Path

import numpy as np

from pet_dcgan.data.leakage import named, require_disjoint
from pet_dcgan.data.prepared_set import (
    NoSlicesError,
    Slices,
    load_slices,
    subjects_of,
)
from pet_dcgan.evaluation.checks import require_same_set
from pet_dcgan.runs.run import Run


@dataclasses.dataclass(frozen=True)
class StageSlices:
    """The real slices of one stage and plane, by split.

    Args:
        training: What the run trained on.
        test: Held-out slices; None where there are none.
        validation: Slices of the validation split; None where there are none.
    """

    training: Slices
    test: Slices | None
    validation: Slices | None

    @property
    def held_out(self) -> list[Slices]:
        """Those of test and validation, as far as there are any."""
        return [each for each in (self.test, self.validation) if each]


def stage_slices(
    run: Run, data_dir: str | Path
) -> dict[tuple[str, str], StageSlices]:
    """The real slices of a run, by plane and stage.

    Args:
        run: The run; one without conditions has one stage and plane.
        data_dir: Folder of the prepared sets.

    Raises:
        FileNotFoundError: If the set is missing.
        ValueError: If a held-out subject was trained on, a training subject
            is missing, or the set does not fit the run.
    """
    planes, stages = (run.config.plane,), (run.config.stage,)
    if run.conditions is not None:
        planes, stages = run.conditions.planes, run.conditions.stages
    found = {
        (plane, stage): _of_stage(run, data_dir, plane, stage)
        for plane in planes
        for stage in stages
    }
    for each in found.values():
        require_same_set(run.config, each.training)
        for held_out in each.held_out:
            require_disjoint(run.subjects, held_out.subjects)
        if each.test is not None:
            # nor may one of them have chosen the generator
            require_disjoint(run.validation, each.test.subjects)
    _require_everybody(run, found)
    return found


def joined(parts: list[Slices]) -> Slices:
    """The slices of several stages or planes as one.

    Args:
        parts: One or more, of one set.
    """
    first = parts[0]
    arrays = {
        field.name: np.concatenate([getattr(p, field.name) for p in parts])
        for field in dataclasses.fields(first)
        if isinstance(getattr(first, field.name), np.ndarray)
    }
    return dataclasses.replace(first, **arrays)


def _of_stage(
    run: Run, place: str | Path, plane: str, stage: str
) -> StageSlices:
    """The real slices of a stage and plane."""
    load = functools.partial(
        load_slices, place, run.config.dataset, stage=stage, plane=plane
    )

    def held_out(split: str) -> Slices | None:
        known = subjects_of(place, run.config.dataset, split=split, stage=stage)
        if not known:
            return None
        try:
            return load(split=split)
        except NoSlicesError:
            return None

    return StageSlices(
        training=load(split="train", subjects=set(run.subjects)),
        test=held_out("test"),
        validation=held_out("validation"),
    )


def _require_everybody(
    run: Run, slices: dict[tuple[str, str], StageSlices]
) -> None:
    """Raises unless the set has every subject that was trained on."""
    found = {
        subject
        for each in slices.values()
        for subject in np.unique(each.training.subjects)
    }
    if lost := sorted(set(run.subjects) - found):
        raise ValueError(
            f"expected the run's {len(run.subjects)} training subjects in the "
            f"set, found none of {named(lost)}: give the --data-dir the run "
            "was trained on"
        )
