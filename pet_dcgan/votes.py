"""What a classifier says of slices, joined to one answer a subject."""

from collections.abc import Sequence

import numpy as np


def join_votes(
    planes: Sequence[tuple[np.ndarray, np.ndarray]],
) -> tuple[np.ndarray, np.ndarray]:
    """The mean over the slices of a plane, then over the planes.

    Every slice of a plane counts the same, and so does every plane, however
    many slices it has. A subject without slices of a plane is judged by the
    others.

    Args:
        planes: For each plane, probabilities `[n, classes]` of its slices,
            and the name of the subject of each `[n]`.

    Returns:
        Names of all subjects, sorted, `[m]`, and their probabilities
        `[m, classes]`.

    Raises:
        ValueError: If there is no slice, the shapes do not fit, or a
            probability is no number from 0 to 1.
    """
    if not planes:
        raise ValueError("expected slices of a plane or more, found no plane")
    for votes, subjects in planes:
        _check(votes, subjects)
    names = np.unique(np.concatenate([np.asarray(s) for _, s in planes]))
    total = np.zeros([len(names), np.shape(planes[0][0])[1]])
    count = np.zeros([len(names), 1])
    for votes, subjects in planes:
        present, means = _means(np.asarray(votes, np.float64), subjects)
        rows = np.searchsorted(names, present)
        total[rows] += means
        count[rows] += 1
    return names, total / count


def _means(
    votes: np.ndarray, subjects: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    names, codes = np.unique(subjects, return_inverse=True)
    total = np.zeros([len(names), votes.shape[1]])
    np.add.at(total, codes, votes)
    return names, total / np.bincount(codes)[:, None]


def _check(votes: np.ndarray, subjects: np.ndarray) -> None:
    votes = np.asarray(votes)
    if votes.ndim != 2 or not len(votes) or len(votes) != len(subjects):
        raise ValueError(
            "expected probabilities [n, classes] and a subject for each of "
            f"one or more slices, found {votes.shape} and {len(subjects)}"
        )
    if not ((votes >= 0) & (votes <= 1)).all():
        raise ValueError(
            "expected probabilities from 0 to 1, found others (or NaN)"
        )
