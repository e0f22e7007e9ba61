"""Changes to images that a discriminator must not learn from too few of.

Differentiable augmentation (Zhao et al. 2020, arXiv 2006.10738): real and
generated images are changed in the same ways before the discriminator sees
them, and the generator's gradient flows back through the change. Only where
tissue lies is changed: no operation here touches how bright it is, since a
pixel's value is the uptake that carries the disease.
"""

import math

import tensorflow as tf

SHIFT = 1 / 8  # of the side, either way, as in Zhao et al.
ANGLE = math.radians(10.0)  # either way
SCALE = 0.1  # of the size, either way
HOLE = 0.4  # of the side
OUTSIDE = -1.0  # no uptake
DRAWS = 10  # numbers in [0, 1) an image

_GEOMETRIC = {"translate", "rotate", "scale"}


def augment(
    images: tf.Tensor,
    draws: tf.Tensor,
    *,
    names: tuple[str, ...],
    probability: float | tf.Tensor,
) -> tf.Tensor:
    """Changes each image on its own, or leaves it bit for bit as it was.

    `"translate"` shifts by up to an eighth of the side, `"rotate"` turns by
    up to 10 degrees, `"scale"` zooms by up to 10 %, all three in one bilinear
    resampling; `"cutout"` clears a square of two fifths of the side. What
    comes from outside the image is without uptake.

    Args:
        images: float32 `[n, size, size, channels]` in [-1, 1].
        draws: Uniform in [0, 1), `[n, DRAWS]`; they decide everything.
        names: Which of the four may happen.
        probability: That of each of them, an image.

    Returns:
        Images of the same shape and range.
    """
    happens = tf.cast(draws[:, :4] < probability, images.dtype)
    amount = 2.0 * draws[:, 4:8] - 1.0
    if _GEOMETRIC & set(names):
        used = [
            float(name in names) for name in ("translate", "rotate", "scale")
        ]
        happened = happens[:, :3] * tf.constant(used)
        images = _warp(
            images,
            shift=SHIFT * amount[:, :2] * happened[:, :1],
            angle=ANGLE * amount[:, 2] * happened[:, 1],
            zoom=1.0 + SCALE * amount[:, 3] * happened[:, 2],
        )
    if "cutout" in names:
        images = _cut_out(images, draws[:, 8:10], happens[:, 3])
    return images


def _warp(
    images: tf.Tensor, *, shift: tf.Tensor, angle: tf.Tensor, zoom: tf.Tensor
) -> tf.Tensor:
    """Bilinear samples of turned, zoomed and shifted images.

    Args:
        images: `[n, size, size, channels]`.
        shift: `[n, 2]`, down and right, in sides.
        angle: `[n]`, in radians.
        zoom: `[n]`, above 1 for larger.
    """
    size = images.shape[1]
    centre = (size - 1) / 2
    # where each pixel comes from: the change undone, about the centre
    axis = tf.range(size, dtype=tf.float32) - centre
    moved = axis[None, :, None] - (size * shift)[:, None, :]
    y, x = moved[:, :, None, 0], moved[:, None, :, 1]
    cosine = (tf.cos(angle) / zoom)[:, None, None]
    sine = (tf.sin(angle) / zoom)[:, None, None]
    return _sample(
        images,
        cosine * y + sine * x + centre,
        cosine * x - sine * y + centre,
    )


def _sample(images: tf.Tensor, y: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
    """Bilinear samples at `y`, `x` `[n, size, size]`, in pixels.

    A border of one pixel stands for all that is outside.
    """
    size, channels = images.shape[1], images.shape[3]
    side = size + 2
    border = [[0, 0], [1, 1], [1, 1], [0, 0]]
    padded = tf.pad(images, border, constant_values=OUTSIDE)
    row, down = _place(y, size)
    column, right = _place(x, size)
    # four gathers of single pixels, and of numbers where they are such: half
    # the time of one gather of four, forward and back
    shape = [-1] if channels == 1 else [-1, channels]
    pixels = tf.reshape(padded, shape)
    if channels > 1:
        down, right = down[..., None], right[..., None]
    first = tf.range(tf.shape(images)[0])[:, None, None] * side**2
    first += row * side + column
    above, below = (
        tf.gather(pixels, first + step) * (1.0 - right)
        + tf.gather(pixels, first + step + 1) * right
        for step in (0, side)
    )
    sampled = above * (1.0 - down) + below * down
    return tf.reshape(sampled, tf.shape(images))


def _place(at: tf.Tensor, size: int) -> tuple[tf.Tensor, tf.Tensor]:
    """The neighbour before a place on the padded axis, and how far beyond."""
    at = tf.clip_by_value(at + 1.0, 0.0, size + 1.0)
    before = tf.minimum(tf.floor(at), float(size))
    return tf.cast(before, tf.int32), at - before


def _cut_out(
    images: tf.Tensor, centres: tf.Tensor, happens: tf.Tensor
) -> tf.Tensor:
    """Clears a square about `centres` `[n, 2]`, in sides, where it happens."""
    size = images.shape[1]
    axis = (tf.range(size, dtype=tf.float32) + 0.5) / size
    near = tf.abs(axis[None, :, None] - centres[:, None, :]) < HOLE / 2
    hole = near[:, :, None, 0] & near[:, None, :, 1]
    hole &= happens[:, None, None] > 0
    return tf.where(hole[..., None], OUTSIDE, images)
