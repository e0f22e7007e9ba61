"""Health checks during training, `health.csv`, and the reports they give."""

import csv
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from pet_dcgan.config import TrainConfig
from pet_dcgan.models.sampling import latents_from_seeds, suvr_from_latents
from pet_dcgan.training.checkpoint import (
    drop_last_healthy,
    keep_last_healthy,
    return_to_last_healthy,
)
from pet_dcgan.training.health import (
    HealthFinding,
    examine,
    is_healthy,
    non_finite,
)
from pet_dcgan.training.vitals import HealthRecord, RealImages, Vitals, pooled
from pet_dcgan.utils.files import replacing
from pet_dcgan.utils.foreign_tables import read_table
from pet_dcgan.utils.progress import status

IMAGES = 64
# often enough to notice a state within a few hundred steps, seldom enough to
# cost little
_STEPS = 50
_LOSSES = ("d_loss", "g_loss", "real_accuracy", "fake_accuracy")
_VITALS = tuple(field.name for field in dataclasses.fields(Vitals))
_COLUMNS = ["epoch", *_LOSSES, *_VITALS, "states", "said", "phantom"]


class HealthLog:
    """The health records and reports of a run, in `health.csv`.

    The CSV is replaced whole, and an epoch that a resumed run repeats has one
    row.

    Args:
        path: The CSV; rows of an earlier part of the run are kept.
        phantom: Written into every row.

    Raises:
        ValueError: If the file is not a health log.
    """

    def __init__(self, path: str | Path, *, phantom: bool) -> None:
        self.path = Path(path)
        self.phantom = str(phantom).lower()
        self._rows = _read_rows(self.path)

    def is_new(self, finding: HealthFinding) -> bool:
        """Whether no part of the run has reported this state before."""
        reported = (row["states"].split() for row in self._rows.values())
        return not any(finding.state in states for states in reported)

    def records_before(self, epoch: int) -> list[HealthRecord]:
        """All records before an epoch, counted from 1, in order."""
        return [
            _record(row)
            for number, row in sorted(self._rows.items())
            if number < epoch and row["diversity"]
        ]

    def add(
        self,
        epoch: int,
        record: HealthRecord | None = None,
        findings: Sequence[HealthFinding] = (),
    ) -> None:
        """Adds the row of an epoch, or replaces what it measured.

        Reports of an epoch that is repeated stay, as do those of later ones
        that a resumed run has yet to repeat.

        Args:
            epoch: Counted from 1.
            record: What was measured, if anything could be.
            findings: What is reported.
        """
        before = self._rows.get(epoch, {"states": "", "said": ""})
        states = [before["states"], *(f.state for f in findings)]
        said = [before["said"], *map(str, findings)]
        row = dict.fromkeys(_COLUMNS, "") | {"epoch": str(epoch)}
        if record is not None:
            row |= {name: repr(value) for name, value in vars(record).items()}
        self._rows[epoch] = row | {
            "states": " ".join(filter(None, states)),
            "said": "; ".join(filter(None, said)),
            "phantom": self.phantom,
        }
        with (
            replacing(self.path) as temporary,
            temporary.open("w", newline="", encoding="utf-8") as file,
        ):
            writer = csv.DictWriter(file, _COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(row for _, row in sorted(self._rows.items()))


def _read_rows(path: Path) -> dict[int, dict[str, str]]:
    """The rows of a health log by epoch, each checked."""
    remedy = "remove the file to have states reported anew"
    try:
        rows = read_table(path, _COLUMNS)
    except FileNotFoundError:
        return {}
    except ValueError as error:
        if path.is_file() and not path.stat().st_size:
            return {}
        raise ValueError(f"{error}: {remedy}") from None
    try:
        for row in rows:
            if row["diversity"]:
                _record(row)
        return {int(row["epoch"]): row for row in rows}
    except ValueError:
        raise ValueError(
            f"expected numbers under {','.join(_COLUMNS[:-3])} in {path}, "
            f"found another value: {remedy}"
        ) from None


def _record(row: dict[str, str]) -> HealthRecord:
    """The record of a row."""
    measured = {name: float(row[name]) for name in (*_LOSSES, *_VITALS)}
    return HealthRecord(epoch=int(row["epoch"]), **measured)


class HealthMonitor(keras.callbacks.Callback):
    """Reports once each way in which a training fails, and the remedy.

    Every 50 steps or so, at the end of an epoch, it examines the losses and
    the images of the same 64 latents. Findings go to stderr, `health.csv` and
    TensorBoard, where the measures are scalars. Losses or weights that are not
    finite end the training at once.

    Args:
        log: Records and reports of this and earlier parts of the run.
        config: Configuration of the training.
        real: Real images to compare with.
        steps_per_epoch: Batches in an epoch.
        writer: TensorBoard's writer.
        checkpoint: Folder of the training's states; the last healthy one is
            kept.
        stop_on_failure: Whether a failure ends the training, see
            `pet_dcgan.training.health.HealthFinding`.

    Raises:
        ValueError: From `fit`, with what was found and what to do.
    """

    def __init__(
        self,
        log: HealthLog,
        *,
        config: TrainConfig,
        real: RealImages,
        steps_per_epoch: int,
        writer: tf.summary.SummaryWriter,
        checkpoint: str | Path,
        stop_on_failure: bool = False,
    ) -> None:
        super().__init__()
        self.log = log
        self.config = config
        self.real = real
        self.every = -(-_STEPS // steps_per_epoch)
        self.writer = writer
        self.checkpoint = Path(checkpoint)
        self.stop_on_failure = stop_on_failure
        self._epoch = self._healthy_epoch = 0

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Prepares the drawing of images, faster than Keras's own call."""
        network, suvr_max = self.model.sampler_network, self.config.suvr_max
        draw = tf.function(
            lambda latents: suvr_from_latents(network, latents, suvr_max)
        )
        seeds = self.config.seed + np.arange(IMAGES)
        self._latents = latents_from_seeds(seeds, self.config.latent_dim)
        # traced now: TensorFlow warns of functions that several trainings of
        # a study trace when they call them
        self._draw = draw.get_concrete_function(self._latents)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Keeps the state of the epoch before, if that was healthy."""
        self._epoch = epoch + 1
        if epoch and epoch == self._healthy_epoch:
            keep_last_healthy(self.checkpoint, epoch)

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Checks every metric of the step."""
        for name, value in (logs or {}).items():
            if not np.isfinite(value):
                self._report(self._epoch, [non_finite(f"{name} {value}")])

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Checks every weight and, when due, the images."""
        done = epoch + 1
        for variable in self.model.variables:
            if not np.isfinite(np.asarray(variable)).all():
                found = f"{variable.path} with NaN or infinity"
                self._report(done, [non_finite(found)])
        if done % self.every == 0 or done == self.config.epochs:
            self._check_images(done, logs or {})

    def on_train_end(self, logs: dict | None = None) -> None:
        """Drops the kept state, since the training has not failed."""
        drop_last_healthy(self.checkpoint)

    def _check_images(self, epoch: int, logs: dict) -> None:
        """Measures generated images and reports what the records show."""
        images = self._draw(self._latents).numpy()
        vitals = vars(self.real.vitals(pooled(images)))
        measured = {name: logs[name] for name in _LOSSES} | vitals
        # the last bits may depend on where in memory an array lies
        rounded = {name: float(f"{v:.6g}") for name, v in measured.items()}
        record = HealthRecord(epoch=epoch, **rounded)
        records = [*self.log.records_before(epoch), record]
        with self.writer.as_default(step=epoch):
            for name, value in vitals.items():
                tf.summary.scalar(f"health/{name}", value)
        self._report(epoch, examine(records, self.config), record)
        if is_healthy(record):
            self._healthy_epoch = epoch

    def _report(
        self,
        epoch: int,
        findings: Sequence[HealthFinding],
        record: HealthRecord | None = None,
    ) -> None:
        """Reports what is new, and ends the training if it must."""
        new = [finding for finding in findings if self.log.is_new(finding)]
        self.log.add(epoch, record, new)
        with self.writer.as_default(step=epoch):
            for finding in new:
                tf.summary.text("health", str(finding))
        failures = [f for f in findings if f.failure]
        if not self.stop_on_failure:
            failures = [f for f in failures if f.state == "non_finite"]
        end = failures[0] if failures else None
        for finding in new:
            if finding is not end:
                if sys.stderr.isatty():
                    print(file=sys.stderr)  # below the progress bar
                status(f"epoch {epoch}: {finding}")
        if end is not None:
            self.writer.flush()
            message = f"the training failed at epoch {epoch}: {end}"
            healthy = return_to_last_healthy(self.checkpoint)
            if healthy:
                message += (
                    f"; the last healthy state, of epoch {healthy}, is kept"
                )
            raise ValueError(message)
