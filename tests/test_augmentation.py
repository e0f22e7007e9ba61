import math

import numpy as np
import pytest
import tensorflow as tf

from pet_dcgan.config import AUGMENTATIONS
from pet_dcgan.models.augmentation import (
    ANGLE,
    DRAWS,
    EVERY,
    FULL_RISE,
    HIGHEST,
    HOLE,
    OUTSIDE,
    SCALE,
    SHIFT,
    VOLUME_DRAWS,
    Augmenter,
    augment,
)
from pet_dcgan.models.sampling import FAKE, REAL

RNG = np.random.default_rng(0)
SIZE = 16
GEOMETRIC = ("translate", "rotate", "scale")
MIDDLE = (SIZE - 1) / 2
each_name = pytest.mark.parametrize("name", AUGMENTATIONS)


def draws(count=4, **columns):
    """Draws that change nothing, but for `columns` by number as `c4=0.9`."""
    rows = np.zeros([count, DRAWS], np.float32)
    rows[:, 4:8] = 0.5  # no shift, no turn, no zoom
    for name, value in columns.items():
        rows[:, int(name[1:])] = value
    return tf.constant(rows)


def changed(images, *names, **columns):
    rows = draws(len(images), **columns)
    return np.array(augment(images, rows, names=names, probability=1.0))


def at_random(images, *names, probability=1.0, seed=0):
    rows = np.random.default_rng(seed).random([len(images), DRAWS], np.float32)
    return np.array(augment(images, rows, names=names, probability=probability))


def images(count=4, channels=1):
    shape = [count, SIZE, SIZE, channels]
    return RNG.uniform(-1, 1, shape).astype(np.float32)


def blob(y, x):
    """A smooth spot of brightness 1 on black, centred at `y`, `x`."""
    rows, columns = np.mgrid[:SIZE, :SIZE]
    distance = (rows - y) ** 2 + (columns - x) ** 2
    return (2 * np.exp(-distance / 3) - 1).astype(np.float32)[None, ..., None]


def centre_of(image):
    mass = image[0, ..., 0] + 1
    rows, columns = np.mgrid[:SIZE, :SIZE]
    return (mass * rows).sum() / mass.sum(), (mass * columns).sum() / mass.sum()


def test_without_luck_or_change_every_bit_stays():
    before = images(channels=3)
    after = at_random(before, *AUGMENTATIONS, probability=0.0)
    np.testing.assert_array_equal(after, before)
    np.testing.assert_array_equal(changed(before, *GEOMETRIC), before)


def test_a_shift_by_whole_pixels_by_hand():
    before = images()
    # an eighth of 16 pixels is 2, down and to the left
    after = changed(before, "translate", c4=1.0, c5=0.0)
    np.testing.assert_allclose(after[:, 2:, :-2], before[:, :-2, 2:], atol=1e-6)
    np.testing.assert_array_equal(after[:, :2], OUTSIDE)
    np.testing.assert_array_equal(after[:, :, -2:], OUTSIDE)


def test_a_shift_by_half_a_pixel_is_the_mean_of_two():
    before = images()
    after = changed(before, "translate", c4=0.5 + 0.5 * 0.5 / (SHIFT * SIZE))
    between = (before[:, 1:] + before[:, :-1]) / 2
    np.testing.assert_allclose(after[:, 1:], between, atol=1e-6)


def test_a_turn_moves_a_spot_along_its_circle():
    middle = (SIZE - 1) / 2
    after = changed(blob(middle, middle + 4), "rotate", c6=1.0)
    y, x = centre_of(after)
    assert abs(y - middle) == pytest.approx(4 * math.sin(ANGLE), abs=0.05)
    assert x - middle == pytest.approx(4 * math.cos(ANGLE), abs=0.05)


def test_a_zoom_moves_a_spot_outwards():
    middle = (SIZE - 1) / 2
    after = changed(blob(middle, middle + 3), "scale", c7=1.0)
    assert centre_of(after)[1] - middle == pytest.approx(
        3 * (1 + SCALE), abs=0.05
    )


