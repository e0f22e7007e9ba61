"""The generators of a study: trained by it, or given by the user."""

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pet_dcgan.config import PRESETS, SET_FACTS, TrainConfig, checked_value
from pet_dcgan.data.leakage import require_unseen, require_within
from pet_dcgan.data.suvr import png_from_suvr
from pet_dcgan.models.sampling import synthetic_slices
from pet_dcgan.runs.run import Run
from pet_dcgan.study.settings import StudyData, StudySettings
from pet_dcgan.training.kid_selection import generator_facts
from pet_dcgan.training.train import resolve_config, train

# latent seeds that neither samples, selection nor an evaluation start with
_FIRST_SEED = 2**41
_EVERY = ("samples_every", "select_every")


@dataclasses.dataclass(frozen=True, order=True)
class GeneratorSpec:
    """One generator of a study: stage, plane and fraction of the subjects."""

    fraction: int
    plane: str
    stage: str

    @property
    def folder(self) -> str:
        """Name of its folder, if the study trains it."""
        return f"{self.stage.lower()}_{self.plane}_{self.fraction}"

    def __str__(self) -> str:
        return f"{self.stage} {self.plane}, {self.fraction} % of the subjects"


def generator_specs(settings: StudySettings) -> list[GeneratorSpec]:
    """Every generator that a study needs."""
    return [
        GeneratorSpec(fraction, plane, stage)
        for fraction in settings.fractions
        for plane in settings.planes
        for stage in settings.classes
    ]


def train_generator(
    spec: GeneratorSpec,
    home: Path,
    settings: StudySettings,
    data: StudyData,
    *,
    verbose: str | int = 0,
) -> Run:
    """Trains or resumes a generator of the study, unless it is finished.

    Args:
        spec: The generator.
        home: Folder of the study's generators.
        settings: Settings of the study.
        data: Slices and subjects of the study.
        verbose: Keras's progress.

    Raises:
        DataLeakageError: If an earlier one has seen other subjects.
        ValueError: If it cannot be trained.
    """
    path = home / spec.folder
    started = (path / "config.json").is_file()
    run = Run.open(path) if started else None
    if run is None or not run.finished:
        run = train(
            training_config(spec, settings, data),
            path,
            resume=started,
            subjects=data.subsets[spec.fraction][spec.stage],
            verbose=verbose,
        )
    _require_trained_within(run, spec.fraction, data)
    return run


def training_config(
    spec: GeneratorSpec, settings: StudySettings, data: StudyData
) -> TrainConfig:
    """Configuration of a generator, with as many steps at every fraction.

    Fewer subjects mean fewer batches per epoch, so there are more epochs.

    Args:
        spec: The generator.
        settings: Preset and changes to it.
        data: Slices and subjects of the study.

    Raises:
        ValueError: If there are fewer slices than a batch, or the generator
            would be selected by validation subjects that are tested on.
    """
    values = dict(PRESETS[settings.preset]) | dict(settings.overrides)
    epochs, batch, *others = (
        checked_value(name, values[name])
        for name in ("epochs", "batch_size", *_EVERY)
    )
    label = settings.classes.index(spec.stage)
    slices = data.training[spec.plane]
    own = slices.count(label, of=data.subsets[spec.fraction][spec.stage])
    if own < batch:
        raise ValueError(
            f"expected a batch of {batch} slices or more of {spec}, found "
            f"{own}: add --set batch_size={max(2, own)}, or leave that "
            "fraction out"
        )
    steps = epochs * max(1, slices.count(label) // batch)
    longer = math.ceil(steps / (own // batch))
    # what happens every few epochs, 0 for never, happens as often in total
    every = [round(value * longer / epochs) for value in others]
    changes = {"epochs": longer} | dict(zip(_EVERY, every, strict=True))
    config = resolve_config(
        settings.preset,
        data_dir=settings.data_dir,
        dataset=settings.dataset,
        stage=spec.stage,
        plane=spec.plane,
        overrides=dict(settings.overrides) | changes,
        seed=settings.seed,
    )
    _require_unselected(config, settings)
    return config


def generate_stored(run: Run, *, count: int, seed: int) -> np.ndarray:
    """Synthetic slices as a prepared set would store them.

    Args:
        run: The generator's.
        count: Number of slices.
        seed: Different seeds give different slices.

    Returns:
        uint16 `[count, size, size]`.

    Raises:
        ValueError: If they are not finite or all of one brightness.
    """
    suvr_max = run.config.suvr_max
    seeds = _FIRST_SEED + seed * 2**24 + np.arange(count)
    images = synthetic_slices(run.load_generator(), seeds, suvr_max=suvr_max)
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
    return {
        "stage": spec.stage,
        "plane": spec.plane,
        "fraction": spec.fraction,
        "subjects": len(set(run.subjects)),
        "trained_by": "the user" if given else "the study",
        "preset": run.config.preset,
        **generator_facts(run.path, epochs=run.config.epochs),
    }


def assign_runs(
    runs: Sequence[Run], settings: StudySettings, data: StudyData
) -> dict[GeneratorSpec, Run]:
    """Assigns finished runs to the generators that they can serve as.

    A run belongs to the smallest fraction that holds all its subjects.

    Args:
        runs: Runs of the user.
        settings: Settings of the study.
        data: Subjects of each fraction.

    Raises:
        DataLeakageError: If a run has seen a validation or test subject, or
            one outside of every fraction.
        FileNotFoundError: If a run has no generator.
        ValueError: If a run is of other images, or two serve as the same.
    """
    assigned: dict[GeneratorSpec, Run] = {}
    for run in runs:
        _require_alike(run, settings, data)
        _require_unselected(run.config, settings)
        *smaller, largest = settings.fractions
        seen = set(run.subjects)
        fits = (f for f in smaller if seen <= data.subjects(f))
        fraction = next(fits, largest)
        _require_trained_within(run, fraction, data)
        spec = GeneratorSpec(fraction, run.config.plane, run.config.stage)
        if spec in assigned:
            raise ValueError(
                f"expected one run of {spec}, found {assigned[spec].path} and "
                f"{run.path}: leave one out"
            )
        assigned[spec] = run
    return assigned


def _require_unselected(config: TrainConfig, settings: StudySettings) -> None:
    """Raises if validation subjects select a generator and are tested on."""
    if settings.with_validation and config.select_every:
        raise ValueError(
            "expected generators that were not selected by validation "
            f"subjects, found select_every {config.select_every}: add --set "
            "select_every=0 and patience=0, or leave out --with-validation"
        )


def _require_trained_within(run: Run, fraction: int, data: StudyData) -> None:
    """Raises if a run has seen subjects held out or outside a fraction."""
    require_unseen(run.subjects, data.held_out, run=run.path)
    allowed = data.subjects(fraction)
    require_within(run.subjects, allowed, fraction=fraction, run=run.path)


def _require_alike(run: Run, settings: StudySettings, data: StudyData) -> None:
    """Raises if a run is unfinished or of other images than the study's."""
    if not run.finished:
        run.load_generator()  # raises with what is missing
    allowed = {name: (getattr(data.meta, name),) for name in SET_FACTS}
    allowed |= {"plane": settings.planes, "stage": settings.classes}
    for name, wanted in allowed.items():
        found = getattr(run.config, name)
        if found not in wanted:
            options = "--config" if name in SET_FACTS else "--task or --planes"
            raise ValueError(
                f"expected a run of {name} {' or '.join(map(str, wanted))}, "
                f"found {found} in {run.path}: leave it out or choose another "
                f"{options}"
            )
