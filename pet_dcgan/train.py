"""One stage of a prepared set to a run folder."""

import contextlib
import dataclasses
import errno
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from pet_dcgan.callbacks import (
    SHEET_COLUMNS,
    SHEET_ROWS,
    EpochLog,
    SampleGrid,
    StopOnNonFinite,
)
from pet_dcgan.checkpoint import Checkpoint, restore
from pet_dcgan.config import TrainConfig, make_config
from pet_dcgan.data import (
    Slices,
    load_slices,
    open_set,
    require_disjoint,
    steps_per_epoch,
    subjects_of,
    training_batches,
)
from pet_dcgan.intensity import suvr_from_png
from pet_dcgan.model import DCGAN, build_dcgan
from pet_dcgan.run import Run, require_free

# may differ between a run and its continuation: the set may have been moved
_MOVABLE = {"data_dir"}


def resolve_config(
    preset: str,
    *,
    data_dir: str | Path,
    dataset: str,
    stage: str,
    plane: str | None = None,
    overrides: Mapping[str, Any] | None = None,
    seed: int = 0,
) -> TrainConfig:
    """A preset completed with what the prepared set says about itself.

    Args:
        preset: `"paper"` or `"demo"`.
        data_dir: Folder that holds `adni/<dataset>/<version>`.
        dataset: Configuration of the prepared set, as `"axial_128"`.
        stage: `"NC"`, `"MCI"` or `"AD"`.
        plane: Only needed where the set holds several.
        overrides: Settings to change, as `{"epochs": 3}`.
        seed: Fixes weights, latents and the order of the slices.

    Raises:
        FileNotFoundError: If there is no such set.
        ValueError: If a value is unknown, or the plane has to be named.
    """
    _, meta = open_set(data_dir, dataset)
    if plane is None and len(meta.planes) == 1:
        plane = meta.planes[0]
    if plane not in meta.planes:
        raise ValueError(
            f"expected --plane among {', '.join(meta.planes)} for {dataset}, "
            f"found {plane}: add it"
        )
    return make_config(
        preset,
        overrides=overrides,
        stage=stage,
        plane=plane,
        dataset=dataset,
        data_dir=str(Path(data_dir).resolve()),
        phantom=meta.phantom,
        size=meta.size,
        spacing_mm=meta.spacing_mm,
        suvr_max=meta.suvr_max,
        seed=seed,
    )


def train(
    config: TrainConfig,
    run_path: str | Path,
    *,
    resume: bool = False,
    verbose: str | int = "auto",
) -> Run:
    """Trains one generator and leaves a whole run folder.

    A run that was stopped goes on from its last whole epoch with `resume`,
    and ends with the weights it would have had. `generator.keras` comes last,
    so a folder without it is unfinished.

    Args:
        config: What to train, from `resolve_config`.
        run_path: The run's folder; it must be free unless `resume`.
        resume: Whether to go on with an unfinished run.
        verbose: Keras's progress: 0 none, 1 a bar, 2 a line an epoch.

    Returns:
        The finished run.

    Raises:
        FileExistsError: If the folder is not free.
        FileNotFoundError: If the set, or the run to go on with, is absent.
        ValueError: If data and configuration do not fit, the run to go on
            with is finished or another one, or the training diverged.
    """
    run_path = Path(run_path)
    if not resume:
        require_free(run_path)
    slices = load_training_slices(config)
    steps = steps_per_epoch(slices, config)
    if resume:
        run = _continued(run_path, config, slices)
    else:
        run = Run.create(run_path, config, slices.subjects)
    model = build_dcgan(config)
    first_epoch = restore(model, run.path / "checkpoint")
    try:
        sampler = _fit(model, run, slices, steps, first_epoch, verbose)
    except tf.errors.ResourceExhaustedError as error:
        raise _exhausted(error, run) from error
    sampler.write_montage()
    run.save_generator(model.generator)
    return run


def load_training_slices(config: TrainConfig) -> Slices:
    """The slices a configuration trains on, checked against the set.

    Raises:
        FileNotFoundError: If there is no such set.
        ValueError: If the set differs from the configuration, or a subject
            trained on is also held out.
    """
    where = (config.data_dir, config.dataset)
    slices = load_slices(
        *where, split="train", stage=config.stage, plane=config.plane
    )
    for name in ("size", "spacing_mm", "suvr_max", "phantom"):
        wanted, found = getattr(config, name), getattr(slices.meta, name)
        if wanted != found:
            raise ValueError(
                f"expected a set of {name} {wanted}, found {found}: the set "
                "was prepared anew, train under another --run"
            )
    for split in ("validation", "test"):
        require_disjoint(slices.subjects, subjects_of(*where, split=split))
    return slices


def _continued(path: Path, config: TrainConfig, slices: Slices) -> Run:
    run = Run.open(path)
    if run.finished:
        raise ValueError(
            f"expected an unfinished run in {path}, found a finished one: "
            "leave out --resume and choose another --run"
        )
    before, now = dataclasses.asdict(run.config), dataclasses.asdict(config)
    changed = [
        f"{name} {now[name]} instead of {before[name]}"
        for name in now
        if now[name] != before[name] and name not in _MOVABLE
    ]
    if changed:
        raise ValueError(
            f"expected the configuration of {path}, found "
            f"{', '.join(changed)}: resume with the options of its start"
        )
    if set(run.subjects) != set(slices.subjects):
        raise ValueError(
            f"expected the {len(run.subjects)} subjects of {path}, found "
            f"{len(set(slices.subjects))} others in the set: it was prepared "
            "anew, train under another --run"
        )
    return run


def _fit(
    model: DCGAN,
    run: Run,
    slices: Slices,
    steps: int,
    first_epoch: int,
    verbose: str | int,
) -> SampleGrid:
    config = run.config
    writer = tf.summary.create_file_writer(str(run.path / "tensorboard"))
    checkpoint = run.path / "checkpoint"
    sampler = SampleGrid(
        run.path / "samples",
        tiles=checkpoint,
        config=config,
        real=_spread(slices, SHEET_ROWS * SHEET_COLUMNS),
        writer=writer,
    )
    log = run.path / "log.csv"
    callbacks = [
        StopOnNonFinite(),
        sampler,
        EpochLog(log, phantom=config.phantom, writer=writer),
        Checkpoint(checkpoint),  # last, so that all before it is repeated
    ]
    with contextlib.closing(writer):
        if first_epoch < config.epochs:
            model.fit(
                training_batches(slices, config, first_epoch=first_epoch),
                steps_per_epoch=steps,
                initial_epoch=first_epoch,
                epochs=config.epochs,
                shuffle=False,  # the batches come in their order
                callbacks=callbacks,
                verbose=verbose,
            )
    return sampler


def _exhausted(error: tf.errors.OpError, run: Run) -> Exception:
    """TensorFlow's one error for a full disk and for too little memory."""
    reason = os.strerror(errno.ENOSPC)
    if reason in str(error):
        return OSError(errno.ENOSPC, reason, str(run.path / "tensorboard"))
    return ValueError(
        f"expected memory for batches of {run.config.batch_size}, found too "
        "little: train under another --run with a lower --set batch_size= or "
        "--set width="
    )


def _spread(slices: Slices, count: int) -> np.ndarray:
    """Up to `count` slices in SUVR, evenly over the subjects."""
    chosen = np.linspace(0, len(slices.images) - 1, count).round().astype(int)
    return suvr_from_png(slices.images[np.unique(chosen)], slices.meta.suvr_max)
