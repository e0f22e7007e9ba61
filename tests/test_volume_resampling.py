"""Volumes resampled along one axis after another."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage

from pet_dcgan.models.volume_resampling import (
    OUTSIDE,
    X,
    Y,
    Z,
    resampled_along,
    resampled_upwards,
)

SIZE = 16
RNG = np.random.default_rng(0)
PAIRS = [(a, b) for a in (X, Y, Z) for b in (X, Y, Z) if a != b]


def volumes(count=2):
    shape = [count, SIZE, SIZE, SIZE]
    return RNG.uniform(-1, 1, shape).astype(np.float32)


def own_places(count=2):
    """`[n, given, axis]`, where nothing moves."""
    return np.tile(np.arange(SIZE, dtype=np.float32), [count, SIZE, 1])


@pytest.mark.parametrize(("axis", "given"), PAIRS)
def test_voxels_at_their_own_places_keep_their_bits(axis, given):
    before = volumes()
    after = resampled_along(before, own_places(), axis=axis, given=given)
    np.testing.assert_array_equal(after, before)


@pytest.mark.parametrize(("axis", "given"), PAIRS)
def test_equal_to_scipy(axis, given):
    before = volumes(1)
    places = RNG.uniform(-2, SIZE + 1, [1, SIZE, SIZE]).astype(np.float32)
    found = resampled_along(before, places, axis=axis, given=given)
    at = np.array(np.meshgrid(*[np.arange(SIZE)] * 3, indexing="ij"), float)
    at[axis - 1] = places[0][
        *(at[place - 1].astype(int) for place in (given, axis))
    ]
    expected = ndimage.map_coordinates(
        before[0], at, order=1, mode="grid-constant", cval=OUTSIDE
    )
    np.testing.assert_allclose(found[0], expected, atol=1e-5)


def test_upwards_all_lines_move_alike():
    before = volumes()
    places = RNG.uniform(-2, SIZE + 1, [2, SIZE]).astype(np.float32)
    np.testing.assert_allclose(
        resampled_upwards(before, places),
        resampled_along(
            before, np.repeat(places[:, None], SIZE, 1), axis=Z, given=X
        ),
        atol=1e-6,
    )
    same = resampled_upwards(before, own_places()[:, 0])
    np.testing.assert_array_equal(same, before)


def test_a_shift_by_half_a_voxel_by_hand():
    line = np.full([1, SIZE, SIZE, SIZE], OUTSIDE, np.float32)
    line[..., 3] = 1.0
    moved = resampled_upwards(line, own_places(1)[:, 0] + 0.5).numpy()
    # halves of uptake 1 and of none
    np.testing.assert_allclose(moved[0, 0, 0, 1:5], [-1, 0, 0, -1])


def test_the_gradient_is_the_adjoint():
    before, direction, weights = (tf.constant(volumes()) for _ in range(3))
    places = RNG.uniform(0, SIZE, [2, SIZE, SIZE]).astype(np.float32)
    with tf.GradientTape() as tape:
        tape.watch(before)
        moved = resampled_along(before, places, axis=Y, given=X)
        loss = tf.reduce_sum(weights * moved)
    gradient = tape.gradient(loss, before)
    other = resampled_along(before + direction, places, axis=Y, given=X)
    np.testing.assert_allclose(
        tf.reduce_sum(gradient * direction),
        tf.reduce_sum(weights * (other - moved)),
        rtol=1e-3,
    )
