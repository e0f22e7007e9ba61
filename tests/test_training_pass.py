import keras
import numpy as np
import pytest
import tensorflow as tf
from toy_model import make_model

from pet_dcgan.models import (
    cpu_convolutions,
    cpu_training,
    dcgan,
)
from pet_dcgan.models.networks import build_discriminator, build_generator

SMALL = {"size": 32, "width": 4}
ROUNDING = 1e-5


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch):
    """On a GPU there would be nothing to compare."""
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: [])


def networks(**options):
    """Pairs of a network and what it takes."""
    generator = build_generator(latent_dim=6, **SMALL, **options)
    discriminator = build_discriminator(**SMALL, **options)
    side, channels = 32, generator.output_shape[-1]
    return {
        generator: tf.random.stateless_normal([5, 6], [1, 0]),
        discriminator: tf.random.stateless_normal(
            [5, side, side, channels], [2, 0]
        ),
    }


def passed(network, inputs, function):
    """Outputs, gradients and moving statistics of a pass; then undone."""
    before = network.get_weights()
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = function(network, inputs)
        total = tf.reduce_sum(tf.sin(3.0 * outputs))
    by = [inputs, *network.trainable_variables]
    gradients = tape.gradient(total, by)
    moved = [np.array(v) for v in network.non_trainable_variables]
    network.set_weights(before)
    return [outputs, *gradients, *moved]


def plain(network, inputs):
    return network(inputs, training=True)


def assert_alike(network, inputs):
    found = passed(network, inputs, cpu_training.training_pass)
    wanted = passed(network, inputs, plain)
    for one, other in zip(found, wanted, strict=True):
        scale = np.max(np.abs(other))
        assert np.max(np.abs(one - other)) <= ROUNDING * scale


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("kernel_size", [4, 5])
def test_outputs_gradients_and_statistics_are_those_of_plain_layers(
    channels, kernel_size, monkeypatch
):
    monkeypatch.setattr(cpu_convolutions, "_HEAVY", 2**10)
    options = {"channels": channels, "kernel_size": kernel_size}
    for network, inputs in networks(**options).items():
        assert cpu_training._is_chain(network)
        assert_alike(network, inputs)


@pytest.mark.parametrize(
    "options", [{"spectral_norm": True}, {"twice_differentiable": True}]
)
def test_other_discriminators_too(options):
    network = build_discriminator(channels=1, **SMALL, **options)
    assert_alike(network, tf.random.stateless_normal([5, 32, 32, 1], [0, 0]))


def used(monkeypatch, network, inputs):
    """Which of the forms a pass goes through."""
    seen = []
    for kind, form in list(cpu_training._FORMS.items()):

        def noted(layer, given, kind=kind, form=form):
            outputs = form(layer, given)
            if outputs is not None:
                seen.append(kind.__name__)
            return outputs

        monkeypatch.setitem(cpu_training._FORMS, kind, noted)
    cpu_training.training_pass(network, inputs)
    return seen


def test_every_convolution_and_normalisation_takes_the_fast_form(monkeypatch):
    generator, discriminator = networks(channels=1).items()
    up, norm, down = "Conv2DTranspose", "BatchNormalization", "Conv2D"
    seen = used(monkeypatch, *generator)
    assert seen == [norm, up, norm, up, norm, up]
    seen = used(monkeypatch, *discriminator)
    assert seen == [down, norm] * 3


def test_sixteen_bits_are_left_to_keras(monkeypatch):
    pairs = networks(channels=1, precision="mixed_bfloat16").items()
    for network, inputs in pairs:
        assert used(monkeypatch, network, inputs) == []


def test_a_gpu_is_left_to_keras(monkeypatch):
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: [kind])
    for network, inputs in networks(channels=1).items():
        assert used(monkeypatch, network, inputs) == []


def chain(layer, side=8, channels=3):
    """A network of one layer, and what it takes."""
    images = keras.Input([side, side, channels])
    network = keras.Model(images, layer(images))
    return network, tf.random.stateless_normal([3, *images.shape[1:]], [0, 0])


@pytest.mark.parametrize(
    "layer",
    [
        keras.layers.Conv2D(4, 3, strides=1, padding="same"),
        keras.layers.Conv2D(4, 3, strides=2, padding="valid"),
        keras.layers.Conv2D(4, (3, 2), strides=2, padding="same"),
        keras.layers.Conv2D(3, 3, strides=2, padding="same", groups=3),
        keras.layers.Conv2D(
            4, 3, strides=2, padding="same", activity_regularizer="l2"
        ),
        keras.layers.Conv2DTranspose(4, 3, strides=2, padding="valid"),
        keras.layers.Conv2DTranspose(
            4, 3, strides=2, padding="same", output_padding=1
        ),
        keras.layers.BatchNormalization(scale=False),
        keras.layers.BatchNormalization(axis=1),
        keras.layers.BatchNormalization(trainable=False),
    ],
    ids=lambda layer: layer.name,
)
def test_layers_of_other_kinds_are_left_to_keras(layer, monkeypatch):
    network, inputs = chain(layer)
    assert_alike(network, inputs)
    assert used(monkeypatch, network, inputs) == []


