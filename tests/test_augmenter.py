import types

import numpy as np
import pytest
import tensorflow as tf

from pet_dcgan.models.augmentation import EVERY, FULL_RISE, HIGHEST, Augmenter
from pet_dcgan.models.latents import FAKE, REAL


def augmenter(probability=0.3, **options):
    return Augmenter(("translate",), probability, **options)


def after(one, logits, steps, first=0):
    for step in range(first, first + steps):
        one.observe(tf.constant(logits), tf.constant(step, tf.int64))
    return float(one.probability)


LOGITS = np.array([[3.0], [2.0], [1.0], [-1.0]], np.float32)  # mean sign 0.5
MOVE = 4 * EVERY / FULL_RISE


def test_without_a_target_the_probability_stays():
    adaptive = augmenter(0.3)
    assert after(adaptive, LOGITS, 10 * EVERY) == pytest.approx(0.3)


def test_it_moves_by_the_images_seen_every_few_steps():
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


IMAGES = np.random.default_rng(0).uniform(-1, 1, [8, 16, 16, 1]).astype("f4")


def shifted(step=0, stream=REAL, probability=1.0, **options):
    return np.array(
        augmenter(probability, **options)(IMAGES, step=step, stream=stream)
    )


def test_draws_depend_on_seed_step_and_stream():
    np.testing.assert_array_equal(shifted(), shifted())
    for other in ({"step": 1}, {"stream": FAKE}, {"seed": 1}):
        assert not np.array_equal(shifted(**other), shifted())


def test_the_probability_of_now_decides():
    never = augmenter(0.0, target=0.4)
    np.testing.assert_array_equal(never(IMAGES, step=0, stream=REAL), IMAGES)
    never.probability.assign(1.0)
    np.testing.assert_array_equal(never(IMAGES, step=0, stream=REAL), shifted())


def test_replicas_steer_by_all_of_their_images(monkeypatch):
    """With real replicas in test_shared_training.py."""
    monkeypatch.setattr(
        "pet_dcgan.models.augmentation.replica_count", lambda: 2
    )
    context = types.SimpleNamespace(all_reduce=lambda _, own: (own + 1.0) / 2)
    monkeypatch.setattr(tf.distribute, "get_replica_context", lambda: context)
    # own mean sign 0.5, of both 0.75
    assert after(augmenter(target=0.7), LOGITS, EVERY) == pytest.approx(
        0.3 + 2 * MOVE
    )
    assert after(augmenter(target=0.8), LOGITS, EVERY) == pytest.approx(
        0.3 - 2 * MOVE
    )
