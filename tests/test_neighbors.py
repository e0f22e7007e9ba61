import numpy as np
import pytest

from pet_dcgan.metrics import neighbors
from pet_dcgan.metrics.neighbors import (
    kth_neighbour_distances,
    nearest,
    nearest_distances,
    nearest_rows,
    random_pairs,
)


def stack(count, seed):
    return np.random.default_rng(seed).random((count, 5, 4), np.float32)


def brute_force(images, pool, forbidden=None):
    """Index and Euclidean distance of the nearest."""
    difference = images[:, None].astype(float) - pool[None]
    distances = np.sqrt((difference**2).sum((2, 3)))
    if forbidden is not None:
        distances[forbidden] = np.inf
    return distances.argmin(1), distances.min(1)


def root_mean_square(images, pool, **subjects):
    """`nearest`, with the Euclidean distance."""
    index, rms = nearest(images, pool, **subjects)
    return index, rms * np.sqrt(20)


@pytest.fixture(params=[1, 3, 512])
def chunked(request, monkeypatch):
    for name in ("_ROW_CHUNK", "_IMAGE_CHUNK"):
        monkeypatch.setattr(neighbors, name, request.param)


@pytest.mark.usefixtures("chunked")
@pytest.mark.parametrize("search", [nearest_rows, root_mean_square])
def test_nearest_equals_brute_force_and_is_of_no_own_subject(search):
    pool, owners = stack(12, 2), np.repeat(["a", "b", "c"], 4)
    apart = {"subjects": owners, "pool_subjects": owners}
    for found, expected in (
        (search(stack(10, 0), pool), brute_force(stack(10, 0), pool)),
        (
            search(pool, pool, **apart),
            brute_force(pool, pool, owners[:, None] == owners),
        ),
    ):
        np.testing.assert_array_equal(found[0], expected[0])
        np.testing.assert_allclose(found[1], expected[1], rtol=1e-6)


def test_by_hand():
    queries, pool = [[0.0, 0.0], [3.0, 4.0]], [[3.0, 4.0], [0.0, 1.0]]
    np.testing.assert_array_equal(nearest_distances(queries, pool), [1, 0])
    images = np.stack([np.zeros((2, 2)), np.full((2, 2), 2.0)])
    index, rms = nearest(np.full((1, 2, 2), 1.5), images)
    assert (index.item(), rms.item()) == (1, 0.5)


def test_a_row_of_the_pool_is_at_no_distance_however_large():
    pool = 1e6 + stack(20, 0).astype(float)
    np.testing.assert_array_equal(nearest_distances(pool, pool), 0)


@pytest.mark.usefixtures("chunked")
def test_the_first_of_equally_near_ones_is_taken():
    pool = np.zeros((6, 2, 2))
    assert nearest(pool[:1], pool)[0].item() == 0
    assert nearest_rows(pool[:1], pool)[0].item() == 0


def test_kth_neighbours_by_hand():
    points = np.array([[0.0], [1.0], [4.0]])
    np.testing.assert_array_equal(kth_neighbour_distances(points, 1), [1, 1, 3])
    np.testing.assert_array_equal(kth_neighbour_distances(points, 2), [4, 3, 4])


def test_kth_neighbours_of_other_subjects():
    points = np.array([[0.0], [1.0], [4.0]])
    found = kth_neighbour_distances(points, 1, subjects=[*"aab"])
    np.testing.assert_array_equal(found, [4, 3, 3])


def test_random_pairs_reach_every_other_subject_and_are_seeded():
    subjects = np.array(["a", "a", "b", "c"])
    many = np.tile(subjects, 50)
    index, again, other = (
        random_pairs(200, 4, seed=s, subjects=many, pool_subjects=subjects)
        for s in (0, 0, 1)
    )
    np.testing.assert_array_equal(index, again)
    assert not np.array_equal(index, other)
    assert set(index[many == "a"]) == {2, 3}
    assert set(index[many == "b"]) == {0, 1, 3}
    assert set(index[many == "c"]) == {0, 1, 2}


@pytest.mark.parametrize(
    "search",
    [
        nearest,
        nearest_rows,
        lambda *_, **who: random_pairs(2, 2, seed=0, **who),
    ],
)
def test_images_without_candidates_are_refused(search):
    with pytest.raises(ValueError, match="of two or more subjects"):
        search(
            stack(2, 0),
            stack(2, 0),
            subjects=["a", "b"],
            pool_subjects=["a", "a"],
        )
    with pytest.raises(ValueError, match="2 images and 2 candidates"):
        search(
            stack(2, 0), stack(2, 0), subjects=["a"], pool_subjects=["b", "c"]
        )


@pytest.mark.parametrize("search", [nearest, nearest_rows])
@pytest.mark.parametrize(
    ("pool", "message"),
    [
        (np.ones((2, 5, 3)), r"\(3, 5, 4\) and \(2, 5, 3\)"),
        (np.full((2, 5, 4), np.nan), "NaN or infinity"),
        (np.ones((0, 5, 4)), "at least 1 rows|found none"),
    ],
)
def test_bad_pools_are_refused(search, pool, message):
    with pytest.raises(ValueError, match=message):
        search(stack(3, 1), pool)


def test_too_few_points_are_refused():
    for k in (0, 3):
        with pytest.raises(ValueError, match=f"found k {k} and 3 rows"):
            kth_neighbour_distances(np.ones((3, 2)), k)
