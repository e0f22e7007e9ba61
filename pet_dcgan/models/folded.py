"""A conditional generator for serving alone: fewer steps, the same images.

After a training batch normalisation is s x + t for each channel, and a
modulation makes of it (1 + g) (s x + t) + b, with g and b linear in the
embedding h of the conditions. That is x (s + h G) + (t + h B) with G = gamma s
and B = gamma t + beta: one product and one sum of a map, as without
conditions.
"""

from collections.abc import Mapping

import keras
import numpy as np
import tensorflow as tf

from pet_dcgan.models.condition_layers import Modulation
from pet_dcgan.utils.keras_settings import keras_defaults


@keras_defaults()
def folded(generator: keras.Model) -> keras.Model:
    """A copy in which normalisations are part of the modulations after them.

    Args:
        generator: A functional conditional generator in float32.

    Returns:
        A network of the same inputs, to the same images but for rounding;
        the generator itself where there is nothing to fold.
    """
    norms = _before_modulations(generator)
    if not norms:
        return generator
    passed = set(norms.values())

    def call(layer, *args, **options):
        return args[0] if layer.name in passed else layer(*args, **options)

    def clone(layer):
        if layer.name in norms:
            norm = generator.get_layer(norms[layer.name])
            values = _values(norm, layer)
            return _FoldedModulation(values, name=layer.name)
        return layer.__class__.from_config(layer.get_config())

    copy = keras.models.clone_model(
        generator, clone_function=clone, call_function=call
    )
    for layer in copy.layers:
        if layer.name not in norms:
            weights = generator.get_layer(layer.name).get_weights()
            layer.set_weights(weights)
    return copy


def _before_modulations(generator: keras.Model) -> dict[str, str]:
    """Names of modulations, and of the normalisation that each changes."""
    found = {}
    for layer in generator.layers:
        if not isinstance(layer, Modulation) or len(layer._inbound_nodes) != 1:
            continue
        maps = layer.input[0]
        norm = maps._keras_history.operation
        if (
            isinstance(norm, keras.layers.BatchNormalization)
            and norm.center
            and norm.scale
            and len(norm._outbound_nodes) == 1
        ):
            found[layer.name] = norm.name
    return found


def _values(
    norm: keras.layers.BatchNormalization, modulation: Modulation
) -> dict[str, np.ndarray]:
    """Weights of a normalisation and its modulation together.

    Returns:
        `matrix` float32 `[width, 2 * channels]`, G beside B, and `start`
        `[2 * channels]`, s beside t.
    """
    parts = norm.gamma, norm.beta, norm.moving_mean, norm.moving_variance
    gain, bias, mean, variance = (p.numpy().astype(np.float64) for p in parts)
    gamma, beta = modulation.gamma.numpy(), modulation.beta.numpy()
    scale = gain / np.sqrt(variance + norm.epsilon)
    shift = bias - mean * scale
    found = {
        "matrix": np.hstack([gamma * scale, gamma * shift + beta]),
        "start": np.hstack([scale, shift]),
    }
    return {name: each.astype(np.float32) for name, each in found.items()}


class _FoldedModulation(keras.layers.Layer):
    """A normalisation and the modulation after it, with values of `_values`."""

    def __init__(self, values: Mapping[str, np.ndarray], **options) -> None:
        super().__init__(dtype="float32", **options)
        self._values = dict(values)

    def build(self, input_shape: list[tuple]) -> None:
        """Makes the weights."""
        for name, values in self._values.items():
            weight = self.add_weight(name=name, shape=values.shape)
            weight.assign(values)
            setattr(self, name, weight)

    def call(self, inputs: list[tf.Tensor]) -> tf.Tensor:
        """Maps of the same shape."""
        maps, embedding = inputs
        both = tf.nn.bias_add(tf.matmul(embedding, self.matrix), self.start)
        channels = maps.shape[-1]
        sides = [1] * (len(maps.shape) - 2)
        both = tf.reshape(both, [-1, *sides, 2 * channels])
        return maps * both[..., :channels] + both[..., channels:]

    def compute_output_shape(self, input_shape: list[tuple]) -> tuple:
        """That of the maps."""
        return input_shape[0]
