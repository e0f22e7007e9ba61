"""Scores, differences and intervals, on either side of every threshold."""

import numpy as np
import pytest
from scipy.stats import rankdata
from study_toy import make_summary

from pet_dcgan.study import statistics
from pet_dcgan.study.report import _conclusions
from pet_dcgan.study.statistics import (
    METRICS,
    Predictions,
    compare,
    kept_signal,
)


def two_classes(ones, truth):
    names = np.array([f"s{i:02}" for i in range(len(ones))])
    probabilities = np.stack([1 - np.asarray(ones), ones], axis=1)
    return Predictions(names, np.array(truth), probabilities)


def guesses(seed, classes):
    odds = np.random.default_rng(seed).random([12, classes])
    names = np.array([f"s{i:02}" for i in range(12)])
    probabilities = odds / odds.sum(axis=1, keepdims=True)
    return Predictions(names, np.arange(12) % classes, probabilities)


def skilled(count, *, skill, seeds=4, first=0):
    """Seeds of a classifier that is right with probability `skill`."""
    truth = np.arange(count) % 2
    found = []
    for seed in range(first, first + seeds):
        rng = np.random.default_rng(seed)
        right = rng.random(count) < skill
        ones = np.where(right == truth, 0.8, 0.2) + rng.normal(0, 0.05, count)
        found.append(two_classes(ones, truth))
    return dict(enumerate(found))


def rows_of(found, part, **wanted):
    return [row for row in found[part] if wanted.items() <= row.items()]


def draw(truth, seeds=1, resamples=3):
    return statistics._draw(truth, seeds, resamples=resamples, seed=0)


def test_scores_by_hand():
    found = two_classes([0.1, 0.6, 0.4, 0.3, 0.9], [0, 0, 0, 1, 1]).scores()
    right = {"accuracy": 3 / 5, "balanced_accuracy": (2 / 3 + 1 / 2) / 2}
    assert found == pytest.approx(right | {"auc": 4 / 6})


def test_scores_of_three_stages_by_hand():
    one = Predictions(
        np.array(list("abcd")), np.array([0, 1, 2, 0]), np.eye(3)[[0, 1, 2, 2]]
    )
    # 0: own {1, 0} others {0, 0}; 1: all above; 2: own {1} others {0, 0, 1}
    area = ((1 + 0.5 + 1 + 0.5) / 4 + 1 + (1 + 1 + 0.5) / 3) / 3
    right = {"accuracy": 3 / 4, "balanced_accuracy": (1 / 2 + 1 + 1) / 3}
    assert one.scores() == pytest.approx(right | {"auc": area})


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
    [([1, 1], [0, 0], "found 2 of 2"), ([0, 1], [0, np.nan], "NaN")],
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
    assert one.scores() == expected


@pytest.mark.parametrize("classes", [2, 3])
def test_a_resample_is_the_scores_of_repeated_subjects_and_seeds(classes):
    seeds = [guesses(seed, classes) for seed in (5, 6)]
    counts, weights = draw(seeds[0].truth, seeds=2, resamples=6)
    found = statistics._resample(seeds, counts, weights)
    for number, row in enumerate(counts.astype(int)):
        rows = np.repeat(np.arange(12), row)
        again = [
            Predictions(p.subjects[rows], p.truth[rows], p.probabilities[rows])
            for p in seeds
        ]
        for name in METRICS:
            expected = weights[number] @ [p.scores()[name] for p in again]
            assert found[name][number] == pytest.approx(expected)


def test_as_many_of_each_stage_are_drawn_as_there_are():
    counts, weights = draw(np.array([0] * 5 + [1] * 9), seeds=4, resamples=50)
    assert (counts[:, :5].sum(axis=1) == 5).all()
    assert (counts[:, 5:].sum(axis=1) == 9).all()
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    assert counts.std() > 0
    assert weights.std() > 0


def test_arms_and_their_differences_from_real_images():
    cohort = {
        ("real", 25): skilled(40, skill=0.6),
        ("real+synthetic", 25): skilled(40, skill=0.95, first=10),
        ("real", 100): skilled(40, skill=0.8, first=20),
    }
    found = compare(cohort)
    (gain,) = rows_of(
        found, "differences", arm="real+synthetic", metric="accuracy"
    )
    means = {
        row["arm"]: row["mean"]
        for row in rows_of(found, "arms", metric="accuracy", fraction=25)
    }
    expected = means["real+synthetic"] - means["real"]
    assert gain["mean"] == pytest.approx(expected, abs=1e-6)
    assert 0 < gain["low"] < gain["mean"] < gain["high"]
    assert len(found["arms"]) == 3 * 3
    assert len(found["differences"]) == 3
    assert found == compare(cohort)


def test_only_seeds_of_both_arms_are_compared_and_drawn_alike():
    real = skilled(20, skill=0.7)
    same = {seed: real[seed] for seed in (1, 3)}
    found = compare({("real", 25): real, ("synthetic", 25): same})
    assert len(found["differences"]) == 3
    for row in found["differences"]:
        assert row["seeds"] == 2
        assert (row["mean"], row["low"], row["high"]) == (0, 0, 0)


def test_an_interval_takes_eight_subjects():
    for row in compare({("real", 25): skilled(8, skill=0.9)})["arms"]:
        assert row["low"] <= row["mean"] <= row["high"]
    for row in compare({("real", 25): skilled(7, skill=0.9)})["arms"]:
        assert row["low"] is None
        assert row["reason"].endswith("held-out subjects, and there are 7")


@pytest.mark.parametrize(
    ("real", "synthetic", "share"),
    [
        *((0.495, 0.9, None), (0.5, 0.9, None), (0.505, 0.505, 1.0)),
        (0.9, 0.7, 0.5),
    ],
)
def test_the_signal_kept_is_counted_from_chance(real, synthetic, share):
    rows = [
        {"arm": arm, "fraction": fraction, "metric": metric, "mean": mean}
        for arm, fraction, metric, mean in (
            ("real", 25, "auc", real),
            ("synthetic", 25, "auc", synthetic),
            ("synthetic", 25, "accuracy", 0.1),
            ("real", 100, "auc", 0.9),
        )
    ]
    assert kept_signal(rows) == [{"fraction": 25, "share": share}]
    lines = _conclusions(make_summary(kept_signal=kept_signal(rows)))
    assert any("alone kept" in line for line in lines) == (share is not None)
