"""The two nearest subjects, with distances known by hand."""

import numpy as np
import pytest

from pet_dcgan.metrics import neighbors
from pet_dcgan.metrics.nearest_subjects import (
    distances_to_subjects,
    two_nearest_subjects,
)

# subject a at 0 and 1, b at 10, c at 11
TRAIN = [[1.0], [10.0], [11.0], [0.0]]
SUBJECTS = ["a", "b", "c", "a"]


@pytest.fixture(params=[1, 512], autouse=True)
def _chunked(request, monkeypatch):
    monkeypatch.setattr(neighbors, "_ROW_CHUNK", request.param)


def test_rows_and_ratios_by_hand():
    found = two_nearest_subjects([[4.0], [1.0], [5.5], [31.0]], TRAIN, SUBJECTS)
    assert found.rows.tolist() == [[0, 1], [0, 1], [0, 1], [2, 1]]
    assert found.distances.tolist() == [[3, 6], [0, 9], [4.5, 4.5], [20, 21]]
    np.testing.assert_allclose(found.ratios, [3 / 6, 0, 1, 20 / 21])


def test_two_subjects_that_equal_a_query_are_no_copy():
    found = two_nearest_subjects([[1.0]], [[1.0], [1.0]], ["a", "b"])
    np.testing.assert_array_equal(found.ratios, [1])


def test_small_distances_are_exact():
    # of a sum of squares of about 1e6 the expansion keeps 1e-10
    train = np.array([[1000.0, 0.0], [1000.0, 1e-7], [1000.0, 1.0]])
    (query,) = two_nearest_subjects(train[:1], train, ["a", "b", "c"]).distances
    assert query[0] == 0
    assert query[1] == pytest.approx(1e-7)


def test_distances_by_hand():
    found = distances_to_subjects([[4.0], [30.0]], TRAIN, SUBJECTS)
    np.testing.assert_allclose(found, [[3, 6, 7], [29, 20, 19]])


@pytest.mark.parametrize(
    ("query", "subjects", "message"),
    [
        ([[1.0]], ["a"] * 4, "4 rows and at least 2"),
        ([[1.0]], ["a", "b"], "each of 4 rows"),
        ([[np.nan]], SUBJECTS, "NaN or infinity"),
        ([[1.0, 2.0]], SUBJECTS, "one length"),
    ],
)
def test_bad_input_is_refused(query, subjects, message):
    with pytest.raises(ValueError, match=message):
        two_nearest_subjects(query, TRAIN, subjects)
