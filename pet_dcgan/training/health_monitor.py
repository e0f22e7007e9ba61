"""Health checks during training, and the reports they give."""

import sys
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from pet_dcgan.config import TrainConfig
from pet_dcgan.models.sampling import latents_from_seeds, suvr_from_images
from pet_dcgan.training.checkpoint import (
    drop_last_healthy,
    keep_last_healthy,
    return_to_last_healthy,
)
from pet_dcgan.training.condition_vitals import (
    IMAGES,
    ConditionalRecord,
    RealConditions,
)
from pet_dcgan.training.health import (
    HealthFinding,
    examine,
    is_healthy,
    non_finite,
)
from pet_dcgan.training.health_log import LOSSES, HealthLog
from pet_dcgan.training.vitals import HealthRecord, RealImages, pooled
from pet_dcgan.utils.progress import status

# often enough to notice a state within a few hundred steps, seldom enough to
# cost little
_STEPS = 50


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
        conditions: Of a conditional training, real images by what they show.

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
        conditions: RealConditions | None = None,
    ) -> None:
        super().__init__()
        self.log = log
        self.conditions = conditions
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
            lambda inputs: suvr_from_images(
                network(inputs, training=False), suvr_max
            )
        )
        seeds = self.config.seed + np.arange(IMAGES)
        self._latents = latents_from_seeds(seeds, self.config.latent_dim)
        inputs = self._latents
        if self.conditions is not None:
            widths = {"latent": self.config.latent_dim}
            widths |= self.conditions.conditions.inputs
            inputs = {n: tf.TensorSpec([None, w]) for n, w in widths.items()}
        # traced now: TensorFlow warns of functions that several trainings of
        # a study trace when they call them
        self._draw = draw.get_concrete_function(inputs)

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
        vitals = self._vitals()
        measured = {name: logs[name] for name in LOSSES} | vitals
        # the last bits may depend on where in memory an array lies
        rounded = {name: float(f"{v:.6g}") for name, v in measured.items()}
        kind = HealthRecord if self.conditions is None else ConditionalRecord
        record = kind(epoch=epoch, **rounded)
        records = [*self.log.records_before(epoch), record]
        with self.writer.as_default(step=epoch):
            for name, value in vitals.items():
                if name in self.log.measures:
                    tf.summary.scalar(f"health/{name}", value)
        self._report(epoch, examine(records, self.config), record)
        if is_healthy(record):
            self._healthy_epoch = epoch

    def _vitals(self) -> dict[str, float]:
        """Measures of images, and of conditions where there are any."""
        if self.conditions is None:
            images = self._draw(self._latents).numpy()
            return vars(self.real.vitals(pooled(images)))
        images = self._drawn(self.conditions.typical)
        asked = [self._drawn(each) for each in self.conditions.requests]
        return vars(self.real.vitals(images)) | vars(
            self.conditions.vitals(
                np.array(asked), label_weight=float(self.model.label_weight)
            )
        )

    def _drawn(self, asked: dict[str, np.ndarray]) -> np.ndarray:
        """Rows of the images of the first latents under these conditions."""
        inputs = {"latent": self._latents[: len(asked["stage"])]}
        for name, values in asked.items():
            inputs[name] = tf.constant(values)
        return pooled(self._draw(inputs).numpy())

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
