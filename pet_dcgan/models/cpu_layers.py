"""Strided convolutions that train faster on a CPU than Keras's own.

The layers compute what their Keras parents do, up to rounding. In a training
pass in float32 without a GPU, two cases take another form, since TensorFlow's
operations reach 0.2 to 0.7 of the speed of a matrix product there
(benchmarks/convolutions.py):

- Convolutions to or from a 4x4 map with so many channels that the kernel
  outweighs the map become products of the kernel, as a matrix, and the patches
  under it ("im2col", Chellapilla, Puri & Simard 2006), so that the kernel need
  not be rearranged. Without it a step of `paper` takes 1.3 to 1.5 times as
  long (benchmarks/cpu_forms.py).
- The gradient with respect to the kernel of such a map up to 8x8, likewise;
  without it, 1.35 times as long.

A saved network holds the Keras parents (`plain_layer`), so files and exports
need nothing of this package.
"""

import math

import keras
import tensorflow as tf

from pet_dcgan.models.strided import STRIDE, Strided
from pet_dcgan.models.volume_layers import (
    StridedConv3D,
    StridedConv3DTranspose,
)

# elements of a kernel, and the side of a map, from which patches win
_HEAVY, _SMALL = 2**23, 4
_HEAVY_GRADIENT, _SMALL_GRADIENT = 2**21, 8


