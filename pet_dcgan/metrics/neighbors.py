"""Nearest neighbours of features and of images."""

import numpy as np
from scipy.spatial.distance import cdist

from pet_dcgan.metrics.arrays import checked_rows, require_finite, subject_codes

_ROW_CHUNK = 512
_IMAGE_CHUNK = 256


def nearest_rows(
    queries: np.ndarray,
    pool: np.ndarray,
    *,
    subjects: np.ndarray | None = None,
    pool_subjects: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """The nearest row of a pool for each query, and its Euclidean distance.

    Args:
        queries: Features `[n, d]` or images `[n, height, width]`.
        pool: Rows of the same kind `[m, ...]`.
        subjects: Subject of each query `[n]`. With `pool_subjects`, rows of
            the query's own subject do not count.
        pool_subjects: Subject of each row of the pool `[m]`.

    Returns:
        Index into `pool` int64 `[n]`, the first of equally near rows, and
        distance float64 `[n]`, exactly 0 for a row that is in the pool.

    Raises:
        ValueError: If the shapes differ, a value is not finite, or a query
            has no row to be compared with.
    """
    queries, pool = checked_rows(queries, pool)
    own, others = _codes(len(queries), len(pool), subjects, pool_subjects)
    index = np.zeros(len(queries), np.int64)
    for rows in chunks(len(queries)):
        squared = squared_distances(queries[rows], pool)
        squared[own[rows, None] == others] = np.inf
        index[rows] = squared.argmin(axis=1)
    # computed again, since the expansion loses small distances
    return index, np.linalg.norm(queries - pool[index], axis=1)


def nearest_distances(
    queries: np.ndarray,
    pool: np.ndarray,
    *,
    subjects: np.ndarray | None = None,
    pool_subjects: np.ndarray | None = None,
) -> np.ndarray:
    """Distance of each query to the nearest row of a pool, float64 `[n]`.

    Arguments and errors are those of `nearest_rows`.
    """
    return nearest_rows(
        queries, pool, subjects=subjects, pool_subjects=pool_subjects
    )[1]


def kth_neighbour_distances(
    points: np.ndarray, k: int, *, subjects: np.ndarray | None = None
) -> np.ndarray:
    """Euclidean distance of each point to its `k`-th nearest other point.

    Args:
        points: Features `[n, d]`.
        k: 1 for the nearest other point.
        subjects: Subject of each point `[n]`; points of the same one do not
            count. None if each is one of its own.

    Returns:
        Distances float64 `[n]`.

    Raises:
        ValueError: If a point has fewer than `k` others of other subjects, or
            one of the values is not finite.
    """
    (points,) = checked_rows(points)
    codes = subject_codes(subjects, len(points))
    others = len(points) - int(np.bincount(codes).max())
    if not 1 <= k <= others:
        raise ValueError(
            "expected k of 1 or more and at least k rows of other subjects, "
            f"found k {k} and {len(points)} rows, {len(points) - others} of "
            "one subject: lower k or use more images"
        )
    distances = cdist(points, points)
    distances[codes[:, None] == codes] = np.inf
    return np.partition(distances, k - 1, axis=1)[:, k - 1]


def nearest(
    images: np.ndarray,
    pool: np.ndarray,
    *,
    subjects: np.ndarray | None = None,
    pool_subjects: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """The image of a pool with the smallest root mean square difference.

    Arguments and errors are those of `nearest_rows`, for images alone, which
    become float64 block by block to save memory.

    Returns:
        Index into `pool` int64 `[n]`, the first of equally near ones, and
        root mean square difference in SUVR float64 `[n]`.
    """
    shapes = np.shape(images), np.shape(pool)
    if any(len(s) != 3 for s in shapes) or shapes[0][1:] != shapes[1][1:]:
        raise ValueError(
            "expected two stacks [n, height, width] of images of one size, "
            f"found {shapes[0]} and {shapes[1]}"
        )
    require_finite(images, pool)
    own, others = _codes(len(images), len(pool), subjects, pool_subjects)
    index = np.zeros(len(images), np.int64)
    squared = np.full(len(images), np.inf)
    for start in range(0, len(pool), _IMAGE_CHUNK):
        columns = slice(start, start + _IMAGE_CHUNK)
        candidates = _as_rows(pool[columns])
        for first in range(0, len(images), _IMAGE_CHUNK):
            rows = slice(first, first + _IMAGE_CHUNK)
            block = squared_distances(_as_rows(images[rows]), candidates)
            block = np.maximum(block, 0)
            block[own[rows, None] == others[columns]] = np.inf
            best, least = block.argmin(axis=1), block.min(axis=1)
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
        subjects: As for `nearest_rows`.
        pool_subjects: As for `nearest_rows`.

    Returns:
        Index into the pool `[n]`.

    Raises:
        ValueError: If an image has no candidate.
    """
    own, others = _codes(count, pool_count, subjects, pool_subjects)
    index = np.zeros(count, np.int64)
    for row, draw in enumerate(np.random.default_rng(seed).random(count)):
        allowed = np.flatnonzero(others != own[row])
        index[row] = allowed[int(draw * len(allowed))]
    return index


def _as_rows(images: np.ndarray) -> np.ndarray:
    """Images as float64 rows."""
    return np.asarray(images, np.float64).reshape(len(images), -1)


def chunks(count: int) -> list[slice]:
    """Slices of rows, so that a block of distances stays small.

    Args:
        count: Number of rows.
    """
    starts = range(0, count, _ROW_CHUNK)
    return [slice(start, start + _ROW_CHUNK) for start in starts]


def squared_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Squared distances as `|a|^2 + |b|^2 - 2ab`, fast for long rows.

    Args:
        a: Rows float64 `[n, d]`.
        b: Rows float64 `[m, d]`.

    Returns:
        float64 `[n, m]`, with rounding errors that may be below 0.
    """
    squares = np.sum(a * a, axis=1)[:, None] + np.sum(b * b, axis=1)
    return squares - 2 * (a @ b.T)


def _codes(
    count: int,
    pool_count: int,
    subjects: np.ndarray | None,
    pool_subjects: np.ndarray | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Subjects of both as numbers; if there are none, all differ."""
    if subjects is None or pool_subjects is None:
        subjects, pool_subjects = np.zeros(count), np.ones(pool_count)
    if (len(subjects), len(pool_subjects)) != (count, pool_count):
        raise ValueError(
            f"expected a subject for each of {count} images and {pool_count} "
            f"candidates, found {len(subjects)} and {len(pool_subjects)}"
        )
    both = np.concatenate([subjects, pool_subjects])
    own, others = np.split(np.unique(both, return_inverse=True)[1], [count])
    if not len(others) or (np.ptp(others) == 0 and others[0] in own):
        raise ValueError(
            "expected a candidate of another subject for every image, found "
            "none: use images of two or more subjects"
        )
    return own, others
