"""Multi-scale structural similarity, and the diversity it tells of."""

from typing import NamedTuple

import numpy as np

from pet_dcgan.metrics.arrays import checked_pair
from pet_dcgan.metrics.image_quality import WINDOW, similarity_maps

# Wang et al. (2003), section 3.2, from fine to coarse
_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_CHUNK = 256


class Diversity(NamedTuple):
    """How alike images of one kind are to one another.

    Args:
        values: MS-SSIM of each pair `[p]`: the lower, the more diverse.
        first: Row of one image of each pair `[p]`.
        second: Row of the other image `[p]`.
    """

    values: np.ndarray
    first: np.ndarray
    second: np.ndarray


def ms_ssim(
    a: np.ndarray, b: np.ndarray, *, dynamic_range: float
) -> np.ndarray:
    """Structural similarity at several scales.

    Wang, Simoncelli & Bovik (2003), "Multiscale structural similarity for
    image quality assessment", doi 10.1109/ACSSC.2003.1292216, equation 7:
    contrast and structure at each scale, luminance at the coarsest, to the
    power of their weights; each scale halves the one before. Equal to
    `tf.image.ssim_multiscale`, which also takes negative factors for 0.

    The five scales of the paper need more than 160 pixels for the window of
    11. Of smaller images the window stays and the coarsest scales are left
    out (four are left at 128 pixels, three at 64, two at 32, one at 16), and
    the weights of the others are divided by their sum. Values of images of
    different sizes can therefore not be compared.

    Args:
        a: Images `[..., height, width]` in SUVR, 11 pixels or more.
        b: Images of the same shape.
        dynamic_range: `L`: the largest SUVR that can be stored.

    Returns:
        Similarity `[...]` in [0, 1], float64; 1 for equal images.

    Raises:
        ValueError: If the shapes differ, the images are smaller than the
            window, a value is not finite or `dynamic_range` is not positive.
    """
    a, b = checked_pair(a, b)
    weights = scale_weights(min(a.shape[-2:]))
    result = np.ones(a.shape[:-2])
    for scale, weight in enumerate(weights):
        if scale:
            a, b = _halved(a), _halved(b)
        luminance, structure = similarity_maps(
            a, b, dynamic_range=dynamic_range
        )
        if scale == len(weights) - 1:
            structure = luminance * structure
        factor = structure.mean(axis=(-2, -1))
        result = result * np.maximum(factor, 0) ** weight
    return result


def scale_weights(side: int) -> np.ndarray:
    """Weights of the scales that images of a side allow, fine to coarse.

    Args:
        side: Pixels of the shorter side.

    Returns:
        One to five weights `[scales]` that sum to one.

    Raises:
        ValueError: If not even one scale fits.
    """
    sides = [side]
    while len(sides) < len(_WEIGHTS):
        sides.append((sides[-1] + 1) // 2)
    weights = [w for w, s in zip(_WEIGHTS, sides, strict=True) if s >= WINDOW]
    if not weights:
        raise ValueError(
            f"expected images of {WINDOW} pixels or more on each side, found "
            f"{side}"
        )
    return np.array(weights) / sum(weights)


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
    generator that makes one image again and again has values near 1. What is
    diverse enough is seen from real images of different subjects, with as many
    images beside.

    Args:
        images: `[n, height, width]` in SUVR.
        dynamic_range: `L`: the largest SUVR that can be stored.
        pairs: Number of pairs, drawn without replacement; all of them where
            there are fewer.
        seed: Fixes the pairs.
        subjects: Subject of each image `[n]`: only images of different
            subjects are then paired, for those of one are alike in any case.

    Returns:
        The values and which images they are of.

    Raises:
        ValueError: If there are no two images (of different subjects), or as
            `ms_ssim`.
    """
    images = np.asarray(images)
    first, second = _pairs(len(images), pairs, seed, subjects)
    starts = range(0, len(first), _CHUNK)
    values = [
        ms_ssim(
            images[first[start : start + _CHUNK]],
            images[second[start : start + _CHUNK]],
            dynamic_range=dynamic_range,
        )
        for start in starts
    ]
    return Diversity(np.concatenate(values), first, second)


def _pairs(count: int, pairs: int, seed: int, subjects) -> tuple:
    owners = np.arange(count) if subjects is None else np.asarray(subjects)
    if pairs < 1 or len(owners) != count:
        raise ValueError(
            "expected one or more pairs and a subject for each of "
            f"{count} images, found {pairs} and {len(owners)}"
        )
    codes = np.unique(owners, return_inverse=True)[1]
    allowed = np.flatnonzero(np.triu(codes[:, None] != codes))
    if not len(allowed):
        raise ValueError(
            "expected two images of different subjects, found "
            f"{count} of one: give more images"
        )
    if pairs < len(allowed):
        chosen = np.random.default_rng(seed).choice(
            len(allowed), pairs, replace=False, shuffle=False
        )
        allowed = allowed[np.sort(chosen)]
    return np.divmod(allowed, count)


def _halved(x: np.ndarray) -> np.ndarray:
    """Means of 2x2 pixels; an odd side repeats its last line."""
    odd = [(0, n % 2) for n in x.shape[-2:]]
    x = np.pad(x, [(0, 0)] * (x.ndim - 2) + odd, mode="edge")
    height, width = x.shape[-2:]
    blocks = *x.shape[:-2], height // 2, 2, width // 2, 2
    return x.reshape(blocks).mean(axis=(-3, -1))
