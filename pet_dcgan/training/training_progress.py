"""What is shown while a training goes on: how far it is, and what is left."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import keras

from pet_dcgan.utils.progress import Bar, Clock, progress, say, shows_bars

_LOSSES = ("d_loss", "g_loss")
# measured in some epochs only, so the last value stays in sight
_SCORE = "val_kid"


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
        self._score = ""

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Notes which epoch it is."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Moves the bar by a step."""
        steps = self.params["steps"] or batch + 1
        self.bar.note = _words(logs or {}, _LOSSES) + self._score
        # the last step is not yet the epoch: that ends with its pictures
        done = self._epoch + min((batch + 1) / steps, 0.999)
        self.bar(done, self.params["epochs"])

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Counts the epoch."""
        if score := _words(logs or {}, [_SCORE]):
            self._score = f"  {score}"
        self.bar.note = _words(logs or {}, _LOSSES) + self._score
        self.bar(epoch + 1, self.params["epochs"])


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
        words = _words(logs or {}, logs or ())
        say(f"epoch {epoch + 1}/{epochs}  {self._clock}  {words}")


def _words(logs: Mapping[str, Any], names: Any) -> str:
    """Metrics with three digits, as `d_loss 1.38  g_loss 0.71`."""
    return "  ".join(
        f"{name} {float(logs[name]):.3g}" for name in names if name in logs
    )
