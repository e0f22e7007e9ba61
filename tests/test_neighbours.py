import numpy as np
import pytest

from pet_dcgan.metrics import neighbors
from pet_dcgan.metrics.neighbors import (
    kth_neighbour_distances,
    nearest_distances,
    nearest_rows,
    subject_ratios,
)


def stack(count, seed):
    return np.random.default_rng(seed).random((count, 5, 4), np.float32)


def all_distances(queries, pool):
    difference = queries[:, None].astype(float) - pool[None]
    return np.sqrt((difference**2).sum((2, 3)))


@pytest.mark.parametrize("chunk", [1, 3, 512])
def test_nearest_equals_brute_force(monkeypatch, chunk):
    monkeypatch.setattr(neighbors, "_CHUNK", chunk)
    queries, pool = stack(10, 0), stack(13, 1)
    expected = all_distances(queries, pool)
    index, distance = nearest_rows(queries, pool)
    np.testing.assert_array_equal(index, expected.argmin(1))
    np.testing.assert_allclose(distance, expected.min(1), rtol=1e-12)
    np.testing.assert_array_equal(distance, nearest_distances(queries, pool))


def test_by_hand():
    queries, pool = [[0.0, 0.0], [3.0, 4.0]], [[3.0, 4.0], [0.0, 1.0]]
    np.testing.assert_array_equal(nearest_distances(queries, pool), [1, 0])


def test_a_row_of_the_pool_is_at_no_distance_however_large():
    pool = 1e6 + stack(20, 0).astype(float)
    np.testing.assert_array_equal(nearest_distances(pool, pool), 0)


def test_never_of_the_own_subject():
    pool = stack(12, 2)
    subjects = np.repeat(["a", "b", "c"], 4)
    expected = all_distances(pool, pool)
    expected[subjects[:, None] == subjects] = np.inf
    found = nearest_distances(
        pool, pool, subjects=subjects, pool_subjects=subjects
    )
    np.testing.assert_allclose(found, expected.min(1))


def test_kth_neighbours_by_hand():
    points = np.array([[0.0], [1.0], [4.0]])
    np.testing.assert_array_equal(kth_neighbour_distances(points, 1), [1, 1, 3])
    np.testing.assert_array_equal(kth_neighbour_distances(points, 2), [4, 3, 4])


def test_ratios_by_hand():
    # subject a at 0 and 1, b at 10: 4 is 3 from a and 6 from b
    train, subjects = [[0.0], [1.0], [10.0]], ["a", "a", "b"]
    found = subject_ratios([[4.0], [1.0], [5.5], [30.0]], train, subjects)
    np.testing.assert_allclose(found, [3 / 6, 0, 1, 20 / 29])


def test_between_two_equal_subjects_the_ratio_is_one():
    found = subject_ratios([[1.0]], [[1.0], [1.0]], ["a", "b"])
    np.testing.assert_array_equal(found, [1])


@pytest.mark.parametrize(
    ("pool", "subjects", "message"),
    [
        (np.ones((2, 5, 3)), None, r"\(3, 5, 4\) and \(2, 5, 3\)"),
        (np.full((2, 5, 4), np.nan), None, "NaN or infinity"),
        (np.ones((0, 5, 4)), None, "at least 1 rows"),
        (stack(2, 0), (["a"] * 3, ["a"] * 2), "row of another subject"),
        (stack(2, 0), (["a"] * 3, ["a"] * 3), "3 queries and 2 rows"),
    ],
)
def test_bad_input_of_nearest_is_refused(pool, subjects, message):
    own, others = subjects or (None, None)
    with pytest.raises(ValueError, match=message):
        nearest_distances(stack(3, 1), pool, subjects=own, pool_subjects=others)


@pytest.mark.parametrize("k", [0, 3])
def test_there_must_be_a_kth_neighbour(k):
    with pytest.raises(ValueError, match=f"found k {k} and 3 rows"):
        kth_neighbour_distances(np.ones((3, 2)), k)


@pytest.mark.parametrize("subjects", [["a", "a"], ["a", "b", "c"]])
def test_ratios_need_two_subjects(subjects):
    with pytest.raises(ValueError, match="2 training rows and at least 2"):
        subject_ratios([[1.0]], [[1.0], [2.0]], subjects)
