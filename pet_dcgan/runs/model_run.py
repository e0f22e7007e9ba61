"""A run of a model that something else than `train` has trained.

What such a model does not show is not known, and is left open.
"""

import csv
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import keras
import numpy as np

from pet_dcgan.config import OWN, SET_FACTS, TrainConfig, checked_value
from pet_dcgan.data.leakage import (
    DataLeakageError,
    named,
    require_disjoint,
    require_not_held_out,
)
from pet_dcgan.data.prepared_set import subjects_of
from pet_dcgan.data.slices import Slices
from pet_dcgan.models.bending import Bender
from pet_dcgan.models.conditioned import conditions_of, latent_length
from pet_dcgan.models.dcgan import DCGAN
from pet_dcgan.models.gan import GAN
from pet_dcgan.models.network_config import copied, describe
from pet_dcgan.models.own_networks import require_shapes
from pet_dcgan.presets import PRESETS
from pet_dcgan.runs.fixed_files import GENERATOR, RunFacts
from pet_dcgan.runs.generator_file import write_generator
from pet_dcgan.utils.foreign_text import one_line


def model_run(
    model: keras.Model, slices: Slices, validation: Collection[str]
) -> tuple[RunFacts, Callable[[Path], None]]:
    """What the run of a model is, and what writes the rest of its files.

    Args:
        model: A `DCGAN`, or a generator from latents to images in [-1, 1].
        slices: What it was trained on.
        validation: Subjects that it was measured or chosen by, if not those
            of the set.

    Returns:
        The facts of the run, and a function that writes generator and log
        into its folder.

    Raises:
        DataLeakageError: If a subject is held out in the set, or the model
            was fitted to one that is not in `slices`, or measured by one of
            the test split.
        TypeError: If `slices` are none, or `validation` is one text.
        ValueError: If the generator does not fit the slices, cannot be
            described, or has weights that are not finite.
    """
    _require_kinds(slices, validation)
    is_pair = isinstance(model, GAN)
    generator = model.sampler_network if is_pair else model
    if is_pair:
        _require_fitted_to(model, slices)
    config = _config(model, generator, slices)
    require_shapes("generator", generator, config)
    subjects = sorted(set(slices.subjects.tolist()))
    _require_no_leak(subjects, validation, config)
    if is_pair:
        # evaluate would compare it with whom it may be chosen by
        _require_no_test(model.measured_by, config)
    networks = {"generator": describe(generator)}
    # as the run will be opened
    _require_finite(copied(generator, networks["generator"]))
    if is_pair:
        networks["discriminator"] = describe(model.discriminator)
    facts = RunFacts(
        config,
        subjects,
        sorted(set(validation)),
        networks,
        conditions_of(generator),
    )

    def write(folder: Path) -> None:
        _write_log(folder / "log.csv", model, phantom=config.phantom)
        write_generator(folder / GENERATOR, generator)

    return facts, write


def _require_kinds(slices: Any, validation: Any) -> None:
    """Refuses what names no subjects, or is read letter by letter."""
    if not isinstance(slices, Slices):
        raise TypeError(
            f"expected Slices, found {type(slices).__name__}: load them with "
            "pet_dcgan.load_training_slices, they name the subjects"
        )
    if isinstance(validation, str):
        raise TypeError(
            "expected validation= as a set of subjects, found one text: write "
            f"{{{validation[:40]!r}}}"
        )


def _require_no_leak(
    subjects: Collection[str], validation: Collection[str], config: TrainConfig
) -> None:
    """Refuses subjects that an evaluation would take for unseen ones."""
    if not validation:
        require_not_held_out(subjects, config.data_dir, config.dataset)
        return
    require_disjoint(subjects, validation)
    _require_no_test([*subjects, *validation], config)


def _require_no_test(seen: Collection[str], config: TrainConfig) -> None:
    """Refuses subjects of the test split."""
    test = subjects_of(config.data_dir, config.dataset, split="test")
    require_disjoint(seen, test)


def _require_finite(generator: keras.Model) -> None:
    """Refuses weights that the run could not be opened with."""
    for weight in generator.weights:
        if not np.isfinite(np.asarray(weight)).all():
            raise ValueError(
                f"expected finite weights, found others in "
                f"{one_line(weight.path)}: the training diverged, train again"
            )


