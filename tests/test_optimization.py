import keras
import numpy as np
import pytest
import tensorflow as tf

from pet_dcgan.models.networks import build_generator, float32_copy
from pet_dcgan.models.optimization import FusedAdam, ema_decay_at, update_ema

OPTIONS = {"learning_rate": 0.01, "beta_1": 0.5, "beta_2": 0.9}
START = [np.linspace(-1, 1, 12, dtype="f4").reshape(3, 4), np.ones(2, "f4")]


def trained(optimizer, steps=5):
    """Weights, and the optimiser, after some steps on given gradients."""
    weights = [keras.Variable(values) for values in START]
    optimizer.build(weights)
    rng = np.random.default_rng(0)
    step = tf.function(lambda gradients: optimizer.apply(gradients, weights))
    for _ in range(steps):
        step([tf.constant(rng.normal(size=w.shape), "float32") for w in START])
    return weights


def assert_alike(fused, plain):
    ours, keras_own = trained(fused), trained(plain)
    pairs = zip(
        [*ours, *fused.variables], [*keras_own, *plain.variables], strict=True
    )
    for found, wanted in pairs:
        assert found.shape == wanted.shape
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-7)


def test_weights_and_moments_are_those_of_keras():
    assert_alike(FusedAdam(**OPTIONS), keras.optimizers.Adam(**OPTIONS))


def test_a_first_step_is_the_learning_rate():
    weight = keras.Variable([1.0, 2.0, 3.0])
    FusedAdam(0.1).apply([tf.constant([3.0, -4.0, 1.0])], [weight])
    np.testing.assert_allclose(weight, [0.9, 2.1, 2.9], rtol=1e-4)


def test_variables_have_the_names_and_the_order_of_keras():
    names = []
    for optimizer in (FusedAdam(), keras.optimizers.Adam(name="adam")):
        weight = keras.Variable([1.0], name="weight")
        optimizer.build([weight])
        names.append([v.path for v in optimizer.variables])
    assert names[0] == names[1]


def test_one_operation_moves_a_variable():
    optimizer, weight = FusedAdam(), keras.Variable([1.0])
    optimizer.build([weight])
    graph = (
        tf.function(lambda g: optimizer.apply([g], [weight]))
        .get_concrete_function(tf.TensorSpec([1]))
        .graph
    )

    def types(graph):
        found = [operation.type for operation in graph.get_operations()]
        for name in graph._functions:
            found += types(graph._get_function(name).graph)
        return found

    assert types(graph).count("ResourceApplyAdam") == 1
    assert "Sqrt" not in types(graph)


@pytest.mark.parametrize("option", [{"amsgrad": True}, {"weight_decay": 0.1}])
def test_other_options_of_keras_work(option):
    assert_alike(
        FusedAdam(**OPTIONS, **option),
        keras.optimizers.Adam(**OPTIONS, **option),
    )


def test_gradients_of_some_rows_are_taken():
    rows = tf.IndexedSlices(tf.ones([1, 4]), tf.constant([1]), [3, 4])
    found = []
    for optimizer in (FusedAdam(0.1), keras.optimizers.Adam(0.1)):
        weight = keras.Variable(START[0])
        optimizer.apply([rows], [weight])
        found.append(np.array(weight))
    np.testing.assert_array_equal(*found)


def test_a_scaled_loss_moves_weights_as_an_unscaled_one():
    inner = FusedAdam(**OPTIONS)
    scaled = keras.optimizers.LossScaleOptimizer(inner, initial_scale=8.0)
    weight, twin = keras.Variable(START[0]), keras.Variable(START[0])
    gradient = tf.constant(START[0][::-1].copy())
    scaled.apply([gradient * 8.0], [weight])
    FusedAdam(**OPTIONS).apply([gradient], [twin])
    np.testing.assert_allclose(weight, twin, rtol=1e-6)
    before = np.array(weight)
    scaled.apply([gradient * np.inf], [weight])  # left out
    np.testing.assert_array_equal(weight, before)
    assert int(inner.iterations) == 1


def test_a_copy_of_its_configuration_is_another_like_it():
    described = keras.optimizers.serialize(FusedAdam(**OPTIONS))
    copy = keras.optimizers.deserialize(described)
    assert type(copy) is FusedAdam
    assert (copy.beta_1, copy.beta_2) == (0.5, 0.9)
    assert float(copy.learning_rate) == pytest.approx(0.01)


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
