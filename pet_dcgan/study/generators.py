"""The generators of a study: trained here, or given by the user."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pet_dcgan.config import PRESETS, TrainConfig, checked_value
from pet_dcgan.data.leakage import require_unseen, require_within
from pet_dcgan.data.suvr import png_from_suvr
from pet_dcgan.models.sampling import synthetic_slices
from pet_dcgan.runs.run import Run
from pet_dcgan.runs.selection_log import generator_facts
from pet_dcgan.study.data import Material
from pet_dcgan.study.settings import StudySettings
from pet_dcgan.training.train import resolve_config, train

# seeds that neither samples, selection nor an evaluation begin with
_FIRST_SEED = 2**41
_EVERY = ("samples_every", "select_every")


@dataclasses.dataclass(frozen=True, order=True)
class Place:
    """Which generator: of what, and of how many subjects."""

    fraction: int
    plane: str
    stage: str

    @property
    def folder(self) -> str:
        """Name of the folder of a generator that the study trains."""
        return f"{self.stage.lower()}_{self.plane}_{self.fraction}"

    def __str__(self) -> str:
        return f"{self.stage} {self.plane}, {self.fraction} % of the subjects"


def places(settings: StudySettings) -> list[Place]:
    """Every generator that a study needs."""
    return [
        Place(fraction, plane, stage)
        for fraction in settings.fractions
        for plane in settings.planes
        for stage in settings.classes
    ]


def trained_here(
    place: Place,
    home: Path,
    settings: StudySettings,
    material: Material,
    *,
    verbose: str | int = 0,
) -> Run:
    """The generator of a place, trained or gone on with where it is not.

    Args:
        place: Which one.
        home: Folder of the study's generators.
        settings: How it is trained.
        material: Whom it may see.
        verbose: Keras's progress.

    Raises:
        DataLeakageError: If the one that is there has seen others.
        ValueError: If it cannot be trained.
    """
    path = home / place.folder
    started = (path / "config.json").is_file()
    if started and (run := Run.open(path)).finished:
        return _checked(run, place, material)
    run = train(
        training_config(place, settings, material),
        path,
        resume=started,
        subjects=material.subsets[place.fraction][place.stage],
        verbose=verbose,
    )
    return _checked(run, place, material)


def training_config(
    place: Place, settings: StudySettings, material: Material
) -> TrainConfig:
    """Configuration of a generator: as many steps at every fraction.

    Fewer subjects mean fewer batches an epoch, so there are more epochs.

    Args:
        place: Which generator.
        settings: Preset and changes to it.
        material: How many slices there are.

    Raises:
        ValueError: If there are fewer slices than a batch, or validation
            subjects would choose a generator and then be judged.
    """
    values = dict(PRESETS[settings.preset]) | dict(settings.overrides)
    epochs, batch, *others = (
        checked_value(name, values[name])
        for name in ("epochs", "batch_size", *_EVERY)
    )
    label = settings.classes.index(place.stage)
    slices = material.training[place.plane]
    whole = slices.count(label)
    own = slices.count(label, of=material.subsets[place.fraction][place.stage])
    if own < batch:
        raise ValueError(
            f"expected a batch of {batch} slices or more of {place}, found "
            f"{own}: add --set batch_size={max(2, own)}, or leave that "
            "fraction out"
        )
    steps = epochs * max(1, whole // batch)
    longer = math.ceil(steps / (own // batch))
    # what happens every few epochs, 0 for never, happens as often in all
    every = [round(value * longer / epochs) for value in others]
    changes = {"epochs": longer} | dict(zip(_EVERY, every, strict=True))
    config = resolve_config(
        settings.preset,
        data_dir=settings.data_dir,
        dataset=settings.dataset,
        stage=place.stage,
        plane=place.plane,
        overrides=dict(settings.overrides) | changes,
        seed=settings.seed,
    )
    require_unchosen(config, settings)
    return config


def require_unchosen(config: TrainConfig, settings: StudySettings) -> None:
    """Refuses to judge the subjects that a generator was chosen by.

    Args:
        config: Of a generator.
        settings: Of the study.

    Raises:
        ValueError: If validation subjects are judged and choose.
    """
    if settings.with_validation and config.select_every:
        raise ValueError(
            "expected generators that were not chosen by validation subjects, "
            f"found select_every {config.select_every}: add --set "
            "select_every=0 and patience=0, or leave out --with-validation"
        )


def drawn(run: Run, *, count: int, seed: int) -> np.ndarray:
    """Synthetic slices as they would be stored.

    Args:
        run: The generator's.
        count: How many.
        seed: Each gives others.

    Returns:
        uint16 `[count, size, size]`.

    Raises:
        ValueError: If they are not finite or all of one brightness.
    """
    suvr_max = run.config.suvr_max
    first = _FIRST_SEED + seed * 2**24
    images = synthetic_slices(
        run.load_generator(),
        np.arange(first, first + count),
        suvr_max=suvr_max,
    )
    stored = png_from_suvr(images, suvr_max)
    if stored.min() == stored.max():
        raise ValueError(
            f"expected images of brains from {run.path}, found only pixels of "
            "one brightness: the training failed, train again"
        )
    return stored


def facts(run: Run, place: Place, *, given: bool) -> dict[str, Any]:
    """What a reader has to know of a generator, without a name or path.

    Args:
        run: The generator's.
        place: What it is for.
        given: Whether the user gave it.
    """
    chosen = generator_facts(run.path, epochs=run.config.epochs)
    return {
        "stage": place.stage,
        "plane": place.plane,
        "fraction": place.fraction,
        "subjects": len(set(run.subjects)),
        "trained_by": "the user" if given else "the study",
        "preset": run.config.preset,
        **chosen,
    }


def _checked(run: Run, place: Place, material: Material) -> Run:
    require_unseen(run.subjects, material.held_out, run=run.path)
    require_within(
        run.subjects,
        material.subjects(place.fraction),
        fraction=place.fraction,
        run=run.path,
    )
    return run


_SAME = ("size", "spacing_mm", "suvr_max", "phantom")


def fitting_runs(
    runs: Sequence[Run], settings: StudySettings, material: Material
) -> dict[Place, Run]:
    """Puts finished runs where they fit.

    A run belongs to the smallest fraction that holds all its subjects.

    Args:
        runs: What the user has.
        settings: Which generators are needed.
        material: Whose subjects are whose.

    Raises:
        DataLeakageError: If a run has seen a validation or test subject, or
            one outside of every fraction.
        FileNotFoundError: If a run has no generator.
        ValueError: If a run is of other images, or two are of one place.
    """
    taken: dict[Place, Run] = {}
    for run in runs:
        require_unseen(run.subjects, material.held_out, run=run.path)
        _require_alike(run, settings, material)
        require_unchosen(run.config, settings)
        place = Place(
            _fraction_of(run, settings, material),
            run.config.plane,
            run.config.stage,
        )
        if place in taken:
            raise ValueError(
                f"expected one run of {place}, found {taken[place].path} and "
                f"{run.path}: leave one out"
            )
        taken[place] = run
    return taken


def _require_alike(
    run: Run, settings: StudySettings, material: Material
) -> None:
    if not run.finished:
        run.load_generator()  # says what is missing
    config = run.config
    for name in _SAME:
        wanted, found = getattr(material.meta, name), getattr(config, name)
        if wanted != found:
            raise ValueError(
                f"expected a run of {name} {wanted}, as {settings.dataset} "
                f"is, found {found} in {run.path}: leave it out or choose "
                "another --config"
            )
    kinds: Mapping[str, tuple[str, ...]] = {
        "plane": settings.planes,
        "stage": settings.classes,
    }
    for name, wanted in kinds.items():
        if getattr(config, name) not in wanted:
            raise ValueError(
                f"expected a run of {name} {' or '.join(wanted)}, found "
                f"{getattr(config, name)} in {run.path}: leave it out or "
                "choose another --task or --planes"
            )


def _fraction_of(run: Run, settings: StudySettings, material: Material) -> int:
    seen = set(run.subjects)
    for fraction in settings.fractions[:-1]:
        if seen <= material.subjects(fraction):
            return fraction
    largest = settings.fractions[-1]
    require_within(
        run.subjects,
        material.subjects(largest),
        fraction=largest,
        run=run.path,
    )
    return largest
