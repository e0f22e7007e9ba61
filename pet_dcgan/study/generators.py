"""The generators of a study: what trains them, and what they are worth."""

import dataclasses
import itertools
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pet_dcgan.config import (
    ALL_PLANES,
    PRESETS,
    STAGES,
    TrainConfig,
    checked_value,
)
from pet_dcgan.data.leakage import require_unseen, require_within
from pet_dcgan.data.prepared_set import ALL_SPLITS, load_slices
from pet_dcgan.data.suvr import png_from_suvr
from pet_dcgan.models.conditioned import asked
from pet_dcgan.models.sampling import synthetic_slices
from pet_dcgan.presets import EVERY, in_epochs
from pet_dcgan.runs.run import Run
from pet_dcgan.runs.selection_log import generator_facts
from pet_dcgan.study.data import StudyData
from pet_dcgan.study.generator_specs import GeneratorSpec
from pet_dcgan.training.train import resolve_config, train

# latent seeds that neither samples, selection nor an evaluation start with
_FIRST_SEED = 2**41


def train_generator(
    spec: GeneratorSpec,
    home: Path,
    data: StudyData,
    *,
    verbose: str | int = 0,
) -> Run:
    """Trains or resumes a generator of the study, unless it is finished.

    Args:
        spec: The generator.
        home: Folder of the study.
        data: Settings, slices and subjects of the study.
        verbose: As in `train`.

    Raises:
        DataLeakageError: If an earlier one has seen other subjects.
        ValueError: If it cannot be trained.
    """
    path = home / spec.folder
    started = (path / "config.json").is_file()
    run = Run.open(path) if started else None
    if run is None or not run.finished:
        own_split = data.settings.splits == 1
        run = train(
            training_config(spec, data),
            path,
            resume=started,
            subjects=_learners(spec, data),
            # of the set's own split, the run finds them by itself
            validation=None
            if own_split
            else data.validation(
                spec.split, None if spec.conditional else spec.stage
            ),
            verbose=verbose,
        )
    require_trained_within(run, spec, data)
    return run


