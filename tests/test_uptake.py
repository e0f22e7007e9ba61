import numpy as np
import pytest
from scipy import stats

from pet_dcgan.metrics.uptake import (
    histogram_distance,
    intensity_histogram,
    joint_histogram,
    wasserstein,
)


def test_joint_histogram_by_hand():
    x = np.array([[0.0, 0.9], [1.1, 2.5]])
    y = np.array([[0.0, 0.0], [2.0, -9.0]])
    shares = joint_histogram(x, y, suvr_max=2.0, bins=2)
    # (0, 0), (0.9, 0) | (1.1, 2) | (2.5, -9), counted in the outermost bins
    np.testing.assert_array_equal(shares, [[0.5, 0.0], [0.25, 0.25]])


def test_histograms_equal_those_of_numpy():
    x, y = np.random.default_rng(1).random((2, 3, 8, 8))
    for other in (x, y):
        expected = np.histogram2d(
            x.ravel(), other.ravel(), bins=64, range=[[0, 1], [0, 1]]
        )[0]
        found = joint_histogram(x, other, suvr_max=1)
        np.testing.assert_allclose(found, expected / x.size)
    expected = np.histogram(x[2], bins=64, range=(0, 1))[0] / 64
    np.testing.assert_allclose(intensity_histogram(x, suvr_max=1)[2], expected)


def test_intensities_by_hand():
    images = np.array([[[0.0, 0.9], [1.1, 2.5]], [[0.0, 0.0], [0.0, -9.0]]])
    shares = intensity_histogram(images, suvr_max=2.0, bins=4)
    expected = [[0.25, 0.25, 0.25, 0.25], [1, 0, 0, 0]]
    np.testing.assert_array_equal(shares, expected)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([1.0, 3.0], [3.0, 2.0], 0.5),  # 1 to 2, and 3 stays
        ([0.0], [1.0, 2.0], 1.5),
        ([0.0, 0.0, 1.0], [0.0, 1.0], 1 / 6),  # a sixth has to go from 0 to 1
    ],
)
def test_wasserstein_by_hand(a, b, expected):
    assert wasserstein(a, b) == pytest.approx(expected)
    assert wasserstein(b, a) == pytest.approx(expected)


@pytest.mark.parametrize("sizes", [(40, 40), (40, 100), (7, 11), (30, 15)])
def test_wasserstein_equals_scipy(sizes):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=sizes[0]), rng.normal(0.3, 2, size=sizes[1])
    expected = stats.wasserstein_distance(a, b)
    assert wasserstein(a, b) == pytest.approx(expected)
    assert wasserstein(a.astype(np.float32), a + 0.25) == pytest.approx(0.25)


def test_distance_of_histograms_by_hand_and_near_that_of_the_samples():
    a = [[1.0, 0, 0, 0], [0, 0, 1, 0]]
    found = histogram_distance(a, [0.0, 1, 0, 0], suvr_max=2.0)
    np.testing.assert_allclose(found, [0.5, 0.5])
    rng = np.random.default_rng(0)
    a, b = 2.5 * rng.random((6, 8, 8)), 2.5 * rng.random((4, 8, 8)) ** 2
    for bins in (5, 1000):
        shares = [
            intensity_histogram(x, suvr_max=2.5, bins=bins).mean(axis=0)
            for x in (a, b)
        ]
        found = histogram_distance(*shares, suvr_max=2.5)
        assert found == pytest.approx(wasserstein(a, b), abs=2.5 / bins)


X = np.ones((2, 2))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: joint_histogram(X, X[:1], suvr_max=1), "one shape"),
        (lambda: joint_histogram(X, X, suvr_max=1, bins=0), "one bin"),
        (lambda: intensity_histogram(X, suvr_max=-1), "positive suvr_max"),
        (lambda: intensity_histogram(X * np.nan, suvr_max=1), "NaN"),
        (lambda: histogram_distance(X[0], X[:, :1], suvr_max=1), "same bins"),
        (lambda: wasserstein([], [1]), "two samples, found 0 and 1"),
        (lambda: wasserstein([np.nan], [1]), "NaN or infinity"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
