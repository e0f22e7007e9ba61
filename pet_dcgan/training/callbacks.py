"""Callbacks of a run: its log here, and the list of them all."""

import csv
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from pet_dcgan.data.batches import steps_per_epoch
from pet_dcgan.data.conditional_slices import condition_arrays
from pet_dcgan.data.prepared_set import NoSlicesError, Slices
from pet_dcgan.data.suvr import suvr_from_png
from pet_dcgan.data.training_data import load_validation_slices
from pet_dcgan.runs.run import Run
from pet_dcgan.training.checkpoint import Checkpoint
from pet_dcgan.training.condition_vitals import RealConditions
from pet_dcgan.training.health_log import HealthLog
from pet_dcgan.training.health_monitor import HealthMonitor
from pet_dcgan.training.kid_selection import KidSelection, enough_slices
from pet_dcgan.training.sample_grid import SampleGrid
from pet_dcgan.training.suspected_copies import SuspectedCopies
from pet_dcgan.training.tensorboard import write_charts
from pet_dcgan.training.vitals import RealImages, pooled_stored
from pet_dcgan.utils.files import replacing
from pet_dcgan.utils.foreign_tables import read_table
from pet_dcgan.utils.foreign_text import one_line
from pet_dcgan.utils.progress import status

_DIGITS = 9  # of an epoch


class EpochLog(keras.callbacks.Callback):
    """Writes every metric of every epoch to a CSV and to TensorBoard.

    The CSV is replaced whole after each epoch, so that no row is ever cut
    short and an epoch that a resumed run repeats has one row. Epochs count
    from 1.

    Args:
        path: The CSV; rows of an earlier part of the run are kept.
        phantom: Written into every row.
        writer: TensorBoard's writer.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        phantom: bool,
        writer: tf.summary.SummaryWriter,
    ) -> None:
        super().__init__()
        self.path = Path(path)
        self.phantom = phantom
        self.writer = writer
        self.rows: list[dict[str, Any]] = []
        if self.path.exists():
            self.rows = _read_log(self.path)

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Has TensorBoard draw into one chart what belongs together."""
        write_charts(self.writer)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Starts the clock."""
        self.started = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Adds the epoch's row and scalars."""
        seconds = round(time.monotonic() - self.started, 3)
        row = {"epoch": epoch + 1, **(logs or {}), "seconds": seconds}
        self.rows = [r for r in self.rows if int(r["epoch"]) <= epoch]
        self.rows.append(row | {"phantom": str(self.phantom).lower()})
        # not every epoch has every metric
        columns = list(max(self.rows, key=len))
        with (
            replacing(self.path) as temporary,
            temporary.open("w", newline="", encoding="utf-8") as file,
        ):
            writer = csv.DictWriter(file, columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(self.rows)
        with self.writer.as_default(step=epoch + 1):
            for name, value in (logs or {}).items():
                tf.summary.scalar(name, value)
        self.writer.flush()


def _read_log(path: Path) -> list[dict[str, str]]:
    """The rows of an earlier part of a run, each with its epoch."""
    remedy = "remove the file, and the log begins at the next epoch"
    try:
        rows = read_table(path, ["epoch"])
    except ValueError as error:
        raise ValueError(f"{error}: {remedy}") from None
    for row in rows:
        if not row["epoch"].isdecimal() or len(row["epoch"]) > _DIGITS:
            raise ValueError(
                f"expected an epoch in every row of {path}, found "
                f"{one_line(row['epoch'], most=40)}: {remedy}"
            )
    return rows


class EpochProgress(keras.callbacks.Callback):
    """Reports completed epochs to a progress bar.

    Args:
        advance: Called with the completed epochs and their total, such as
            `pet_dcgan.utils.progress.progress` yields.
    """

    def __init__(self, advance: Callable[[int, int], None]) -> None:
        super().__init__()
        self.advance = advance

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Reports the epoch."""
        self.advance(epoch + 1, self.params["epochs"])


def training_callbacks(
    run: Run,
    slices: Slices,
    *,
    writer: tf.summary.SummaryWriter,
    stop_on_failure: bool = False,
) -> dict[str, keras.callbacks.Callback]:
    """Builds the callbacks of a run.

    Health comes first, so that nothing of a failed epoch is written, and the
    checkpoint last: what a killed process did after the last complete
    checkpoint is all repeated.

    Args:
        run: Gives the configuration, and the folder they write to.
        slices: The training slices.
        writer: TensorBoard's writer.
        stop_on_failure: Whether to end a training that fails.

    Returns:
        Callbacks by name, in calling order: `health`, `samples`, `selection`
        (where a generator is chosen), `log`, `checkpoint`.
    """
    config = run.config
    checkpoint = run.path / "checkpoint"
    try:
        held_out = load_validation_slices(
            config, subjects=run.validation or None
        )
    except NoSlicesError:  # with few subjects a stage may have none
        held_out = None
    sets = (s.images for s in (slices, held_out) if s is not None)
    rows = [pooled_stored(images, config.suvr_max) for images in sets]
    callbacks = {
        "health": HealthMonitor(
            HealthLog(
                run.path / "health.csv",
                phantom=config.phantom,
                conditional=run.conditions is not None,
                volumes=slices.meta.is_volume,
            ),
            config=config,
            real=RealImages(rows[0], slices.subjects, *rows[1:]),
            steps_per_epoch=steps_per_epoch(slices, config),
            writer=writer,
            checkpoint=checkpoint,
            stop_on_failure=stop_on_failure,
            conditions=_real_conditions(run, slices, rows[0]),
        ),
        "samples": SampleGrid(
            run.path / "samples",
            every=config.samples_every,
            real=slices,
            tiles=checkpoint,
            writer=writer,
        ),
        "selection": _selection(run, slices, held_out),
        "log": EpochLog(
            run.path / "log.csv", phantom=config.phantom, writer=writer
        ),
        "checkpoint": Checkpoint(checkpoint),
    }
    return {name: each for name, each in callbacks.items() if each is not None}


def _real_conditions(
    run: Run, slices: Slices, rows: np.ndarray
) -> RealConditions | None:
    """What the training images of a conditional run show."""
    if run.conditions is None:
        return None
    values = condition_arrays(slices, run.conditions)
    return RealConditions(run.conditions, values, rows, slices.subjects)


def _selection(
    run: Run, slices: Slices, held_out: Slices | None
) -> KidSelection | None:
    """Builds the choice of the best generator, if requested and possible."""
    config = run.config
    if not config.select_every:
        return None
    shown = None
    if held_out is not None and run.conditions is not None:
        shown = np.stack([held_out.stages, held_out.planes], axis=1)
    if held_out is None or not enough_slices(shown, len(held_out.images)):
        of = "any stage" if run.conditions else config.stage
        status(
            f"no validation subjects of {of} to choose a generator by, or too "
            f"few {slices.meta.noun}, so the last one is kept: prepare more "
            "scans"
        )
        return None
    real = suvr_from_png(held_out.images, held_out.meta.suvr_max)
    return KidSelection(
        run.path,
        config=config,
        encoder=run.encoder(slices),
        real=real,
        subjects=held_out.subjects,
        shown=shown,
        copies=SuspectedCopies(
            slices.images,
            slices.subjects,
            suvr_max=config.suvr_max,
            held_out=real,
        ),
    )
