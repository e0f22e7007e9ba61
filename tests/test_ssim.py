import numpy as np
import pytest
import tensorflow as tf

from pet_dcgan.metrics.image_quality import ssim, windowed_ssim


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


@pytest.fixture
def large_pair():
    """Images of 24x20 pixels, alike and smooth."""
    rng = np.random.default_rng(1)
    x = np.cumsum(rng.normal(size=(5, 24, 20)), axis=1) / 4 + 1
    return x, x + 0.3 * rng.normal(size=x.shape)


def test_windowed_equals_tensorflow(large_pair):
    x, y = (tf.constant(a[..., None], tf.float32) for a in large_pair)
    expected = tf.image.ssim(x, y, max_val=2.5).numpy()
    found = windowed_ssim(*large_pair, dynamic_range=2.5)
    assert found.shape == (5,)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_windowed_hand_computed():
    # two flat images have no variance: luminance alone, with C1 = 0.0004
    flat = np.ones((11, 11))
    expected = (2 * 2 + 0.0004) / (1 + 4 + 0.0004)
    found = windowed_ssim(flat, 2 * flat, dynamic_range=2)
    assert found == pytest.approx(expected, rel=1e-12)


def test_windowed_is_symmetric_and_at_most_one(large_pair):
    x, y = large_pair
    there = windowed_ssim(x, y, dynamic_range=2.5)
    np.testing.assert_allclose(there, windowed_ssim(y, x, dynamic_range=2.5))
    assert np.all(np.abs(there) < 1)
    np.testing.assert_allclose(windowed_ssim(x, x, dynamic_range=2.5), 1)


def test_window_sees_where_the_difference_is(large_pair):
    # the same pixels at another place: the whole image notices nothing of
    # their neighbourhood, the window does
    x, _ = large_pair
    turned = x[:, ::-1]
    assert np.all(
        windowed_ssim(x, turned, dynamic_range=2.5)
        < windowed_ssim(x, x + 0.05, dynamic_range=2.5)
    )


@pytest.mark.parametrize(
    ("shape", "dynamic_range", "message"),
    [
        ((10, 20), 2.5, "11 pixels or more"),
        ((20, 20), 0, "positive dynamic range, found"),
    ],
)
def test_windowed_bad_input_is_refused(shape, dynamic_range, message):
    with pytest.raises(ValueError, match=message):
        windowed_ssim(
            np.ones(shape), np.ones(shape), dynamic_range=dynamic_range
        )
