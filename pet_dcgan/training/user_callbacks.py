"""The user's Keras callbacks beside those of a run."""

from collections.abc import Mapping, Sequence

import keras

_SELECT = (
    "the run keeps its best generator by itself, with select_every= and "
    "patience="
)
# what changes the weights of an epoch, or where a training goes on
_REFUSED = {
    keras.callbacks.BackupAndRestore: "the run keeps its states by itself, "
    "for resume=True",
    keras.callbacks.SwapEMAWeights: "the run keeps an average by itself, with "
    "ema_decay=",
}
# of our callbacks, those that write down what the epoch was
_LAST = ("log", "checkpoint", "progress")


def require_suitable(callbacks: Sequence[keras.callbacks.Callback]) -> None:
    """Refuses callbacks that would break a run.

    Args:
        callbacks: The user's.

    Raises:
        TypeError: If one is no callback of Keras.
        ValueError: If one keeps states or exchanges weights, which a resumed
            training would not know of.
    """
    for each in callbacks:
        if not isinstance(each, keras.callbacks.Callback):
            raise TypeError(
                "expected callbacks of Keras, found "
                f"{type(each).__name__}: derive it from "
                "keras.callbacks.Callback"
            )
        for refused, reason in _REFUSED.items():
            if isinstance(each, refused):
                raise ValueError(
                    f"expected callbacks that leave weights and states to the "
                    f"run, found {type(each).__name__}: leave it out, {reason}"
                )
        if getattr(each, "restore_best_weights", False):
            raise ValueError(
                "expected callbacks that leave weights and states to the run, "
                f"found {type(each).__name__}(restore_best_weights=True): set "
                f"it to False, {_SELECT}"
            )


def with_user_callbacks(
    own: Mapping[str, keras.callbacks.Callback],
    callbacks: Sequence[keras.callbacks.Callback],
) -> list[keras.callbacks.Callback]:
    """All callbacks of a training, in calling order.

    The user's come after those that measure, so that they see `val_kid` and
    nothing of an epoch that failed; before the log, which has what they add to
    an epoch's metrics; and before the state, which has the learning rates that
    they set.

    Args:
        own: From `pet_dcgan.training.callbacks.training_callbacks`.
        callbacks: The user's.
    """
    first = [each for name, each in own.items() if name not in _LAST]
    last = [each for name, each in own.items() if name in _LAST]
    return [*first, *callbacks, *last]
