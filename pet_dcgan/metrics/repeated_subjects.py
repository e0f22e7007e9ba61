"""Subjects who are in a training set twice, under different names."""

import numpy as np
from scipy.sparse.csgraph import connected_components

from pet_dcgan.metrics.arrays import subject_codes
from pet_dcgan.metrics.nearest_subjects import distances_to_subjects

# slices of a second name lie less than half as far as those of anybody else,
# and at least half of a subject's slices must say so: no honest subjects do
# (benchmarks/repeated_subjects.py)
_GAP = 0.5
_SHARE = 0.5
# distances below this share of the longest slice are rounding errors
_EQUAL = 1e-6


def merged_subjects(train: np.ndarray, subjects: np.ndarray) -> np.ndarray:
    """Numbers subjects so that near duplicates of each other have one number.

    A person who is in a set under two names hides every copy: the second
    nearest subject is then as near as the nearest. A slice calls those other
    subjects the same who lie less than half as far from it, or from its mirror
    image, as all the rest, or whose slices equal it. Two subjects of whom one
    says so of the other by half of its slices or more are one, and so are the
    friends of friends.

    More than half of the subjects are never called the same unless their
    slices are equal, since then the others would be the odd ones. With two
    subjects there is nobody to compare with: only equal slices are noticed.

    Args:
        train: Slices `[n, ...]`, `centred`.
        subjects: Subject of each slice `[n]`.

    Returns:
        int64 `[n]`, numbers from 0.

    Raises:
        ValueError: If the shapes differ or a value is not finite.
    """
    codes = subject_codes(subjects, len(train))
    count = codes.max() + 1
    train = np.asarray(train)
    # a scan whose left and right were exchanged is the same person's
    distances = np.minimum(
        distances_to_subjects(train, train, codes),
        distances_to_subjects(train[..., ::-1], train, codes),
    )
    own = codes[:, None] == np.arange(count)
    distances[own] = np.inf
    longest = np.linalg.norm(train.reshape(len(train), -1), axis=1).max()
    same = distances <= _EQUAL * longest
    largest = (count - 1) // 2
    if largest:
        nearest = np.sort(distances, axis=1)[:, : largest + 1]
        gaps = nearest[:, :-1] < _GAP * nearest[:, 1:]
        beyond = nearest[np.arange(len(train)), gaps.argmax(axis=1) + 1]
        same |= gaps.any(axis=1)[:, None] & (distances < _GAP * beyond[:, None])
    shares = [same[codes == code].mean(axis=0) for code in range(count)]
    return connected_components(np.array(shares) >= _SHARE)[1][codes]
