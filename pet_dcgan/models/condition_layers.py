"""The layers of a conditional network that Keras lacks.

Conditional batch normalisation is de Vries et al. (2017), arXiv 1707.00683;
the transition from an unconditional to a conditional training is Shahbazi et
al. (2022), arXiv 2201.06578.
"""

import math
from typing import Any

import keras
import tensorflow as tf

from pet_dcgan.conditions import Conditions
from pet_dcgan.config import PLANES
from pet_dcgan.models.losses import PACKAGE

# waves of a position's features over a band: a half, one, one and a half, two
_WAVES = (1, 2, 3, 4)
# a person's age is given as its distance from 75 years, in decades
_MIDDLE_AGE, _DECADE = 75.0, 10.0


@keras.saving.register_keras_serializable(package=PACKAGE)
class ConditionFeatures(keras.layers.Layer):
    """Conditions as numbers of order 1.

    The position is where it lies in the band of its plane, t from -1 to 1,
    with the Fourier features sin(k pi t / 2) and cos(k pi t / 2), k = 1 to 4
    (Tancik et al. 2020, arXiv 2006.10739). Age and sex come with a 1 where
    they are known, and are 0 where they are not.

    Args:
        conditions: What they mean, or its `to_dict`.

    Call arguments:
        inputs: float32 `[n, width]` by name, as `conditions.inputs` has them.
    """

    def __init__(self, conditions: Conditions | dict, **options) -> None:
        super().__init__(**options)
        if not isinstance(conditions, Conditions):
            conditions = Conditions.from_dict(conditions)
        self.conditions = conditions

    def call(self, inputs: dict[str, tf.Tensor]) -> tf.Tensor:
        """Features `[n, k]`."""
        parts = [inputs["stage"]]
        if "plane" in inputs:
            parts.append(inputs["plane"])
        if "position_mm" in inputs:
            parts.append(self._position(inputs))
        if "age" in inputs:
            parts += _known((inputs["age"] - _MIDDLE_AGE) / _DECADE)
        if "sex" in inputs:
            parts += _known(2.0 * inputs["sex"] - 1.0)
        return tf.concat(parts, axis=-1)

    def _position(self, inputs: dict[str, tf.Tensor]) -> tf.Tensor:
        """Features `[n, 9]` of the position in its plane's band."""
        bands = self.conditions.bands_mm
        if "plane" in inputs:
            # a plane that was not trained on is refused elsewhere
            ends = [bands.get(plane, (-1.0, 1.0)) for plane in PLANES]
            low, high = tf.unstack(inputs["plane"] @ tf.constant(ends), axis=-1)
            low, high = low[:, tf.newaxis], high[:, tf.newaxis]
        else:
            ((low, high),) = bands.values()
        half = tf.maximum((high - low) / 2.0, 0.5)
        place = (inputs["position_mm"] - (low + high) / 2.0) / half
        angles = place * (tf.constant(_WAVES, tf.float32) * (math.pi / 2))
        return tf.concat([place, tf.sin(angles), tf.cos(angles)], axis=-1)

    def compute_output_shape(self, input_shape: dict) -> tuple:
        """Shape `(n, k)` of the features."""
        widths = {"position_mm": 1 + 2 * len(_WAVES), "age": 2, "sex": 2}
        return None, sum(
            widths.get(name, shape[-1]) for name, shape in input_shape.items()
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {"conditions": self.conditions.to_dict()}


def _known(values: tf.Tensor) -> list[tf.Tensor]:
    """Values, 0 where they are NaN, and whether they are not."""
    known = tf.math.is_finite(values)
    zeros = tf.zeros_like(values)
    return [tf.where(known, values, zeros), tf.cast(known, values.dtype)]


@keras.saving.register_keras_serializable(package=PACKAGE)
class LabelWeight(keras.layers.Layer):
    """Multiplies an embedding of the conditions by a weight from 0 to 1.

    The weight is no parameter: a training moves it from unconditional (0) to
    conditional (1), and it is saved with the network.

    Call arguments:
        inputs: float32 `[n, width]`.
    """

    def build(self, input_shape: tuple) -> None:
        """Makes the weight, 1 until it is set."""
        self.weight = self.add_weight(
            name="label_weight",
            shape=(),
            initializer="ones",
            trainable=False,
            aggregation="only_first_replica",
        )

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """The embedding `[n, width]` times the weight."""
        return inputs * tf.cast(self.weight, inputs.dtype)


@keras.saving.register_keras_serializable(package=PACKAGE)
class Modulation(keras.layers.Layer):
    """Changes normalised maps as the conditions say.

    `(1 + gamma(h)) x + beta(h)` for each channel, with linear gamma and beta
    that are 0 at the start, and wherever `h` is.

    Call arguments:
        inputs: Maps `[n, side, side, channels]`, or those of volumes
            `[n, side, side, side, channels]`, and the embedding `h`,
            `[n, width]`.
    """

    def build(self, input_shape: list[tuple]) -> None:
        """Makes the two matrices, of zeros."""
        maps, embedding = input_shape
        shape = embedding[-1], maps[-1]
        self.gamma = self.add_weight(
            name="gamma", shape=shape, initializer="zeros"
        )
        self.beta = self.add_weight(
            name="beta", shape=shape, initializer="zeros"
        )

    def call(self, inputs: list[tf.Tensor]) -> tf.Tensor:
        """Maps of the same shape."""
        maps, embedding = inputs
        gamma, beta = (
            tf.matmul(embedding, tf.cast(matrix, embedding.dtype))
            for matrix in (self.gamma, self.beta)
        )
        sides = [1] * (len(maps.shape) - 2)
        gamma, beta = (
            tf.reshape(each, [-1, *sides, maps.shape[-1]])
            for each in (gamma, beta)
        )
        return maps + maps * gamma + beta

    def compute_output_shape(self, input_shape: list[tuple]) -> tuple:
        """That of the maps."""
        return input_shape[0]
