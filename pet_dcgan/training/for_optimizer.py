"""Callbacks made for one optimiser, for one of the two of a `DCGAN`."""

from typing import Any

import keras

_LETTERS = {"generator": "g", "discriminator": "d"}
_RATE = "learning_rate"


class ForOptimizer(keras.callbacks.Callback):
    """Lets a callback act on the optimiser of one network alone.

    `keras.callbacks.LearningRateScheduler` and `ReduceLROnPlateau` without it
    set the generator's rate, and the discriminator's in proportion. What the
    callback logs as `learning_rate` is logged as `g_learning_rate` or
    `d_learning_rate` here.

    Args:
        which: `"generator"` or `"discriminator"`.
        callback: A callback that uses `model.optimizer`.

    Raises:
        ValueError: If `which` is neither, or `callback` is no callback.

    Example:
    >>> halve = keras.callbacks.LearningRateScheduler(lambda epoch, r: r / 2)
    >>> ForOptimizer("discriminator", halve).callback is halve
    True
    """

    def __init__(self, which: str, callback: keras.callbacks.Callback) -> None:
        super().__init__()
        if which not in _LETTERS:
            raise ValueError(
                f"expected one of {', '.join(map(repr, _LETTERS))}, found "
                f"{which!r}: name the network whose optimiser is meant"
            )
        if not isinstance(callback, keras.callbacks.Callback):
            raise ValueError(
                f"expected a callback, found {callback!r}: make it first, as "
                "keras.callbacks.ReduceLROnPlateau('val_kid')"
            )
        self.callback = callback
        self.which = which
        self.log_name = f"{_LETTERS[which]}_{_RATE}"
        for name in dir(callback):
            # Keras calls hooks of batches only where a callback has them
            if name.startswith("on_") and name != "on_epoch_end":
                setattr(self, name, getattr(callback, name))

    def set_model(self, model: keras.Model) -> None:
        """Shows the callback the model, as if it had one network.

        Args:
            model: A compiled `DCGAN`.
        """
        super().set_model(model)
        self.callback.set_model(_OneNetwork(model, self.which))

    def set_params(self, params: dict[str, Any]) -> None:
        """Hands on the options of `fit`."""
        super().set_params(params)
        self.callback.set_params(params)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Hands on the logs, and names the rate after its optimiser."""
        logs = {} if logs is None else logs
        seen = {name: logs[name] for name in logs if name != _RATE}
        self.callback.on_epoch_end(epoch, seen)
        if _RATE in seen:
            seen[self.log_name] = seen.pop(_RATE)
        logs |= seen


class _OneNetwork:
    """A model with the optimiser and the trained variables of one network."""

    def __init__(self, model: keras.Model, which: str) -> None:
        # not by __setattr__, which writes to the model
        vars(self).update(_model=model, _which=which)

    @property
    def optimizer(self) -> keras.optimizers.Optimizer:
        return getattr(self._model, f"{_LETTERS[self._which]}_optimizer")

    @property
    def trainable_variables(self) -> list[keras.Variable]:
        return getattr(self._model, self._which).trainable_variables

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._model, name, value)
