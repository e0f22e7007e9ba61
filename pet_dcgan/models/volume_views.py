"""Volumes as flat pictures: three cuts to look at, or every voxel.

The same as `pet_dcgan.metrics.cuts.three_plane`, in operations of TensorFlow,
so that a server has them.
"""

from collections.abc import Callable

import tensorflow as tf

from pet_dcgan.metrics.cuts import AXES, central_offsets
from pet_dcgan.models.model_info import ModelInfo


def views(facts: ModelInfo) -> dict[str, Callable[[tf.Tensor], tf.Tensor]]:
    """What of an image each signature for PNGs encodes.

    Args:
        facts: Of the model.

    Returns:
        By the signature's name a function of images in SUVR to pictures
        `[n, height, width]`: of slices themselves, of volumes `sheets` and
        `voxel_rows`.
    """
    if facts.is_volume:
        return {"generate_png": sheets, "generate_voxels": voxel_rows}
    return {"generate_png": tf.identity}


def sheets(volumes: tf.Tensor) -> tf.Tensor:
    """An axial, a coronal and a sagittal cut side by side.

    Args:
        volumes: `[n, size, size, size]`, x to the right, y to the front, z
            upwards.

    Returns:
        `[n, size, 3 * size]`, oriented as slices are.
    """
    return tf.concat(cuts(volumes), axis=-1)


def cuts(volumes: tf.Tensor) -> list[tf.Tensor]:
    """The cuts of `pet_dcgan.metrics.cuts.orthogonal_cuts`, plane by plane.

    Args:
        volumes: `[n, size, size, size]`, as of `sheets`.

    Returns:
        `[n, size, size]` of each plane: rows from the front, or from the top.
    """
    size, found = volumes.shape[-1], []
    for plane, offset in central_offsets(size).items():
        section = tf.gather(volumes, size // 2 + offset, axis=1 + AXES[plane])
        # columns of sagittal cuts begin at the front
        turned = [1, 2] if plane == "sagittal" else [2]
        section = tf.reverse(section, turned)
        found.append(tf.transpose(section, [0, 2, 1]))
    return found


def voxel_rows(volumes: tf.Tensor) -> tf.Tensor:
    """Every voxel: rows of z, for each y of each x.

    Args:
        volumes: `[n, size, size, size]`.

    Returns:
        `[n, size * size, size]`; in this shape of C order it is the volume.
    """
    size = volumes.shape[-1]
    return tf.reshape(volumes, [-1, size * size, size])
