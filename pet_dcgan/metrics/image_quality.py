"""Similarity of two images: PSNR, SSIM, MS-SSIM, and the diversity of many."""

import math
from typing import NamedTuple

import numpy as np
from scipy import ndimage

from pet_dcgan.metrics.arrays import checked_pair, subject_codes

_WINDOW = 11
_SIGMA = 1.5
# Wang et al. (2003), section 3.2, from fine to coarse
_SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_CHUNK = 256


class Diversity(NamedTuple):
    """How alike images of one kind are.

    Args:
        values: MS-SSIM of each pair `[p]`: the lower, the more diverse.
        first: Row of one image of each pair `[p]`.
        second: Row of the other image `[p]`.
    """

    values: np.ndarray
    first: np.ndarray
    second: np.ndarray


def psnr(real: np.ndarray, image: np.ndarray) -> np.ndarray:
    """Peak signal-to-noise ratio of images against real ones.

    `10 log10(max(y)^2 / MSE)` with `y` the real image (Islam & Zhang 2020,
    Brain Informatics 7:3, doi 10.1186/s40708-020-00104-2). The peak is that
    of each real image, so exchanging the two arguments changes the value.

    Args:
        real: Real images `[..., height, width]` in SUVR.
        image: Images of the same shape.

    Returns:
        Decibels `[...]`, float64; infinite for equal images.

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


def ssim(
    real: np.ndarray, image: np.ndarray, *, dynamic_range: float
) -> np.ndarray:
    """Global structural similarity: one value per image, without a window.

    The formula of Islam & Zhang (2020), doi 10.1186/s40708-020-00104-2, of the
    mean, variance and covariance of all pixels, with `C1 = (0.01 L)^2` and `C2
    = (0.03 L)^2`. It is printed there with a plus between its two factors,
    which by the source it cites (Wang et al. 2004, doi
    10.1109/TIP.2003.819861, equation 13) has to be a product, as here.

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
    """Structural similarity in a moving window, as it is usually computed.

    The mean over the image of equation 13 of Wang et al. (2004), doi
    10.1109/TIP.2003.819861, in a Gaussian window of 11x11 pixels with a
    standard deviation of 1.5 that stays within the image; equal to
    `tf.image.ssim`. The black background, alike in all images, raises it.
    Arguments and errors are those of `ssim`, and images smaller than the
    window are refused.
    """
    luminance, structure = _similarity_maps(real, image, dynamic_range)
    return (luminance * structure).mean(axis=(-2, -1))


def ms_ssim(
    real: np.ndarray, image: np.ndarray, *, dynamic_range: float
) -> np.ndarray:
    """Structural similarity at several scales.

    Wang, Simoncelli & Bovik (2003), doi 10.1109/ACSSC.2003.1292216, equation
    7: contrast and structure at each scale, luminance at the coarsest, to the
    power of their weights; each scale halves the one before. Equal to
    `tf.image.ssim_multiscale`, which also takes negative factors for 0.

    The five scales of the paper need more than 160 pixels. Smaller images lose
    the coarsest (four are left at 128 pixels, three at 64, two at 32, one at
    16), and the remaining weights are divided by their sum, so values of
    different image sizes cannot be compared. Arguments and errors are those of
    `windowed_ssim`.

    Returns:
        Similarity `[...]` in [0, 1], float64; 1 for equal images.
    """
    a, b = checked_pair(real, image)
    side = min(a.shape[-2:])
    scales = [
        scale
        for scale in range(len(_SCALE_WEIGHTS))
        if math.ceil(side / 2**scale) >= _WINDOW
    ]
    # images too small for any scale are refused below
    weights = np.array(_SCALE_WEIGHTS[: len(scales) or 1])
    weights /= sum(weights)
    result = np.ones(a.shape[:-2])
    for scale, weight in enumerate(weights):
        if scale:
            a, b = _halved(a), _halved(b)
        luminance, structure = _similarity_maps(a, b, dynamic_range)
        if scale == len(weights) - 1:
            structure = luminance * structure
        factor = structure.mean(axis=(-2, -1))
        result = result * np.maximum(factor, 0) ** weight
    return result


