"""A model's contrast beside that of real subjects, and the truth."""

import numpy as np
import pytest

from pet_dcgan.metrics.ceiling import correlation
from pet_dcgan.metrics.model_contrast import (
    difference,
    model_contrast,
    region_contrast,
    truth_agreement,
)

SIZE = 12


def lost():
    """Where the second stage has less, `[2, size, size]`."""
    found = np.random.default_rng(99).uniform(0, 0.2, [2, SIZE, SIZE])
    found[..., 0] = 0
    return found


def people(count=10, loss=1.0, noise=0.05, seed=0):
    """Both stages `[count, 2, size, size]`, of different subjects."""
    rng = np.random.default_rng(seed)
    stages = []
    for share in (0, loss):
        images = 1 + noise * rng.normal(size=[count, 2, SIZE, SIZE])
        images -= share * lost()
        images[..., 0] = 0  # outside of the brain
        stages.append(images)
    return stages


def brain(images):
    """The pixels of the brain."""
    return images[..., 1:]


def perfect(loss=1.0, count=8):
    """Images of latents of a generator that knows the truth."""
    first = people(count, seed=7)[0]
    return [first, first - loss * lost()]


def test_the_difference_by_hand():
    first, second = np.zeros([2, 1, 3, 3]), np.ones([3, 1, 3, 3])
    second[0] = 4
    np.testing.assert_allclose(difference([first, second]), 2)


def test_a_model_that_knows_the_truth_reaches_the_ceiling():
    found = model_contrast(people(), perfect())
    assert found.correlation == pytest.approx(found.ceiling, abs=0.05)
    assert found.share == pytest.approx(1, abs=0.06)
    assert found.halves < found.ceiling
    assert found.slope == pytest.approx(found.slope_ceiling, abs=0.15)
    assert found.interval.low < found.correlation < found.interval.high
    assert found.slope_interval.low < found.slope < found.slope_interval.high
    assert np.isnan(found.real[..., 0]).all()
    np.testing.assert_allclose(brain(found.model), -brain(lost()))


def test_a_model_of_half_the_contrast_has_half_the_slope():
    real = people(noise=0.001)
    whole, half = (model_contrast(real, perfect(loss)) for loss in (1, 0.5))
    assert half.slope == pytest.approx(whole.slope / 2, rel=1e-6)
    assert half.correlation == pytest.approx(whole.correlation)


def test_the_interval_of_a_slope_is_as_wide_as_slopes_vary():
    found = [
        model_contrast(people(noise=0.3, seed=n), perfect()) for n in range(30)
    ]
    slopes = [each.slope for each in found]
    held = [
        each.slope_interval.low < np.mean(slopes) < each.slope_interval.high
        for each in found
    ]
    assert np.mean(held) > 0.9


def test_a_model_that_ignores_the_stage_has_no_correlation():
    first = people()[0]
    found = model_contrast(people(), [first, first])
    assert np.isnan(found.correlation)
    assert found.share is None
    assert found.slope == 0
    assert found.interval.low is None


def test_more_subjects_make_the_ceiling_of_few_surer_not_higher():
    real = people(8, noise=0.3)
    alone = [
        model_contrast(people(8, noise=0.3, seed=n), perfect()).ceiling
        for n in range(12)
    ]
    helped = model_contrast(
        real, perfect(), others=people(60, noise=0.3, seed=50)
    )
    assert helped.ceiling == pytest.approx(np.mean(alone), abs=0.1)


def test_few_subjects_have_no_ceiling():
    found = model_contrast(people(3), perfect())
    assert found.halves is found.ceiling is found.slope_ceiling is None
    assert found.share is None


def test_regions():
    found = region_contrast(people(noise=0.01), perfect(0.5))
    assert found.slope == pytest.approx(0.5, abs=0.1)
    assert found.correlation > 0.95
    for value, interval in zip(found.real, found.intervals, strict=True):
        assert interval.low < value < interval.high
    few = region_contrast(people(1), perfect())
    assert few.intervals[0].low is None


def test_the_truth_by_hand():
    pairs = people(20, noise=0.01)
    pairs[1] = pairs[0] - 0.0
    affected = np.zeros([2, SIZE, SIZE], bool)
    affected[:, :6] = True
    pairs[1][:, :, :6, 1:] -= 0.4
    truth = difference(pairs)
    same = truth_agreement(truth, pairs, affected)
    assert same.correlation == pytest.approx(1)
    assert (same.slope, same.outside, same.inside) == pytest.approx((1, 0, 0))
    # half as strong inside, and 0.1 where nothing changes
    off = truth / 2
    off[:, 6:] += 0.1
    found = truth_agreement(off, pairs, affected)
    assert found.outside == pytest.approx(0.25)
    assert found.inside == pytest.approx(0.5)


def test_a_change_of_the_scaling_is_no_error():
    # divided by their mean, pairs change outside of what is affected
    pairs = people(20, noise=0.01)
    affected = np.zeros([2, SIZE, SIZE], bool)
    affected[:, :6] = True
    pairs[1] = pairs[0].copy()
    pairs[1][:, :, :6, 1:] -= 0.4
    pairs[1][:, :, 6:, 1:] += 0.2
    found = truth_agreement(difference(pairs), pairs, affected)
    assert found.outside == pytest.approx(0, abs=1e-12)


def test_bad_input():
    with pytest.raises(ValueError, match="same positions"):
        difference([np.ones([2, 1, 3, 3]), np.ones([2, 2, 3, 3])])
    with pytest.raises(ValueError, match="finite"):
        model_contrast(people(), [x * np.nan for x in perfect()])
    pairs = perfect()
    with pytest.raises(ValueError, match="of one shape"):
        truth_agreement(lost()[:1], pairs, np.ones([2, SIZE, SIZE], bool))
    with pytest.raises(ValueError, match="reaches beyond them"):
        truth_agreement(lost(), pairs, np.ones([2, SIZE, SIZE], bool))
    with pytest.raises(ValueError, match="reaches beyond them"):
        truth_agreement(lost(), pairs, np.zeros([2, SIZE, SIZE], bool))


def test_one_correlation_is_that_of_the_house():
    found = model_contrast(people(), perfect())
    by_hand = correlation(brain(found.real), brain(found.model))
    assert found.correlation == pytest.approx(by_hand)
