import types

import keras
import numpy as np
import pytest
import tensorflow as tf

from pet_dcgan.models.networks import build_generator, float32_copy
from pet_dcgan.models.optimization import (
    apply_gradients,
    ema_decay_at,
    scale_loss,
    update_ema,
)


@pytest.fixture
def network():
    return build_generator(size=32, channels=1, width=2, latent_dim=3)


def two_replicas(monkeypatch, of_the_other=0.0):
    """As if another replica added so much to every sum.

    With real replicas in test_shared_training.py.
    """
    name = "pet_dcgan.models.optimization.replica_count"
    monkeypatch.setattr(name, lambda: 2)
    context = types.SimpleNamespace(
        all_reduce=lambda _, value: value + of_the_other
    )
    monkeypatch.setattr(tf.distribute, "get_replica_context", lambda: context)


def test_a_loss_is_scaled_for_its_optimiser_and_its_share(monkeypatch):
    adam, loss = keras.optimizers.Adam(), tf.constant(2.0)
    scaled = keras.optimizers.LossScaleOptimizer(adam, initial_scale=8.0)
    assert float(scale_loss(loss, adam)) == 2
    assert float(scale_loss(loss, scaled)) == 16
    two_replicas(monkeypatch)
    assert float(scale_loss(loss, scaled)) == 8


@pytest.mark.parametrize(
    ("own", "other", "finite"),
    [(1.0, 0.0, True), (np.inf, 0.0, False), (1.0, np.nan, False)],
)
def test_replicas_agree_on_what_is_finite(monkeypatch, own, other, finite):
    applied = []
    scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam())
    monkeypatch.setattr(scaled, "apply", lambda *given: applied.append(given))
    gradients = [tf.constant([2.0]), tf.constant([own, 3.0])]
    apply_gradients(scaled, gradients, [])
    assert applied[0][0] is gradients
    two_replicas(monkeypatch, other)
    apply_gradients(scaled, gradients, [])
    for before, after in zip(gradients, applied[1][0], strict=True):
        if finite:
            np.testing.assert_array_equal(after, before)
        else:
            assert not np.isfinite(after).any()


def test_the_decay_rises_to_its_value():
    assert float(ema_decay_at(0, 0.99)) == pytest.approx(0.1)
    assert float(ema_decay_at(90, 0.99)) == pytest.approx(0.91)
    assert float(ema_decay_at(10_000, 0.99)) == pytest.approx(0.99)


def test_every_variable_moves_by_its_share(network):
    """Moving statistics too; the network itself is left alone."""
    average = float32_copy(network)
    before = [np.array(v) for v in average.variables]
    for variable in network.variables:
        variable.assign_add(np.full(variable.shape, 2.0))
    update_ema(average, network, 0.75)
    assert len(before) == len(network.variables) > 10
    pairs = zip(before, average.variables, network.variables, strict=True)
    for old, kept, new in pairs:
        np.testing.assert_allclose(kept, old + 0.25 * 2.0, rtol=1e-5)
        np.testing.assert_array_equal(new, old + 2.0)


def test_replicas_move_it_together(network, monkeypatch):
    """With real replicas in test_shared_training.py."""
    average = float32_copy(network)
    before = np.array(average.variables[0])
    network.variables[0].assign_add(np.ones(before.shape))
    name = "pet_dcgan.models.optimization.replica_count"
    monkeypatch.setattr(name, lambda: 2)
    update_ema(average, network, 0.75)
    np.testing.assert_allclose(average.variables[0], before + 0.25, rtol=1e-5)
