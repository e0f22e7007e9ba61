import numpy as np
import pytest

from pet_dcgan.metrics.confidence import MIN_SUBJECTS
from pet_dcgan.study.statistics import Answer, compare, interval_of, kept_signal


def answers(count, *, skill, seeds=4, first=0):
    """Seeds of a classifier that is right with probability `skill`."""
    truth = np.arange(count) % 2
    found = []
    for seed in range(first, first + seeds):
        rng = np.random.default_rng(seed)
        right = rng.random(count) < skill
        ones = np.where(right == truth, 0.8, 0.2) + rng.normal(0, 0.05, count)
        said = np.stack([1 - ones, ones], axis=1)
        found.append(Answer(np.arange(count).astype(str), truth, said))
    return dict(enumerate(found))


def rows_of(found, part, **wanted):
    return [
        row
        for row in found[part]
        if all(row[name] == value for name, value in wanted.items())
    ]


def test_arms_and_their_differences_from_real_images():
    cohort = {
        ("real", 25): answers(40, skill=0.6),
        ("real+synthetic", 25): answers(40, skill=0.95, first=10),
        ("real", 100): answers(40, skill=0.8, first=20),
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


def test_an_arm_that_says_the_same_differs_by_nothing():
    same = answers(20, skill=0.7)
    found = compare({("real", 25): same, ("synthetic", 25): same})
    assert found["differences"]
    for row in found["differences"]:
        assert (row["mean"], row["low"], row["high"]) == (0, 0, 0)


def test_pairing_makes_the_interval_of_a_difference_narrower():
    """Arms that err on the same subjects differ more surely than they are."""
    real = answers(40, skill=0.7, seeds=3)
    better = {
        seed: Answer(a.subjects, a.truth, a.probabilities.copy())
        for seed, a in real.items()
    }
    for answer in better.values():  # two subjects more are called rightly
        answer.probabilities[:2] = [[1, 0], [0, 1]]
    found = compare({("real", 25): real, ("real+synthetic", 25): better})
    (arm,) = rows_of(found, "arms", arm="real", metric="accuracy")
    (gain,) = rows_of(found, "differences", metric="accuracy")
    assert gain["high"] - gain["low"] < 0.7 * (arm["high"] - arm["low"])


def test_a_partial_arm_is_compared_by_the_seeds_that_both_have():
    real = answers(20, skill=0.7)
    same = {seed: real[seed] for seed in (1, 3)}
    found = compare({("real", 25): real, ("synthetic", 25): same})
    assert found["differences"]
    for row in found["differences"]:
        assert (row["seeds"], row["mean"], row["low"]) == (2, 0, 0)


def test_too_few_subjects_give_a_reason_and_the_number_needed():
    few = MIN_SUBJECTS - 2
    found = compare({("real", 25): answers(few, skill=0.9)})
    for row in found["arms"]:
        assert row["low"] is None
        assert f"{MIN_SUBJECTS} or more" in row["reason"]
        assert f"there are {few}" in row["reason"]


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(0)
    held, trials, count = 0, 150, 16
    truth = np.arange(count) % 2
    for trial in range(trials):
        values = rng.normal(size=count)
        share = np.full(8, 1 / 8)
        drawn = np.zeros([400, count])
        for stage in (0, 1):
            drawn[:, truth == stage] = rng.multinomial(8, share, size=400)
        interval = interval_of(drawn @ values / count, truth)
        held += interval.low <= 0 <= interval.high
        assert interval.subjects == count, trial
    assert 0.90 <= held / trials <= 0.99


def test_the_share_of_what_real_images_teach():
    def arm(name, fraction, mean, metric="auc"):
        return {
            "arm": name,
            "fraction": fraction,
            "metric": metric,
            "mean": mean,
        }

    rows = [
        arm("real", 25, 0.9),
        arm("synthetic", 25, 0.7),
        arm("synthetic", 25, 0.1, "accuracy"),
        arm("real", 50, 0.5),
        arm("synthetic", 50, 0.9),
        arm("real", 100, 0.9),
    ]
    assert kept_signal(rows) == [
        {"fraction": 25, "share": 0.5},
        {"fraction": 50, "share": None},
    ]
