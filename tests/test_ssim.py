import numpy as np
import pytest

from pet_dcgan.metrics.ssim import ssim


@pytest.fixture
def pair():
    return np.random.default_rng(0).random((2, 6, 8, 8)) * 2.5


def test_image_with_itself_is_one(pair):
    np.testing.assert_allclose(ssim(pair[0], pair[0], dynamic_range=2.5), 1)


def test_symmetric(pair):
    there = ssim(pair[0], pair[1], dynamic_range=2.5)
    np.testing.assert_allclose(there, ssim(*pair[::-1], dynamic_range=2.5))


def test_never_above_one_nor_below_minus_one(pair):
    x = pair[0]
    assert np.all(np.abs(ssim(x, 2.5 - x, dynamic_range=2.5)) <= 1)
    assert np.all(ssim(x, 2.5 - x, dynamic_range=2.5) < 0)


def test_hand_computed():
    x, y = np.array([[0.0, 2.0]]), np.array([[1.0, 2.0]])
    # means 1 and 1.5, variances 1 and 0.25, covariance 0.5,
    # C1 = 0.0004 and C2 = 0.0036 for L = 2
    expected = (3 + 0.0004) / (3.25 + 0.0004) * (1 + 0.0036) / (1.25 + 0.0036)
    assert ssim(x, y, dynamic_range=2) == pytest.approx(expected, rel=1e-12)


def test_factors_are_multiplied_not_added():
    flat, other = np.full((4, 4), 1.0), np.full((4, 4), 1.0)
    other[0] = [0.0, 2.0, 0.0, 2.0]
    # equal means: the first factor is 1, and only the second remains, small
    # because a flat image covaries with nothing (a sum would exceed 1)
    value = ssim(flat, other, dynamic_range=2)
    assert value == pytest.approx(0.0036 / (0.25 + 0.0036))


@pytest.mark.parametrize("dynamic_range", [0, -1, float("nan")])
def test_bad_range_is_refused(pair, dynamic_range):
    with pytest.raises(ValueError, match="positive dynamic range, found"):
        ssim(pair[0], pair[1], dynamic_range=dynamic_range)


def test_other_shape_is_refused(pair):
    with pytest.raises(ValueError, match="pair the images first"):
        ssim(pair[0], pair[1][:1], dynamic_range=2.5)