@tf.custom_gradient
def convolve(images: tf.Tensor, kernel: tf.Tensor):
    """`tf.nn.conv2d` with stride 2 and padding "SAME".

    Args:
        images: float32 `[n, 2 * side, 2 * side, channels]`.
        kernel: float32 `[k, k, channels, filters]`, `k` at least 2.

    Returns:
        float32 `[n, side, side, filters]`.
    """
    heavy = _is_heavy(images.shape[1] // STRIDE, kernel)
    patches = _patches(images, kernel) if heavy else None

    def gradient(by_maps: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return (
            _up(by_maps, kernel),
            _by_kernel(images, by_maps, kernel, patches),
        )

    return _down(images, kernel, patches), gradient


@tf.custom_gradient
def convolve_transposed(maps: tf.Tensor, kernel: tf.Tensor):
    """`tf.nn.conv2d_transpose` to twice the side, padding "SAME".

    Args:
        maps: float32 `[n, side, side, filters]`.
        kernel: float32 `[k, k, channels, filters]`, `k` at least 2.

    Returns:
        float32 `[n, 2 * side, 2 * side, channels]`.
    """

    def gradient(by_images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        heavy = _is_heavy(maps.shape[1], kernel)
        patches = _patches(by_images, kernel) if heavy else None
        return (
            _down(by_images, kernel, patches),
            _by_kernel(by_images, maps, kernel, patches),
        )

    return _up(maps, kernel), gradient


def _is_heavy(side: int, kernel: tf.Tensor) -> bool:
    """Whether a kernel outweighs the map of that side that it makes."""
    return side <= _SMALL and math.prod(kernel.shape) >= _HEAVY


def _is_heavy_gradient(side: int, kernel: tf.Tensor) -> bool:
    """Whether the gradient with respect to a kernel is faster by patches."""
    elements = math.prod(kernel.shape)
    return side <= _SMALL_GRADIENT and elements >= _HEAVY_GRADIENT


def _down(
    images: tf.Tensor, kernel: tf.Tensor, patches: tf.Tensor | None
) -> tf.Tensor:
    if patches is None:
        return tf.nn.conv2d(images, kernel, STRIDE, "SAME")
    side, filters = images.shape[1] // STRIDE, kernel.shape[-1]
    maps = tf.matmul(patches, tf.reshape(kernel, [-1, filters]))
    return tf.reshape(maps, [-1, side, side, filters])


def _up(maps: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    side, channels = maps.shape[1] * STRIDE, kernel.shape[2]
    if _is_heavy(maps.shape[1], kernel):
        return _up_by_patches(maps, kernel)
    shape = [tf.shape(maps)[0], side, side, channels]
    return tf.nn.conv2d_transpose(maps, kernel, shape, STRIDE, "SAME")


def _by_kernel(
    images: tf.Tensor,
    maps: tf.Tensor,
    kernel: tf.Tensor,
    patches: tf.Tensor | None,
) -> tf.Tensor:
    """Gradient with respect to the kernel, given that of the result, `maps`."""
    if _is_heavy_gradient(maps.shape[1], kernel):
        patches = _patches(images, kernel) if patches is None else patches
        rows = tf.reshape(maps, [-1, kernel.shape[-1]])
        product = tf.matmul(patches, rows, transpose_a=True)
        return tf.reshape(product, kernel.shape)
    return tf.raw_ops.Conv2DBackpropFilter(
        input=images,
        filter_sizes=kernel.shape,
        out_backprop=maps,
        strides=[1, STRIDE, STRIDE, 1],
        padding="SAME",
    )


def _patches(images: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """The patch under the kernel at each position, one per row."""
    size = kernel.shape[0]
    patches = tf.image.extract_patches(
        images,
        [1, size, size, 1],
        [1, STRIDE, STRIDE, 1],
        [1, 1, 1, 1],
        "SAME",
    )
    return tf.reshape(patches, [-1, patches.shape[-1]])


def _up_by_patches(maps: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """All patches by one product, each then added at its position."""
    size, _, channels, filters = kernel.shape
    side = maps.shape[1]
    product = tf.matmul(
        tf.reshape(maps, [-1, filters]),
        tf.reshape(kernel, [-1, filters]),
        transpose_b=True,
    )
    patches = tf.reshape(product, [-1, side, side, size**2, channels])
    # Tap `t` moves position `i` of a map to pixel `2 (i + shift) + phase`:
    # TensorFlow pads an even side by `size - 2`, the smaller half before it.
    before = (size - STRIDE) // 2
    taps = [divmod(tap - before, STRIDE) for tap in range(size)]

    def pixels(phase_y: int, phase_x: int) -> tf.Tensor:
        """Pixels of even or odd rows and columns, `[n, side, side, c]`."""
        return tf.add_n(
            [
                _shifted(patches[:, :, :, y * size + x], down, right)
                for y, (down, row) in enumerate(taps)
                for x, (right, column) in enumerate(taps)
                if (row, column) == (phase_y, phase_x)
            ]
        )

    rows = [
        tf.stack([pixels(y, x) for x in range(STRIDE)], axis=3)
        for y in range(STRIDE)
    ]
    shape = [-1, STRIDE * side, STRIDE * side, channels]
    return tf.reshape(tf.stack(rows, axis=2), shape)


def _shifted(maps: tf.Tensor, down: int, right: int) -> tf.Tensor:
    """Maps moved by some positions and filled with zeros."""
    side = maps.shape[1]
    down, right = (max(-side, min(side, by)) for by in (down, right))
    kept = maps[
        :,
        max(-down, 0) : side - max(down, 0),
        max(-right, 0) : side - max(right, 0),
    ]
    vertical = [max(down, 0), max(-down, 0)]
    horizontal = [max(right, 0), max(-right, 0)]
    return tf.pad(kept, [[0, 0], vertical, horizontal, [0, 0]])


class _Strided2D(Strided):
    """Common part of the two layers."""

    def is_faster(self, inputs: tf.Tensor) -> bool:
        """Whether the kernel outweighs the smaller of both maps."""
        shape = self.compute_output_shape(inputs.shape)
        side = min(inputs.shape[1], shape[1])
        return _is_heavy_gradient(side, self.kernel)


@keras.saving.register_keras_serializable(package="pet_dcgan")
class StridedConv2D(_Strided2D, keras.layers.Conv2D):
    """A convolution of stride 2 to half the side, for images of even side.

    Args:
        filters: Channels of the result.
        kernel_size: Side of the kernel, at least 2.
        **kwargs: As of `keras.layers.Conv2D`, but strides and padding.
    """

    convolve = staticmethod(convolve)


@keras.saving.register_keras_serializable(package="pet_dcgan")
class StridedConv2DTranspose(_Strided2D, keras.layers.Conv2DTranspose):
    """A transposed convolution of stride 2 to twice the side.

    Args:
        filters: Channels of the result.
        kernel_size: Side of the kernel, at least 2.
        **kwargs: As of `keras.layers.Conv2DTranspose`, but strides and padding.
    """

    convolve = staticmethod(convolve_transposed)


_PARENTS = {
    StridedConv2D: keras.layers.Conv2D,
    StridedConv2DTranspose: keras.layers.Conv2DTranspose,
    StridedConv3D: keras.layers.Conv3D,
    StridedConv3DTranspose: keras.layers.Conv3DTranspose,
}


def plain_layer(layer: keras.layers.Layer, **options) -> keras.layers.Layer:
    """A new, unbuilt layer of the same configuration, of Keras's own class.

    Args:
        layer: Any layer, or arithmetic such as `x * 2`, which has no options.
        **options: Entries of the configuration to replace, such as `dtype`.
    """
    layer_class = _PARENTS.get(type(layer), type(layer))
    if not isinstance(layer, keras.layers.Layer):
        options = {}
    return layer_class.from_config(layer.get_config() | options)


def is_plain(layer: keras.layers.Layer) -> bool:
    """Whether a layer is Keras's own or another's, and computes in float32.

    Args:
        layer: Any layer.
    """
    return type(layer) not in _PARENTS and layer.compute_dtype == "float32"
