"""What blur does to regional means, and the uptake that makes up for it.

Published means are measured on blurred scans. The true uptake that gives
them after blur is found by repeated correction with the ratio of wanted to
measured means, region by region (the idea of partial-volume correction by
regional spill-over; Rousset 1998, J Nucl Med 39:904).
"""

import numpy as np
from scipy import ndimage

from tfds_adni.phantom.region import GREY_TO_WHITE

_STEPS = 6
_MOST = 2.0  # largest correction, either way


def regional_means(weights, blurred: np.ndarray) -> np.ndarray:
    """Mean of each column's region, weighted by its grey matter.

    Args:
        weights: Grey matter of each region, sparse `[v, r]`.
        blurred: Uptake at the same voxels, `[v]`.
    """
    return (weights.T @ blurred) / np.asarray(weights.sum(axis=0)).ravel()


def true_uptake(
    wanted: np.ndarray, weights, white: np.ndarray, blur
) -> np.ndarray:
    """True uptake of each region that is measured as wanted.

    Args:
        wanted: Means after blur, `[r]`.
        weights: Grey matter of each region, sparse `[v, r]`.
        white: White-matter fraction, `[v]`.
        blur: Takes and gives uptake at the `v` voxels.

    Returns:
        Array `[r]`, `wanted` times at most twice the median correction.
    """
    size = np.asarray(weights.sum(axis=0)).ravel()
    true = wanted.copy()
    for _ in range(_STEPS):
        level = np.average(true, weights=size) / GREY_TO_WHITE
        measured = regional_means(weights, blur(weights @ true + level * white))
        true *= (wanted / measured) ** 0.8
        ratio = true / wanted
        middle = np.median(ratio)
        true = wanted * np.clip(ratio, middle / _MOST, middle * _MOST)
    return true


def gaussian_blur(fill, index: np.ndarray, sigma: float):
    """A blur that takes and gives values at the brain voxels only.

    Args:
        fill: Gives a volume `(x, y, z)` of values at the brain voxels.
        index: Places of the brain voxels in the flat volume `[n]`.
        sigma: Standard deviation in voxels.

    Returns:
        A function of values `[n]` that gives values `[n]`.
    """

    def blur(values):
        volume = ndimage.gaussian_filter(fill(values), sigma, truncate=3)
        return volume.ravel()[index]

    return blur
