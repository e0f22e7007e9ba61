"""Differentiable and adaptive discriminator augmentation (ADA).

Differentiable augmentation (Zhao et al. 2020, arXiv 2006.10738): real and
generated images are transformed alike before the discriminator sees them, and
the generator's gradient flows back through the transformation. All operations
are geometric: brightness is the uptake that carries the disease.

ADA (Karras et al. 2020, arXiv 2006.06676): a discriminator that has memorised
its real images gives nearly all of them positive logits. Every few steps their
mean sign is compared with a target and the probability raised or lowered. In
the paper it takes 500,000 images to rise from 0 to 1; a training on a hundred
scans sees far fewer, so here it takes 10,000.
"""

import math
from typing import Any

import keras
import tensorflow as tf

from pet_dcgan.image_facts import is_volume
from pet_dcgan.models.replicas import replica_count, replica_mean
from pet_dcgan.models.sampling import per_example_uniform
from pet_dcgan.models.volume_resampling import (
    OUTSIDE,
    X,
    Y,
    resampled_along,
    resampled_upwards,
)

SHIFT = 1 / 8  # of the side, in either direction, as in Zhao et al.
ANGLE = math.radians(10.0)  # in either direction
SCALE = 0.1  # of the size, up or down
HOLE = 0.4  # of the side
DRAWS = 10  # numbers in [0, 1) per image
VOLUME_DRAWS = 12  # the same of a volume: two for z

_GEOMETRIC = {"translate", "rotate", "scale"}


def augment(
    images: tf.Tensor,
    draws: tf.Tensor,
    *,
    names: tuple[str, ...],
    probability: float | tf.Tensor,
) -> tf.Tensor:
    """Transforms each image independently, or leaves its bits unchanged.

    `"translate"` shifts by up to an eighth of the side, `"rotate"` turns by
    up to 10 degrees, `"scale"` zooms by up to 10 %, all three in one bilinear
    resampling; `"cutout"` clears a square of two fifths of the side. There is
    no uptake outside the image. Volumes are shifted and zoomed along all axes,
    turned about z, and lose a cube.

    Args:
        images: float32 `[n, size, size, channels]` in [-1, 1], or volumes
            `[n, size, size, size]`.
        draws: All random numbers needed, uniform in [0, 1), `[n, DRAWS]`, of
            volumes `[n, VOLUME_DRAWS]`.
        names: Transformations to use.
        probability: Probability of each transformation, per image.

    Returns:
        Images of the same shape and range.
    """
    whole = is_volume(images.shape)
    happens = tf.cast(draws[:, :4] < probability, images.dtype)
    amount = 2.0 * draws[:, 4:8] - 1.0
    shifts, centres = amount[:, :2], draws[:, 8:10]
    if whole:
        shifts = tf.concat([shifts, 2.0 * draws[:, 10:11] - 1.0], axis=1)
        centres = tf.concat([centres, draws[:, 11:12]], axis=1)
    if _GEOMETRIC & set(names):
        used = [
            float(name in names) for name in ("translate", "rotate", "scale")
        ]
        happened = happens[:, :3] * tf.constant(used)
        images = (_warp_volumes if whole else _warp)(
            images,
            shift=SHIFT * shifts * happened[:, :1],
            angle=ANGLE * amount[:, 2] * happened[:, 1],
            zoom=1.0 + SCALE * amount[:, 3] * happened[:, 2],
        )
    if "cutout" in names:
        images = _cut_out(images, centres, happens[:, 3])
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
    # the inverse transformation, about the centre
    axis = tf.range(size, dtype=tf.float32) - centre
    moved = axis[None, :, None] - (size * shift)[:, None, :]
    y, x = moved[:, :, None, 0], moved[:, None, :, 1]
    cosine = (tf.cos(angle) / zoom)[:, None, None]
    sine = (tf.sin(angle) / zoom)[:, None, None]
    return resampled(
        images,
        cosine * y + sine * x + centre,
        cosine * x - sine * y + centre,
    )


def _warp_volumes(
    volumes: tf.Tensor, *, shift: tf.Tensor, angle: tf.Tensor, zoom: tf.Tensor
) -> tf.Tensor:
    """Samples of turned, zoomed and shifted volumes, one axis at a time.

    Where a point of the result `(x, y)` is sampled at `(u, v)`, lines along x
    are resampled first, at the `u` of every `x` and `v`, then lines along y.

    Args:
        volumes: `[n, size, size, size]`.
        shift: `[n, 3]`, along x, y and z, in sides.
        angle: `[n]`, about z, in radians.
        zoom: `[n]`, above 1 for larger.
    """
    size = volumes.shape[1]
    centre = (size - 1) / 2
    axis = tf.range(size, dtype=tf.float32) - centre
    moved = axis[None, :, None] - (size * shift)[:, None, :]
    x, y, z = tf.unstack(moved, axis=-1)  # [n, size]
    cosine = (tf.cos(angle) / zoom)[:, None, None]
    sine = (tf.sin(angle) / zoom)[:, None, None]
    # u = cosine x + sine y and v = cosine y - sine x, solved for u by x and v
    along = (cosine**2 + sine**2) / cosine * x[:, None, :]
    u = along + sine / cosine * axis[None, :, None]
    volumes = resampled_along(volumes, u + centre, axis=X, given=Y)
    v = cosine * y[:, None, :] - sine * x[:, :, None]
    volumes = resampled_along(volumes, v + centre, axis=Y, given=X)
    return resampled_upwards(volumes, z / zoom[:, None] + centre)


