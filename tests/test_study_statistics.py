"""Intervals and tables, on either side of every threshold."""

import numpy as np
import pytest
from study_toy import two_classes

from pet_dcgan.metrics.confidence import Interval, auc_interval, share_interval
from pet_dcgan.study.intervals import (
    by_split,
    count_tested,
    difference_over_subjects,
    over_subjects,
    over_trainings,
    wider,
)
from pet_dcgan.study.scores import METRICS, Predictions
from pet_dcgan.study.settings import Cell
from pet_dcgan.study.statistics import BINS, compare, reliability

CLASSES = ("NC", "AD")


def skilled(count, *, skill, seed=0):
    """A classifier that is right about so many of a split's subjects."""
    rng = np.random.default_rng(seed)
    truth = np.arange(count) % 2
    right = np.arange(count) < round(skill * count)
    ones = np.where(right == truth, 0.8, 0.2) + rng.normal(0, 0.05, count)
    return two_classes(ones, truth)


def arm(name, *found, fraction=25, seed=0):
    """Predictions of an arm, one for each split."""
    return {
        Cell(split, seed, fraction, name): one
        for split, one in enumerate(found)
    }


def rows_of(found, part, **wanted):
    return [row for row in found[part] if wanted.items() <= row.items()]


def ends(interval):
    return interval.low, interval.high


def test_the_corrected_interval_by_hand():
    # s 0.1, variance 0.01 (1/3 + 1/2), Student's t of 2 degrees 4.302653
    reach = 4.302653 * np.sqrt(0.01 * 5 / 6)
    found = over_trainings(np.array([0.0, 0.1, 0.2]), 3)
    assert ends(found) == pytest.approx((0.1 - reach, 0.1 + reach))
    # two of five splits are finished: (1/2 + 1/4), t of 1 degree at 90 %
    reach = 6.313752 * np.sqrt(0.02 * 3 / 4)
    found = over_trainings(np.array([0.0, 0.2]), 5, level=0.9)
    assert ends(found) == pytest.approx((0.1 - reach, 0.1 + reach))


def test_one_split_says_nothing_about_trainings():
    found = over_trainings(np.array([0.3]), 1)
    assert ends(found) == (None, None)
    assert "could come from one training" in found.reason


def test_seeds_are_averaged_within_their_split():
    own = [
        [skilled(8, skill=0.5), skilled(8, skill=1)],
        [skilled(16, skill=0.75)],
    ]
    found = by_split(own, lambda one: one.score("accuracy"))
    np.testing.assert_allclose(found, [0.75, 0.75])
    np.testing.assert_array_equal(count_tested(own), [12, 12])


def test_accuracy_is_wilson_s_and_an_auc_newcombe_s():
    own = [[skilled(10, skill=0.8)], [skilled(10, skill=0.9)]]
    expected = share_interval(0.85, 20, level=0.9)
    found = over_subjects(own, "accuracy", level=0.9)
    assert ends(found) == pytest.approx(ends(expected))
    area = by_split(own, lambda one: one.score("auc")).mean()
    expected = auc_interval(area, 10, 10, level=0.9)
    found = over_subjects(own, "auc", level=0.9)
    assert ends(found) == pytest.approx(ends(expected))


def test_balanced_accuracy_by_hand():
    # 3 of 4 and 4 of 8 are right
    truth = np.array([0] * 4 + [1] * 8)
    ones = [0.2, 0.2, 0.2, 0.8, *([0.8] * 4), *([0.2] * 4)]
    first, second = share_interval(3 / 4, 4), share_interval(1 / 2, 8)
    below = np.hypot(3 / 4 - first.low, 1 / 2 - second.low) / 2
    above = np.hypot(first.high - 3 / 4, second.high - 1 / 2) / 2
    found = over_subjects([[two_classes(ones, truth)]], "balanced_accuracy")
    assert ends(found) == pytest.approx((0.625 - below, 0.625 + above))


def test_the_area_of_three_stages_has_the_mean_of_their_ends():
    odds = np.random.default_rng(0).random([12, 3])
    truth = np.array([0] * 3 + [1] * 4 + [2] * 5)
    one = Predictions(np.arange(12), truth, odds)
    each = [
        auc_interval(area, n, 12 - n)
        for area, n in zip(one.areas(), (3, 4, 5), strict=True)
    ]
    expected = np.mean([ends(interval) for interval in each], axis=0)
    assert ends(over_subjects([[one]], "auc")) == pytest.approx(tuple(expected))


