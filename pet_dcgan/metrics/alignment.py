"""Images made comparable: centred, and without their finest detail."""

import numpy as np
from scipy import ndimage

from pet_dcgan.metrics.arrays import require_finite

SIDE = 32


def centred(images_suvr: np.ndarray, *, side: int = SIDE) -> np.ndarray:
    """Images with their centre of mass in the middle, pooled to few pixels.

    A replayed image that was shifted or made noisy is far from its original
    pixel by pixel; in this view it is not. Shifts are bilinear, and nothing
    comes in at the edge. An image without uptake stays as it is.

    Args:
        images_suvr: `[n, size, size]` in SUVR.
        side: Height and width of the result; means of blocks are taken.

    Returns:
        float32 `[n, side, side]`.

    Raises:
        ValueError: If `side` does not divide the size, or a value is not
            finite.
    """
    images = np.asarray(images_suvr, np.float32)
    if images.ndim != 3 or any(n % side or not n for n in images.shape[1:]):
        raise ValueError(
            f"expected images [n, height, width] of multiples of {side} "
            f"pixels, found shape {images.shape}"
        )
    require_finite(images)
    # one by one: moved and whole they would take their memory again
    return np.stack([_pooled(_centred(image), side) for image in images])


def _pooled(image: np.ndarray, side: int) -> np.ndarray:
    height, width = image.shape
    blocks = image.reshape(side, height // side, side, width // side)
    return blocks.mean(axis=(1, 3))


def _centred(image: np.ndarray) -> np.ndarray:
    uptake = np.maximum(image, 0)
    if not uptake.any():
        return image
    middle = (np.array(image.shape) - 1) / 2
    shift = middle - ndimage.center_of_mass(uptake)
    return ndimage.shift(image, shift, order=1)
