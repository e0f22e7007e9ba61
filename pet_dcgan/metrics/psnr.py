"""Peak signal-to-noise ratio as Islam & Zhang (2020) write it."""

import numpy as np

from pet_dcgan.metrics.arrays import checked_pair


def psnr(real: np.ndarray, image: np.ndarray) -> np.ndarray:
    """Peak signal-to-noise ratio of images against real ones.

    `10 log10(max(y)^2 / MSE)` with `y` the real image (Islam & Zhang 2020,
    Brain Informatics 7:3, doi 10.1186/s40708-020-00104-2). The peak is that
    of each real image, so exchanging the two arguments changes the value.

    Args:
        real: Real images `[..., height, width]` in SUVR.
        image: Images of the same shape.

    Returns:
        Decibels `[...]`, float64; infinite where two images are equal.

    Raises:
        ValueError: If the shapes differ, a value is not finite, or a real
            image has no positive value.
    """
    real, image = checked_pair(real, image)
    peak = real.max(axis=(-2, -1))
    if np.any(peak <= 0):
        raise ValueError(
            "psnr: expected real images with positive values, found one "
            "whose maximum is 0 or less: leave it out"
        )
    error = np.mean((real - image) ** 2, axis=(-2, -1))
    with np.errstate(divide="ignore"):
        return 10 * np.log10(peak**2 / error)
