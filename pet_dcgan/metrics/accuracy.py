"""Shares of subjects that a classifier calls by their right name."""

import numpy as np


def accuracy(truth: np.ndarray, called: np.ndarray) -> float:
    """Share of all subjects called rightly.

    Args:
        truth: Classes `[n]`.
        called: What each was called `[n]`.

    Returns:
        From 0 to 1.

    Raises:
        ValueError: If the lengths differ or there is no subject.
    """
    truth, called = _checked(truth, called)
    return float((truth == called).mean())


def balanced_accuracy(truth: np.ndarray, called: np.ndarray) -> float:
    """Mean over the classes of the share of each that is called rightly.

    Calling everyone by one name gives 1 / classes, however many there are of
    it (Brodersen et al. 2010, doi 10.1109/ICPR.2010.764).

    Args:
        truth: Classes `[n]`.
        called: What each was called `[n]`.

    Returns:
        From 0 to 1.

    Raises:
        ValueError: If the lengths differ or there is no subject.
    """
    truth, called = _checked(truth, called)
    shares = [(called[truth == c] == c).mean() for c in np.unique(truth)]
    return float(np.mean(shares))


def _checked(truth, called) -> tuple[np.ndarray, np.ndarray]:
    truth, called = np.asarray(truth), np.asarray(called)
    if truth.ndim != 1 or truth.shape != called.shape or not len(truth):
        raise ValueError(
            "expected one class and one answer for each of one or more "
            f"subjects, found {truth.shape} and {called.shape}"
        )
    return truth, called