def diversity(
    images: np.ndarray,
    *,
    dynamic_range: float,
    pairs: int = 1000,
    seed: int = 0,
    subjects: np.ndarray | None = None,
) -> Diversity:
    """MS-SSIM of random pairs of different images of one kind.

    The measure of Odena et al. (2017), arXiv 1610.09585, section 4.2: a
    generator that repeats one image has values near 1. Compare with as many
    real images of different subjects.

    Args:
        images: `[n, height, width]` in SUVR.
        dynamic_range: `L`: the largest SUVR that can be stored.
        pairs: Number of pairs, drawn without replacement; all of them if
            there are fewer.
        seed: Seed of the pairs.
        subjects: Subject of each image `[n]`: only images of different
            subjects are then paired, since those of one are alike anyway.

    Returns:
        The values, and the images of each pair.

    Raises:
        ValueError: If there are no two images (of different subjects), or as
            for `ms_ssim`.
    """
    images = np.asarray(images)
    first, second = drawn_pairs(subjects, len(images), pairs=pairs, seed=seed)
    values = [
        ms_ssim(
            images[first[start : start + _CHUNK]],
            images[second[start : start + _CHUNK]],
            dynamic_range=dynamic_range,
        )
        for start in range(0, len(first), _CHUNK)
    ]
    return Diversity(np.concatenate(values), first, second)


def drawn_pairs(
    subjects: np.ndarray | None, count: int, *, pairs: int, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Random pairs of different rows, of different subjects.

    Args:
        subjects: Subject of each row `[count]`; None if every row is of its
            own.
        count: Number of rows.
        pairs: Number of pairs, drawn without replacement; all of them if
            there are fewer.
        seed: Seed of the pairs.

    Returns:
        The rows of each pair, int64 `[p]` twice, the lower one first.

    Raises:
        ValueError: If there are no two rows of different subjects.
    """
    if pairs < 1:
        raise ValueError(f"expected one or more pairs, found {pairs}")
    codes = subject_codes(subjects, count)
    allowed = np.flatnonzero(np.triu(codes[:, None] != codes))
    if not len(allowed):
        raise ValueError(
            "expected two images of different subjects, found "
            f"{count} of one: use more images"
        )
    if pairs < len(allowed):
        chosen = np.random.default_rng(seed).choice(
            len(allowed), pairs, replace=False, shuffle=False
        )
        allowed = allowed[np.sort(chosen)]
    return np.divmod(allowed, count)


def _similarity_maps(
    real: np.ndarray, image: np.ndarray, dynamic_range: float
) -> tuple[np.ndarray, np.ndarray]:
    """Luminance, and contrast times structure, wherever the window fits."""
    c1, c2 = _constants(dynamic_range)
    x, y = checked_pair(real, image)
    if min(x.shape[-2:]) < _WINDOW:
        raise ValueError(
            f"expected images of {_WINDOW} pixels or more on each side for a "
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
    reach = _WINDOW // 2
    weights = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * _SIGMA**2))
    weights /= weights.sum()
    for axis in (-2, -1):
        x = ndimage.correlate1d(x, weights, axis=axis)
    return x[..., reach:-reach, reach:-reach]


def _halved(x: np.ndarray) -> np.ndarray:
    """Means of 2x2 pixels; an odd side repeats its last line."""
    odd = [(0, n % 2) for n in x.shape[-2:]]
    x = np.pad(x, [(0, 0)] * (x.ndim - 2) + odd, mode="edge")
    height, width = x.shape[-2:]
    blocks = *x.shape[:-2], height // 2, 2, width // 2, 2
    return x.reshape(blocks).mean(axis=(-3, -1))


def _constants(dynamic_range: float) -> tuple[float, float]:
    """`C1` and `C2` of structural similarity."""
    if not dynamic_range > 0:
        raise ValueError(
            "ssim: expected a positive dynamic range, found "
            f"{dynamic_range}: pass suvr_max"
        )
    return (0.01 * dynamic_range) ** 2, (0.03 * dynamic_range) ** 2
