import keras
import numpy as np
import pytest
import tensorflow as tf
import toy_asked

from pet_dcgan.models.condition_layers import Modulation
from pet_dcgan.models.condition_rows import as_inputs, example_rows
from pet_dcgan.models.folded import folded
from pet_dcgan.models.plain_generator import generator_of


@pytest.fixture(scope="module")
def generator():
    network = generator_of(toy_asked.lively_generator())
    random = np.random.default_rng(1)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            shape = layer.moving_mean.shape
            layer.moving_mean.assign(random.normal(0, 0.5, shape))
            layer.moving_variance.assign(random.uniform(0.1, 2, shape))
            layer.gamma.assign(random.uniform(0.5, 2, shape))
            layer.beta.assign(random.normal(0, 0.5, shape))
    return network


def images(network):
    rows = example_rows(toy_asked.CONDITIONS)
    inputs = as_inputs(toy_asked.CONDITIONS, rows)
    latent = np.random.default_rng(0).uniform(-1, 1, [len(rows), 6])
    named = {"latent": latent} | inputs
    named = {n: tf.constant(v, tf.float32) for n, v in named.items()}
    return network(named, training=False).numpy()


def test_the_images_are_the_same_but_for_rounding(generator):
    before = images(generator)
    assert 0.1 < before.std() < 0.9
    assert np.mean(np.abs(before) > 0.99) < 0.2
    np.testing.assert_allclose(images(folded(generator)), before, atol=2e-6)


def test_no_normalisation_is_left_and_the_original_is_as_it_was(generator):
    weights = [each.numpy() for each in generator.weights]
    kinds = [type(layer).__name__ for layer in folded(generator).layers]
    assert "BatchNormalization" not in kinds
    assert kinds.count("_FoldedModulation") == 3
    for before, after in zip(weights, generator.weights, strict=True):
        np.testing.assert_array_equal(before, after.numpy())


def test_a_normalisation_by_hand():
    """2 (x - 1) / sqrt(3 + 1) + 5 = x + 4; at h = 1 it is 1.5 (x + 4) + 7."""
    maps = keras.Input([1, 1, 1], name="maps")
    wanted = keras.Input([1], name="wanted")
    norm = keras.layers.BatchNormalization(epsilon=1, name="norm")
    modulation = Modulation(name="modulation")
    out = modulation([norm(maps), wanted])
    network = keras.Model({"maps": maps, "wanted": wanted}, out)
    norm.set_weights([np.array([v], float) for v in (2, 5, 1, 3)])
    modulation.set_weights([np.array([[v]], float) for v in (0.5, 7)])
    given = {
        "maps": tf.constant([[[[10.0]]], [[[10.0]]]]),
        "wanted": tf.constant([[0.0], [1.0]]),
    }
    found = folded(network)(given, training=False).numpy().ravel()
    np.testing.assert_allclose(found, [14, 28], rtol=1e-6)


def test_what_is_used_twice_or_not_modulated_stays():
    maps = keras.Input([4, 4, 2], name="maps")
    image = keras.layers.BatchNormalization()(maps)
    network = keras.Model(maps, image)
    assert folded(network) is network
