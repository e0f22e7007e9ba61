import numpy as np
import pytest
from scipy.stats import rankdata

from pet_dcgan.metrics.classification import auc, mean_auc


def test_pairs_counted_by_hand_ties_half():
    # of the class 0.9 and 0.5, others 0.1 and 0.5: above, above, above, equal
    truth = np.array([1, 0, 1, 0])
    scores = np.array([0.9, 0.1, 0.5, 0.5])
    assert auc(truth, scores) == pytest.approx(3.5 / 4)


def test_it_is_the_rank_sum():
    rng = np.random.default_rng(0)
    truth = rng.random(60) < 0.4
    scores = rng.integers(0, 9, 60) + truth
    ranks = rankdata(scores)[truth].sum()
    own = truth.sum()
    expected = (ranks - own * (own + 1) / 2) / (own * (60 - own))
    assert auc(truth, scores) == pytest.approx(expected)


def test_turned_scores_give_the_rest():
    rng = np.random.default_rng(1)
    truth, scores = rng.random(40) < 0.5, rng.normal(size=40)
    assert auc(truth, -scores) == pytest.approx(1 - auc(truth, scores))
    assert auc(truth, np.exp(scores)) == auc(truth, scores)


def test_two_classes_and_three():
    truth = np.array([0, 0, 1, 1])
    ones = np.array([0.2, 0.6, 0.4, 0.8])
    two = np.stack([1 - ones, ones], axis=1)
    assert mean_auc(truth, two) == auc(truth, ones) == 0.75
    three = np.eye(3)[[0, 1, 2, 2]]
    # the last two subjects: one called rightly, one is called 2 but is 0
    truth = np.array([0, 1, 2, 0])
    # 0: own {1, 0} others {0, 0}; 1: all above; 2: own {1} others {0, 0, 1}
    expected = ((1 + 0.5 + 1 + 0.5) / 4 + 1 + (1 + 1 + 0.5) / 3) / 3
    assert mean_auc(truth, three) == pytest.approx(expected)


def test_what_cannot_be_ranked_is_refused():
    with pytest.raises(ValueError, match=r"found \(2,\) for \(3,\)"):
        auc(np.array([0, 1, 1]), np.zeros(2))
    with pytest.raises(ValueError, match="found 2 of 2"):
        auc(np.ones(2), np.zeros(2))
    with pytest.raises(ValueError, match="NaN"):
        auc(np.array([0, 1]), np.array([0, np.nan]))
