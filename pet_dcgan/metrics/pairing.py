"""Which real image each image is compared with, once both are aligned."""

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


def nearest(
    images: np.ndarray,
    pool: np.ndarray,
    *,
    subjects: np.ndarray | None = None,
    pool_subjects: np.ndarray | None = None,
    chunk: int = 256,
) -> tuple[np.ndarray, np.ndarray]:
    """The image of a pool with the least root mean square difference.

    Squared distances come from `|a|^2 + |b|^2 - 2ab` in float64, a block of
    `chunk` x `chunk` images at a time, so memory does not grow with the
    number of images. Of equally near ones the first is taken.

    Args:
        images: Images `[n, height, width]` in SUVR.
        pool: Candidates `[m, height, width]` in SUVR.
        subjects: Subject of each image `[n]`. With `pool_subjects`, an image
            is never paired with one of its own subject.
        pool_subjects: Subject of each candidate `[m]`.
        chunk: Images converted at a time.

    Returns:
        Index into `pool` `[n]` and root mean square difference in SUVR `[n]`.

    Raises:
        ValueError: If the shapes do not fit or an image has no candidate.
    """
    _check(images, pool)
    same = _same_subject(len(images), len(pool), subjects, pool_subjects)
    index = np.zeros(len(images), np.int64)
    squared = np.full(len(images), np.inf)
    for start in range(0, len(pool), chunk):
        candidates = _rows(pool[start : start + chunk])
        for first in range(0, len(images), chunk):
            rows = slice(first, first + chunk)
            block = _squared_distances(_rows(images[rows]), candidates)
            block[same(rows, slice(start, start + chunk))] = np.inf
            best = block.argmin(axis=1)
            least = block[np.arange(len(block)), best]
            nearer = least < squared[rows]
            squared[rows] = np.where(nearer, least, squared[rows])
            index[rows] = np.where(nearer, start + best, index[rows])
    return index, np.sqrt(squared / np.prod(pool.shape[1:]))


def random_pairs(
    count: int,
    pool_count: int,
    *,
    seed: int,
    subjects: np.ndarray | None = None,
    pool_subjects: np.ndarray | None = None,
) -> np.ndarray:
    """A random image of a pool for each image, with replacement.

    Args:
        count: Number of images `n`.
        pool_count: Number of candidates `m`.
        seed: The same seed gives the same pairs.
        subjects: Subject of each image `[n]`. With `pool_subjects`, an image
            is never paired with one of its own subject.
        pool_subjects: Subject of each candidate `[m]`.

    Returns:
        Index into the pool `[n]`.

    Raises:
        ValueError: If an image has no candidate.
    """
    same = _same_subject(count, pool_count, subjects, pool_subjects)
    draws = np.random.default_rng(seed).random(count)
    everyone = slice(0, pool_count)
    index = np.zeros(count, np.int64)
    for row, draw in enumerate(draws):
        allowed = np.flatnonzero(~same(slice(row, row + 1), everyone)[0])
        index[row] = allowed[int(draw * len(allowed))]
    return index


def _rows(images):
    return np.asarray(images, np.float64).reshape(len(images), -1)


def _squared_distances(a, b):
    products = a @ b.T
    squares = np.sum(a * a, axis=1)[:, None] + np.sum(b * b, axis=1)
    return np.maximum(squares - 2 * products, 0)


def _same_subject(count, pool_count, subjects, pool_subjects):
    """A function of row and column slices: pairs of one subject, `[r, c]`."""
    if subjects is None or pool_subjects is None:
        subjects, pool_subjects = np.zeros(count), np.ones(pool_count)
    if (len(subjects), len(pool_subjects)) != (count, pool_count):
        raise ValueError(
            f"expected a subject for each of {count} images and {pool_count} "
            f"candidates, found {len(subjects)} and {len(pool_subjects)}"
        )
    both = np.concatenate([subjects, pool_subjects])
    own, others = np.split(np.unique(both, return_inverse=True)[1], [count])
    only_one = len(np.unique(others)) == 1 and np.isin(others[0], own)
    if pool_count == 0 or only_one:
        raise ValueError(
            "expected a candidate of another subject for every image, found "
            "none: give held-out images of two or more subjects"
        )
    return lambda rows, columns: own[rows, None] == others[None, columns]


def _check(images, pool):
    shapes = np.shape(images), np.shape(pool)
    if any(len(s) != 3 for s in shapes) or shapes[0][1:] != shapes[1][1:]:
        raise ValueError(
            "expected two stacks [n, height, width] of images of one size, "
            f"found {shapes[0]} and {shapes[1]}"
        )
    require_finite(images, pool)
