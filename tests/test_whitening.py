import numpy as np
import pytest

from pet_dcgan.features.encoder import fit_whitening


def correlated(count=300):
    random = np.random.default_rng(0)
    return random.normal(size=(count, 5)) @ random.normal(size=(5, 6)) + 3


def test_training_numbers_become_uncorrelated_and_of_like_spread():
    raw = correlated()
    found = fit_whitening(raw, components=6)(raw)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.mean(0), 0, atol=1e-5)
    covariance = np.cov(found.astype(float), rowvar=False)
    np.testing.assert_allclose(
        covariance, np.diag(np.diagonal(covariance)), atol=1e-4
    )
    assert covariance.max() < 1


def test_a_value_by_hand():
    # one number of variance 1 once standardised: divided by sqrt(1 + 1)
    whitening = fit_whitening(np.array([[1.0], [3.0]]), components=1)
    found = np.abs(whitening(np.array([[1.0], [3.0], [6.0]])))[:, 0]
    np.testing.assert_allclose(found, np.array([1, 1, 4]) / np.sqrt(2))


def test_the_largest_components_are_kept():
    raw = correlated()
    every = fit_whitening(raw, components=6)(raw)
    three = fit_whitening(raw, components=3)(raw)
    np.testing.assert_array_equal(three, every[:, :3])
    assert np.all(np.diff(every.std(0)) < 1e-6)


def test_scale_and_shift_of_a_number_change_nothing():
    raw = correlated()
    other = raw * [1, 10, 1, 0.1, 1, 1] + [0, 0, 5, 0, 0, 0]
    one = fit_whitening(raw, components=4)(raw)
    two = fit_whitening(other, components=4)(other)
    np.testing.assert_allclose(np.abs(one), np.abs(two), atol=1e-5)


@pytest.mark.parametrize("count", [2, 4])
def test_few_images_and_constant_numbers_give_finite_features(count):
    raw = np.column_stack([correlated(count), np.full(count, 7.0)])
    found = fit_whitening(raw, components=7)(raw + 1)
    assert found.shape == (count, 7)
    assert np.isfinite(found).all()
