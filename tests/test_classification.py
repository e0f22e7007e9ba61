import numpy as np
import pytest
from scipy.stats import rankdata

from pet_dcgan.metrics.classification import (
    accuracy,
    balanced_accuracy,
    mean_auc,
)


def two_classes(scores):
    return np.stack([1 - np.asarray(scores), scores], axis=1)


def test_shares_counted_by_hand():
    truth = np.array([0, 0, 0, 0, 1, 1])
    predicted = np.array([0, 0, 0, 1, 1, 0])
    assert accuracy(truth, predicted) == pytest.approx(4 / 6)
    assert balanced_accuracy(truth, predicted) == pytest.approx(
        (3 / 4 + 1 / 2) / 2
    )


@pytest.mark.parametrize("classes", [2, 3])
def test_one_class_for_all_is_at_chance_however_large_it_is(classes):
    truth = np.repeat(np.arange(classes), np.arange(1, classes + 1) * 5)
    predicted = np.full(len(truth), classes - 1)
    assert balanced_accuracy(truth, predicted) == pytest.approx(1 / classes)
    assert accuracy(truth, predicted) > 1 / classes


@pytest.mark.parametrize("metric", [accuracy, balanced_accuracy])
@pytest.mark.parametrize(("subjects", "predictions"), [(3, 2), (0, 0)])
def test_unequal_or_no_predictions_are_refused(metric, subjects, predictions):
    message = rf"one or more .*found \({subjects},\) and \({predictions},\)"
    with pytest.raises(ValueError, match=message):
        metric(np.zeros(subjects), np.zeros(predictions))


def test_auc_is_the_rank_sum_and_ties_count_half():
    rng = np.random.default_rng(0)
    truth = (rng.random(60) < 0.4).astype(int)
    scores = rng.integers(0, 9, 60) + truth
    own = truth.sum()
    ranks = rankdata(scores)[truth == 1].sum()
    expected = (ranks - own * (own + 1) / 2) / (own * (60 - own))
    found = mean_auc(truth, two_classes(scores))
    assert found == pytest.approx(expected)
    assert mean_auc(truth, two_classes(-scores)) == pytest.approx(1 - found)


def test_auc_of_three_classes_by_hand():
    probabilities = np.eye(3)[[0, 1, 2, 2]]
    truth = np.array([0, 1, 2, 0])
    # 0: own {1, 0} others {0, 0}; 1: all above; 2: own {1} others {0, 0, 1}
    expected = ((1 + 0.5 + 1 + 0.5) / 4 + 1 + (1 + 1 + 0.5) / 3) / 3
    assert mean_auc(truth, probabilities) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("truth", "scores", "message"),
    [
        ([0, 1, 1], [0, 0], r"found \(2, 2\) for \(3,\)"),
        ([1, 1], [0, 0], "found 2 of 2"),
        ([0, 1], [0, np.nan], "NaN"),
    ],
)
def test_scores_that_cannot_be_ranked_are_refused(truth, scores, message):
    with pytest.raises(ValueError, match=message):
        mean_auc(np.array(truth), two_classes(scores))
