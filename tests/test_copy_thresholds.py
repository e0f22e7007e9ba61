"""Either side of every number that the copy check turns on.

The numbers stand here once more, so that one that moves is noticed.
"""

from types import SimpleNamespace

import numpy as np
import pytest
from test_verdict_thresholds import changed

from pet_dcgan.evaluation.assessment import findings
from pet_dcgan.evaluation.feature_scores import copies
from pet_dcgan.metrics.memorization import (
    CopyTest,
    MemorizationCheck,
    authenticity,
    check_memorization,
    copy_test,
)
from pet_dcgan.serving.model_card import has_copies


def verdict(*, twins=0.0, held_out_twins=0.0, p_value=0.5, z_score=0.0):
    return MemorizationCheck(
        test=CopyTest(z_score, p_value, 0.5),
        authenticity=0.9,
        held_out_authenticity=0.9,
        twins=twins,
        held_out_twins=held_out_twins,
        held_out_subjects=8,
        nearest=np.zeros(1, int),
        ratios=np.ones(1),
    ).verdict


@pytest.mark.parametrize(
    ("twins", "held_out_twins", "expected"),
    [
        # one in a hundred, where held-out images have none or few
        (0.0099, 0.0, "no sign"),
        (0.01, 0.0, "no sign"),
        (0.0101, 0.0, "copies"),
        (0.01, 0.003, "no sign"),
        (0.0101, 0.003, "copies"),
        # three times as many as held-out images have, where those have more
        (0.297, 0.1, "no sign"),
        (0.375, 0.125, "no sign"),
        (0.303, 0.1, "copies"),
    ],
)
def test_the_share_of_twins_that_is_copying(twins, held_out_twins, expected):
    assert verdict(twins=twins, held_out_twins=held_out_twins) == expected


@pytest.mark.parametrize(
    ("p_value", "expected"),
    [(0.0099, "nearer"), (0.01, "no sign"), (0.0101, "no sign")],
)
def test_the_chance_at_which_images_are_nearer(p_value, expected):
    assert verdict(p_value=p_value) == expected


@pytest.mark.parametrize(
    ("z_score", "expected"),
    [(2.97, "no sign"), (3.0, "no sign"), (3.03, "too far to tell")],
)
def test_the_distance_that_is_too_far_to_tell(z_score, expected):
    assert verdict(z_score=z_score) == expected


def test_copies_come_before_nearness_and_nearness_before_distance():
    assert verdict(twins=0.0101, p_value=0.0, z_score=9.0) == "copies"
    assert verdict(twins=0.01, p_value=0.0, z_score=9.0) == "nearer"


def greys(*values):
    """Images of a square of one grey, so that their distances are known."""
    square = np.zeros([32, 32], np.float32)
    square[8:24, 8:24] = 1
    return square * np.reshape(values, [-1, 1, 1])


# a grey between 1 and 4, with its distance to 1 over that to 4 as named
NEARER, HALF, AS_NEAR = ((1 + 4 * r) / (1 + r) for r in (0.495, 0.5, 0.505))


@pytest.mark.parametrize(
    ("grey", "share"), [(NEARER, 1.0), (HALF, 0.0), (AS_NEAR, 0.0)]
)
def test_a_twin_is_less_than_half_as_far_from_one_subject(grey, share):
    def check(held_out, synthetic):
        return check_memorization(
            greys(1, 4),
            greys(*held_out),
            greys(*synthetic),
            train_subjects=["a", "b"],
            held_out_subjects=["c", "d"],
        )

    assert check([2.4, 2.6], [grey] * 2).twins == share
    assert check([grey] * 2, [2.4, 2.6]).held_out_twins == share
    assert check([2.4, 2.6], [grey, 2.5]).twins == share / 2


@pytest.mark.parametrize(("rows", "twins"), [(98, 2), (99, 1), (100, 1)])
def test_one_twin_among_a_hundred_is_no_copying_and_two_are(rows, twins):
    """The whole check, about the share of one in a hundred."""
    train = greys(*[1, 4] * 10)
    found = check_memorization(
        train,
        greys(2.45, 2.55),
        greys(*[2.5] * rows, *[1.0] * twins),
        train_subjects=np.arange(20) % 2,
        held_out_subjects=["c", "d"],
    )
    assert (found.verdict == "copies") == (twins > 1)


@pytest.mark.parametrize(("count", "found"), [(19, 0), (20, 1), (21, 1)])
def test_a_cell_of_several_needs_twenty_synthetic_rows(count, found):
    train = np.array([[0.0], [0.1], [100], [100.1]])
    held_out = np.array([[1.0], [2], [101]])
    synthetic = np.full([count, 1], 0.5)
    if found:
        share = copy_test(train, held_out, synthetic, cells=2).share_nearer
        assert share == 1
    else:
        with pytest.raises(ValueError, match="found none of 2"):
            copy_test(train, held_out, synthetic, cells=2)


def test_a_single_cell_needs_one_synthetic_row():
    rows = np.array([[0.0], [1.0]])
    assert copy_test(rows, rows + 3, rows[:1]).share_nearer == 1


@pytest.mark.parametrize(
    ("distance", "share"), [(0.99, 0.5), (1.0, 0.25), (1.01, 0.0)]
)
def test_as_near_as_a_held_out_image_counts_half(distance, share):
    found = copy_test(
        np.zeros([1, 1]), np.array([[1.0], [0.5]]), np.array([[distance]])
    )
    assert found.share_nearer == share


@pytest.mark.parametrize(
    ("place", "copy"), [(0.99, True), (1.0, True), (1.01, False)]
)
def test_a_copy_is_as_near_as_training_images_are_or_nearer(place, copy):
    train = np.array([[0.0, 0], [0, 1]])
    # straight away from the first, whose neighbour is 1 away
    assert authenticity(train, np.array([[0, -place]])) == (0 if copy else 1)


@pytest.mark.parametrize(
    ("subjects", "expected"), [(["a", "a"], None), (["a", "b"], "no sign")]
)
def test_two_training_subjects_are_enough_to_look(subjects, expected):
    held_out = SimpleNamespace(
        images=greys(2.4, 2.6), subjects=np.array(["c", "d"])
    )
    found, pairs = copies(
        SimpleNamespace(
            training=SimpleNamespace(subjects=np.array(subjects)),
            training_suvr=greys(1, 4),
            synthetic=greys(*np.linspace(2.4, 2.6, 10)),
            test=held_out,
            validation=held_out,
        )
    )
    assert found["verdict"] == expected
    assert (pairs is None) == (expected is None)
    if pairs:
        assert len(pairs.synthetic) == 8


@pytest.mark.parametrize(
    ("found", "sign", "refused"),
    [
        (verdict(twins=0.0101), "bad", True),
        (verdict(twins=0.01), "good", False),
        (verdict(p_value=0.0099), "caution", False),
        (verdict(z_score=3.03), "caution", False),
        (None, "unknown", False),
    ],
)
def test_what_an_export_and_a_verdict_make_of_it(found, sign, refused):
    metrics = changed("copies.verdict", found)
    assert findings(metrics)[0].sign == sign
    assert has_copies(metrics) is refused
