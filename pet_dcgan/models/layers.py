"""Layers of the discriminator that Keras lacks in this form.

Spectral normalisation after Miyato et al. (2018), arXiv 1802.05957: the kernel
is a matrix of inputs by outputs, its largest singular value is tracked by one
power iteration per training pass, and the gradient includes the division.
Keras's own `SpectralNormalization` overwrites the kernel with the quotient and
starts from an unseeded vector, so runs would not be repeatable.

Batch normalisation that is synchronised across replicas and exact under the R1
penalty.
"""

import keras
import tensorflow as tf

_TINY = 1e-12


def replica_count() -> int:
    """Replicas that share a step's batch: 1 without a strategy."""
    return tf.distribute.get_strategy().num_replicas_in_sync


def replica_mean(x: tf.Tensor) -> tf.Tensor:
    """The mean over replicas of a tensor of any shape, of equal weight."""
    if replica_count() == 1:
        return x
    context = tf.distribute.get_replica_context()
    return context.all_reduce(tf.distribute.ReduceOp.MEAN, x)


class _Spectral:
    """Common part of the two layers; `kernel` has its outputs last."""

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
        """The kernel over its largest singular value."""
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
        """Writes all variables; Keras's own layers would omit one."""
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
        """The convolution; a training pass does one power iteration."""
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
        """The product; a training pass does one power iteration."""
        return tf.matmul(inputs, self.normalised_kernel(training)) + self.bias


def _unit(vector: tf.Tensor) -> tf.Tensor:
    return vector / (tf.norm(vector) + _TINY)


@keras.saving.register_keras_serializable(package="pet_dcgan")
class SharedBatchNormalization(keras.layers.BatchNormalization):
    """Batch normalisation over the whole batch, twice differentiable.

    R1 penalises a gradient, so its own gradient needs second derivatives.
    Those of Keras's layer neglect that the variance depends on the mean (the
    penalty's gradient with respect to a kernel was up to 13 % off), unless it
    is synchronised; then the variance is `E[x^2] - E[x]^2`, which loses digits
    (2e-5 of that gradient) that depend on the device.
    """

    def call(
        self, inputs: tf.Tensor, training: bool = False, mask: None = None
    ) -> tf.Tensor:
        """Maps `[..., channels]` of mean 0 and variance 1 by channel."""
        if not (training and self.trainable):
            return super().call(inputs, training=training, mask=mask)
        # 16 bits are too few for statistics
        wide = tf.float32 if inputs.dtype.size < 4 else inputs.dtype
        x, axes = tf.cast(inputs, wide), list(range(inputs.shape.rank - 1))
        mean = replica_mean(tf.reduce_mean(x, axes, keepdims=True))
        variance = tf.reduce_mean(tf.square(x - mean), axes, keepdims=True)
        variance = replica_mean(variance)
        self._move(self.moving_mean, mean)
        self._move(self.moving_variance, variance)
        outputs = tf.nn.batch_normalization(
            x,
            mean,
            variance,
            offset=tf.cast(self.beta, wide) if self.center else None,
            scale=tf.cast(self.gamma, wide) if self.scale else None,
            variance_epsilon=self.epsilon,
        )
        return tf.cast(outputs, inputs.dtype)

    def _move(self, kept: keras.Variable, new: tf.Tensor) -> None:
        new = tf.cast(tf.reshape(new, [-1]), kept.dtype)
        kept.assign(kept * self.momentum + new * (1.0 - self.momentum))
