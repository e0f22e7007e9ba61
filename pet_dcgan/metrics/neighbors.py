"""Nearest neighbours of features or images, and metrics made of them.

Precision, recall, density and coverage.
"""

from typing import NamedTuple

import numpy as np
from scipy.spatial.distance import cdist

from pet_dcgan.metrics.arrays import checked_rows

_CHUNK = 512


def nearest_distances(
    queries: np.ndarray,
    pool: np.ndarray,
    *,
    subjects: np.ndarray | None = None,
    pool_subjects: np.ndarray | None = None,
) -> np.ndarray:
    """Euclidean distance of each query to the nearest row of a pool.

    Args:
        queries: Features `[n, d]` or images `[n, height, width]`.
        pool: Rows of the same kind `[m, ...]`.
        subjects: Subject of each query `[n]`. With `pool_subjects`, rows of
            the query's own subject do not count.
        pool_subjects: Subject of each row of the pool `[m]`.

    Returns:
        Distances float64 `[n]`; exactly 0 for a row that is in the pool.

    Raises:
        ValueError: If the shapes do not fit, a value is not finite, or a
            query has no row to be compared with.
    """
    return nearest_rows(
        queries, pool, subjects=subjects, pool_subjects=pool_subjects
    )[1]


def nearest_rows(
    queries: np.ndarray,
    pool: np.ndarray,
    *,
    subjects: np.ndarray | None = None,
    pool_subjects: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """The nearest row of a pool for each query, and how far it is.

    Arguments and errors are those of `nearest_distances`.

    Returns:
        Index into `pool` int64 `[n]`, the first of equally near rows, and
        Euclidean distance float64 `[n]`.
    """
    queries, pool = checked_rows(queries, pool)
    own, others = _codes(len(queries), len(pool), subjects, pool_subjects)
    index = np.zeros(len(queries), np.int64)
    for start in range(0, len(queries), _CHUNK):
        rows = slice(start, start + _CHUNK)
        squared = _squared_distances(queries[rows], pool)
        squared[own[rows, None] == others] = np.inf
        if np.isinf(squared.min(axis=1)).any():
            raise ValueError(
                "expected a row of another subject for every query, found "
                "none: give images of two or more subjects"
            )
        index[rows] = squared.argmin(axis=1)
    # the winner's distance anew: the expansion loses small ones
    return index, np.linalg.norm(queries - pool[index], axis=1)


def subject_ratios(
    queries: np.ndarray, train: np.ndarray, subjects: np.ndarray
) -> np.ndarray:
    """How much nearer one training subject is than the next.

    The distance of each query to the nearest row of its nearest training
    subject, divided by that of its second nearest subject: Lowe's ratio (2004,
    doi 10.1023/B:VISI.0000029664.99615.94, section 7.1), with subjects in the
    place of features. Near 1 for a new subject and also for a mean of many;
    near 0 for a copy.

    Args:
        queries: Images or their features `[n, ...]`.
        train: Training ones of the same kind `[m, ...]`.
        subjects: Subject of each training row `[m]`, two or more.

    Returns:
        Ratios float64 `[n]` in [0, 1]; 1 where both distances are 0.

    Raises:
        ValueError: If the shapes do not fit, a value is not finite, or there
            are fewer than two subjects.
    """
    names, codes = np.unique(subjects, return_inverse=True)
    if len(codes) != len(train) or len(names) < 2:
        raise ValueError(
            f"expected a subject for each of {len(train)} training rows and "
            f"at least 2 different ones, found {len(codes)} and {len(names)}"
        )
    train = np.asarray(train)
    distances = np.stack(
        [
            nearest_distances(queries, train[codes == code])
            for code in range(len(names))
        ],
        axis=1,
    )
    nearest, second = np.partition(distances, 1, axis=1)[:, :2].T
    return np.divide(
        nearest, second, out=np.ones_like(nearest), where=second > 0
    )


def kth_neighbour_distances(points: np.ndarray, k: int) -> np.ndarray:
    """Euclidean distance of each point to its `k`-th nearest other point.

    Args:
        points: Features `[n, d]`.
        k: 1 for the nearest other point.

    Returns:
        Distances float64 `[n]`.

    Raises:
        ValueError: If there are not more than `k` points, or one of the
            values is not finite.
    """
    (points,) = checked_rows(points)
    if not 1 <= k < len(points):
        raise ValueError(
            f"expected k of 1 or more and more than k rows, found k {k} and "
            f"{len(points)} rows: lower k or give more images"
        )
    distances = cdist(points, points)
    np.fill_diagonal(distances, np.inf)
    return np.partition(distances, k - 1, axis=1)[:, k - 1]


def _squared_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """By `|a|^2 + |b|^2 - 2ab`, which is fast for long rows."""
    squares = np.sum(a * a, axis=1)[:, None] + np.sum(b * b, axis=1)
    return squares - 2 * (a @ b.T)


def _codes(count, pool_count, subjects, pool_subjects):
    """Subjects as numbers; without subjects no two are of one."""
    if subjects is None or pool_subjects is None:
        return np.zeros(count), np.ones(pool_count)
    if (len(subjects), len(pool_subjects)) != (count, pool_count):
        raise ValueError(
            f"expected a subject for each of {count} queries and {pool_count} "
            f"rows, found {len(subjects)} and {len(pool_subjects)}"
        )
    both = np.concatenate([subjects, pool_subjects])
    return np.split(np.unique(both, return_inverse=True)[1], [count])


class Prdc(NamedTuple):
    """How much of one set of features another one matches.

    Args:
        precision: Share of synthetic rows among the real ones.
        recall: Share of real rows among the synthetic ones.
        density: How densely real rows surround the synthetic ones; about 1
            for one distribution, and it may be higher.
        coverage: Share of real rows with a synthetic one beside them.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def precision_recall_density_coverage(
    real: np.ndarray, synthetic: np.ndarray, *, k: int = 5
) -> Prdc:
    """Precision, recall, density and coverage by nearest neighbours.

    Each row is the centre of a ball that reaches to its `k`-th nearest
    neighbour of its own kind. Precision is the share of synthetic rows in a
    real ball, recall that of real rows in a synthetic ball (Kynkaanniemi et
    al. 2019, arXiv 1904.06991, equations 1 and 2). Density is the number of
    real balls that a synthetic row lies in, divided by `k`, on average;
    coverage is the share of real balls with a synthetic row in them (Naeem et
    al. 2020, arXiv 2002.09797). A row on the edge of a
    ball is inside, as in the former paper.

    For one distribution and many rows coverage is about `1 - 2^-k` and
    density 1. Neighbouring slices of one subject make balls small: look at
    the figure for held-out real images beside.

    Args:
        real: Features of real images `[n, d]`.
        synthetic: Features of synthetic images `[n, d]`, as many, since
            coverage and recall grow with their number.
        k: Neighbours that a ball holds.

    Returns:
        The four numbers.

    Raises:
        ValueError: If the shapes or counts differ, a value is not finite, or
            there are not more than `k` rows.
    """
    real, synthetic = checked_rows(real, synthetic)
    if len(real) != len(synthetic):
        raise ValueError(
            "expected as many synthetic rows as real ones, found "
            f"{len(synthetic)} and {len(real)}: take equal counts"
        )
    distances = cdist(real, synthetic)
    in_real_ball = distances <= kth_neighbour_distances(real, k)[:, None]
    in_synthetic_ball = distances <= kth_neighbour_distances(synthetic, k)
    return Prdc(
        precision=float(in_real_ball.any(axis=0).mean()),
        recall=float(in_synthetic_ball.any(axis=1).mean()),
        density=float(in_real_ball.sum(axis=0).mean() / k),
        coverage=float(in_real_ball.any(axis=1).mean()),
    )