def resampled(images: tf.Tensor, y: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
    """Bilinear samples of images; a border of one pixel is all that is outside.

    Args:
        images: float32 `[n, size, size, channels]` in [-1, 1].
        y: Rows to sample at `[n, size, size]`, in pixels.
        x: Columns to sample at `[n, size, size]`, in pixels.

    Returns:
        Images of the same shape and range.
    """
    size, channels = images.shape[1], images.shape[3]
    side = size + 2
    border = [[0, 0], [1, 1], [1, 1], [0, 0]]
    padded = tf.pad(images, border, constant_values=OUTSIDE)
    row, down = _place(y, size)
    column, right = _place(x, size)
    # four gathers of scalars take half the time of one gather of four
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
    """Preceding pixel of a position on the padded axis, and the remainder."""
    at = tf.clip_by_value(at + 1.0, 0.0, size + 1.0)
    before = tf.minimum(tf.floor(at), float(size))
    return tf.cast(before, tf.int32), at - before


def _cut_out(
    images: tf.Tensor, centres: tf.Tensor, happens: tf.Tensor
) -> tf.Tensor:
    """Clears a square about `centres` `[n, 2]`, or a cube, in sides."""
    size = images.shape[1]
    axis = (tf.range(size, dtype=tf.float32) + 0.5) / size
    near = tf.abs(axis[None, :, None] - centres[:, None, :]) < HOLE / 2
    hole = near[:, :, None, 0] & near[:, None, :, 1]
    hole &= happens[:, None, None] > 0
    hole = hole[..., None]
    if centres.shape[1] > 2:
        hole &= near[:, None, None, :, 2]
    return tf.where(hole, OUTSIDE, images)


EVERY = 4  # steps, as Karras et al.
FULL_RISE = 10_000  # images seen from 0 to 1
# above it they found augmentations leaking into generated images
HIGHEST = 0.8


@keras.saving.register_keras_serializable(package="pet_dcgan")
class Augmenter(keras.layers.Layer):
    """Augments the discriminator's images, optionally adaptively (ADA).

    Args:
        names: Transformations of `pet_dcgan.models.augmentation.augment`.
        probability: Probability of each, per image; with ADA the initial one.
        target: Mean sign of the real images' logits to aim at; 0 keeps the
            probability fixed.
        seed: Fixes the draws of every step.
    """

    def __init__(
        self,
        names: tuple[str, ...],
        probability: float,
        *,
        target: float = 0.0,
        seed: int = 0,
    ) -> None:
        super().__init__(name="augmenter", dtype="float32")
        self.names = tuple(names)
        self.initial_probability = probability
        self.target = target
        self.seed = seed
        self.probability = self._scalar("probability", probability)
        self.signs = self._scalar("signs", 0.0)
        self.built = True

    def call(
        self, images: tf.Tensor, *, step: int | tf.Tensor, stream: int
    ) -> tf.Tensor:
        """The augmented images of a step.

        Args:
            images: float32 `[n, size, size, channels]` in [-1, 1], or
                volumes `[n, size, size, size]`.
            step: Completed steps.
            stream: `sampling.REAL` or `sampling.FAKE`, for separate draws.
        """
        draws = per_example_uniform(
            tf.shape(images)[0],
            VOLUME_DRAWS if is_volume(images.shape) else DRAWS,
            seed=self.seed,
            step=step,
            stream=stream,
        )
        probability = tf.convert_to_tensor(self.probability)

        def augmented() -> tf.Tensor:
            return augment(
                images, draws, names=self.names, probability=probability
            )

        if not is_volume(images.shape):
            return augmented()
        # a tenth of a step on a CPU; adaptive augmentation begins with none
        return tf.cond(probability > 0.0, augmented, lambda: images)

    def observe(self, real_logits: tf.Tensor, step: int | tf.Tensor) -> None:
        """Adapts the probability to the logits of the real images.

        Args:
            real_logits: Of this replica's real images, `[n, 1]`.
            step: Completed steps.
        """
        if not self.target:
            return
        sign = replica_mean(tf.reduce_mean(tf.sign(real_logits)))
        signs = self.signs + sign / EVERY
        count = tf.shape(real_logits)[0] * replica_count()
        images = tf.cast(count, tf.float32)
        move = images * (EVERY / FULL_RISE) * tf.sign(signs - self.target)
        steered = tf.clip_by_value(self.probability + move, 0.0, HIGHEST)
        due = tf.equal(step % EVERY, EVERY - 1)
        self.probability.assign(tf.where(due, steered, self.probability))
        self.signs.assign(tf.where(due, 0.0, signs))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments; the probability is a weight."""
        return {
            "names": self.names,
            "probability": self.initial_probability,
            "target": self.target,
            "seed": self.seed,
        }

    def _scalar(self, name: str, value: float) -> keras.Variable:
        return self.add_weight(
            name=name,
            shape=(),
            initializer=keras.initializers.Constant(value),
            trainable=False,
            # all replicas compute the same value
            aggregation="only_first_replica",
        )
