"""scipy.ndimage is the slow and obvious second implementation."""

import numpy as np
import pytest
from scipy import ndimage

from tfds_adni.volumes.morphology import (
    ball,
    bounds,
    enclosed,
    fill_holes,
    open_by_ball,
)


def random_mask(seed, share=0.7, shape=(14, 17, 11)):
    rng = np.random.default_rng(seed)
    smooth = ndimage.gaussian_filter(rng.normal(size=shape), 1)
    return smooth > np.quantile(smooth, 1 - share)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("spacing", [(3, 3, 3), (2.5, 3, 4), (6, 6, 6)])
def test_opening_is_scipys(seed, spacing):
    mask = random_mask(seed)
    mask[:, :, -1] = True  # also at the border
    expected = ndimage.binary_opening(mask, structure=ball(spacing, 6.0))
    found = open_by_ball(mask, spacing, radius_mm=6.0)
    np.testing.assert_array_equal(found, expected)
    assert 0 < found.sum() < mask.sum()


@pytest.mark.parametrize("share", [0.4, 0.7, 0.9])
@pytest.mark.parametrize("seed", range(4))
def test_filling_is_scipys(seed, share):
    mask = random_mask(seed, share)
    mask[4:9, 4:9, 3:8] = True
    mask[6, 6, 5] = False
    expected = ndimage.binary_fill_holes(mask)
    np.testing.assert_array_equal(fill_holes(mask), expected)
    assert fill_holes(mask).sum() > mask.sum()


def test_a_ball_in_mm():
    assert ball((3, 3, 3), 6.0).sum() == 33
    assert ball((6, 6, 6), 6.0).sum() == 7
    assert ball((7, 7, 7), 6.0).sum() == 1
    assert ball((1, 2, 3), 6.0).shape == (13, 7, 5)


def test_opening_takes_thin_bridges_and_leaves_the_rest():
    mask = np.zeros((20, 20, 20), bool)
    mask[2:10, 2:18, 2:18] = True
    mask[10:18, 9, 9] = True
    opened = open_by_ball(mask, (3, 3, 3), radius_mm=6.0)
    assert opened[5, 9, 9]
    assert not opened[12:].any()


def test_bounds():
    mask = np.zeros((5, 6, 7), bool)
    mask[1, 2, 3] = mask[3, 2, 6] = True
    assert bounds(mask) == (slice(1, 4), slice(2, 3), slice(3, 7))


def test_enclosed_parts_do_not_reach_the_border():
    mask = np.zeros((6, 6, 6), bool)
    mask[0, 3, 3] = mask[1, 3, 3] = True
    mask[3, 3, 3] = mask[3, 4, 3] = True
    expected = np.zeros_like(mask)
    expected[3, 3:5, 3] = True
    np.testing.assert_array_equal(enclosed(mask), expected)
