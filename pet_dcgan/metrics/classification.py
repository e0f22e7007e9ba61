"""Accuracy of a classifier, and the area under its ROC curve."""

import numpy as np


def accuracy(truth: np.ndarray, predicted: np.ndarray) -> float:
    """Share of the subjects whose class is predicted correctly.

    Args:
        truth: True classes `[n]`.
        predicted: Predicted classes `[n]`.

    Returns:
        From 0 to 1.

    Raises:
        ValueError: If the lengths differ or there is no subject.
    """
    truth, predicted = _checked(truth, predicted)
    return float((truth == predicted).mean())


def balanced_accuracy(truth: np.ndarray, predicted: np.ndarray) -> float:
    """Mean over the classes of the share of each that is predicted correctly.

    Always predicting the same class gives 1 / classes, however large that
    class is (Brodersen et al. 2010, doi 10.1109/ICPR.2010.764).

    Arguments and errors are those of `accuracy`.
    """
    truth, predicted = _checked(truth, predicted)
    shares = [(predicted[truth == c] == c).mean() for c in np.unique(truth)]
    return float(np.mean(shares))


def _checked(truth, predicted) -> tuple[np.ndarray, np.ndarray]:
    """Both as arrays of one length."""
    truth, predicted = np.asarray(truth), np.asarray(predicted)
    if truth.ndim != 1 or truth.shape != predicted.shape or not len(truth):
        raise ValueError(
            "expected a true and a predicted class for each of one or more "
            f"subjects, found {truth.shape} and {predicted.shape}"
        )
    return truth, predicted


def mean_auc(truth: np.ndarray, probabilities: np.ndarray) -> float:
    """Area under the ROC curve, averaged over one-against-rest comparisons.

    The probability that a subject of the class scores higher than one that is
    not, ties counting half (Hanley & McNeil 1982, doi
    10.1148/radiology.143.1.7063747). Two classes need one comparison.

    Args:
        truth: Class of each subject `[n]`, from 0.
        probabilities: Of each class `[n, classes]`, or other scores.

    Returns:
        From 0 to 1; 0.5 is chance.

    Raises:
        ValueError: If the lengths differ, a score is not finite, or a class
            has no subject or all of them.
    """
    tables = pairwise_wins(np.asarray(truth), np.asarray(probabilities))
    return float(np.mean([table.mean() for _, table in tables]))


def pairwise_wins(
    truth: np.ndarray, probabilities: np.ndarray
) -> list[tuple[int, np.ndarray]]:
    """Which subjects of a class score higher than which others.

    Arguments and errors are those of `mean_auc`.

    Returns:
        Each class that `mean_auc` averages over, and float64 `[members,
        others]`: 1 where the member scores higher, 0.5 for a tie, else 0.
        The mean of such a table is the AUC.
    """
    if truth.ndim != 1 or truth.shape != probabilities.shape[:1]:
        raise ValueError(
            "expected one score for each subject [n], found "
            f"{probabilities.shape} for {truth.shape}"
        )
    if not np.isfinite(probabilities).all():
        raise ValueError("expected finite scores, found NaN or infinity")
    count = probabilities.shape[1]
    tables = []
    # of two classes, the second against the first is enough
    for label in (1,) if count == 2 else range(count):
        scores, member = probabilities[:, label], truth == label
        if member.all() or not member.any():
            raise ValueError(
                "expected subjects of the class and others, found "
                f"{member.sum()} of {len(truth)} in it: prepare more scans"
            )
        own, others = scores[member][:, None], scores[~member][None]
        tables.append((label, (own > others) + 0.5 * (own == others)))
    return tables