def _require_fitted_to(model: GAN, slices: Slices) -> None:
    """Refuses slices that are not all that a model was fitted to."""
    more = sorted(model.subjects - set(slices.subjects.tolist()))
    if more:
        raise DataLeakageError(
            "expected slices of every subject that the model was fitted to, "
            f"found none of {named(more)}: give all slices of its training"
        )
    if model.facts not in (None, slices.facts):
        raise ValueError(
            f"expected slices of {model.facts}, found {slices.facts}: give "
            "those that the model was fitted to"
        )


def _config(
    model: keras.Model, generator: keras.Model, slices: Slices
) -> TrainConfig:
    """A configuration of what is known."""
    meta = slices.meta
    unknown = dict.fromkeys(PRESETS["paper"])
    shown = {}
    if isinstance(model, DCGAN):
        shown = _settings(model, meta.spacing_mm)
    return TrainConfig(
        **unknown
        | {name: getattr(meta, name) for name in SET_FACTS}
        | _ends(generator)
        | {"seed": getattr(model, "seed", 0)}
        | shown
        | {"epochs": _epochs(model)}
        | _conditions(model, generator),
        preset=OWN,
        stage=slices.stage,
        plane=slices.plane,
        dataset=meta.dataset,
        data_dir=str(Path(slices.data_dir).resolve()),
    )


def _ends(generator: keras.Model) -> dict[str, int]:
    """Numbers of a latent vector, and channels of an image."""
    try:
        length, images = latent_length(generator), generator.output_shape
        return {"latent_dim": length, "channels": images[-1]}
    except (AttributeError, ValueError, TypeError):
        raise ValueError(
            "expected a DCGAN, or a functional or Sequential generator, found "
            f"{type(generator).__name__}: build it as keras.Model(inputs, "
            "outputs)"
        ) from None


def _conditions(model: keras.Model, generator: keras.Model) -> dict[str, Any]:
    """The settings of what a generator is asked for."""
    conditions = conditions_of(generator)
    if conditions is None:
        return {"conditions": "none", "transition": False}
    transition = getattr(model, "transition", None)
    return {
        "conditions": ",".join(conditions.names),
        "transition": transition and bool(transition[1]),
    }


def _settings(model: DCGAN, spacing_mm: float) -> dict[str, Any]:
    """The settings that a DCGAN shows."""
    augmenter = model.augmenter
    return {
        "ema_decay": model.ema_decay,
        "bend_mm": _bend_mm(model.bender, spacing_mm),
        "augment": ",".join(augmenter.names) if augmenter else "none",
        "augment_probability": augmenter.initial_probability
        if augmenter
        else 0.0,
        "augment_target": augmenter.target if augmenter else 0.0,
    }


def _bend_mm(bender: Bender | None, spacing_mm: float) -> float | None:
    """The setting of a bender, None of one stronger than `train` takes."""
    if bender is None:
        return 0.0
    bend_mm = round(float(bender.displacement) * spacing_mm, 6)
    try:
        return checked_value("bend_mm", bend_mm)
    except ValueError:
        return None


def _epochs(model: keras.Model) -> int | None:
    """Epochs of the training, if its last `fit` was all of it."""
    history, step = _history(model), getattr(model, "step", None)
    if history is None or step is None:
        return None
    epochs = history.epoch[-1] + 1
    steps = (history.params or {}).get("steps")
    return epochs if steps and steps * epochs == int(step) else None


def _history(model: keras.Model) -> keras.callbacks.History | None:
    """What the last `fit` recorded, if there was one with an epoch."""
    history = getattr(model, "history", None)
    return history if getattr(history, "epoch", None) else None


def _write_log(path: Path, model: keras.Model, *, phantom: bool) -> None:
    """Writes what the last `fit` recorded, a row an epoch, if anything."""
    history = _history(model)
    if history is None:
        return
    count = len(history.epoch)
    columns = {n: x for n, x in history.history.items() if len(x) == count}
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("epoch", *columns, "phantom"))
        for row, epoch in enumerate(history.epoch):
            values = (float(column[row]) for column in columns.values())
            writer.writerow((epoch + 1, *values, str(phantom).lower()))
