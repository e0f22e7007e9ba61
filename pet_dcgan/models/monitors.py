"""What callbacks of Keras need to know to watch a model of two losses.

Keras finds in its own loss alone whether less of a monitored value is better,
and stops at a NaN of that loss alone; here there are two, and a KID.
"""

from collections.abc import Iterable
from typing import Any

import keras

_LOSSES = ("d_loss", "g_loss")
_DIRECTIONS = {"up": "max", "down": "min"}
_UNKNOWN = "auto"
_ABSENT = ("loss", "val_loss")


def watching(
    callbacks: Any, metrics: Iterable[keras.metrics.Metric] = ()
) -> Any:
    """The callbacks that `fit` was given, ready for two losses.

    Those with a monitor learn whether less of it is better, unless they are
    told; `TerminateOnNaN` watches both losses.

    Args:
        callbacks: One, several, or none.
        metrics: What is measured beside the losses; one whose attribute
            `_direction` is `"up"` or `"down"`, as of Keras's own metrics, says
            what is better.

    Raises:
        ValueError: If one monitors the loss of a model that has but one.
    """
    if callbacks is None or isinstance(callbacks, keras.callbacks.CallbackList):
        return callbacks
    modes = dict.fromkeys(_LOSSES, "min") | {
        metric.name: _DIRECTIONS[metric._direction]
        for metric in metrics
        if getattr(metric, "_direction", None) in _DIRECTIONS
    }
    several = isinstance(callbacks, list | tuple)
    found = list(callbacks) if several else [callbacks]
    return [_watching(callback, modes) for callback in found]


def _watching(callback: Any, modes: dict[str, str]) -> Any:
    """A callback that knows the direction of its monitor."""
    if isinstance(callback, keras.callbacks.TerminateOnNaN):
        return _OfBothLosses(callback)
    # of one in another, as in `ForOptimizer`
    watcher = getattr(callback, "callback", callback)
    monitor = getattr(watcher, "monitor", None)
    every = getattr(watcher, "save_best_only", None) is False
    if monitor in _ABSENT and not every:
        name = type(watcher).__name__
        raise ValueError(
            "expected a monitor of two losses such as 'val_kid' or 'g_loss', "
            f"found {monitor!r}: write {name}(monitor='val_kid')"
        )
    if getattr(watcher, "mode", None) == _UNKNOWN and isinstance(monitor, str):
        watcher.mode = modes.get(monitor.removeprefix("val_"), _UNKNOWN)
    return callback


class _OfBothLosses(keras.callbacks.Callback):
    """A `TerminateOnNaN` that is shown either loss."""

    def __init__(self, callback: keras.callbacks.TerminateOnNaN) -> None:
        super().__init__()
        self.callback = callback

    def set_model(self, model: keras.Model) -> None:
        super().set_model(model)
        self.callback.set_model(model)

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        for name in _LOSSES:
            loss = (logs or {}).get(name)
            self.callback.on_batch_end(batch, {"loss": loss})
            if self.model.stop_training:
                return
