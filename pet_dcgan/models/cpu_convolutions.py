"""Convolutions of stride 2 and their gradients, in forms that suit a CPU.

All of them are TensorFlow's own but three, which by its operations run at 0.2
to 0.7 of the speed of a matrix product (benchmarks/convolutions.py):

- A 4x4 map with so many channels that the kernel outweighs it. Its operations
  are products of the kernel, as a matrix, and the patches under it ("im2col",
  Chellapilla, Puri & Simard 2006), so the kernel need not be rearranged.
- The gradient by the kernel of such an 8x8 map, likewise.
- The way up to a map of a few channels, an image: a convolution of stride 1
  to four times as many, which are its pixels (Shi et al. 2016,
  arXiv 1609.05158, and 1609.07009 on why that is the same).
"""

import tensorflow as tf

_STRIDE = 2
_FEW = 4  # channels of an image
# numbers in a kernel, and the side of a map, where the patches win
_HEAVY, _SMALL = 2**23, 4
_HEAVY_TO_LEARN, _SMALL_TO_LEARN = 2**21, 8


@tf.custom_gradient
def convolve(images: tf.Tensor, kernel: tf.Tensor):
    """`tf.nn.conv2d` with stride 2 and padding "SAME".

    Args:
        images: float32 `[n, 2 * side, 2 * side, channels]`.
        kernel: float32 `[k, k, channels, filters]`, `k` at least 2.

    Returns:
        float32 `[n, side, side, filters]`.
    """
    heavy = _is_heavy(images.shape[1] // _STRIDE, kernel)
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
    return side <= _SMALL and kernel.shape.num_elements() >= _HEAVY


def _down(
    images: tf.Tensor, kernel: tf.Tensor, patches: tf.Tensor | None
) -> tf.Tensor:
    if patches is None:
        return tf.nn.conv2d(images, kernel, _STRIDE, "SAME")
    side, filters = images.shape[1] // _STRIDE, kernel.shape[-1]
    maps = tf.matmul(patches, tf.reshape(kernel, [-1, filters]))
    return tf.reshape(maps, [-1, side, side, filters])


def _up(maps: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    side, channels = maps.shape[1] * _STRIDE, kernel.shape[2]
    if _is_heavy(maps.shape[1], kernel):
        return _up_by_patches(maps, kernel)
    if channels <= _FEW:
        return _up_by_sub_pixels(maps, kernel)
    shape = [tf.shape(maps)[0], side, side, channels]
    return tf.nn.conv2d_transpose(maps, kernel, shape, _STRIDE, "SAME")


def _by_kernel(
    images: tf.Tensor,
    maps: tf.Tensor,
    kernel: tf.Tensor,
    patches: tf.Tensor | None,
) -> tf.Tensor:
    """The gradient by the kernel, of maps whose gradient is `maps`."""
    small = maps.shape[1] <= _SMALL_TO_LEARN
    if small and kernel.shape.num_elements() >= _HEAVY_TO_LEARN:
        patches = _patches(images, kernel) if patches is None else patches
        rows = tf.reshape(maps, [-1, kernel.shape[-1]])
        product = tf.matmul(patches, rows, transpose_a=True)
        return tf.reshape(product, kernel.shape)
    return tf.raw_ops.Conv2DBackpropFilter(
        input=images,
        filter_sizes=kernel.shape,
        out_backprop=maps,
        strides=[1, _STRIDE, _STRIDE, 1],
        padding="SAME",
    )


def _patches(images: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """What lies under the kernel, a row for each of its places."""
    size = kernel.shape[0]
    patches = tf.image.extract_patches(
        images,
        [1, size, size, 1],
        [1, _STRIDE, _STRIDE, 1],
        [1, 1, 1, 1],
        "SAME",
    )
    return tf.reshape(patches, [-1, patches.shape[-1]])


def _up_by_patches(maps: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """Patches by one product, each then added where it lies."""
    size, _, channels, filters = kernel.shape
    side = maps.shape[1]
    product = tf.matmul(
        tf.reshape(maps, [-1, filters]),
        tf.reshape(kernel, [-1, filters]),
        transpose_b=True,
    )
    patches = tf.reshape(product, [-1, side, side, size**2, channels])
    taps = [_phase_and_shift(tap, size) for tap in range(size)]

    def pixels(phase_y: int, phase_x: int) -> tf.Tensor:
        """Those of even or odd rows and columns, `[n, side, side, c]`."""
        return tf.add_n(
            [
                _shifted(patches[:, :, :, y * size + x], taps[y][1], taps[x][1])
                for y in range(size)
                for x in range(size)
                if (taps[y][0], taps[x][0]) == (phase_y, phase_x)
            ]
        )

    rows = [
        tf.stack([pixels(y, x) for x in range(_STRIDE)], axis=3)
        for y in range(_STRIDE)
    ]
    shape = [-1, _STRIDE * side, _STRIDE * side, channels]
    return tf.reshape(tf.stack(rows, axis=2), shape)


def _up_by_sub_pixels(maps: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """A convolution of stride 1 to the four pixels that take a map's place."""
    size, _, channels, filters = kernel.shape
    taps = [_phase_and_shift(tap, size) for tap in range(size)]
    least, most = min(s for _, s in taps), max(s for _, s in taps)
    # the tap for each place of the new kernel and each phase; none is `size`
    found = {(most - shift, p): tap for tap, (p, shift) in enumerate(taps)}
    chosen = [
        [found.get((place, phase), size) for phase in range(_STRIDE)]
        for place in range(most - least + 1)
    ]
    padded = tf.pad(kernel, [[0, 1], [0, 1], [0, 0], [0, 0]])
    # [place_y, phase_y, place_x, phase_x, channels, filters]
    split = tf.gather(tf.gather(padded, chosen, axis=0), chosen, axis=2)
    four = _STRIDE**2 * channels
    split = tf.transpose(split, [0, 2, 5, 1, 3, 4])
    small = tf.reshape(split, [len(chosen), len(chosen), filters, four])
    margins = [most, -least]
    padding = [[0, 0], margins, margins, [0, 0]]
    pixels = tf.nn.conv2d(maps, small, 1, padding)
    return tf.nn.depth_to_space(pixels, _STRIDE)


def _phase_and_shift(tap: int, size: int) -> tuple[int, int]:
    """Where a map's place `i` goes by a tap: to pixel `2 (i + shift) + phase`.

    TensorFlow pads an even side by `size - 2`, the smaller half before it.
    """
    shift, phase = divmod(tap - (size - _STRIDE) // 2, _STRIDE)
    return phase, shift


def _shifted(maps: tf.Tensor, down: int, right: int) -> tf.Tensor:
    """Maps moved by some places, zeros coming in."""
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
