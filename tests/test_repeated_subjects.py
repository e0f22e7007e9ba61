"""One person under several names in a training set."""

import numpy as np
import pytest
from scipy import ndimage
from toy_brains import subjects_slices

from pet_dcgan.metrics.centring import centred
from pet_dcgan.metrics.repeated_subjects import merged_subjects


def points(*places):
    """Two slices a subject at these places, so that distances are known."""
    rows = np.repeat(np.array(places, float), 2)[:, None]
    return rows, np.repeat(np.arange(len(places)), 2)


def groups(*places):
    return merged_subjects(*points(*places))[::2].tolist()


def test_honest_subjects_stay_apart():
    for count in (2, 3, 5, 12, 40):
        images, subjects, _ = subjects_slices(count, seed=count)
        found = merged_subjects(centred(images), subjects)
        assert len(set(found)) == count


CHANGES = {
    "equal": lambda images: images,
    "noisy": lambda x: x + np.random.default_rng(2).normal(0, 0.05, x.shape),
    "shifted": lambda images: np.roll(images, (1, -1), (1, 2)),
    "mirrored": lambda images: images[:, :, ::-1],
    "blurred": lambda images: ndimage.gaussian_filter(images, (0, 0.7, 0.7)),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("count", [5, 12])
def test_a_repeated_scan_is_found_under_two_or_three_names(change, count):
    images, subjects, _ = subjects_slices(count, seed=1)
    again = CHANGES[change](images[:6])
    for names in ([*"x"], [*"xy"]):
        found = merged_subjects(
            centred(np.concatenate([images, *([again] * len(names))])),
            np.concatenate([subjects, np.repeat(names, 6)]),
        )
        assert len(set(found)) == count
        assert len(set(found[:6]) | set(found[len(images) :])) == 1


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        # less than half as far as from the third one, or not
        ((0, 0.99, 2, 4), [0, 0, 1, 2]),
        ((0, 1, 2, 4), [0, 1, 2, 3]),
        # three names of one person are a minority of five, not of four
        ((0, 0.1, 0.2, 5, -5), [0, 0, 0, 1, 2]),
        ((0, 0.1, 0.2, 5), [0, 1, 2, 3]),
        # friends of friends: the second is half as far from both as from all
        ((0, 1, 2, 4.1, 6.3, 9), [0, 0, 0, 1, 2, 3]),
        # equal slices are one person's however many there are
        ((0, 0), [0, 0]),
        ((0, 1e-12, 3, 3, 3), [0, 0, 1, 1, 1]),
        # two alone cannot be told apart otherwise
        ((0, 0.1), [0, 1]),
    ],
)
def test_by_hand(places, expected):
    assert groups(*places) == expected


@pytest.mark.parametrize(("shared", "subjects"), [(1, 4), (2, 3)])
def test_half_of_the_slices_are_needed(shared, subjects):
    rows = 100 * np.eye(40)[:16]
    rows[4 : 4 + shared] = rows[:shared] + 0.1
    found = merged_subjects(rows, [*"aaaabbbbccccdddd"])
    assert len(set(found)) == subjects


@pytest.mark.parametrize(
    ("train", "subjects", "message"),
    [
        (np.full([2, 4], np.nan), ["a", "b"], "NaN or infinity"),
        (np.ones([2, 4]), ["a"], "each of 2 rows"),
    ],
)
def test_bad_input_is_refused(train, subjects, message):
    with pytest.raises(ValueError, match=message):
        merged_subjects(train, subjects)
