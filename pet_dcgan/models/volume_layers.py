"""Strided 3-D convolutions that train at a useful speed on every CPU.

The layers compute what their Keras parents do, up to rounding. TensorFlow's
3-D convolutions reach the rate of a matrix product where its oneDNN kernels
are used, which it decides by the processor; without them deep maps take fifty
times as long (benchmarks/volume_convolutions.py). In a training pass in
float32 such maps then take another form: the taps of the kernel along the
first axis are laid beside each other as channels, and all planes of all
volumes are one batch of a 2-D convolution. Large maps of few channels gain
nothing by it.

A saved network holds the Keras parents (`cpu_layers.plain_layer`).
"""

import keras
import tensorflow as tf

from pet_dcgan.models.strided import STRIDE, Strided

# channels of both maps together from which the form in 2-D wins
_DEEP = 64


def in_planes(maps: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """`tf.nn.conv3d` with stride 2 and padding "SAME", by 2-D convolutions.

    Args:
        maps: float32 `[n, side, side, side, channels]`, of even side.
        kernel: float32 `[k, k, k, channels, filters]`, `k` at least 2.

    Returns:
        float32 `[n, side / 2, side / 2, side / 2, filters]`.
    """
    size, _, _, channels, filters = kernel.shape
    side = maps.shape[1]
    taps = [_planes(maps, tap - _before(size)) for tap in range(size)]
    beside = tf.concat([planes[:, ::STRIDE] for planes in taps], axis=-1)
    weights = tf.reshape(
        tf.transpose(kernel, [1, 2, 0, 3, 4]),
        [size, size, size * channels, filters],
    )
    flat = tf.reshape(beside, [-1, side, side, size * channels])
    made = tf.nn.conv2d(flat, weights, STRIDE, "SAME")
    return tf.reshape(made, [-1, *[side // STRIDE] * 3, filters])


def in_planes_transposed(maps: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """`tf.nn.conv3d_transpose` to twice the side, by 2-D convolutions.

    Args:
        maps: float32 `[n, side, side, side, channels]`.
        kernel: float32 `[k, k, k, filters, channels]`, `k` at least 2.

    Returns:
        float32 `[n, 2 * side, 2 * side, 2 * side, filters]`.
    """
    size, _, _, filters, channels = kernel.shape
    side = maps.shape[1]
    double = STRIDE * side
    phases = []
    for phase in range(STRIDE):
        # plane i of a map goes to plane 2 i + tap - before
        taps = [
            tap
            for tap in range(size)
            if (tap - _before(size)) % STRIDE == phase
        ]
        beside = [
            _planes(maps, (phase - tap + _before(size)) // STRIDE)
            for tap in taps
        ]
        flat = tf.reshape(
            tf.concat(beside, axis=-1), [-1, side, side, len(taps) * channels]
        )
        weights = tf.concat([kernel[tap] for tap in taps], axis=-1)
        shape = [tf.shape(flat)[0], double, double, filters]
        made = tf.nn.conv2d_transpose(flat, weights, shape, STRIDE, "SAME")
        phases.append(tf.reshape(made, [-1, side, double, double, filters]))
    both = tf.stack(phases, axis=2)
    return tf.reshape(both, [-1, double, double, double, filters])


def _before(size: int) -> int:
    """Planes of padding before the first one; TensorFlow's smaller half."""
    return (size - STRIDE) // 2


def _planes(maps: tf.Tensor, shift: int) -> tf.Tensor:
    """Planes `shift` further along the first axis, zeros where there is none.

    Args:
        maps: `[n, side, side, side, channels]`.
        shift: Planes.
    """
    side = maps.shape[1]
    kept = maps[:, max(shift, 0) : side + min(shift, 0)]
    missing = [max(-shift, 0), max(shift, 0)]
    return tf.pad(kept, [[0, 0], missing, [0, 0], [0, 0], [0, 0]])


def one_dnn() -> bool:
    """Whether TensorFlow uses its oneDNN kernels on this CPU.

    TensorFlow has no public way to ask; a version without the private one
    counts as one that does not.
    """
    try:
        from tensorflow.python.util import _pywrap_util_port
    except ImportError:
        return False
    return bool(getattr(_pywrap_util_port, "IsMklEnabled", bool)())


class _Strided3D(Strided):
    """Common part of the two layers."""

    def is_faster(self, inputs: tf.Tensor) -> bool:
        """Whether these maps are deep enough, and TensorFlow's form slow."""
        return sum(self.kernel.shape[-2:]) >= _DEEP and not one_dnn()


@keras.saving.register_keras_serializable(package="pet_dcgan")
class StridedConv3D(_Strided3D, keras.layers.Conv3D):
    """A 3-D convolution of stride 2 to half the side, for maps of even side.

    Args:
        filters: Channels of the result.
        kernel_size: Side of the kernel, at least 2.
        **kwargs: As of `keras.layers.Conv3D`, but strides and padding.
    """

    convolve = staticmethod(in_planes)


@keras.saving.register_keras_serializable(package="pet_dcgan")
class StridedConv3DTranspose(_Strided3D, keras.layers.Conv3DTranspose):
    """A transposed 3-D convolution of stride 2 to twice the side.

    Args:
        filters: Channels of the result.
        kernel_size: Side of the kernel, at least 2.
        **kwargs: As of `keras.layers.Conv3DTranspose`, but strides and
            padding.
    """

    convolve = staticmethod(in_planes_transposed)
