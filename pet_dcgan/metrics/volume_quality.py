"""Similarity and diversity of whole brains in 3-D.

Volumes are `[n, x, y, z]` in SUVR: x to the right, y to the front, z upwards.
"""

import numpy as np

from pet_dcgan.metrics.arrays import require_finite
from pet_dcgan.metrics.image_quality import Diversity, drawn_pairs

_WINDOW, _SIGMA = 11, 1.5
# Wang et al. (2003), section 3.2, of the finest three scales
_SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001)
# pairs at a time: 64 voxels a side are 1 MiB each, and there are ten of them
_CHUNK = 8


def ssim_3d(
    real: np.ndarray, volumes: np.ndarray, *, dynamic_range: float
) -> np.ndarray:
    """Structural similarity of volumes in a moving window.

    The mean over the volume of equation 13 of Wang et al. (2004), doi
    10.1109/TIP.2003.819861, in a Gaussian window of 11 voxels a side with a
    standard deviation of 1.5 that stays within the volume. The empty space
    around the head, alike in all volumes, raises it.

    Args:
        real: Volumes `[..., x, y, z]` in SUVR.
        volumes: Volumes of the same shape.
        dynamic_range: `L`: the largest SUVR that can be stored.

    Returns:
        Similarity `[...]` in [-1, 1]; 1 for equal volumes. float32 where both
        are, else float64.

    Raises:
        ValueError: If the shapes differ, a side is below 11 voxels, a value
            is not finite, or `dynamic_range` is not positive.
    """
    a, b = _checked(real, volumes)
    luminance, structure = _similarity(a, b, dynamic_range)
    return (luminance * structure).mean(axis=(-3, -2, -1))


