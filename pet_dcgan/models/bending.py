"""Smooth random bends of training slices and volumes.

A few dozen people have a few dozen shapes of head and brain, and a generator
trained on them repeats these or draws their mean. Bent a little by smooth
random fields, differently in every step, the same people stand for many more
shapes. Only real images are bent, so the generator learns bent brains: this
widens what it is to imitate, whereas an `Augmenter`, which changes real and
generated images alike, does not. How much helps was measured
(benchmarks/few_subjects.py).

Fields are smooth as in Simard et al. (2003), doi 10.1109/ICDAR.2003.1227801,
but drawn as sums of bumps on a coarse grid.
"""

import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from pet_dcgan.image_facts import is_volume
from pet_dcgan.models.augmentation import resampled
from pet_dcgan.models.sampling import BEND, per_example_uniform
from pet_dcgan.models.volume_resampling import X, Y, Z, resampled_along

# distance over which a field changes, the SD of its bumps
REACH_MM = 24.0


@keras.saving.register_keras_serializable(package="pet_dcgan")
class Bender(keras.layers.Layer):
    """Bends each image by a smooth random field of its own.

    Args:
        displacement: SD of a pixel's displacement along each axis, in pixels;
            its largest value is a few times that.
        reach: Distance over which the field changes, in pixels.
        seed: Fixes the fields of every step.

    Raises:
        ValueError: If `displacement` or `reach` is not above 0 and finite.
    """

    def __init__(
        self, displacement: float, reach: float, *, seed: int = 0
    ) -> None:
        super().__init__(name="bender", dtype="float32")
        for name, value in (("displacement", displacement), ("reach", reach)):
            if not 0 < value < math.inf:
                raise ValueError(
                    f"expected {name} above 0 pixels and finite, found "
                    f"{value}: leave out the bender for images as they are"
                )
        self.displacement = displacement
        self.reach = reach
        self.seed = seed
        self.built = True

    def call(self, images: tf.Tensor, *, step: int | tf.Tensor) -> tf.Tensor:
        """The bent images of a step.

        Args:
            images: float32 `[n, size, size, channels]` in [-1, 1], or
                volumes `[n, size, size, size]`.
            step: Completed steps.
        """
        bumps = bump_weights(images.shape[1], self.reach)
        points = bumps.shape[1]
        whole = is_volume(images.shape)
        axes = 3 if whole else 2
        draws = per_example_uniform(
            tf.shape(images)[0],
            axes * points**2,
            seed=self.seed,
            step=step,
            stream=BEND,
        )
        heights = tf.reshape(draws, [-1, axes, points, points])
        change = bend_volumes if whole else bend
        return change(images, heights, bumps, displacement=self.displacement)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "displacement": self.displacement,
            "reach": self.reach,
            "seed": self.seed,
        }


def bend(
    images: tf.Tensor,
    draws: tf.Tensor,
    bumps: np.ndarray,
    *,
    displacement: float,
) -> tf.Tensor:
    """Images, each resampled along a smooth field.

    Args:
        images: float32 `[n, size, size, channels]` in [-1, 1]; there is no
            uptake outside.
        draws: Random numbers, uniform in [0, 1), `[n, 2, points, points]`,
            for displacements down and right.
        bumps: From `bump_weights`, `[size, points]`.
        displacement: SD of a pixel's displacement along each axis, in pixels.

    Returns:
        Images of the same shape and range.
    """
    field = _fields(draws, bumps)
    axis = tf.range(images.shape[1], dtype=tf.float32)
    return resampled(
        images,
        axis[:, None] + displacement * field[:, 0],
        axis + displacement * field[:, 1],
    )


def bend_volumes(
    volumes: tf.Tensor,
    draws: tf.Tensor,
    bumps: np.ndarray,
    *,
    displacement: float,
) -> tf.Tensor:
    """Volumes, bent along one axis after another.

    Along x by a field of x and z, along y by one of y and z, along z by one of
    z and x: each is smooth, interpolated once, and takes a CPU little (see
    `pet_dcgan.models.volume_resampling`).

    Args:
        volumes: float32 `[n, size, size, size]` in [-1, 1]; there is no uptake
            outside.
        draws: Random numbers, uniform in [0, 1), `[n, 3, points, points]`, for
            displacements along x, y and z.
        bumps: From `bump_weights`, `[size, points]`.
        displacement: SD of a voxel's displacement along each axis, in voxels.

    Returns:
        Volumes of the same shape and range.
    """
    axis = tf.range(volumes.shape[1], dtype=tf.float32)
    positions = axis + displacement * _fields(draws, bumps)
    for index, (along, given) in enumerate(((X, Z), (Y, Z), (Z, X))):
        volumes = resampled_along(
            volumes, positions[:, index], axis=along, given=given
        )
    return volumes


def _fields(draws: tf.Tensor, bumps: np.ndarray) -> tf.Tensor:
    """Smooth fields of variance 1, `[n, axes, size, size]`."""
    heights = (tf.convert_to_tensor(draws) - 0.5) * math.sqrt(12.0)
    return tf.einsum("yi,ndij,xj->ndyx", bumps, heights, bumps)


def bump_weights(size: int, reach: float) -> np.ndarray:
    """Weights that make a smooth field of independent numbers on a grid.

    The grid's points are `reach` apart and begin outside the image. At each
    pixel the squares of the weights add up to 1, so that the field has the
    variance of the numbers everywhere.

    Args:
        size: Pixels along an axis.
        reach: SD of a Gaussian bump, in pixels.

    Returns:
        float32 `[size, points]`, for one axis; a field of two axes is
        `weights @ numbers @ weights.T`.
    """
    points = np.arange(-reach, size + 2 * reach, reach)
    apart = np.arange(size)[:, None] - points
    weights = np.exp(-(apart**2) / (2 * reach**2))
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    return weights.astype(np.float32)
