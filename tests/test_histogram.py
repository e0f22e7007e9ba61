import numpy as np
import pytest

from pet_dcgan.metrics.histogram import joint_histogram


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
