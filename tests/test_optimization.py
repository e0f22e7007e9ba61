import numpy as np
import pytest

from pet_dcgan.models.networks import build_generator, float32_copy
from pet_dcgan.models.optimization import ema_decay_at, update_ema

SMALL = {"size": 32, "channels": 1, "width": 2, "latent_dim": 3}


def test_the_decay_rises_to_its_value():
    assert float(ema_decay_at(0, 0.99)) == pytest.approx(0.1)
    assert float(ema_decay_at(90, 0.99)) == pytest.approx(0.91)
    assert float(ema_decay_at(10_000, 0.99)) == pytest.approx(0.99)


def test_every_variable_moves_by_its_share():
    network = build_generator(**SMALL)
    average = float32_copy(network)
    before = [np.array(v) for v in average.variables]
    for variable in network.variables:
        variable.assign_add(np.full(variable.shape, 2.0))
    update_ema(average, network, 0.75)
    assert len(before) == len(network.variables) > 10
    for old, new in zip(before, average.variables, strict=True):
        np.testing.assert_allclose(new, old + 0.25 * 2.0, rtol=1e-5)


def test_replicas_move_it_together(monkeypatch):
    """With real replicas in test_shared_training.py."""
    network = build_generator(**SMALL)
    average = float32_copy(network)
    before = np.array(average.variables[0])
    network.variables[0].assign_add(np.ones(before.shape))
    monkeypatch.setattr(
        "pet_dcgan.models.optimization.replica_count", lambda: 2
    )
    update_ema(average, network, 0.75)
    np.testing.assert_allclose(average.variables[0], before + 0.25, rtol=1e-5)


def test_moving_statistics_are_averaged_too():
    network = build_generator(**SMALL)
    average = float32_copy(network)
    network(np.ones([4, 3], np.float32), training=True)
    update_ema(average, network, 0.0)
    norm, own = (
        n.get_layer("project_norm").moving_variance for n in (network, average)
    )
    assert not np.allclose(norm, 1.0)
    np.testing.assert_allclose(own, norm, rtol=1e-6)


def test_the_network_itself_is_left_alone():
    network = build_generator(**SMALL)
    average = float32_copy(network)
    before = [np.array(v) for v in network.variables]
    average.set_weights([w + 1 for w in average.get_weights()])
    update_ema(average, network, 0.5)
    for old, new in zip(before, network.variables, strict=True):
        np.testing.assert_array_equal(old, new)
