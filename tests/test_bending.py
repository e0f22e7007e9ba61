"""Bends: smooth, of a known size, repeatable, and of real images alone."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from pet_dcgan.models.bending import (
    Bender,
    bend,
    bend_volumes,
    bump_weights,
)

SIZE = 32


def ramps(count: int) -> np.ndarray:
    """Images whose value is the column, in [-1, 1]."""
    ramp = np.linspace(-1, 1, SIZE, dtype=np.float32)
    return np.tile(ramp[None, None, :, None], [count, SIZE, 1, 1])


def columns_moved(displacement: float, count: int = 400) -> np.ndarray:
    """By how many columns the pixels of the middle are moved."""
    images = ramps(count)
    bent = Bender(displacement, 8.0, seed=3)(tf.constant(images), step=0)
    moved = (bent.numpy() - images)[..., 0] * (SIZE - 1) / 2
    return moved[:, 10:22, 10:22]


def test_a_displacement_has_the_sd_that_was_asked_for():
    moved = columns_moved(1.0)
    # 400 fields with a few independent places in the middle of each
    assert moved.std() == pytest.approx(1.0, rel=0.06)
    assert abs(moved.mean()) < 0.1
    assert columns_moved(0.5).std() == pytest.approx(0.5, rel=0.06)


def test_a_field_is_smooth():
    moved = columns_moved(1.0)
    steps = np.diff(moved, axis=2)
    # of a Gaussian covariance exp(-d^2 / (4 reach^2)): SD of a slope is
    # 1 / (sqrt(2) reach)
    assert steps.std() == pytest.approx(1 / (np.sqrt(2) * 8), rel=0.15)


def test_weights_keep_a_variance_of_1_at_every_pixel():
    for size, reach in ((32, 8.0), (64, 8.0), (33, 5.0), (16, 40.0)):
        weights = bump_weights(size, reach)
        assert weights.shape[0] == size
        np.testing.assert_allclose((weights**2).sum(axis=1), 1, rtol=1e-5)


def test_even_numbers_leave_an_image_as_it_is():
    images = tf.random.stateless_uniform([2, SIZE, SIZE, 3], [1, 2]) * 2 - 1
    bumps = bump_weights(SIZE, 8.0)
    points = bumps.shape[1]
    middle = tf.fill([2, 2, points, points], 0.5)
    same = bend(images, middle, bumps, displacement=5.0)
    np.testing.assert_allclose(same, images, atol=1e-6)


def test_the_first_half_of_the_numbers_moves_down_and_the_other_right():
    bumps = bump_weights(SIZE, 8.0)
    draws = np.full([1, 2, bumps.shape[1], bumps.shape[1]], 0.5, np.float32)
    draws[:, 0] = 0.9
    image = tf.constant(ramps(1))
    down = bend(image, draws, bumps, displacement=0.2)
    np.testing.assert_allclose(down[0, 4:-4], image[0, 4:-4], atol=1e-6)
    right = bend(image, draws[:, ::-1], bumps, displacement=0.2)
    assert (right[0, 4:-4, 4:-4] > image[0, 4:-4, 4:-4] + 1e-3).numpy().all()


def test_the_outside_is_without_uptake():
    full = tf.ones([1, SIZE, SIZE, 1])
    bent = Bender(6.0, 8.0, seed=1)(full, step=0).numpy()
    assert bent.min() < -0.5
    assert bent.max() == pytest.approx(1.0)


def test_bends_depend_on_seed_step_and_place_alone():
    images = tf.constant(ramps(4))
    one = Bender(1.0, 8.0, seed=1)
    first = one(images, step=5).numpy()
    np.testing.assert_array_equal(first, one(images, step=5))
    assert not np.array_equal(first, one(images, step=6))
    assert not np.array_equal(first, Bender(1.0, 8.0, seed=2)(images, step=5))
    assert not np.array_equal(first[0], first[1])


@pytest.mark.parametrize(
    "sizes",
    [(0.0, 8.0), (1.0, 0.0), (-1.0, 8.0), (np.nan, 8.0), (1.0, np.inf)],
)
def test_sizes_of_nothing_or_everything_are_refused(sizes):
    with pytest.raises(ValueError, match="above 0 pixels and finite, found"):
        Bender(*sizes)


def test_a_model_keeps_its_bender(tmp_path, tiny_model):
    model = tiny_model(bender=Bender(0.5, 8.0, seed=4))
    model.save(tmp_path / "model.keras")
    kept = keras.saving.load_model(tmp_path / "model.keras").bender
    assert kept.get_config() == {"displacement": 0.5, "reach": 8.0, "seed": 4}


def test_only_real_images_are_bent(tiny_model):
    seen = []

    class Watched(Bender):
        def call(self, images, *, step):
            seen.append(images)
            return super().call(images, step=step)

    model = tiny_model(bender=Watched(0.5, 8.0))
    model.compile(run_eagerly=True)
    size, channels = model.discriminator.input_shape[1::2]
    real = tf.random.stateless_uniform([4, size, size, channels], [3, 4])
    real = 2 * real - 1
    model.fit(real, batch_size=4, verbose=0, shuffle=False)
    assert len(seen) == 1
    np.testing.assert_array_equal(seen[0], real)


@pytest.mark.parametrize("axis", [1, 2, 3])
def test_a_volume_is_displaced_along_every_axis(axis):
    shape = [1, 1, 1, 1]
    shape[axis] = SIZE
    ramp = np.linspace(-1, 1, SIZE, dtype=np.float32).reshape(shape)
    volumes = np.tile(ramp, [40, *(SIZE // n for n in shape[1:])])
    bent = Bender(1.0, 8.0, seed=3)(tf.constant(volumes), step=0)
    moved = (bent.numpy() - volumes) * (SIZE - 1) / 2
    inside = moved[:, 10:22, 10:22, 10:22]
    # 40 fields with a few independent places in the middle of each
    assert inside.std() == pytest.approx(1.0, rel=0.15)
    assert abs(inside.mean()) < 0.3
    # smooth along all axes, see `test_a_field_is_smooth`
    for other in (1, 2, 3):
        slope = np.diff(inside, axis=other).std()
        assert slope < 1.3 / (np.sqrt(2) * 8)


def test_even_numbers_leave_a_volume_as_it_is():
    volumes = tf.random.stateless_uniform([2, 16, 16, 16], [1, 2]) * 2 - 1
    bumps = bump_weights(16, 8.0)
    middle = tf.fill([2, 3, bumps.shape[1], bumps.shape[1]], 0.5)
    same = bend_volumes(volumes, middle, bumps, displacement=5.0)
    np.testing.assert_array_equal(same, volumes)


def test_outside_a_volume_is_no_uptake():
    full = tf.ones([1, 16, 16, 16])
    bent = Bender(4.0, 8.0, seed=1)(full, step=0).numpy()
    assert -1 <= bent.min() < -0.5
    assert bent.max() == pytest.approx(1.0)
