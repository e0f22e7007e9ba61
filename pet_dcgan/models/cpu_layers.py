"""Keras layers that train faster on a CPU, and an Adam of one operation.

The layers compute what their Keras parents do, up to rounding, and change
nothing but the training pass in float32 without a GPU: batch normalisation
uses TensorFlow's fused operation, and strided convolutions the forms of
`pet_dcgan.models.cpu_convolutions`. What each is worth is measured by
benchmarks/cpu_forms.py. A saved network holds the parents (`plain_layer`), so
files and exports need nothing of this package.
"""

import keras
import tensorflow as tf

from pet_dcgan.models.cpu_convolutions import convolve, convolve_transposed
from pet_dcgan.models.latents import replica_count


class StridedConv2D(keras.layers.Conv2D):
    """A convolution of stride 2 to half the side, for images of even side.

    Args:
        filters: Channels of the result.
        kernel_size: Side of the kernel, at least 2.
        **kwargs: As of `keras.layers.Conv2D`, but strides and padding.
    """

    def __init__(self, filters: int, kernel_size: int, **kwargs) -> None:
        kwargs |= {"strides": 2, "padding": "same"}
        super().__init__(filters, kernel_size, **kwargs)

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Maps `[n, side / 2, side / 2, filters]`."""
        if not (training and _is_fast(inputs)):
            return super().call(inputs)
        return _activated(self, convolve(inputs, tf.identity(self.kernel)))


class StridedConv2DTranspose(keras.layers.Conv2DTranspose):
    """A transposed convolution of stride 2 to twice the side.

    Args:
        filters: Channels of the result.
        kernel_size: Side of the kernel, at least 2.
        **kwargs: As of `keras.layers.Conv2DTranspose`, but strides and padding.
    """

    def __init__(self, filters: int, kernel_size: int, **kwargs) -> None:
        kwargs |= {"strides": 2, "padding": "same"}
        super().__init__(filters, kernel_size, **kwargs)

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Maps `[n, 2 * side, 2 * side, filters]`."""
        if not (training and _is_fast(inputs)):
            return super().call(inputs)
        kernel = tf.identity(self.kernel)
        return _activated(self, convolve_transposed(inputs, kernel))


class FusedBatchNormalization(keras.layers.BatchNormalization):
    """Batch normalisation of maps, by channel, in one operation."""

    def call(
        self, inputs: tf.Tensor, training: bool = False, mask: None = None
    ) -> tf.Tensor:
        """Maps `[n, side, side, channels]` of mean 0 and variance 1."""
        # the fused operation shares no statistics among replicas
        shared = self.synchronized and replica_count() > 1
        if shared or not (training and self.trainable and _is_fast(inputs)):
            return super().call(inputs, training=training, mask=mask)
        outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            inputs,
            tf.identity(self.gamma),
            tf.identity(self.beta),
            epsilon=self.epsilon,
            is_training=True,
        )
        # it divides by one less than the count, Keras by the count
        count = tf.cast(tf.size(inputs) / inputs.shape[-1], variance.dtype)
        self._move(self.moving_mean, mean)
        self._move(self.moving_variance, variance * ((count - 1.0) / count))
        return outputs

    def _move(self, kept: keras.Variable, new: tf.Tensor) -> None:
        kept.assign(kept * self.momentum + new * (1.0 - self.momentum))


_PARENTS = {
    StridedConv2D: keras.layers.Conv2D,
    StridedConv2DTranspose: keras.layers.Conv2DTranspose,
    FusedBatchNormalization: keras.layers.BatchNormalization,
}


def plain_layer(layer: keras.layers.Layer, **options) -> keras.layers.Layer:
    """A new, unbuilt layer of the same configuration, of Keras's own class.

    Args:
        layer: Any layer.
        **options: Entries of the configuration to replace, such as `dtype`.
    """
    layer_class = _PARENTS.get(type(layer), type(layer))
    return layer_class.from_config(layer.get_config() | options)


def _is_fast(inputs: tf.Tensor) -> bool:
    """Whether the forms measured on a CPU apply; on a GPU Keras's own do."""
    is_gpu = bool(tf.config.list_logical_devices("GPU"))
    return not is_gpu and inputs.dtype == tf.float32


def _activated(layer: keras.layers.Layer, maps: tf.Tensor) -> tf.Tensor:
    maps = tf.nn.bias_add(maps, layer.bias) if layer.use_bias else maps
    return layer.activation(maps)