def test_a_difference_over_subjects_by_hand():
    own, real = ([[skilled(20, skill=share)]] for share in (0.9, 0.75))
    first, second = share_interval(0.9, 20), share_interval(0.75, 20)
    low = 0.15 - np.hypot(0.9 - first.low, second.high - 0.75)
    high = 0.15 + np.hypot(first.high - 0.9, 0.75 - second.low)
    found = difference_over_subjects(own, real, "accuracy")
    assert ends(found) == pytest.approx((low, high))


def test_the_wider_interval_holds_both():
    found = wider(Interval(0.1, 0.4), Interval(0.2, 0.5))
    assert found == Interval(0.1, 0.5)
    none = Interval(None, None, "why")
    assert wider(none, found) == wider(found, none) == none


def test_no_interval_has_a_width_of_0_where_every_answer_is_right():
    # another confidence in each split, so that Brier's score varies
    splits = [
        two_classes([0.1 * k, 1 - 0.1 * k] * 4, [0, 1] * 4) for k in (1, 2)
    ]
    found = compare(
        arm("real", *splits) | arm("synthetic", *splits),
        classes=CLASSES,
        splits=2,
    )
    rows = found["arms"] + found["differences"] + found["sensitivity"]
    assert len(rows) == 2 * 4 + 3 + 2 * 2
    for row in rows:
        assert row["high"] - row["low"] > 0.05
    for row in found["arms"]:
        assert 0 <= row["low"] <= row["mean"] <= row["high"] <= 1


def test_arms_and_their_differences_from_real_images():
    splits = [0.6, 0.7, 0.65], [0.95, 0.9, 1.0], [0.8, 0.7, 0.9]
    real, mixed, more = (
        [skilled(40, skill=skill, seed=s) for s, skill in enumerate(skills)]
        for skills in splits
    )
    cohort = arm("real", *real) | arm("real", *more, fraction=100)
    cohort |= arm("real+synthetic", *mixed)
    found = compare(cohort, classes=CLASSES, splits=3)
    (gain,) = rows_of(
        found, "differences", arm="real+synthetic", metric="accuracy"
    )
    np.testing.assert_allclose(gain["by_split"], [0.35, 0.2, 0.35])
    assert gain["mean"] == pytest.approx(0.3)
    interval = wider(
        over_trainings(np.array(gain["by_split"]), 3),
        difference_over_subjects(
            [[one] for one in mixed], [[one] for one in real], "accuracy"
        ),
    )
    assert (gain["low"], gain["high"]) == pytest.approx(
        ends(interval), abs=1e-6
    )
    assert "equivalent" not in gain
    assert [row["fraction"] for row in found["arms"]] == [25] * 8 + [100] * 4
    assert len(found["differences"]) == 3
    assert found == compare(cohort, classes=CLASSES, splits=3)


def test_only_repetitions_of_both_arms_are_compared():
    real = [skilled(20, skill=skill) for skill in (0.6, 0.7, 0.8)]
    own = arm("synthetic", *real)
    del own[Cell(1, 0, 25, "synthetic")]
    more = arm("synthetic", skilled(20, skill=1), seed=1)
    found = compare(arm("real", *real) | own | more, classes=CLASSES, splits=5)
    for row in found["differences"]:
        assert row["by_split"] == [0, 0]
        assert row["low"] < 0 < row["high"]


def test_a_difference_of_one_split_has_a_reason_and_an_arm_an_interval():
    pair = arm("real", skilled(20, skill=0.6))
    pair |= arm("synthetic", skilled(20, skill=1))
    for splits in (1, 5):  # of five the first is finished
        found = compare(pair, classes=CLASSES, splits=splits)
        for row in found["differences"]:
            assert row["low"] is row["high"] is None
            assert "one training" in row["reason"]
            assert not {"equivalent", "detectable"} & set(row)
        for row in found["arms"]:
            assert row["low"] < row["mean"] < row["high"] + 1e-9


