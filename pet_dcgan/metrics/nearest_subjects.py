"""The nearest training subjects of images."""

from typing import NamedTuple

import numpy as np

from pet_dcgan.metrics.arrays import checked_rows, subject_codes
from pet_dcgan.metrics.neighbors import chunks, squared_distances


class TwoSubjects(NamedTuple):
    """The two subjects nearest to each query, by their nearest rows.

    Args:
        rows: The row of the training set that is nearest, and the nearest of
            those of the second subject, int64 `[n, 2]`.
        distances: Their Euclidean distances float64 `[n, 2]`.
    """

    rows: np.ndarray
    distances: np.ndarray

    @property
    def ratios(self) -> np.ndarray:
        """Distance to the nearest subject over that to the second nearest.

        Lowe's ratio (2004, doi 10.1023/B:VISI.0000029664.99615.94, section
        7.1), of subjects instead of features. Near 1 for a new subject and
        also for a mean of many; near 0 for a copy. float64 `[n]` in [0, 1]; 1
        if both distances are 0.
        """
        first, second = self.distances.T
        none = np.ones_like(first)
        return np.divide(first, second, out=none, where=second > 0)


def two_nearest_subjects(
    queries: np.ndarray, train: np.ndarray, subjects: np.ndarray
) -> TwoSubjects:
    """The nearest row of the nearest two subjects for each query.

    Args:
        queries: Images or their features `[n, ...]`.
        train: Training ones of the same kind `[m, ...]`.
        subjects: Subject of each training row `[m]`, two or more.

    Returns:
        The rows and distances; the first of equally near ones.

    Raises:
        ValueError: If the shapes differ, a value is not finite, or there are
            fewer than two subjects.
    """
    codes = subject_codes(subjects, len(train), least=2)
    queries, train = checked_rows(queries, train)
    order, firsts = _by_subject(codes)
    pool, codes = train[order], codes[order]
    rows = np.empty([len(queries), 2], np.int64)
    for chunk in chunks(len(queries)):
        squared = squared_distances(queries[chunk], pool)
        least = np.minimum.reduceat(squared, firsts, axis=1)
        two = np.argsort(least, axis=1, kind="stable")[:, :2]
        for column, nearest_codes in enumerate(two.T):
            others = codes != nearest_codes[:, None]
            apart = np.where(others, np.inf, squared)
            rows[chunk, column] = apart.argmin(axis=1)
    rows = order[rows]
    # computed again, since the expansion loses small distances
    distances = np.stack(
        [np.linalg.norm(queries - train[each], axis=1) for each in rows.T], 1
    )
    swapped = distances[:, 0] > distances[:, 1]
    for each in (rows, distances):
        each[swapped] = each[swapped, ::-1]
    return TwoSubjects(rows, distances)


def distances_to_subjects(
    queries: np.ndarray, train: np.ndarray, subjects: np.ndarray
) -> np.ndarray:
    """Distance of each query to the nearest row of each subject.

    Args:
        queries: Images or their features `[n, ...]`.
        train: Training ones of the same kind `[m, ...]`.
        subjects: Subject of each training row `[m]`, of `k` subjects.

    Returns:
        float64 `[n, k]`, in the order of the sorted subjects, with an error
        of up to a millionth of the longest row, also where the distance is 0.

    Raises:
        ValueError: If the shapes differ or a value is not finite.
    """
    codes = subject_codes(subjects, len(train))
    queries, train = checked_rows(queries, train)
    order, firsts = _by_subject(codes)
    pool = train[order]
    squared = [
        np.minimum.reduceat(
            squared_distances(queries[chunk], pool), firsts, axis=1
        )
        for chunk in chunks(len(queries))
    ]
    return np.sqrt(np.maximum(np.concatenate(squared), 0))


def _by_subject(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers subject by subject, and where each subject begins."""
    order = np.argsort(codes, kind="stable")
    return order, np.flatnonzero(np.diff(codes[order], prepend=-1))
