"""What is shown while a training goes on: how far it is, and what is left."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import keras

from pet_dcgan.utils.progress import Bar, Clock, progress, say, shows_bars

# a KID is measured in some epochs only, so the last one stays in sight
_NOTED = ("d_loss", "g_loss", "val_kid")


@contextlib.contextmanager
def training_progress(
    verbose: str | int, label: str
) -> Iterator[list[keras.callbacks.Callback]]:
    """Shows a training as a whole, where Keras shows one epoch.

    Args:
        verbose: 0 for nothing; 1 for one bar, with the time that is left and
            the losses; 2 for a line per epoch; `"auto"` for a bar in a
            notebook or at a terminal, and for lines elsewhere.
        label: Text before the bar.

    Yields:
        The callbacks for `fit`.
    """
    if verbose == "auto":
        verbose = 1 if shows_bars() else 2
    if verbose == 1:
        with progress(label) as bar:
            yield [TrainingBar(bar)]
    else:
        yield [EpochLines()] if verbose else []


class TrainingBar(keras.callbacks.Callback):
    """Moves a bar from step to step, over all epochs.

    Args:
        bar: From `pet_dcgan.utils.progress.progress`.
    """

    def __init__(self, bar: Bar) -> None:
        super().__init__()
        self.bar = bar
        self._epoch = 0
        self._noted: dict[str, Any] = {}

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Notes which epoch it is, and shows the bar before the first."""
        self._epoch = epoch
        if not self.bar.note:
            self.bar.begin(epoch, self.params["epochs"])

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Moves the bar by a step."""
        steps = self.params["steps"] or batch + 1
        # the last step is not yet the epoch: that ends with its pictures
        self._move(self._epoch + min((batch + 1) / steps, 0.999), logs)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Counts the epoch."""
        self._move(epoch + 1, logs)

    def _move(self, done: float, logs: dict | None) -> None:
        """Moves the bar, with the newest of what is noted behind it."""
        self._noted |= logs or {}
        self.bar.note = _words(self._noted, _NOTED)
        self.bar(done, self.params["epochs"])


class EpochLines(keras.callbacks.Callback):
    """Prints a line after each epoch, for a log."""

    def __init__(self) -> None:
        super().__init__()
        self._clock: Clock | None = None

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Starts the clock before the first epoch."""
        if self._clock is None:
            self._clock = Clock()
            self._clock(epoch, self.params["epochs"])

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Prints how far the training is, and everything measured."""
        epochs = self.params["epochs"]
        self._clock(epoch + 1, epochs)
        logs = logs or {}
        words = _words(logs, sorted(logs, key=lambda name: name not in _NOTED))
        say(f"epoch {epoch + 1}/{epochs}  {self._clock}  {words}")


def _words(logs: Mapping[str, Any], names: Iterable[str]) -> str:
    """Metrics with three digits, as `d_loss 1.38 g_loss 0.71`."""
    return " ".join(
        f"{name} {float(logs[name]):.3g}" for name in names if name in logs
    )
