"""Accuracy, and the area under the ROC curve, of a classifier."""

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


def auc(truth: np.ndarray, scores: np.ndarray) -> float:
    """Area under the receiver operating characteristic.

    Probability that a subject of the class has a higher score than one that
    is not, equal scores counting half (Hanley & McNeil 1982, doi
    10.1148/radiology.143.1.7063747).

    Args:
        truth: Whether each subject is of the class `[n]`.
        scores: Finite numbers `[n]`.

    Returns:
        From 0 to 1; 0.5 is chance.

    Raises:
        ValueError: If the lengths differ, a score is not finite, or there is
            no subject of the class or none other.
    """
    return float(above(truth, scores).mean())


def mean_auc(truth: np.ndarray, probabilities: np.ndarray) -> float:
    """The AUC of two classes, or the mean of each class against the rest.

    Args:
        truth: Integers `[n]`, 0 for the first class.
        probabilities: `[n, classes]`.

    Returns:
        From 0 to 1; 0.5 is chance.

    Raises:
        ValueError: As `auc`.
    """
    truth, probabilities = np.asarray(truth), np.asarray(probabilities)
    tables = above_by_class(truth, probabilities)
    return float(np.mean([table.mean() for _, table in tables]))


def above(truth: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Which subjects of the class are above which others.

    Args:
        truth: Whether each subject is of the class `[n]`.
        scores: Finite numbers `[n]`.

    Returns:
        float64 `[of the class, others]` of 1 where above, 0.5 where equal;
        its mean is the AUC.

    Raises:
        ValueError: As `auc`.
    """
    truth, scores = np.asarray(truth, bool), np.asarray(scores, np.float64)
    if truth.shape != scores.shape or truth.ndim != 1:
        raise ValueError(
            "expected one score for each subject [n], found "
            f"{scores.shape} for {truth.shape}"
        )
    if not np.isfinite(scores).all():
        raise ValueError("expected finite scores, found NaN or infinity")
    if truth.all() or not truth.any():
        raise ValueError(
            "expected subjects of the class and others, found "
            f"{truth.sum()} of {len(truth)} of it: prepare more scans"
        )
    own, others = scores[truth][:, None], scores[~truth][None]
    return (own > others) + 0.5 * (own == others)


def above_by_class(
    truth: np.ndarray, probabilities: np.ndarray
) -> list[tuple[int, np.ndarray]]:
    """Each class that `mean_auc` takes the mean of, and its `above`.

    Args:
        truth: Class of each subject `[n]`, from 0.
        probabilities: Of each class, `[n, classes]`.
    """
    count = probabilities.shape[1]
    # of two classes, one against the other says it all
    classes = (1,) if count == 2 else range(count)
    return [(c, above(truth == c, probabilities[:, c])) for c in classes]
