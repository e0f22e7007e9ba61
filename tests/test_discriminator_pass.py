import functools
import types

import keras
import numpy as np
import pytest
import tensorflow as tf

from pet_dcgan.models.dcgan import discriminator_pass, with_lazy_penalty
from pet_dcgan.models.losses import fake_loss, real_loss
from pet_dcgan.models.networks import build_discriminator
from pet_dcgan.models.optimization import agree_on_overflow, scale_loss

RNG = np.random.default_rng(0)
IMAGES = tf.constant(RNG.uniform(-1, 1, [4, 32, 32, 1]).astype("f4"))


def discriminator(**options):
    return build_discriminator(size=32, channels=1, width=2, **options)


def adam(scale=None):
    inner = keras.optimizers.Adam()
    if scale is None:
        return inner
    return keras.optimizers.LossScaleOptimizer(inner, initial_scale=scale)


def test_gradients_loss_and_logits_by_hand():
    network, twin = discriminator(), discriminator()
    found = discriminator_pass(network, IMAGES, fake_loss, optimizer=adam())
    with tf.GradientTape() as tape:
        logits = twin(IMAGES, training=True)
        loss = tf.reduce_mean(tf.nn.softplus(logits))
    expected = tape.gradient(loss, twin.trainable_variables)
    np.testing.assert_allclose(found.logits, logits, rtol=1e-5, atol=1e-7)
    assert float(found.loss) == pytest.approx(float(loss))
    for a, b in zip(found.gradients, expected, strict=True):
        # in sums of both signs, roundings are those of the largest terms
        np.testing.assert_allclose(a, b, atol=1e-5 * np.max(np.abs(b)))


class Ramp(keras.layers.Layer):
    """Logits that are `slope * image.sum()`: their gradient is the slope."""

    def build(self, input_shape):
        self.slope = self.add_weight(shape=(), initializer="ones")

    def call(self, images, training=False):
        return self.slope * tf.reduce_sum(images, [1, 2, 3])[:, None]


@pytest.mark.parametrize("scale", [None, 1024.0])
def test_the_penalty_by_hand(scale):
    ramp, pixels = Ramp(), 4 * 4
    images = tf.zeros([3, 4, 4, 1])
    ramp(images)
    ramp.slope.assign(0.5)
    options = {"optimizer": adam(scale), "r1_weight": 3.0}
    found = discriminator_pass(ramp, images, real_loss, **options)
    # half of 3 times the squared norm, pixels * slope^2, by the slope
    expected = 3.0 / 2 * pixels * 2 * 0.5 * (scale or 1)
    assert float(found.gradients[0]) == pytest.approx(expected)
    # it is not part of the loss that is logged
    assert float(found.loss) == pytest.approx(np.log(2))


def steepness(norm, inputs):
    """Weighted squares of a gradient that goes through batch normalisation."""
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        total = tf.reduce_sum(norm(inputs, training=True) ** 3)
    weights = tf.reshape(tf.range(16, dtype=tf.float64), inputs.shape)
    return tf.reduce_sum(weights * tape.gradient(total, inputs) ** 2)


def test_a_gradient_through_batch_normalisation_has_an_exact_gradient():
    network = discriminator(twice_differentiable=True, precision="float64")
    norm = network.get_layer("down_16_norm")
    inputs, direction = (
        tf.constant(RNG.normal(size=[2, 2, 2, 2])) for _ in "12"
    )
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        steep = steepness(norm, inputs)
    along = tf.reduce_sum(tape.gradient(steep, inputs) * direction)
    step = 1e-5 * direction
    change = steepness(norm, inputs + step) - steepness(norm, inputs - step)
    assert float(along) == pytest.approx(float(change) / 2e-5, rel=1e-5)


def lazy(network, due, optimizer):
    passed = functools.partial(
        discriminator_pass, network, IMAGES, real_loss, optimizer=optimizer
    )
    return with_lazy_penalty(passed, r1_weight=50.0, due=due)


@pytest.mark.parametrize("graph", [False, True])
@pytest.mark.parametrize("due", [True, False])
def test_a_penalty_is_there_when_it_is_due(due, graph):
    network, twin = discriminator(), discriminator()
    call = tf.function(lazy) if graph else lazy
    found = call(network, tf.constant(due), adam())
    weight = 50.0 if due else None
    expected = discriminator_pass(
        twin, IMAGES, real_loss, optimizer=adam(), r1_weight=weight
    )
    for a, b in zip(found.gradients, expected.gradients, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
    # one pass, so that the moving statistics move once
    for a, b in zip(network.variables, twin.variables, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)


def test_a_loss_is_scaled_for_its_optimiser():
    assert float(scale_loss(tf.constant(2.0), adam())) == 2
    assert float(scale_loss(tf.constant(2.0), adam(8.0))) == 16


def two_replicas(monkeypatch, of_the_other=0.0):
    """As if another replica added so much to every sum.

    With real replicas in test_shared_training.py.
    """
    for module in ("dcgan", "optimization"):
        name = f"pet_dcgan.models.{module}.replica_count"
        monkeypatch.setattr(name, lambda: 2)
    context = types.SimpleNamespace(
        all_reduce=lambda _, value: value + of_the_other
    )
    monkeypatch.setattr(tf.distribute, "get_replica_context", lambda: context)


def test_each_replica_gives_its_share_of_a_loss(monkeypatch):
    two_replicas(monkeypatch)
    assert float(scale_loss(tf.constant(2.0), adam(8.0))) == 8


@pytest.mark.parametrize("due", [True, False])
def test_replicas_do_without_branches(monkeypatch, due):
    alone = lazy(discriminator(), tf.constant(due), adam())
    two_replicas(monkeypatch)
    monkeypatch.setattr(tf, "cond", None)
    shared = lazy(discriminator(), tf.constant(due), adam())
    for a, b in zip(alone.gradients, shared.gradients, strict=True):
        np.testing.assert_allclose(a, 2 * b, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(
    ("own", "other", "finite"),
    [(1.0, 0.0, True), (np.inf, 0.0, False), (1.0, np.nan, False)],
)
def test_replicas_agree_on_what_is_finite(monkeypatch, own, other, finite):
    two_replicas(monkeypatch, other)
    gradients = [tf.constant([2.0]), tf.constant([own, 3.0])]
    found = agree_on_overflow(gradients)
    if finite:
        for a, b in zip(gradients, found, strict=True):
            np.testing.assert_array_equal(a, b)
    else:
        assert not any(np.isfinite(g).any() for g in found)


def test_alone_gradients_stay_as_they_are():
    gradients = [tf.constant([1.0, np.inf])]
    assert agree_on_overflow(gradients) is gradients
