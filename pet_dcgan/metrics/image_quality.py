"""PSNR and SSIM as Islam & Zhang (2020) write them, and windowed SSIM."""

import numpy as np
from scipy import ndimage

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


WINDOW = 11
_SIGMA = 1.5


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
    c1, c2 = _constants(dynamic_range)
    x, y = checked_pair(real, image)
    axes = (-2, -1)
    mean_x, mean_y = x.mean(axis=axes), y.mean(axis=axes)
    x = x - mean_x[..., None, None]
    y = y - mean_y[..., None, None]
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    covariance = (x * y).mean(axis=axes)
    variances = (x**2).mean(axis=axes) + (y**2).mean(axis=axes)
    return luminance * (2 * covariance + c2) / (variances + c2)


def windowed_ssim(
    real: np.ndarray, image: np.ndarray, *, dynamic_range: float
) -> np.ndarray:
    """Structural similarity as most people compute it, in a moving window.

    The mean over the image of equation 13 of Wang et al. (2004), doi
    10.1109/TIP.2003.819861, with a Gaussian window of 11x11 pixels and a
    standard deviation of 1.5 that does not leave the image; equal to
    `tf.image.ssim`. The black surroundings of a brain are alike in all
    images and raise it.

    Args:
        real: Real images `[..., height, width]` in SUVR, 11 pixels or more.
        image: Images of the same shape.
        dynamic_range: `L`: the largest SUVR that can be stored.

    Returns:
        Similarity `[...]` in [-1, 1], float64; 1 for equal images.

    Raises:
        ValueError: If the shapes differ, the images are smaller than the
            window, a value is not finite or `dynamic_range` is not positive.
    """
    maps = similarity_maps(real, image, dynamic_range=dynamic_range)
    return (maps[0] * maps[1]).mean(axis=(-2, -1))


def similarity_maps(
    real: np.ndarray, image: np.ndarray, *, dynamic_range: float
) -> tuple[np.ndarray, np.ndarray]:
    """The two factors of structural similarity around each pixel.

    Arguments and errors are those of `windowed_ssim`.

    Returns:
        Luminance, and contrast with structure, each float64
        `[..., height - 10, width - 10]`: where the whole window fits.
    """
    c1, c2 = _constants(dynamic_range)
    x, y = checked_pair(real, image)
    if min(x.shape[-2:]) < WINDOW:
        raise ValueError(
            f"expected images of {WINDOW} pixels or more on each side for a "
            f"window of that size, found shape {x.shape}"
        )
    mean_x, mean_y = _window_means(x), _window_means(y)
    product = mean_x * mean_y
    squares = mean_x**2 + mean_y**2
    luminance = (2 * product + c1) / (squares + c1)
    covariance = _window_means(x * y) - product
    variances = _window_means(x**2 + y**2) - squares
    return luminance, (2 * covariance + c2) / (variances + c2)


def _window_means(x: np.ndarray) -> np.ndarray:
    """Gaussian means of every window that lies within the image."""
    reach = WINDOW // 2
    weights = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * _SIGMA**2))
    weights /= weights.sum()
    for axis in (-2, -1):
        x = ndimage.correlate1d(x, weights, axis=axis)
    return x[..., reach:-reach, reach:-reach]


def _constants(dynamic_range: float) -> tuple[float, float]:
    if not dynamic_range > 0:
        raise ValueError(
            "ssim: expected a positive dynamic range, found "
            f"{dynamic_range}: give suvr_max"
        )
    return (0.01 * dynamic_range) ** 2, (0.03 * dynamic_range) ** 2
