"""Structural similarity over the whole image, as Islam & Zhang (2020) do."""

import numpy as np

from pet_dcgan.metrics.arrays import checked_pair


def ssim(
    real: np.ndarray, image: np.ndarray, *, dynamic_range: float
) -> np.ndarray:
    """Global structural similarity, one number an image and no window.

    The formula of Islam & Zhang (2020), doi 10.1186/s40708-020-00104-2, with
    `C1 = (0.01 L)^2` and `C2 = (0.03 L)^2`. It is printed there with a plus
    between its two factors; by the source it cites (Wang et al. 2004, doi
    10.1109/TIP.2003.819861, equation 13) that has to be a product, which is
    what is computed here. Mean, variance and covariance are those of all
    pixels (divided by their number).

    Args:
        real: Real images `[..., height, width]` in SUVR.
        image: Images of the same shape.
        dynamic_range: `L`: the largest SUVR that can be stored.

    Returns:
        Similarity `[...]` in [-1, 1], float64; 1 for equal images.

    Raises:
        ValueError: If the shapes differ, a value is not finite or
            `dynamic_range` is not positive.
    """
    if not dynamic_range > 0:
        raise ValueError(
            "ssim: expected a positive dynamic range, found "
            f"{dynamic_range}: give suvr_max"
        )
    x, y = checked_pair(real, image)
    axes = (-2, -1)
    mean_x, mean_y = x.mean(axis=axes), y.mean(axis=axes)
    x = x - mean_x[..., None, None]
    y = y - mean_y[..., None, None]
    c1, c2 = (0.01 * dynamic_range) ** 2, (0.03 * dynamic_range) ** 2
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    covariance = (x * y).mean(axis=axes)
    variances = (x**2).mean(axis=axes) + (y**2).mean(axis=axes)
    return luminance * (2 * covariance + c2) / (variances + c2)
