"""A look at the health of a training every few epochs, put in words."""

import sys
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from pet_dcgan.config import TrainConfig
from pet_dcgan.models.latents import latents_from_seeds
from pet_dcgan.models.sampling import suvr_from_latents
from pet_dcgan.training.health.log import HealthLog
from pet_dcgan.training.health.states import (
    NON_FINITE,
    HealthFinding,
    HealthLook,
    examine,
    non_finite,
)
from pet_dcgan.training.health.vitals import RealImages, pooled
from pet_dcgan.training.resume import (
    drop_last_healthy,
    keep_last_healthy,
    return_to_last_healthy,
)
from pet_dcgan.utils.progress import status

# often enough to see a state within a few hundred steps, seldom enough to
# cost little of them
STEPS_A_LOOK = 50
IMAGES = 64
_LOSSES = ("d_loss", "g_loss", "real_accuracy", "fake_accuracy")


class HealthMonitor(keras.callbacks.Callback):
    """Says once what is wrong with a training, and what to do about it.

    Every 50 steps or so, at the end of an epoch, it looks at the losses of
    the epoch and at the images of the same 64 latents. What it finds is said
    on stderr, stands in the row of its look in `health.csv`, and is a text in
    TensorBoard, where the measures are scalars. Losses and weights that are
    no longer finite end the training at once.

    Args:
        log: What was seen and said, in this and earlier parts of the run.
        config: What the training was told.
        real: What generated images are compared with.
        steps_per_epoch: Batches in an epoch.
        writer: TensorBoard's writer.
        checkpoint: Folder of the training's states; the last sound one is
            kept.
        stop_on_failure: Whether a failure ends the training; which states
            are one, `pet_dcgan.training.health.states.HealthFinding` says.

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
        self.every = -(-STEPS_A_LOOK // steps_per_epoch)
        self.writer = writer
        self.checkpoint = Path(checkpoint)
        self.stop_on_failure = stop_on_failure
        self._epoch = 0
        self._sound = 0

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Readies what draws the images, faster than Keras's own call."""
        network, suvr_max = self.model.sampler_network, self.config.suvr_max
        self._draw = tf.function(
            lambda latents: suvr_from_latents(network, latents, suvr_max)
        )
        first = self.config.seed
        self._latents = latents_from_seeds(
            np.arange(first, first + IMAGES), self.config.latent_dim
        )

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Keeps the state of the epoch before, if that was sound."""
        self._epoch = epoch + 1
        if epoch and epoch == self._sound:
            keep_last_healthy(self.checkpoint, epoch)

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Looks at every metric of the step."""
        for name, value in (logs or {}).items():
            if not np.isfinite(value):
                self._report(self._epoch, [non_finite(f"{name} {value}")])

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Looks at every weight and, when it is time, at the images."""
        done = epoch + 1
        for variable in self.model.variables:
            if not np.isfinite(np.asarray(variable)).all():
                found = f"{variable.path} with NaN or infinity"
                self._report(done, [non_finite(found)])
        if done % self.every == 0 or done == self.config.epochs:
            self._look(done, logs or {})

    def on_train_end(self, logs: dict | None = None) -> None:
        """Keeps no state any more, since the training has not failed."""
        drop_last_healthy(self.checkpoint)

    def _look(self, epoch: int, logs: dict) -> None:
        images = self._draw(self._latents).numpy()
        vitals = vars(self.real.vitals(pooled(images)))
        measured = {name: logs[name] for name in _LOSSES} | vitals
        # the last bits may depend on where in memory an array lies
        look = HealthLook(
            epoch=epoch, **{n: float(f"{v:.6g}") for n, v in measured.items()}
        )
        findings = examine([*self.log.looks_before(epoch), look], self.config)
        self._to_board(epoch, vitals)
        self._report(epoch, findings, look)
        if look.sound:
            self._sound = epoch

    def _report(
        self,
        epoch: int,
        findings: Sequence[HealthFinding],
        look: HealthLook | None = None,
    ) -> None:
        """Writes and says what is new, and ends the training if it must."""
        new = [finding for finding in findings if self.log.is_new(finding)]
        self.log.add(epoch, look, new)
        with self.writer.as_default(step=epoch):
            for finding in new:
                tf.summary.text("health", str(finding))
        end = self._end_of(findings)
        for finding in new:
            if finding is not end:
                _say(f"epoch {epoch}: {finding}")
        if end is not None:
            self.writer.flush()
            raise ValueError(self._last_words(epoch, end))

    def _end_of(
        self, findings: Sequence[HealthFinding]
    ) -> HealthFinding | None:
        """What the training ends of, if anything."""
        for finding in findings:
            if finding.state == NON_FINITE:
                return finding
            if finding.failure and self.stop_on_failure:
                return finding
        return None

    def _last_words(self, epoch: int, finding: HealthFinding) -> str:
        text = f"expected a training that learns, found at epoch {epoch} that "
        text += str(finding)
        sound = return_to_last_healthy(self.checkpoint)
        if sound:
            text += f"; the state of epoch {sound}, the last sound one, is kept"
        return text

    def _to_board(self, epoch: int, vitals: dict[str, float]) -> None:
        with self.writer.as_default(step=epoch):
            for name, value in vitals.items():
                tf.summary.scalar(f"health/{name}", value)


def _say(line: str) -> None:
    """Says a line below the progress bar, where there is one."""
    if sys.stderr.isatty():
        print(file=sys.stderr)
    status(line)