def training_config(spec: GeneratorSpec, data: StudyData) -> TrainConfig:
    """Configuration of a generator, with as many steps at every fraction.

    Fewer subjects mean fewer batches per epoch, so there are more epochs. Where
    no generator is selected, the KID of the last one is measured.

    Args:
        spec: The generator.
        data: Settings, slices and subjects of the study.

    Raises:
        ValueError: If there are fewer slices than a batch.
    """
    settings = data.settings
    values = dict(PRESETS[settings.preset]) | dict(settings.overrides)
    lengths = {
        name: checked_value(name, values[name])
        for name in ("epochs", "batch_size", *EVERY)
    }
    batch = lengths["batch_size"]
    own = _count(spec, data)
    if own < batch:
        raise ValueError(
            f"expected a batch of {batch} slices or more of {spec}, found "
            f"{own}: add --set batch_size={max(2, own)}, or leave that "
            "fraction out"
        )
    steps = _steps(spec, data, lengths["epochs"], batch)
    longer = math.ceil(steps / (own // batch))
    changes = in_epochs(lengths, longer) | _conditions(spec, values)
    changes["select_every"] = changes["select_every"] or longer
    return resolve_config(
        settings.preset,
        data_dir=settings.data_dir,
        dataset=settings.dataset,
        stage=spec.stage,
        plane=spec.plane,
        overrides=dict(settings.overrides) | changes,
        seed=settings.seed_at(spec),
    )


def _learners(spec: GeneratorSpec, data: StudyData) -> set[str]:
    """Everyone that a generator may learn from."""
    return data.subjects(spec, None if spec.conditional else spec.stage)


def _count(spec: GeneratorSpec, data: StudyData) -> int:
    """Number of slices that a generator learns from."""
    if not spec.conditional:
        label = data.settings.classes.index(spec.stage)
        slices = data.slices[spec.plane]
        return slices.count(label, of=_learners(spec, data))
    found = load_slices(
        data.settings.data_dir,
        data.settings.dataset,
        split=ALL_SPLITS,
        stage=spec.stage,
        plane=spec.plane,
        subjects=_learners(spec, data),
        decode=False,
    )
    return len(found.images)


def _steps(
    spec: GeneratorSpec, data: StudyData, epochs: int, batch: int
) -> int:
    """Steps of a generator; a conditional one takes those of several."""
    settings = data.settings
    planes, stages = (spec.plane,), (spec.stage,)
    if spec.conditional:
        planes, stages = settings.planes, settings.classes
    if "epochs" not in settings.overrides:
        return settings.generator_steps * len(planes) * len(stages)
    training = data.splits[spec.split].training
    whole = [
        data.slices[plane].count(settings.classes.index(stage), of=training)
        for plane, stage in itertools.product(planes, stages)
    ]
    return sum(epochs * max(1, slices // batch) for slices in whole)


def _conditions(
    spec: GeneratorSpec, values: Mapping[str, Any]
) -> dict[str, Any]:
    """Conditions of a conditional generator, none of another one."""
    if not spec.conditional:
        return {"conditions": "none", "transition": False}
    if values["conditions"] != "none":
        return {}
    plane = "plane," if spec.plane == ALL_PLANES else ""
    return {"conditions": f"stage,{plane}position", "transition": True}


def generate_stored(
    run: Run, *, count: int, seed: int, stage: str, plane: str
) -> np.ndarray:
    """Synthetic slices as a prepared set would store them.

    Args:
        run: The generator's.
        count: Number of slices.
        seed: Different seeds give different slices.
        stage: That a conditional generator is asked for.
        plane: That it is asked for.

    Returns:
        uint16 `[count, size, size]`.

    Raises:
        ValueError: If they are not finite or all of one brightness.
    """
    suvr_max, network = run.config.suvr_max, run.load_generator()
    first = _FIRST_SEED + seed * 2**24
    if run.conditions is not None:
        network = asked(network, stage=stage, plane=plane)
        # of other brains, as those of separate generators are
        first += STAGES.index(stage) * 2**22
    seeds = first + np.arange(count)
    images = synthetic_slices(network, seeds, suvr_max=suvr_max)
    stored = png_from_suvr(images, suvr_max)
    if stored.min() == stored.max():
        raise ValueError(
            f"expected images of brains from {run.path}, found only pixels of "
            "one brightness: the training failed, train again"
        )
    return stored


def describe(run: Run, spec: GeneratorSpec, *, given: bool) -> dict[str, Any]:
    """Facts about a generator for `study.json`, without a name or path.

    Args:
        run: The generator's.
        spec: The generator that it serves as.
        given: Whether the user gave it.
    """
    facts = {
        **dataclasses.asdict(spec),
        "subjects": len(set(run.subjects)),
        "trained_by": "the user" if given else "the study",
        "preset": run.config.preset,
        "val_kid": None,
        "standard_error": None,
        "suspects": None,
        **generator_facts(run),
    }
    measured = facts["val_kid"] is not None
    if measured and run.config.select_every >= run.config.epochs:
        facts["chosen_by"] = "last epoch"  # the only one that was measured
    return facts


def require_trained_within(
    run: Run, spec: GeneratorSpec, data: StudyData
) -> None:
    """Refuses a run that has seen subjects held out or outside a fraction.

    Args:
        run: The generator's.
        spec: What it is to serve as.
        data: Splits and subjects of the study.

    Raises:
        DataLeakageError: If it has, or was measured by a test subject.
    """
    split = data.splits[spec.split]
    seen = set(run.subjects)
    require_unseen(seen | set(run.validation), split.test, run=run.path)
    require_unseen(seen, split.validation, run=run.path)
    allowed = data.subjects(spec)
    require_within(seen, allowed, fraction=spec.fraction, run=run.path)
