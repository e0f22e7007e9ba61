"""Scores of predictions, by hand."""

import numpy as np
import pytest
from scipy.stats import rankdata
from study_toy import two_classes

from pet_dcgan.study.scores import Predictions


def test_scores_by_hand():
    found = two_classes([0.1, 0.6, 0.4, 0.3, 0.9], [0, 0, 0, 1, 1]).scores()
    right = {"accuracy": 3 / 5, "balanced_accuracy": (2 / 3 + 1 / 2) / 2}
    # 0.1, 0.6, 0.4, 0.7, 0.1 from the truth, in both stages
    brier = 2 * (0.01 + 0.36 + 0.16 + 0.49 + 0.01) / 5
    assert found == pytest.approx(right | {"auc": 4 / 6, "brier": brier})


def test_scores_of_three_stages_by_hand():
    one = Predictions(
        np.array(list("abcd")), np.array([0, 1, 2, 0]), np.eye(3)[[0, 1, 2, 2]]
    )
    # 0: own {1, 0} others {0, 0}; 1: all above; 2: own {1} others {0, 0, 1}
    area = ((1 + 0.5 + 1 + 0.5) / 4 + 1 + (1 + 1 + 0.5) / 3) / 3
    right = {"accuracy": 3 / 4, "balanced_accuracy": (1 / 2 + 1 + 1) / 3}
    # the last one gives 1 to a wrong stage and 0 to its own
    found = one.scores()
    assert found == pytest.approx(right | {"auc": area, "brier": 2 / 4})
    np.testing.assert_allclose(one.recalls(), [1 / 2, 1, 1])
    np.testing.assert_allclose(one.squared_errors(), [0, 0, 0, 2])


def test_auc_is_the_rank_sum():
    rng = np.random.default_rng(0)
    truth = (rng.random(60) < 0.4).astype(int)
    scores = rng.integers(0, 9, 60) + truth
    own = truth.sum()
    ranks = rankdata(scores)[truth == 1].sum()
    expected = (ranks - own * (own + 1) / 2) / (own * (60 - own))
    assert two_classes(scores, truth).scores()["auc"] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("truth", "ones", "message"),
    [([1, 1], [0, 0], "found 0 of 2"), ([0, 1], [0, np.nan], "NaN")],
)
def test_predictions_that_cannot_be_scored_are_refused(truth, ones, message):
    with pytest.raises(ValueError, match=message):
        two_classes(ones, truth).scores()


@pytest.mark.parametrize(
    ("ad", "right", "area"),
    [
        # the first of equally probable stages is predicted
        (0.495, 0.5, 1.0),
        (0.5, 0.5, 1.0),
        (0.505, 1.0, 1.0),
        # equal probabilities count half in the AUC
        (0.09, 0.5, 0.0),
        (0.1, 0.5, 0.5),
        (0.11, 0.5, 1.0),
    ],
)
def test_ties_of_probabilities(ad, right, area):
    one = two_classes([0.1, ad], [0, 1])
    expected = {"accuracy": right, "balanced_accuracy": right, "auc": area}
    found = one.scores()
    assert expected == {name: found[name] for name in expected}


@pytest.mark.parametrize(("classes", "score"), [(2, 1 / 2), (3, 2 / 3)])
def test_equal_probabilities_have_the_brier_score_that_is_told(classes, score):
    truth = np.arange(6) % classes
    even = np.full([6, classes], 1 / classes)
    found = Predictions(np.arange(6), truth, even).scores()
    assert found["brier"] == pytest.approx(score)


def test_brier_is_least_for_true_probabilities():
    # seven of ten are of the second stage
    truth = np.array([1] * 7 + [0] * 3)
    scores = {
        said: two_classes([said] * 10, truth).scores()["brier"]
        for said in (0.5, 0.69, 0.7, 0.71, 1.0)
    }
    assert min(scores, key=scores.get) == 0.7
