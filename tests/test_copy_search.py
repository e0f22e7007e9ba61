"""Nearest subjects of images and mirror images, mixtures, shares by hand."""

import numpy as np
import pytest
from scipy.stats import t as student

from pet_dcgan.metrics.copy_search import (
    mixture_residuals,
    search,
    share_p_value,
)
from pet_dcgan.metrics.nearest_subjects import TwoSubjects


def images(*rows):
    """Images of one row of pixels."""
    return np.array(rows, float)[:, None, :]


class TestSearch:
    def test_the_lower_ratio_of_image_and_mirror_image(self):
        train = images([4, 0], [0, 8])
        found = search(
            images([4, 0], [0, 4], [1, 0], [5, 5]), train, ["a", "b"]
        )
        # as it is, mirrored, mirrored only slightly nearer to b, symmetric
        assert found.mirrored.tolist() == [False, True, False, False]
        assert found.nearest.tolist() == [0, 0, 0, 0]
        assert found.rows.tolist() == [0, 1, 0, 0]
        np.testing.assert_allclose(
            found.ratios[[0, 1, 3]], [0, 0, np.sqrt(26 / 34)]
        )
        assert found.suspects.tolist() == [True, True, True, False]
        np.testing.assert_allclose(found.distances[:3], [0, 4, 3])

    @pytest.mark.parametrize(("ratio", "suspect"), [(0.499, 1), (0.501, 0)])
    def test_a_suspect_is_less_than_half_as_far(self, ratio, suspect):
        place = 4 * ratio / (1 + ratio)
        found = search(images([place]), images([0], [4]), ["a", "b"])
        assert found.ratios[0] == pytest.approx(ratio)
        assert found.suspects.item() == bool(suspect)

    @pytest.mark.parametrize(("height", "mixed"), [(0.57, 1), (0.59, 0)])
    def test_a_mixture_is_less_than_half_as_far(self, height, mixed):
        # beside the middle of a line of length 2: half where height is 3^-1/2
        found = search(images([1, height]), images([0, 0], [2, 0]), ["a", "b"])
        assert found.mixed.item() == bool(mixed)
        expected = height / np.hypot(1, height)
        assert found.residuals.item() == pytest.approx(expected)


class TestMixtureResiduals:
    @pytest.mark.parametrize(
        ("image", "expected"),
        [
            ((1, 0), 0),  # the mean of both
            ((0, 0), 1),  # a copy is no mixture
            ((-1, 2), 1),  # beyond the end of the line
            ((1, 1), 1 / np.sqrt(2)),
        ],
    )
    def test_by_hand(self, image, expected):
        train = np.array([[0.0, 0], [2, 0]])
        query = np.array([image], float)
        distances = np.linalg.norm(query - train, axis=1)[None]
        two = TwoSubjects(np.array([[0, 1]]), distances)
        (found,) = mixture_residuals(query, train, two)
        assert found == pytest.approx(expected)

    def test_two_equal_slices_make_no_line(self):
        train = np.ones([2, 3])
        two = TwoSubjects(np.array([[0, 1]]), np.full([1, 2], np.sqrt(3)))
        assert mixture_residuals(np.zeros([1, 3]), train, two) == [1]


class TestShare:
    def test_by_hand(self):
        # subjects have 1/2 and 0 of it, images 3/4
        found = np.array([1, 1, 1, 0], bool)
        held_out = np.array([1, 0, 0], bool)
        variance = 0.75 * 0.25 / 4 + 0.125 / 2
        expected = student.sf(0.5 / np.sqrt(variance), 1)
        value = share_p_value(found, held_out, ["x", "x", "y"])
        assert value == pytest.approx(expected)

    @pytest.mark.parametrize(
        ("found", "held_out", "subjects", "expected"),
        [
            ([0, 0], [0, 0], "ab", 1),  # none
            ([0, 1], [0, 0], "ab", 0),  # one, where others have none
            ([0, 1], [0, 1], "ab", 1),  # as many
            ([1, 1], [0, 1], "aa", 0),  # one subject excuses nothing
            ([0, 0], [0, 1], "ab", 1),
            ([1, 1], [0, 1, 0, 1], "aabb", 0),  # nothing varies
        ],
    )
    def test_ends(self, found, held_out, subjects, expected):
        flags = np.array(found, bool), np.array(held_out, bool)
        assert share_p_value(*flags, [*subjects]) == expected