def test_a_hole_is_a_square_without_uptake():
    after = changed(np.ones([4, SIZE, SIZE, 1], "f4"), "cutout", c8=0.5, c9=0.5)
    hole = after[0, ..., 0] == OUTSIDE
    side = np.ptp(np.flatnonzero(hole.any(axis=0))) + 1
    assert hole.sum() == side**2
    assert side == pytest.approx(HOLE * SIZE, abs=1)
    assert (after[0, ..., 0][~hole] == 1).all()
    assert hole[SIZE // 2, SIZE // 2]


@each_name
def test_uptake_is_moved_or_cleared_but_not_changed(name):
    """A flat region keeps its value, wherever it goes."""
    flat = np.full([64, SIZE, SIZE, 1], OUTSIDE, np.float32)
    flat[:, 4:-4, 4:-4] = 0.3
    after = at_random(flat, name)
    inside = after[np.abs(after - 0.3) < 1e-5]
    assert after.min() >= OUTSIDE
    assert after.max() == pytest.approx(0.3, abs=1e-6)
    assert inside.size > 0.3 * 64 * (SIZE - 8) ** 2


def test_each_image_and_each_of_the_four_has_luck_of_its_own():
    before, hit = images(400), []
    for name in AUGMENTATIONS:
        after = at_random(before, name, probability=0.3)
        hit.append((after != before).any(axis=(1, 2, 3)))
        assert np.mean(hit[-1]) == pytest.approx(0.3, abs=0.07)
        one = at_random(before[:1], name, probability=0.3)
        np.testing.assert_array_equal(after[:1], one)
    assert np.abs(np.corrcoef(hit) - np.eye(4)).max() < 0.15


@each_name
def test_the_gradient_flows_back_exactly(name):
    """The change is linear in the image, so its gradient is its adjoint."""
    random = tf.constant(RNG.uniform(size=[2, DRAWS]).astype(np.float32))
    options = {"names": (name,), "probability": 1.0}
    before, direction = tf.constant(images(2)), tf.constant(images(2))
    weights = tf.constant(images(2))
    with tf.GradientTape() as tape:
        tape.watch(before)
        loss = tf.reduce_sum(weights * augment(before, random, **options))
    gradient = tape.gradient(loss, before)
    moved = augment(before + direction, random, **options)
    change = tf.reduce_sum(weights * moved) - loss
    assert float(change) == pytest.approx(
        float(tf.reduce_sum(gradient * direction)), rel=1e-4, abs=1e-3
    )
    assert float(tf.reduce_sum(tf.abs(gradient))) > 1


def test_left_stays_left_and_nothing_is_mirrored():
    after = at_random(np.repeat(blob(3, 3), 64, 0), *GEOMETRIC)
    brightest = after.reshape(64, -1).argmax(axis=1)
    assert (brightest // SIZE < SIZE / 2).all()
    assert (brightest % SIZE < SIZE / 2).all()


def test_three_channels_are_changed_as_one_is():
    one = images()
    single = at_random(one, *AUGMENTATIONS)
    triple = at_random(np.repeat(one, 3, axis=-1), *AUGMENTATIONS)
    np.testing.assert_array_equal(triple, np.repeat(single, 3, axis=-1))


# --- adaptive -----------------------------------------------------------------


def augmenter(probability=0.3, **options):
    return Augmenter(("translate",), probability, **options)


def after(one, logits, steps, first=0):
    for step in range(first, first + steps):
        one.observe(tf.constant(logits), tf.constant(step, tf.int64))
    return float(one.probability)


LOGITS = np.array([[3.0], [2.0], [1.0], [-1.0]], np.float32)  # mean sign 0.5
MOVE = 4 * EVERY / FULL_RISE


def test_it_moves_by_the_images_seen_every_few_steps():
    without_target = augmenter(0.3)
    assert after(without_target, LOGITS, 10 * EVERY) == pytest.approx(0.3)
    adaptive = augmenter(0.3, target=0.4)
    assert after(adaptive, LOGITS, EVERY - 1) == pytest.approx(0.3)
    risen = after(adaptive, LOGITS, 1, first=EVERY - 1)
    assert risen == pytest.approx(0.3 + MOVE)
    falling = augmenter(0.3, target=0.6)
    assert after(falling, LOGITS, 2 * EVERY) == pytest.approx(0.3 - 2 * MOVE)


def test_the_mean_of_the_steps_between_decides():
    adaptive = augmenter(0.3, target=0.4)
    # mean sign -1, then 0.5, 0.5, 0.5: together below the target
    after(adaptive, -np.abs(LOGITS), 1)
    assert after(adaptive, LOGITS, EVERY - 1, first=1) < 0.3
    # and forgotten by then
    assert after(adaptive, LOGITS, EVERY, first=EVERY) == pytest.approx(0.3)


def test_it_stays_between_0_and_the_highest():
    low, high = augmenter(0.0, target=0.9), augmenter(HIGHEST, target=0.1)
    assert after(low, LOGITS, EVERY) == 0
    assert after(high, LOGITS, EVERY) == pytest.approx(HIGHEST)


def test_both_variables_are_state():
    adaptive = augmenter(0.3, target=0.4)
    after(adaptive, LOGITS, 1)
    assert [v.name for v in adaptive.variables] == ["probability", "signs"]
    assert not adaptive.trainable_variables
    assert float(adaptive.signs) == pytest.approx(0.5 / EVERY)


def test_draws_depend_on_seed_step_and_stream_and_the_probability_of_now():
    before = images(8)

    def shifted(step=0, stream=REAL, **options):
        one = augmenter(0.0, **options)
        np.testing.assert_array_equal(one(before, step=0, stream=REAL), before)
        one.probability.assign(1.0)
        return np.array(one(before, step=step, stream=stream))

    np.testing.assert_array_equal(shifted(), shifted())
    for other in ({"step": 1}, {"stream": FAKE}, {"seed": 1}):
        assert not np.array_equal(shifted(**other), shifted())


@pytest.mark.parametrize(("target", "sign"), [(0.7, 1), (0.8, -1)])
def test_replicas_steer_by_all_of_their_images(monkeypatch, target, sign):
    """With real replicas in test_shared_training.py."""
    module = "pet_dcgan.models.augmentation"
    monkeypatch.setattr(f"{module}.replica_count", lambda: 2)
    # own mean sign 0.5, of both 0.75
    monkeypatch.setattr(f"{module}.replica_mean", lambda own: (own + 1.0) / 2)
    steered = after(augmenter(target=target), LOGITS, EVERY)
    assert steered == pytest.approx(0.3 + sign * 2 * MOVE)


def volume_draws(count=1, **columns):
    """Draws that change nothing, but for `columns` by number as `c4=0.9`."""
    rows = np.zeros([count, VOLUME_DRAWS], np.float32)
    rows[:, 4:8] = rows[:, 10] = 0.5
    for name, value in columns.items():
        rows[:, int(name[1:])] = value
    return tf.constant(rows)


def changed_volumes(volumes, *names, probability=1.0, **columns):
    return np.array(
        augment(
            volumes,
            volume_draws(len(volumes), **columns),
            names=names,
            probability=probability,
        )
    )


def ball(*centre):
    """A smooth spot of brightness 1 on black, `[1, x, y, z]`."""
    at = np.mgrid[:SIZE, :SIZE, :SIZE]
    away = sum((a - c) ** 2 for a, c in zip(at, centre, strict=True))
    return (2 * np.exp(-away / 3) - 1).astype(np.float32)[None]


def ball_centre(volumes):
    mass = volumes[0] + 1
    at = np.mgrid[:SIZE, :SIZE, :SIZE]
    return np.array([(mass * a).sum() for a in at]) / mass.sum()


class TestVolumes:
    def test_without_luck_or_change_every_bit_stays(self):
        before = images(3, channels=SIZE)
        rows = RNG.random([3, VOLUME_DRAWS], np.float32)
        after = augment(before, rows, names=AUGMENTATIONS, probability=0.0)
        np.testing.assert_array_equal(after, before)
        np.testing.assert_array_equal(
            changed_volumes(before, *GEOMETRIC), before
        )

    def test_a_shift_by_whole_voxels_by_hand(self):
        before = images(channels=SIZE)
        # an eighth of 16 voxels is 2: right, to the back and upwards
        after = changed_volumes(before, "translate", c4=1.0, c5=0.0, c10=1.0)
        np.testing.assert_allclose(
            after[:, 2:, :-2, 2:], before[:, :-2, 2:, :-2], atol=1e-6
        )
        for edge in (after[:, :2], after[:, :, -2:], after[..., :2]):
            np.testing.assert_allclose(edge, OUTSIDE, atol=1e-6)

    def test_a_turn_is_about_z_as_that_of_a_slice(self):
        before = ball(MIDDLE, MIDDLE + 4, 5)
        after = changed_volumes(before, "rotate", c6=1.0)
        x, y, z = ball_centre(after)
        assert abs(x - MIDDLE) == pytest.approx(4 * math.sin(ANGLE), abs=0.05)
        assert y - MIDDLE == pytest.approx(4 * math.cos(ANGLE), abs=0.05)
        assert z == pytest.approx(5, abs=0.02)
        slice_of_it = changed(before[..., 5:6], "rotate", c6=1.0)
        np.testing.assert_allclose(
            after[..., 5:6], slice_of_it, atol=0.12
        )  # interpolated in another order

    def test_a_zoom_moves_a_spot_outwards_along_all_axes(self):
        before = ball(MIDDLE + 2, MIDDLE - 2, MIDDLE + 3)
        after = changed_volumes(before, "scale", c7=1.0)
        moved = (ball_centre(after) - MIDDLE) / (ball_centre(before) - MIDDLE)
        np.testing.assert_allclose(moved, 1 + SCALE, atol=0.02)

    def test_a_hole_is_a_cube_without_uptake(self):
        full = np.ones([1, SIZE, SIZE, SIZE], np.float32)
        after = changed_volumes(full, "cutout", c8=0.5, c9=0.5, c11=0.0)
        hole = np.argwhere(after[0] == OUTSIDE)
        low, high = hole.min(axis=0), hole.max(axis=0)
        assert len(hole) == np.prod(high - low + 1)
        side = HOLE * SIZE
        np.testing.assert_allclose(
            high - low + 1, [side, side, side / 2], atol=1
        )
        assert low[2] == 0

    def test_the_gradient_flows_back_exactly(self):
        rows = tf.constant(RNG.random([2, VOLUME_DRAWS], np.float32))
        options = {"names": AUGMENTATIONS, "probability": 1.0}
        before, direction, weights = (
            tf.constant(images(2, channels=SIZE)) for _ in range(3)
        )
        with tf.GradientTape() as tape:
            tape.watch(before)
            after = augment(before, rows, **options)
            loss = tf.reduce_sum(weights * after)
        gradient = tape.gradient(loss, before)
        moved = augment(before + direction, rows, **options)
        np.testing.assert_allclose(
            tf.reduce_sum(gradient * direction),
            tf.reduce_sum(weights * (moved - after)),
            rtol=2e-3,
        )

    def test_a_layer_draws_for_each_volume_of_a_step(self):
        layer = Augmenter(AUGMENTATIONS, 1.0, seed=1)
        before = tf.constant(images(3, channels=SIZE))
        one = layer(before, step=4, stream=REAL)
        np.testing.assert_array_equal(one, layer(before, step=4, stream=REAL))
        assert np.abs(one - layer(before, step=5, stream=REAL)).max() > 0.1
        assert np.abs(one - layer(before, step=4, stream=FAKE)).max() > 0.1


def test_volumes_are_left_alone_without_a_probability_and_then_are_not():
    layer = Augmenter(AUGMENTATIONS, 0.0, target=0.6)
    volumes = tf.random.stateless_uniform([2, 32, 32, 32], [1, 0], -1.0, 1.0)

    @tf.function
    def with_gradient():
        with tf.GradientTape() as tape:
            tape.watch(volumes)
            after = layer(volumes, step=3, stream=REAL)
            loss = tf.reduce_sum(after)
        return after, tape.gradient(loss, volumes)

    after, gradient = with_gradient()
    np.testing.assert_array_equal(after, volumes)
    np.testing.assert_array_equal(gradient, np.ones_like(volumes))
    layer.probability.assign(1.0)
    after, gradient = with_gradient()
    assert np.abs(after - volumes).max() > 0.1
    assert not np.array_equal(gradient, np.ones_like(volumes))
