"""Images as the search for copies compares them: centred and small.

They are slices or whole volumes.
"""

import numpy as np

from pet_dcgan.metrics.arrays import require_finite

_SIDE = 32
_VOLUME_SIDE = 16
_CHUNK = 64


def centred(images_suvr: np.ndarray) -> np.ndarray:
    """Images with their centre of mass in the middle, pooled to 32x32 pixels.

    Shifts are bilinear and fill with 0. An image without uptake stays as it is.
    The mirror image of a centred image is the centred mirror image.

    Args:
        images_suvr: `[n, size, size]` in SUVR.

    Returns:
        float32 `[n, 32, 32]`, means of blocks.

    Raises:
        ValueError: If the size is no multiple of 32, or a value is not finite.
    """
    images = np.asarray(images_suvr)
    if images.ndim != 3 or any(n % _SIDE or not n for n in images.shape[1:]):
        raise ValueError(
            f"expected images [n, height, width] of multiples of {_SIDE} "
            f"pixels, found shape {images.shape}"
        )
    pooled = np.empty([len(images), _SIDE, _SIDE], np.float32)
    for start in range(0, len(images), _CHUNK):
        chunk = images[start : start + _CHUNK].astype(np.float64)
        require_finite(chunk)
        uptake = np.maximum(chunk, 0)
        # a shift is the same for all rows and for all columns of an image
        down = _pooling(uptake.sum(axis=2), _SIDE)
        across = _pooling(uptake.sum(axis=1), _SIDE)
        pooled[start : start + _CHUNK] = down @ chunk @ across.swapaxes(1, 2)
    return pooled


def centred_volumes(volumes_suvr: np.ndarray) -> np.ndarray:
    """Volumes with their centre of mass in the middle, pooled to 16 voxels.

    Shifts are trilinear and fill with 0. A volume without uptake stays as it
    is. The last axis is left to right, as it is of slices: the mirror image of
    a centred volume, `[..., ::-1]`, is the centred mirror image.

    Args:
        volumes_suvr: `[n, size, size, size]` in SUVR, x to the right, y to the
            front, z upwards.

    Returns:
        float32 `[n, 16, 16, 16]`, z, y and x, means of blocks.

    Raises:
        ValueError: If the size is no multiple of 16, or a value is not finite.
    """
    volumes = np.asarray(volumes_suvr)
    sides = volumes.shape[1:]
    if volumes.ndim != 4 or any(n % _VOLUME_SIDE or not n for n in sides):
        raise ValueError(
            "expected volumes [n, x, y, z] of multiples of "
            f"{_VOLUME_SIDE} voxels, found shape {volumes.shape}"
        )
    pooled = np.empty([len(volumes), *[_VOLUME_SIDE] * 3], np.float32)
    # one at a time: a volume takes as much memory as a chunk of slices
    for index, volume in enumerate(volumes.astype(np.float32, copy=False)):
        require_finite(volume)
        uptake = np.maximum(volume, 0, dtype=np.float64)
        across, along, up = (
            _pooling(uptake.sum(axis=others)[np.newaxis], _VOLUME_SIDE)[0]
            for others in ((1, 2), (0, 2), (0, 1))
        )
        found = np.tensordot(across, volume, axes=1)  # [16, y, z]
        found = along @ found @ up.T
        pooled[index] = found.transpose(2, 1, 0)
    return pooled


def centred_images(images_suvr: np.ndarray) -> np.ndarray:
    """`centred` slices, or `centred_volumes`, by what they are.

    Args:
        images_suvr: `[n, size, size]` or `[n, size, size, size]` in SUVR.

    Raises:
        ValueError: If the size does not fit, or a value is not finite.
    """
    if np.ndim(images_suvr) == 4:
        return centred_volumes(images_suvr)
    return centred(images_suvr)


def _pooling(profiles: np.ndarray, side: int) -> np.ndarray:
    """Matrices that centre one axis of each image and pool it.

    Args:
        profiles: Uptake along the axis `[n, length]`, 0 or more.
        side: Places that are left of the axis.

    Returns:
        Weights float64 `[n, side, length]`.
    """
    length = profiles.shape[1]
    places = np.arange(length)
    total = profiles.sum(axis=1)
    middle = (length - 1) / 2
    moments = (profiles * (places - middle)).sum(axis=1)
    shift = np.divide(moments, total, out=np.zeros_like(total), where=total > 0)
    # the weight of a pixel falls linearly to 0 one pixel beside its place
    apart = (places[:, None] - places)[None] + shift[:, None, None]
    weights = np.maximum(1 - np.abs(apart), 0)
    return weights.reshape(len(total), side, -1, length).mean(axis=2)
