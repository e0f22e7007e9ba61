"""The R1 penalty: by hand, and when it comes."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from pet_dcgan.models import r1

RNG = np.random.default_rng(0)
BATCH = tf.constant(RNG.uniform(-1, 1, [4, 32, 32, 1]).astype(np.float32))


def penalised(network, images, *, step=0, optimizer=None, **options):
    """Logits, penalty, and its gradient by the weights."""
    with tf.GradientTape() as tape:
        logits, penalty = r1.real_pass(
            network,
            images,
            optimizer=optimizer or keras.optimizers.SGD(),
            step=tf.constant(step, tf.int64),
            **options,
        )
    return logits, penalty, tape.gradient(penalty, network.trainable_variables)


@pytest.mark.parametrize("scale", [None, 1024.0])
def test_the_penalty_by_hand(scale):
    """A discriminator of one weight per pixel, whose gradient it is."""
    half = keras.initializers.Constant(0.5)
    dense = keras.layers.Dense(1, kernel_initializer=half)
    image = keras.Input([4, 4, 1])
    linear = keras.Model(image, dense(keras.layers.Flatten()(image)))
    optimizer = keras.optimizers.SGD()
    if scale:
        optimizer = keras.optimizers.LossScaleOptimizer(
            optimizer, initial_scale=scale
        )
    optimizer.build(linear.trainable_variables)
    logits, penalty, gradients = penalised(
        linear, tf.zeros([3, 4, 4, 1]), optimizer=optimizer, weight=3.0, every=1
    )
    # half of 3 times the squared norm, and that by each weight
    assert float(penalty) == pytest.approx(3.0 / 2 * 16 * 0.25)
    np.testing.assert_allclose(gradients[0], [[3.0 / 2 * 2 * 0.5]] * 16)
    np.testing.assert_array_equal(logits, np.zeros([3, 1]))


def test_no_weight_no_penalty(tiny_model):
    network = tiny_model().discriminator
    logits, penalty = r1.real_pass(
        network, BATCH, optimizer=None, step=0, weight=0.0, every=1
    )
    assert penalty == 0
    np.testing.assert_array_equal(logits, network(BATCH, training=True))


@pytest.mark.parametrize("replicas", [1, 2])
def test_it_comes_every_few_steps_weighted_by_them(
    tiny_model, monkeypatch, replicas
):
    """Replicas do without branches; real ones: test_shared_training.py."""
    if replicas == 2:
        monkeypatch.setattr(r1, "replica_count", lambda: 2)
        monkeypatch.setattr(tf, "cond", None)
    always = tiny_model(r1_weight=10.0).discriminator
    lazy = tiny_model(r1_weight=10.0).discriminator
    _, expected, _ = penalised(always, BATCH, weight=10.0, every=1)
    assert float(expected) > 0.1
    for step, wanted in enumerate([expected, 0.0]):
        _, found, _ = penalised(lazy, BATCH, step=step, weight=5.0, every=2)
        assert float(found) == pytest.approx(float(wanted), rel=1e-3)
    always(BATCH, training=True)
    # one pass a step, so that the moving statistics move once
    for a, b in zip(lazy.variables, always.variables, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)
