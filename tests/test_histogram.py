import numpy as np
import pytest
from scipy import stats

from pet_dcgan.metrics.uptake import (
    histogram_distance,
    intensity_histogram,
    joint_histogram,
    wasserstein,
)


def test_sums_to_one_and_turns_with_its_arguments():
    x, y = np.random.default_rng(0).random((2, 3, 8, 8)) * 2.5
    there = joint_histogram(x, y, suvr_max=2.5)
    assert there.shape == (64, 64)
    assert there.sum() == pytest.approx(1)
    np.testing.assert_array_equal(there.T, joint_histogram(y, x, suvr_max=2.5))


def test_equal_images_lie_on_the_diagonal():
    x = np.random.default_rng(0).random((8, 8))
    shares = joint_histogram(x, x, suvr_max=1, bins=16)
    assert np.trace(shares) == pytest.approx(1)


def test_hand_computed():
    x = np.array([[0.0, 0.9], [1.1, 2.5]])
    y = np.array([[0.0, 0.0], [2.0, -9.0]])
    shares = joint_histogram(x, y, suvr_max=2.0, bins=2)
    # (0, 0), (0.9, 0) | (1.1, 2) | (2.5, -9), counted in the outermost bins
    np.testing.assert_array_equal(shares, [[0.5, 0.0], [0.25, 0.25]])


def test_equals_numpy():
    x, y = np.random.default_rng(1).random((2, 8, 8))
    expected = np.histogram2d(
        x.ravel(), y.ravel(), bins=10, range=[[0, 1], [0, 1]]
    )[0]
    np.testing.assert_allclose(
        joint_histogram(x, y, suvr_max=1, bins=10), expected / 64
    )


@pytest.mark.parametrize("options", [{"bins": 0}, {"suvr_max": 0}])
def test_bad_options_are_refused(options):
    x = np.ones((2, 2))
    with pytest.raises(ValueError, match="positive suvr_max, found"):
        joint_histogram(x, x, **{"suvr_max": 1.0, **options})


def test_other_shape_is_refused():
    with pytest.raises(ValueError, match="one shape"):
        joint_histogram(np.ones((2, 2)), np.ones((3, 2)), suvr_max=1)


def test_intensities_hand_computed():
    images = np.array([[[0.0, 0.9], [1.1, 2.5]], [[0.0, 0.0], [0.0, -9.0]]])
    shares = intensity_histogram(images, suvr_max=2.0, bins=4)
    expected = [[0.25, 0.25, 0.25, 0.25], [1, 0, 0, 0]]
    np.testing.assert_array_equal(shares, expected)


def test_intensities_of_images_alone_or_together():
    images = np.random.default_rng(0).random((2, 5, 8, 8)) * 2.5
    shares = intensity_histogram(images, suvr_max=2.5)
    assert shares.shape == (2, 5, 64)
    np.testing.assert_allclose(shares.sum(axis=-1), 1)
    alone = intensity_histogram(images[1, 3], suvr_max=2.5)
    np.testing.assert_array_equal(shares[1, 3], alone)
    everything = np.histogram(images, bins=64, range=(0, 2.5))[0] / images.size
    np.testing.assert_allclose(shares.mean(axis=(0, 1)), everything)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([1.0, 3.0], [3.0, 2.0], 0.5),  # 1 to 2, and 3 stays
        ([0.0], [1.0, 2.0], 1.5),
        ([0.0, 0.0, 1.0], [0.0, 1.0], 1 / 6),  # a sixth has to go from 0 to 1
    ],
)
def test_wasserstein_hand_computed(a, b, expected):
    assert wasserstein(a, b) == pytest.approx(expected)
    assert wasserstein(b, a) == pytest.approx(expected)


@pytest.mark.parametrize("sizes", [(40, 40), (40, 100), (7, 11), (30, 15)])
def test_wasserstein_equals_scipy(sizes):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=sizes[0]), rng.normal(0.3, 2, size=sizes[1])
    expected = stats.wasserstein_distance(a, b)
    assert wasserstein(a, b) == pytest.approx(expected)
    assert wasserstein(a, a[::-1]) == 0


def test_a_shift_is_its_own_distance():
    a = np.random.default_rng(0).random((3, 4, 4))
    assert wasserstein(a, a + 0.25) == pytest.approx(0.25)
    assert wasserstein(a.astype(np.float32), a - 1) == pytest.approx(1)


def test_distance_of_histograms_is_near_that_of_the_samples():
    rng = np.random.default_rng(0)
    a, b = 2.5 * rng.random((6, 8, 8)), 2.5 * rng.random((4, 8, 8)) ** 2
    coarse, fine = (
        [
            intensity_histogram(x, suvr_max=2.5, bins=bins).mean(axis=0)
            for x in (a, b)
        ]
        for bins in (5, 1000)
    )
    expected = wasserstein(a, b)
    found = histogram_distance(*fine, suvr_max=2.5)
    assert found == pytest.approx(expected, abs=0.0025)
    assert histogram_distance(*coarse, suvr_max=2.5) == pytest.approx(
        expected, abs=0.5
    )


def test_distance_of_histograms_hand_computed():
    a = [[1.0, 0, 0, 0], [0, 0, 1, 0]]
    b = [0.0, 1, 0, 0]
    np.testing.assert_allclose(
        histogram_distance(a, b, suvr_max=2.0), [0.5, 0.5]
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: wasserstein([], [1]), "two samples, found 0 and 1"),
        (lambda: wasserstein([np.nan], [1]), "NaN or infinity"),
        (
            lambda: histogram_distance([1.0], [0.5, 0.5], suvr_max=1),
            "the same bins",
        ),
        (
            lambda: intensity_histogram(np.ones((2, 2)), suvr_max=-1),
            "positive suvr_max, found",
        ),
        (
            lambda: intensity_histogram(np.full((2, 2), np.nan), suvr_max=1),
            "NaN or infinity",
        ),
    ],
)
def test_bad_samples_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