@pytest.mark.parametrize("count", [7, 8])
def test_an_interval_takes_eight_subjects(count):
    half = [count // 2, count - count // 2]
    pair = arm("real", *(skilled(n, skill=0.5) for n in half))
    pair |= arm("synthetic", *(skilled(n, skill=1) for n in half))
    found = compare(pair, classes=CLASSES, splits=2)
    for row in found["arms"] + found["differences"]:
        assert (row["low"] is None) == (count < 8)
        assert ("and there are 7" in row.get("reason", "")) == (count < 8)


@pytest.mark.parametrize(("count", "equivalent"), [(28, False), (29, True)])
def test_equivalent_is_a_90_percent_interval_within_the_margin(
    count, equivalent
):
    # all are right: of 28 (29) a stage the interval at 90 % reaches 0.0506
    # (0.0488), at 95 % further than 0.05
    ones = 2 * count - 30
    same = [skilled(30, skill=1), skilled(ones, skill=1)]
    found = compare(
        arm("real", *same) | arm("synthetic", *same), classes=CLASSES, splits=2
    )
    (row,) = rows_of(found, "differences", metric="auc")
    assert row["equivalent"] is equivalent
    assert row["high"] > 0.05


def test_what_could_be_seen_is_the_reach_and_a_quantile_of_80_percent():
    real = [skilled(100, skill=0.5), skilled(100, skill=0.5)]
    own = [skilled(100, skill=0.6), skilled(100, skill=0.52)]
    found = compare(
        arm("real", *real) | arm("synthetic", *own), classes=CLASSES, splits=2
    )
    (row,) = rows_of(found, "differences", metric="accuracy")
    # differences 0.1 and 0.02: variance 0.0032 (1/2 + 1), Student's t of 1
    # degree 12.706205 and 1.376382
    expected = (12.706205 + 1.376382) * np.sqrt(0.0032 * 1.5)
    assert row["detectable"] == pytest.approx(expected, abs=1e-5)


def test_an_interval_keeps_to_what_is_possible():
    real = [skilled(8, skill=0.5), skilled(8, skill=0.5)]
    own = [skilled(8, skill=1), skilled(8, skill=0)]
    found = compare(
        arm("real", *real) | arm("synthetic", *own), classes=CLASSES, splits=2
    )
    (row,) = rows_of(found, "differences", metric="accuracy")
    assert (row["low"], row["high"], row["detectable"]) == (-1, 1, None)
    (row,) = rows_of(found, "arms", arm="synthetic", metric="accuracy")
    assert (row["low"], row["high"]) == (0, 1)


def test_sensitivity_is_by_stage_with_wilson_s_interval():
    truth = np.array([0] * 4 + [1] * 8)
    ones = [0.2, 0.2, 0.2, 0.8, *([0.8] * 4), *([0.2] * 4)]
    found = compare(
        arm("real", two_classes(ones, truth)), classes=CLASSES, splits=1
    )
    nc, ad = found["sensitivity"]
    assert (nc["stage"], nc["subjects"], nc["mean"]) == ("NC", 4, 0.75)
    assert (ad["stage"], ad["subjects"], ad["mean"]) == ("AD", 8, 0.5)
    expected = ends(share_interval(0.75, 4))
    assert (nc["low"], nc["high"]) == pytest.approx(expected, abs=1e-6)


def test_reliability_by_hand():
    one = two_classes([0.1, 0.19, 0.2, 0.3, 0.8, 1.0], [0, 1, 1, 0, 1, 1])
    rows = reliability([[one]])
    assert BINS == 5
    assert [row["stage"] for row in rows] == [1] * 3
    assert [row["answers"] for row in rows] == [2, 2, 2]
    assert [row["predicted"] for row in rows] == [0.145, 0.25, 0.9]
    assert [row["mean"] for row in rows] == [0.5, 0.5, 1.0]
    expected = ends(share_interval(0.5, 2))
    assert (rows[0]["low"], rows[0]["high"]) == pytest.approx(
        expected, abs=1e-6
    )


def test_answers_of_several_seeds_are_one_subject_for_the_interval():
    one = two_classes([0.1, 0.15] * 4, [0, 1] * 4)
    (row,) = reliability([[one, one], [one, one]])
    assert row["answers"] == 32
    expected = ends(share_interval(0.5, 16))
    assert (row["low"], row["high"]) == pytest.approx(expected, abs=1e-6)


def test_every_stage_of_three_has_its_reliability():
    one = Predictions(
        np.arange(9), np.arange(9) % 3, np.eye(3)[np.arange(9) % 3]
    )
    rows = reliability([[one]])
    assert [row["stage"] for row in rows] == [0, 0, 1, 1, 2, 2]
    found = compare(arm("real", one), classes=("NC", "MCI", "AD"), splits=1)
    stages = [row["stage"] for row in found["calibration"]]
    assert stages == ["NC", "NC", "MCI", "MCI", "AD", "AD"]
    assert set(METRICS) < {row["metric"] for row in found["arms"]}
