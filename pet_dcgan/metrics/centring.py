"""Images as the search for copies compares them: centred and small."""

import numpy as np

from pet_dcgan.metrics.arrays import require_finite

_SIDE = 32
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
        down = _pooling(uptake.sum(axis=2))
        across = _pooling(uptake.sum(axis=1))
        pooled[start : start + _CHUNK] = down @ chunk @ across.swapaxes(1, 2)
    return pooled


def _pooling(profiles: np.ndarray) -> np.ndarray:
    """Matrices that centre one axis of each image and pool it.

    Args:
        profiles: Uptake along the axis `[n, length]`, 0 or more.

    Returns:
        Weights float64 `[n, 32, length]`.
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
    return weights.reshape(len(total), _SIDE, -1, length).mean(axis=2)
