"""Layers of the arms in `few_subjects_arms.py` that the package lacks."""

import keras
import tensorflow as tf

_TINY = 1e-12
_GROUP = 4  # images whose spread is one number, as Karras et al.


class _Spectral:
    """Divides a kernel by its largest singular value (Miyato et al.).

    That is tracked by one power iteration for each training pass, and the
    gradient includes the division. Keras's own `SpectralNormalization` starts
    from an unseeded vector, so that no arm could be repeated.
    """

    def __init__(self, *args, seed, **kwargs):
        super().__init__(*args, **kwargs)
        self.seed = seed

    def build(self, input_shape):
        """Adds the singular vector on the side of the outputs."""
        super().build(input_shape)
        self.right = self.add_weight(
            name="right",
            shape=[1, self.kernel.shape[-1]],
            initializer=keras.initializers.RandomNormal(seed=self.seed),
            trainable=False,
        )

    def normalised_kernel(self, training):
        """The kernel over its largest singular value."""
        kernel = tf.convert_to_tensor(self.kernel)
        matrix = tf.reshape(kernel, [-1, kernel.shape[-1]])
        right = tf.convert_to_tensor(self.right)
        left = _unit(tf.matmul(right, matrix, transpose_b=True))
        if training:
            right = _unit(tf.matmul(left, matrix))
            self.right.assign(right)
        left, right = tf.stop_gradient(left), tf.stop_gradient(right)
        return kernel / tf.reduce_sum(tf.matmul(left, matrix) * right)


def _unit(vector):
    return vector / (tf.norm(vector) + _TINY)


class SpectralConv2D(_Spectral, keras.layers.Conv2D):
    """A convolution with a kernel whose largest singular value is 1."""

    def call(self, inputs, training=False):
        """The convolution, with a bias."""
        kernel = self.normalised_kernel(training)
        return self.convolution_op(inputs, kernel) + self.bias


class SpectralDense(_Spectral, keras.layers.Dense):
    """A dense layer with a kernel whose largest singular value is 1."""

    def call(self, inputs, training=False):
        """The product, with a bias."""
        return tf.matmul(inputs, self.normalised_kernel(training)) + self.bias


class Spread(keras.layers.Layer):
    """Appends a map of the standard deviation over groups of four images."""

    def call(self, inputs):
        """Maps `[n, h, w, c]` to `[n, h, w, c + 1]`, n a multiple of four."""
        shape = tf.shape(inputs)
        groups = tf.reshape(
            inputs, [_GROUP, shape[0] // _GROUP, *inputs.shape[1:]]
        )
        variance = tf.math.reduce_variance(groups, axis=0)
        spread = tf.reduce_mean(tf.sqrt(variance + 1e-8), axis=[1, 2, 3])
        spread = tf.tile(spread, [_GROUP])[:, None, None, None]
        spread = tf.broadcast_to(spread, [*tf.unstack(shape[:3]), 1])
        return tf.concat([inputs, spread], axis=-1)

    def compute_output_shape(self, shape):
        """One channel more."""
        return (*shape[:-1], shape[-1] + 1)
