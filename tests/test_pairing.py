import numpy as np
import pytest

from pet_dcgan.metrics.neighbors import nearest, random_pairs


def stack(count, seed):
    return np.random.default_rng(seed).random((count, 5, 4), np.float32)


def brute_force(images, pool, forbidden):
    rms = np.sqrt(((images[:, None] - pool[None]) ** 2).mean((2, 3)))
    rms[forbidden] = np.inf
    return rms.argmin(1), rms.min(1)


@pytest.mark.parametrize("chunk", [1, 3, 7, 100])
def test_nearest_equals_brute_force(chunk):
    images, pool = stack(10, 0), stack(13, 1)
    index, rms = nearest(images, pool, chunk=chunk)
    expected = brute_force(images, pool, np.zeros((10, 13), bool))
    np.testing.assert_array_equal(index, expected[0])
    np.testing.assert_allclose(rms, expected[1], rtol=1e-5)


@pytest.mark.parametrize("chunk", [2, 100])
def test_never_of_the_same_subject(chunk):
    pool = stack(12, 2)
    subjects = np.repeat(["a", "b", "c"], 4)
    index, rms = nearest(
        pool, pool, subjects=subjects, pool_subjects=subjects, chunk=chunk
    )
    forbidden = subjects[:, None] == subjects[None]
    expected = brute_force(pool, pool, forbidden)
    np.testing.assert_array_equal(index, expected[0])
    np.testing.assert_allclose(rms, expected[1], rtol=1e-5)
    assert not np.any(subjects == subjects[index])


def test_an_image_of_the_pool_finds_itself():
    pool = stack(9, 3)
    index, rms = nearest(pool[[4, 7]], pool)
    assert index.tolist() == [4, 7]
    np.testing.assert_allclose(rms, 0, atol=1e-7)


def test_known_difference():
    pool = np.stack([np.zeros((2, 2)), np.full((2, 2), 2.0)])
    index, rms = nearest(np.full((1, 2, 2), 1.5), pool)
    assert (index.item(), rms.item()) == (1, 0.5)


def test_first_of_equally_near_ones():
    pool = np.zeros((6, 2, 2))
    assert nearest(pool[:1], pool, chunk=2)[0].item() == 0


def test_random_pairs_are_seeded():
    first = random_pairs(50, 20, seed=1)
    np.testing.assert_array_equal(first, random_pairs(50, 20, seed=1))
    assert not np.array_equal(first, random_pairs(50, 20, seed=2))
    assert first.min() >= 0
    assert first.max() < 20


def test_random_pairs_reach_every_other_subject_and_only_those():
    subjects = np.array(["a", "a", "b", "c"])
    many = np.tile(subjects, 50)
    index = random_pairs(200, 4, seed=0, subjects=many, pool_subjects=subjects)
    assert not np.any(subjects[index] == many)
    assert set(index[many == "a"]) == {2, 3}
    assert set(index[many == "b"]) == {0, 1, 3}


def test_no_other_subject_is_refused():
    alone = np.array(["a", "a"])
    for pair in (
        lambda **who: nearest(stack(2, 0), stack(2, 0), **who),
        lambda **who: random_pairs(2, 2, seed=0, **who),
    ):
        with pytest.raises(ValueError, match="of two or more subjects"):
            pair(subjects=alone, pool_subjects=alone)


def test_empty_pool_is_refused():
    with pytest.raises(ValueError, match="found none"):
        nearest(stack(2, 0), stack(0, 0))


def test_bad_arrays_are_refused():
    with pytest.raises(ValueError, match="images of one size"):
        nearest(stack(2, 0), stack(2, 0)[:, 1:])
    with pytest.raises(ValueError, match="found NaN"):
        nearest(stack(2, 0) * np.nan, stack(2, 0))
    with pytest.raises(ValueError, match="each of 2 images and 3 cand"):
        nearest(
            stack(2, 0), stack(3, 0), subjects=["a"], pool_subjects=["b"] * 3
        )
