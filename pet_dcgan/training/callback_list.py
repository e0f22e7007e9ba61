"""What a training calls between its epochs, and in which order."""

import dataclasses

import keras
import numpy as np
import tensorflow as tf

from pet_dcgan.config import TrainConfig
from pet_dcgan.data.batches import steps_per_epoch
from pet_dcgan.data.prepared_set import Slices
from pet_dcgan.data.suvr import suvr_from_png
from pet_dcgan.data.training_data import load_validation_slices
from pet_dcgan.runs.run import Run
from pet_dcgan.runs.run_encoder import encoder_of
from pet_dcgan.training.callbacks import (
    SHEET_COLUMNS,
    SHEET_ROWS,
    EpochLog,
    SampleGrid,
)
from pet_dcgan.training.checkpoint import Checkpoint
from pet_dcgan.training.health.log import HealthLog
from pet_dcgan.training.health.monitor import HealthMonitor
from pet_dcgan.training.health.vitals import RealImages, pooled_stored
from pet_dcgan.training.kid_selection import (
    LEAST_SLICES,
    KidSelection,
    ValidationSlices,
)
from pet_dcgan.utils.progress import status


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingCallbacks:
    """The callbacks of one training; the fields stand in calling order.

    Health looks first, so that nothing of a failed epoch is written, and the
    checkpoint comes last: what a killed process did after the last whole
    checkpoint is all done again.
    """

    health: HealthMonitor
    samples: SampleGrid
    selection: KidSelection | None
    log: EpochLog
    checkpoint: Checkpoint

    def in_order(self) -> list[keras.callbacks.Callback]:
        """The callbacks as `fit` takes them."""
        fields = (field.name for field in dataclasses.fields(self))
        found = (getattr(self, name) for name in fields)
        return [callback for callback in found if callback is not None]


def training_callbacks(
    run: Run,
    slices: Slices,
    *,
    writer: tf.summary.SummaryWriter,
    stop_on_failure: bool = False,
) -> TrainingCallbacks:
    """Makes the callbacks that a run's configuration asks for.

    Args:
        run: Where they write, and what the training was told.
        slices: What it trains on.
        writer: TensorBoard's writer.
        stop_on_failure: Whether a training that fails is ended.
    """
    config = run.config
    checkpoint = run.path / "checkpoint"
    held_out = _held_out(config)
    return TrainingCallbacks(
        health=HealthMonitor(
            HealthLog(run.path / "health.csv", phantom=config.phantom),
            config=config,
            real=_real_images(config, slices, held_out),
            steps_per_epoch=steps_per_epoch(slices, config),
            writer=writer,
            checkpoint=checkpoint,
            stop_on_failure=stop_on_failure,
        ),
        samples=SampleGrid(
            run.path / "samples",
            tiles=checkpoint,
            config=config,
            real=_spread(slices, SHEET_ROWS * SHEET_COLUMNS),
            writer=writer,
        ),
        selection=_selection(run, slices, held_out),
        log=EpochLog(
            run.path / "log.csv", phantom=config.phantom, writer=writer
        ),
        checkpoint=Checkpoint(checkpoint),
    )


def _held_out(config: TrainConfig) -> Slices | None:
    """Slices of validation subjects; few subjects leave none of a stage."""
    try:
        return load_validation_slices(config)
    except ValueError:
        return None


def _selection(
    run: Run, slices: Slices, held_out: Slices | None
) -> KidSelection | None:
    """What keeps the best generator, where that was asked for and can be."""
    config = run.config
    if not config.select_every:
        return None
    if held_out is None or len(held_out.images) < LEAST_SLICES:
        status(
            f"no validation subjects of {config.stage} to choose a generator "
            "by: the last one will be kept; prepare more scans"
        )
        return None
    return KidSelection(
        run.path,
        config=config,
        encoder=encoder_of(run.path, slices, seed=config.seed),
        real=ValidationSlices(
            suvr_from_png(held_out.images, held_out.meta.suvr_max),
            held_out.subjects,
        ),
    )


def _real_images(
    config: TrainConfig, slices: Slices, held_out: Slices | None
) -> RealImages:
    """What the health of a training is judged by."""
    rows = pooled_stored(slices.images, config.suvr_max)
    if held_out is None:
        return RealImages(rows, slices.subjects)
    held_out_rows = pooled_stored(held_out.images, config.suvr_max)
    return RealImages(rows, slices.subjects, held_out_rows)


def _spread(slices: Slices, count: int) -> np.ndarray:
    """Up to `count` slices in SUVR, evenly over the subjects."""
    chosen = np.linspace(0, len(slices.images) - 1, count).round().astype(int)
    return suvr_from_png(slices.images[np.unique(chosen)], slices.meta.suvr_max)
