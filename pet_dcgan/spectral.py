"""Layers whose kernel is divided by its largest singular value.

Spectral normalisation after Miyato et al. (2018), arXiv 1802.05957: the kernel
is read as a matrix of inputs by outputs, its largest singular value is
followed by one round of power iteration a training pass, and the gradient goes
through the division. Keras's own `SpectralNormalization` overwrites the kernel
with the quotient and starts from a vector without a seed, so neither the
trained weights nor a repeated run would be the same.
"""

import keras
import tensorflow as tf

_TINY = 1e-12


class _Spectral:
    """What the two layers share; `kernel` has its outputs last."""

    def __init__(self, *args, seed: int = 0, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.seed = seed

    def build(self, input_shape: tuple) -> None:
        """Adds the singular vector on the side of the outputs."""
        super().build(input_shape)
        self.right = self.add_weight(
            name="right",
            shape=[1, self.kernel.shape[-1]],
            initializer=keras.initializers.RandomNormal(seed=self.seed),
            dtype="float32",
            trainable=False,
            autocast=False,
            # every replica has the same kernel, and so the same vector
            aggregation="only_first_replica",
        )

    def normalised_kernel(self, training: bool) -> tf.Tensor:
        """The kernel over its largest singular value.

        Args:
            training: Whether to follow the singular vector by one round.
        """
        kernel = tf.convert_to_tensor(self.kernel)
        matrix = tf.cast(tf.reshape(kernel, [-1, kernel.shape[-1]]), tf.float32)
        right = tf.convert_to_tensor(self.right)
        left = _unit(tf.matmul(right, matrix, transpose_b=True))
        if training:
            right = _unit(tf.matmul(left, matrix))
            self.right.assign(right)
        left, right = tf.stop_gradient(left), tf.stop_gradient(right)
        largest = tf.reduce_sum(tf.matmul(left, matrix) * right)
        return kernel / tf.cast(largest, kernel.dtype)

    def save_own_variables(self, store: dict) -> None:
        """Writes all variables; keras's own layers would leave one out."""
        keras.layers.Layer.save_own_variables(self, store)

    def load_own_variables(self, store: dict) -> None:
        """Reads what `save_own_variables` wrote."""
        keras.layers.Layer.load_own_variables(self, store)

    def get_config(self) -> dict:
        """The seed beside the layer's own options."""
        return super().get_config() | {"seed": self.seed}


@keras.saving.register_keras_serializable(package="pet_dcgan")
class SpectralConv2D(_Spectral, keras.layers.Conv2D):
    """A convolution with a kernel whose largest singular value is 1.

    Args:
        *args: As of `keras.layers.Conv2D`; a bias, and no activation.
        seed: Fixes the first singular vector.
        **kwargs: As of `keras.layers.Conv2D`.
    """

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """The convolution, with the singular vector followed in training."""
        kernel = self.normalised_kernel(training)
        return self.convolution_op(inputs, kernel) + self.bias


@keras.saving.register_keras_serializable(package="pet_dcgan")
class SpectralDense(_Spectral, keras.layers.Dense):
    """A dense layer with a kernel whose largest singular value is 1.

    Args:
        *args: As of `keras.layers.Dense`; a bias, and no activation.
        seed: Fixes the first singular vector.
        **kwargs: As of `keras.layers.Dense`.
    """

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """The product, with the singular vector followed in training."""
        return tf.matmul(inputs, self.normalised_kernel(training)) + self.bias


def _unit(vector: tf.Tensor) -> tf.Tensor:
    return vector / (tf.norm(vector) + _TINY)
