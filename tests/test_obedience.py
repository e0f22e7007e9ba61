"""Whether a conditional generator draws what it is asked for."""

import numpy as np
import pytest

from pet_dcgan.metrics.obedience import (
    identity_kept,
    slices_at,
    stage_accuracy,
    variety,
)


def latents(count=10, positions=2, size=6, seed=0):
    """A stack of noise: every latent is a brain of its own."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=[count, positions, size, size])


def test_the_nearest_slice_of_each_subject():
    positions = np.array([0.0, 3.0, 6.0, 1.0, 4.0, 7.0, 0.0, 9.0])
    subjects = np.array(list("aaabbbcc"))
    images = np.arange(8.0)[:, None, None] * np.ones([8, 2, 2])
    stack, names = slices_at(
        images, subjects, positions, at_mm=[0.5, 4.5], within_mm=1.5
    )
    # 0.5 is as near to 0 as to 1; c has nothing within 1.5 of 4.5
    assert names.tolist() == ["a", "b"]
    np.testing.assert_array_equal(stack[:, :, 0, 0], [[0, 1], [3, 4]])


def test_nobody_at_a_position():
    stack, names = slices_at(
        np.ones([2, 4, 4]), ["a", "b"], [0, 0], at_mm=[9], within_mm=1
    )
    assert stack.shape == (0, 1, 4, 4)
    assert not len(names)


def test_stage_accuracy_by_hand():
    asked = [0, 0, 0, 0, 1, 1, 2]
    answers = [0, 0, 0, 1, 1, 2, 2]
    found = stage_accuracy(answers, asked, np.arange(7))
    # a stage counts once, however many images it has
    assert found.accuracy == pytest.approx((3 / 4 + 1 / 2 + 1) / 3)
    expected = [[0.75, 0.25, 0], [0, 0.5, 0.5], [0, 0, 1]]
    np.testing.assert_allclose(found.confusion, expected)
    assert found.interval.low is None


def test_stage_accuracy_has_an_interval_over_subjects():
    rng = np.random.default_rng(0)
    asked = np.repeat([0, 1, 2], 40)
    subjects = np.repeat(np.arange(30), 4)
    answers = np.where(rng.random(120) < 0.7, asked, (asked + 1) % 3)
    few = stage_accuracy(answers, asked, subjects)
    many = stage_accuracy(answers, asked, np.arange(120))
    assert few.interval.low < few.accuracy < few.interval.high
    assert many.interval.high - many.interval.low < 0.35


def test_latents_that_all_stages_share_are_drawn_together():
    # each latent is taken for one stage, so that one in three is right
    asked, latents = np.repeat([0, 1, 2], 30), np.tile(np.arange(30), 3)
    found = stage_accuracy(latents % 3, asked, latents)
    assert found.interval.low == pytest.approx(1 / 3)
    assert found.interval.high == pytest.approx(1 / 3)


def test_a_generator_that_ignores_the_stage_is_right_one_time_in_three():
    answers = np.tile([0, 1, 2], 30)
    found = stage_accuracy(answers, np.repeat([0, 1, 2], 30), np.arange(90))
    assert found.accuracy == pytest.approx(1 / 3)


def test_identity_is_kept_where_the_stage_changes_little():
    first = latents()
    found = identity_kept(first, first - 0.1)
    assert found.share == 1
    assert found.chance == 0.1
    assert found.own == pytest.approx(0.1)
    assert found.other > 0.5
    assert (found.interval.low, found.interval.high) == (1, 1)


def test_identity_is_lost_where_the_stages_have_nothing_in_common():
    share = [
        identity_kept(latents(seed=n), latents(seed=n + 100)).share
        for n in range(20)
    ]
    assert np.mean(share) == pytest.approx(0.1, abs=0.05)


def test_identity_of_a_generator_that_ignores_its_latents_is_chance():
    alike = np.repeat(latents(1), 10, axis=0)
    found = identity_kept(alike, alike + 0.1)
    assert found.share == pytest.approx(found.chance)


def test_variety_by_hand():
    # two synthetic images that differ by 1 everywhere, two real ones by 2
    ones = np.ones([1, 1, 4, 4])
    synthetic = np.concatenate([ones, 2 * ones])
    real = np.concatenate([ones, 3 * ones])
    found = variety(synthetic, real)
    assert found.ratio == pytest.approx(0.5)
    assert (found.synthetic, found.real) == (1, 2)
    assert found.interval.low is None


def test_variety_of_more_of_the_same_kind_is_one():
    found = variety(latents(12, seed=1), latents(10, seed=2))
    assert found.interval.low < 1 < found.interval.high
    collapsed = variety(np.repeat(latents(1), 12, axis=0), latents(10))
    assert collapsed.ratio == 0


def test_real_subjects_that_do_not_differ_give_no_ratio():
    found = variety(latents(3), np.ones([3, 2, 6, 6]))
    assert np.isnan(found.ratio)
    assert found.interval.low is None


def test_bad_stacks():
    with pytest.raises(ValueError, match="same latents"):
        identity_kept(latents(3), latents(4))
    with pytest.raises(ValueError, match="two or more"):
        variety(latents(1), latents(4))
    with pytest.raises(ValueError, match="same positions"):
        variety(latents(4), latents(4, positions=3))
    with pytest.raises(ValueError, match="finite"):
        variety(latents(4) * np.nan, latents(4))
    with pytest.raises(ValueError, match="a subject and a position"):
        slices_at(np.ones([2, 4, 4]), ["a"], [0, 0], at_mm=[0], within_mm=1)


@pytest.mark.parametrize(
    ("answers", "asked", "words"),
    [
        ([0, 1], [0, 1], "each class 0 to 2"),
        ([0, 1, 5], [0, 1, 2], "no other answer"),
        ([0, 1], [0, 1, 2], "for each image"),
    ],
)
def test_bad_answers(answers, asked, words):
    with pytest.raises(ValueError, match=words):
        stage_accuracy(answers, asked, np.arange(len(asked)))
