"""Batch normalisation that devices share and the R1 penalty can go through."""

import keras
import tensorflow as tf

from pet_dcgan.noise import replica_count


class SharedBatchNormalization(keras.layers.BatchNormalization):
    """Batch normalisation over the whole batch, twice differentiable.

    R1 is a penalty on a gradient, so its own gradient takes second
    derivatives. Those of Keras's layer leave out how the mean moves the
    variance (the penalty's gradient by a kernel was up to 13 % off), unless
    it is synchronised; then it takes the variance as `E[x^2] - E[x]^2`, which
    loses digits (2e-5 of that gradient), and other ones on other devices.
    """

    def _moments(
        self, inputs: tf.Tensor, mask: None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        # 16 bits are too few for statistics
        wide = tf.float32 if inputs.dtype.size < 4 else inputs.dtype
        x, axes = tf.cast(inputs, wide), self._reduction_axes
        mean = _mean_of_all(x, axes)
        variance = _mean_of_all(tf.square(x - mean), axes)
        moments = (tf.squeeze(mean, axes), tf.squeeze(variance, axes))
        return tuple(tf.saturate_cast(m, inputs.dtype) for m in moments)


def _mean_of_all(x: tf.Tensor, axes: list[int]) -> tf.Tensor:
    """The mean over axes and over replicas, whose parts are equal."""
    mean = tf.reduce_mean(x, axes, keepdims=True)
    if replica_count() == 1:
        return mean
    context = tf.distribute.get_replica_context()
    return context.all_reduce(tf.distribute.ReduceOp.MEAN, mean)
