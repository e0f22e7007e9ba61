"""The contrast of two stages, real and synthetic."""

import numpy as np
import pytest
from scipy import stats

from pet_dcgan.metrics.contrast import compare_contrasts, welch
from pet_dcgan.metrics.levels import (
    level_edges,
    level_of,
    nearest_levels,
    subject_means,
)


def cohort(subjects, loss=1.0, noise=0.05, seed=0, size=12):
    """Two stages `[s, 3, size, size]`: brains, some uptake lost in the 2nd."""
    rng = np.random.default_rng(seed)
    truth = np.random.default_rng(99).uniform(0, 0.2, [3, size, size])
    stages = []
    for lost in (0, loss):
        images = 1 + noise * rng.normal(size=[subjects, 3, size, size])
        images -= lost * truth
        images[..., 0] = 0  # outside of the brain
        stages.append(images)
    return stages


def as_synthetic(stages):
    """The same as slices `[n, h, w]` with the level of each."""
    count, levels = stages[0].shape[:2]
    images = [x.reshape(-1, *x.shape[2:]) for x in stages]
    return images, [np.tile(np.arange(levels), count)] * 2


def test_welch_by_hand():
    # means 1 and 4, variances 2 and 8, two of each: 3 / sqrt(1 + 4)
    first, second = np.array([[0.0], [2.0]]), np.array([[2.0], [6.0]])
    found = welch(first, second)
    assert found.difference == pytest.approx(3)
    assert found.t == pytest.approx(3 / np.sqrt(5))


def test_welch_equals_scipy_and_knows_what_is_constant():
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=[5, 4, 4]), rng.normal(1, 2, size=[9, 4, 4])
    expected = stats.ttest_ind(second, first, equal_var=False).statistic
    np.testing.assert_allclose(welch(first, second).t, expected)
    first[:, 0, 0] = second[:, 0, 0] = 0.1
    found = welch(first, second).t
    assert np.isnan(found[0, 0])
    assert np.isfinite(found.ravel()[1:]).all()


def test_levels_by_hand():
    edges = level_edges(np.array([6.0, 0.0, 3.0]))
    np.testing.assert_allclose(edges, [0, 2, 4, 6])
    positions = [-9, 0, 1.9, 2, 3.9, 4, 6, 99]
    assert level_of(positions, edges).tolist() == [0, 0, 0, 1, 1, 2, 2, 2]


def test_a_slice_has_the_level_of_its_nearest_real_one():
    real = np.array([np.full([2, 2], value) for value in (0.0, 1.0, 2.0)])
    images = np.array([np.full([2, 2], value) for value in (1.9, 0.1, 1.2)])
    assert nearest_levels(images, real, [5, 6, 7]).tolist() == [7, 5, 6]


def test_means_of_subjects_by_hand():
    images = np.arange(5.0)[:, None, None] * np.ones([5, 2, 2])
    subjects = np.array(["b", "a", "b", "b", "a"])
    found = subject_means(images, subjects, np.array([0, 0, 0, 1, 0]), 2)
    # a lacks a slice at the second level; b has 0 and 2 at the first
    assert found.shape == (1, 2, 2, 2)
    assert found[0, :, 0, 0].tolist() == [1, 3]
    none = subject_means(images, subjects, np.zeros(5, int), 2)
    assert none.shape == (0, 2, 2, 2)


def test_a_perfect_generator_reaches_the_ceiling():
    shares, slopes = [], []
    for seed in range(6):
        real = cohort(12, seed=seed)
        images, levels = as_synthetic(cohort(200, seed=100 + seed))
        found = compare_contrasts(real, images, levels)
        shares.append(found.whole.share)
        slopes.append(found.whole.slope / found.whole.slope_ceiling)
        low, high = found.interval.low, found.interval.high
        assert low < found.whole.correlation < high < found.whole.ceiling + 0.1
    assert np.mean(shares) == pytest.approx(1, abs=0.03)
    assert np.mean(slopes) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize(("loss", "slope"), [(0.5, 0.5), (-1, -1), (0, 0)])
def test_half_a_contrast_and_none_and_the_reverse(loss, slope):
    real = cohort(20, noise=0.02)
    images, levels = as_synthetic(cohort(150, loss=loss, seed=1))
    found = compare_contrasts(real, images, levels).whole
    assert found.slope == pytest.approx(slope, abs=0.06)
    assert found.correlation == pytest.approx(np.sign(slope), abs=0.15)


def test_further_subjects_tell_the_ceiling_of_as_many_as_are_real():
    shares = []
    for seed in range(6):
        real, others = cohort(5, seed=seed), cohort(30, seed=50 + seed)
        images, levels = as_synthetic(cohort(200, seed=100 + seed))
        found = compare_contrasts(real, images, levels, others=others)
        alone = compare_contrasts(real, images, levels)
        assert found.whole.correlation == alone.whole.correlation
        shares.append(found.whole.share)
    assert np.mean(shares) == pytest.approx(1, abs=0.05)


def test_maps_are_those_of_welch_inside_the_brain():
    real = cohort(5)
    images, levels = as_synthetic(cohort(8, seed=1))
    found = compare_contrasts(real, images, levels)
    expected = welch(*(x[:, 1] for x in real)).t
    assert np.isnan(found.real.t[:, :, 0]).all()
    np.testing.assert_allclose(found.real.t[1, :, 1:], expected[:, 1:])
    own = [x[ls == 2] for x, ls in zip(images, levels, strict=True)]
    expected = welch(*own)
    for name in ("t", "difference"):
        map_ = getattr(found.synthetic, name)[2, :, 1:]
        np.testing.assert_allclose(map_, getattr(expected, name)[:, 1:])
    pairs = [x.t[0, :, 1:].ravel() for x in (found.real, found.synthetic)]
    expected = stats.pearsonr(*pairs).statistic
    assert found.by_level[0].correlation == pytest.approx(expected)


def test_what_is_not_enough():
    images, levels = as_synthetic(cohort(8, seed=1))
    one = [x[:1] for x in cohort(8)]
    assert compare_contrasts(one, images, levels) is None
    few = [np.where(own == 2, 1, own) for own in levels]
    assert compare_contrasts(cohort(8), images, few) is None
    three = compare_contrasts(cohort(3), images, levels)
    assert three.whole.ceiling is None
    assert three.interval.low is None
    assert three.whole.share is None
    seven = compare_contrasts(cohort(7), images, levels)
    assert seven.whole.ceiling is not None
    assert seven.interval.low is None
    eight = compare_contrasts(cohort(8), images, levels)
    assert eight.interval.low is not None


def test_images_that_do_not_vary():
    flat = [np.ones_like(x) for x in cohort(9)]
    images, levels = as_synthetic(flat)
    found = compare_contrasts(cohort(9), images, levels)
    assert found.whole.correlation is None
    assert found.whole.share is None
    assert found.interval.low is None
    images, levels = as_synthetic(cohort(9))
    found = compare_contrasts(flat, images, levels).whole
    assert found.correlation is None
    assert found.slope is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: level_edges(np.zeros(4)), "one position"),
        (lambda: level_edges(np.array([0, np.nan])), "NaN"),
        (lambda: welch(np.ones([1, 2]), np.ones([2, 2])), "two or more"),
        (
            lambda: subject_means(np.ones([2, 2, 2]), ["a"], [0, 0]),
            "a subject and a level",
        ),
        (
            lambda: subject_means(
                np.full([1, 2, 2], np.nan), np.array(["a"]), np.array([0])
            ),
            "NaN",
        ),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