def ms_ssim_3d(
    real: np.ndarray, volumes: np.ndarray, *, dynamic_range: float
) -> np.ndarray:
    """Structural similarity of volumes at several scales.

    Wang, Simoncelli & Bovik (2003), doi 10.1109/ACSSC.2003.1292216, equation
    7, in 3-D: contrast and structure at each scale, luminance at the coarsest,
    to the power of their weights; each scale is the means of 2x2x2 voxels of
    the one before.

    The window is the authors' (11 voxels, SD 1.5), as in `image_quality`, so
    that 64 voxels hold three scales (64, 32 and 16; a window of 7 would add
    one of 8 voxels, of which the margin leaves 2), 32 voxels two. The weights
    of those left are divided by their sum: values of other sizes, windows or
    numbers of scales cannot be compared. Arguments and errors are those of
    `ssim_3d`.

    Returns:
        Similarity `[...]` in [0, 1]; 1 for equal volumes. float32 where both
        are, else float64.
    """
    a, b = _checked(real, volumes)
    side = min(a.shape[-3:])
    count = sum(side // 2**s >= _WINDOW for s in range(len(_SCALE_WEIGHTS)))
    # volumes too small for any scale are refused below
    weights = np.array(_SCALE_WEIGHTS[: count or 1])
    weights /= weights.sum()
    result = np.ones(a.shape[:-3], a.dtype)
    for scale, weight in enumerate(weights):
        if scale:
            a, b = _halved(a), _halved(b)
        luminance, structure = _similarity(a, b, dynamic_range)
        if scale == len(weights) - 1:
            structure = luminance * structure
        factor = structure.mean(axis=(-3, -2, -1))
        result = result * np.maximum(factor, 0) ** a.dtype.type(weight)
    return result


def volume_diversity(
    volumes: np.ndarray,
    *,
    dynamic_range: float,
    pairs: int = 200,
    seed: int = 0,
    subjects: np.ndarray | None = None,
) -> Diversity:
    """MS-SSIM in 3-D of random pairs of different volumes of one kind.

    `1 - values.mean()` is how diverse they are (Odena et al. 2017, arXiv
    1610.09585, section 4.2, of pairs of images; in 3-D as Kwon et al. 2019,
    arXiv 1908.02498). Compare with as many real volumes of different subjects.

    Args:
        volumes: `[n, x, y, z]` in SUVR.
        dynamic_range: `L`: the largest SUVR that can be stored.
        pairs: Number of pairs, drawn without replacement; all of them if
            there are fewer.
        seed: Seed of the pairs.
        subjects: Subject of each volume `[n]`: only volumes of different
            subjects are then paired.

    Returns:
        The values, and the volumes of each pair.

    Raises:
        ValueError: If there are no two volumes (of different subjects), or as
            for `ms_ssim_3d`.
    """
    volumes = _checked(volumes, volumes)[0]
    first, second = drawn_pairs(subjects, len(volumes), pairs=pairs, seed=seed)
    values = [
        ms_ssim_3d(
            volumes[first[start : start + _CHUNK]],
            volumes[second[start : start + _CHUNK]],
            dynamic_range=dynamic_range,
        )
        for start in range(0, len(first), _CHUNK)
    ]
    return Diversity(np.concatenate(values).astype(float), first, second)


def _checked(
    real: np.ndarray, volumes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Both as finite arrays of one shape, float32 or float64."""
    real, volumes = np.asarray(real), np.asarray(volumes)
    if real.shape != volumes.shape or real.ndim < 3:
        raise ValueError(
            "expected two arrays of one shape [..., x, y, z], found "
            f"{real.shape} and {volumes.shape}: pair the volumes first"
        )
    if min(real.shape[-3:]) < _WINDOW:
        raise ValueError(
            f"expected volumes of {_WINDOW} voxels or more on each side for a "
            f"window of that size, found shape {real.shape}"
        )
    kind = np.result_type(real, volumes, np.float32)
    require_finite(real, volumes)
    return real.astype(kind, copy=False), volumes.astype(kind, copy=False)


def _similarity(
    x: np.ndarray, y: np.ndarray, dynamic_range: float
) -> tuple[np.ndarray, np.ndarray]:
    """Luminance, and contrast times structure, wherever the window fits."""
    if not dynamic_range > 0:
        raise ValueError(
            "ssim: expected a positive dynamic range, found "
            f"{dynamic_range}: pass suvr_max"
        )
    c1, c2 = (x.dtype.type((k * dynamic_range) ** 2) for k in (0.01, 0.03))
    mean_x, mean_y = _window_means(x), _window_means(y)
    product = mean_x * mean_y
    squares = mean_x**2 + mean_y**2
    luminance = (2 * product + c1) / (squares + c1)
    covariance = _window_means(x * y) - product
    variances = _window_means(x**2 + y**2) - squares
    return luminance, (2 * covariance + c2) / (variances + c2)


def _window_means(x: np.ndarray) -> np.ndarray:
    """Gaussian means of every window that lies within the volume.

    Each axis by a product with a banded matrix, which takes a fifth of the
    time of a convolution.
    """
    depth, height, width = (_band(n, x.dtype) for n in x.shape[-3:])
    x = height @ (x @ width.T)
    flat = x.reshape(*x.shape[:-2], -1)
    return (depth @ flat).reshape(*x.shape[:-3], len(depth), *x.shape[-2:])


def _band(length: int, kind: np.dtype) -> np.ndarray:
    """The window's weights at every place, `[length - 10, length]`."""
    reach = _WINDOW // 2
    weights = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * _SIGMA**2))
    band = np.zeros([length - _WINDOW + 1, length], kind)
    for place, row in enumerate(band):
        row[place : place + _WINDOW] = weights / weights.sum()
    return band


def _halved(x: np.ndarray) -> np.ndarray:
    """Means of 2x2x2 voxels; of an odd side the last one is left out."""
    sides = [n // 2 for n in x.shape[-3:]]
    x = x[..., : 2 * sides[0], : 2 * sides[1], : 2 * sides[2]]
    blocks = [part for side in sides for part in (side, 2)]
    return x.reshape(*x.shape[:-3], *blocks).mean(axis=(-5, -3, -1))
