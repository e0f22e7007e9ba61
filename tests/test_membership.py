"""Membership inference, by hand and with planted replays."""

import numpy as np
import pytest
from scipy.stats import beta
from toy_brains import subjects_slices

from pet_dcgan.metrics.confidence import auc_interval
from pet_dcgan.metrics.membership import (
    TooFewSubjectsError,
    membership_inference,
    subject_distances,
)


def column(*values):
    return np.array(values, float)[:, None]


def attack(members, others, *, synthetic=(0.0,)):
    """Subjects of one row each, so that a score is a distance."""
    return membership_inference(
        column(*members),
        column(*others),
        column(*synthetic),
        train_subjects=np.arange(len(members)),
        held_out_subjects=np.arange(len(others)),
    )


def test_a_subject_is_as_far_as_its_nearest_slice():
    # a at 4 and 1, b at 7; the nearest of 0 and 10 are 4, 1 and 3 away
    found = subject_distances(
        column(4, 7, 1), ["a", "b", "a"], column(0.0, 10.0)
    )
    np.testing.assert_array_equal(found, [1, 3])


def test_the_numbers_by_hand():
    # of 8 x 8 pairs 1, 2 and 3 are below all 8 others, 5 below 7 of them and
    # equal to one, 20 to 23 below none
    found = attack([1, 2, 3, 5, 20, 21, 22, 23], [5, *range(10, 17)])
    assert found.auc == pytest.approx((3 * 8 + 7.5) / 64)
    assert found.auc_interval == auc_interval(found.auc, 8, 8)
    # 5 is as near as a held-out subject, so it is not found
    assert (found.found, found.allowed) == (3 / 8, 0)
    # Clopper-Pearson, 3 of 8
    ends = beta.ppf([0.025, 0.975], [3, 4], [6, 5])
    interval = found.found_interval
    np.testing.assert_allclose([interval.low, interval.high], ends)
    assert (found.training_subjects, found.held_out_subjects) == (8, 8)
    assert found.images == 1
    assert not found.beyond_chance


@pytest.mark.parametrize(
    ("held_out", "allowed", "share"),
    # the nearest held-out one is nearer than five of the ten, the next one
    # than none of them
    [(99, 0, 0.5), (100, 1, 1.0), (199, 1, 1.0), (200, 2, 1.0)],
)
def test_one_percent_takes_a_hundred_held_out_subjects(
    held_out, allowed, share
):
    others = np.r_[5.5, np.linspace(20, 30, held_out - 1)]
    found = attack(np.arange(1, 11), others)
    assert (found.allowed, found.found) == (allowed, share)
    assert ("takes 100 of them" in found.words) == (allowed == 0)
    assert (f"all but {allowed} of" in found.words) == (allowed > 0)
    assert found.found_by_chance == (allowed + 1) / (held_out + 1)


@pytest.mark.parametrize(
    ("members", "others", "enough"), [(8, 8, 1), (7, 8, 0), (8, 7, 0)]
)
def test_eight_subjects_of_either_kind_are_needed(members, others, enough):
    numbers = np.arange(1.0, 9)
    if enough:
        assert attack(numbers[:members], numbers[:others]).auc == 0.5
        return
    with pytest.raises(
        TooFewSubjectsError, match=f"found {members} and {others}"
    ):
        attack(numbers[:members], numbers[:others])


def test_all_or_none_have_intervals_with_a_width():
    near, far = np.arange(1.0, 9), np.arange(11.0, 19)
    for members, others, share in ((near, far, 1), (far, near, 0)):
        found = attack(members, others)
        assert found.auc == found.found == share
        for interval in (found.auc_interval, found.found_interval):
            assert 0.2 < interval.high - interval.low < 0.5
            assert interval.low <= share <= interval.high
        assert found.beyond_chance == (share == 1)


def test_equal_images_say_nothing():
    found = attack([1.0] * 8, [1.0] * 8)
    assert (found.auc, found.found) == (0.5, 0)
    assert "which is no proof" in found.words


@pytest.fixture(scope="module")
def brains():
    """Slices of 12 training, 12 held-out and 12 other subjects."""
    return [subjects_slices(12, seed=seed)[:2] for seed in (1, 2, 3)]


def judged(brains, synthetic):
    train, held_out, _ = brains
    return membership_inference(
        train[0],
        held_out[0],
        synthetic,
        train_subjects=train[1],
        held_out_subjects=held_out[1],
    )


def test_a_generator_that_replays_gives_its_subjects_away(brains):
    found = judged(brains, brains[0][0][::2] + 0.01)
    assert found.auc > 0.95
    assert found.beyond_chance
    assert found.words.startswith("Who was trained on shows in the synthetic")
    names = {name for part in brains for name in part[1]}
    assert not names & set(found.words.split())


def test_images_of_others_give_nobody_away(brains):
    found = judged(brains, brains[2][0])
    assert found.auc_interval.low < 0.5 < found.auc_interval.high
    assert found.words.startswith("It did not show who was trained on")


@pytest.mark.parametrize("name", ["train", "held_out", "synthetic"])
def test_not_a_number_is_refused(name):
    arrays = {
        "train": np.ones([8, 4, 4]),
        "held_out": np.ones([8, 4, 4]),
        "synthetic": np.ones([2, 4, 4]),
    }
    arrays[name] = np.full_like(arrays[name], np.nan)
    subjects = {f"{k}_subjects": range(8) for k in ("train", "held_out")}
    with pytest.raises(ValueError, match="NaN or infinity"):
        membership_inference(**arrays, **subjects)


def test_images_of_another_size_are_refused():
    with pytest.raises(ValueError, match=r"\(8, 1\) and \(1, 2\)"):
        membership_inference(
            column(*range(8)),
            column(*range(8)),
            np.ones([1, 2]),
            train_subjects=range(8),
            held_out_subjects=range(8),
        )