def test_a_bias_and_an_activation_are_kept(monkeypatch):
    network, inputs = chain(
        keras.layers.Conv2D(
            4,
            5,
            strides=2,
            padding="same",
            activation="tanh",
            bias_initializer="ones",
        )
    )
    assert_alike(network, inputs)
    assert used(monkeypatch, network, inputs) == ["Conv2D"]


def test_an_odd_side_is_left_to_keras(monkeypatch):
    network, inputs = chain(
        keras.layers.Conv2D(4, 5, strides=2, padding="same"), side=7
    )
    assert_alike(network, inputs)
    assert used(monkeypatch, network, inputs) == []


def test_a_network_that_branches_is_left_to_keras():
    images = keras.Input([8, 8, 3])
    once = keras.layers.Conv2D(3, 5, strides=2, padding="same")(images)
    twice = keras.layers.Conv2D(3, 5, strides=2, padding="same")(images)
    network = keras.Model(images, keras.layers.add([once, twice]))
    assert not cpu_training._is_chain(network)
    assert_alike(network, tf.random.stateless_normal([3, 8, 8, 3], [0, 0]))


def test_a_network_whose_layers_serve_elsewhere_too_is_still_right():
    network, inputs = chain(
        keras.layers.Conv2D(4, 5, strides=2, padding="same")
    )
    network.layers[-1](keras.Input([8, 8, 3]))  # a second use
    assert_alike(network, inputs)


@keras.saving.register_keras_serializable(package="tests")
class Scaled(keras.layers.Layer):
    def call(self, images, factor=2.0):
        return factor * images


def test_arguments_of_a_layer_are_kept():
    images = keras.Input([8, 8, 3])
    network = keras.Model(images, Scaled()(images, factor=0.5))
    assert not cpu_training._is_chain(network)
    found = cpu_training.training_pass(network, tf.ones([1, 8, 8, 3]))
    np.testing.assert_array_equal(found, np.full([1, 8, 8, 3], 0.5))


DOWN = {"strides": 2, "padding": "same"}


def test_inputs_are_cast_and_shaped_as_by_keras():
    network, images = chain(keras.layers.Conv2D(4, 5, **DOWN), channels=1)
    wanted = plain(network, images)
    for given in (
        tf.cast(images, tf.float64),
        images[..., 0],
        images.numpy(),
    ):
        found = cpu_training.training_pass(network, given)
        assert found.dtype == tf.float32
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


def test_a_network_of_any_side_is_left_to_keras():
    images = keras.Input([None, None, 1])
    layer = keras.layers.Conv2D(4, 5, **DOWN)
    network = keras.Model(images, layer(images))
    step = tf.function(
        lambda given: cpu_training.training_pass(network, given),
        input_signature=[tf.TensorSpec([None, None, None, 1])],
    )
    assert step(tf.ones([2, 8, 8, 1])).shape == (2, 4, 4, 4)


@pytest.mark.parametrize(
    "layer",
    [
        keras.layers.Conv2D(4, 5, dtype="float32", **DOWN),
        keras.layers.Conv2DTranspose(4, 5, dtype="float32", **DOWN),
        keras.layers.BatchNormalization(dtype="float32"),
    ],
    ids=lambda layer: layer.name,
)
def test_a_float32_layer_after_sixteen_bits_casts_as_by_keras(layer):
    images = keras.Input([8, 8, 3])
    half = keras.layers.ReLU(dtype="mixed_bfloat16")(images)
    network = keras.Model(images, layer(half))
    inputs = tf.random.stateless_normal([3, 8, 8, 3], [0, 0])
    found = cpu_training.training_pass(network, inputs)
    assert found.dtype == tf.float32
    np.testing.assert_array_equal(found, plain(network, inputs))


def test_replicas_share_their_statistics_by_keras(monkeypatch):
    generator, _ = networks(channels=1)
    for layer in generator.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = True
    inputs = tf.random.stateless_normal([5, 6], [1, 0])
    assert "BatchNormalization" in used(monkeypatch, generator, inputs)
    monkeypatch.setattr(cpu_training, "replica_count", lambda: 2)
    seen = used(monkeypatch, generator, inputs)
    assert set(seen) == {"Conv2DTranspose"}


def test_a_step_moves_weights_as_one_by_plain_layers(monkeypatch):
    images = tf.random.stateless_uniform([4, 32, 32, 1], [0, 0], -1.0, 1.0)
    weights = []
    for module in (None, dcgan):
        if module is not None:  # from here on without the fast forms
            monkeypatch.setattr(module, "training_pass", plain)
        trained = make_model()
        trained.compile(
            g_optimizer=keras.optimizers.SGD(0.1),
            d_optimizer=keras.optimizers.SGD(0.1),
        )
        tf.function(trained.train_step)(images)
        weights.append(trained.get_weights())
    fast, slow = weights
    for one, other in zip(fast, slow, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
