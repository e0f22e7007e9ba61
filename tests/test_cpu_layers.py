import keras
import numpy as np
import pytest
import tensorflow as tf

from pet_dcgan.models import cpu_layers
from pet_dcgan.models.cpu_layers import (
    FusedBatchNormalization,
    StridedConv2D,
    StridedConv2DTranspose,
    plain_layer,
)

IMAGES = tf.random.stateless_normal([3, 8, 8, 3], [0, 0])
LAYERS = {
    "down": lambda **options: StridedConv2D(4, 5, **options),
    "down, activated": lambda **options: StridedConv2D(
        4, 5, activation="tanh", bias_initializer="ones", **options
    ),
    "up": lambda **options: StridedConv2DTranspose(4, 5, **options),
    "norm": lambda **options: FusedBatchNormalization(
        momentum=0.75, gamma_initializer="ones", **options
    ),
}


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch):
    """With a GPU there would be nothing to compare."""
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: [])


def built(layer):
    layer.build(IMAGES.shape)
    return layer


def plain_twin(layer):
    twin = built(plain_layer(layer))
    twin.set_weights(layer.get_weights())
    return twin


def training_pass(layer, images=IMAGES):
    """Outputs, gradients and moving statistics of a training pass."""
    with tf.GradientTape() as tape:
        tape.watch(images)
        # a plain convolution takes no `training`
        is_plain = type(layer) in keras.layers.__dict__.values()
        is_norm = isinstance(layer, keras.layers.BatchNormalization)
        options = {} if is_plain and not is_norm else {"training": True}
        outputs = layer(images, **options)
        total = tf.reduce_sum(tf.sin(3.0 * outputs))
    by = [images, *layer.trainable_variables]
    return [outputs, *tape.gradient(total, by), *layer.non_trainable_variables]


@pytest.mark.parametrize("kind", LAYERS)
def test_a_training_pass_is_that_of_the_plain_layer(kind):
    layer = built(LAYERS[kind]())
    twin = plain_twin(layer)
    pairs = zip(training_pass(layer), training_pass(twin), strict=True)
    for found, expected in pairs:
        scale = np.max(np.abs(expected))
        assert np.max(np.abs(found - expected)) <= 1e-5 * scale


def is_fast(layer, images=IMAGES, **options):
    """Whether a call is something else than the parent's, by its graph."""
    function = tf.function(lambda given: layer(given, **options))
    graph = function.get_concrete_function(images).graph
    names = {operation.type for operation in graph.get_operations()}
    return bool(names & {"FusedBatchNormV3", "IdentityN"})


@pytest.mark.parametrize("kind", LAYERS)
def test_only_training_in_float32_on_a_cpu_is_fast(kind, monkeypatch):
    layer = built(LAYERS[kind]())
    assert is_fast(layer, training=True)
    assert not is_fast(layer, training=False)
    half = LAYERS[kind](dtype="mixed_bfloat16")
    assert not is_fast(half, training=True)
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: [kind])
    assert not is_fast(layer, training=True)


@pytest.mark.parametrize("kind", LAYERS)
def test_inference_has_the_bits_of_the_plain_layer(kind):
    layer = built(LAYERS[kind]())
    twin = plain_twin(layer)
    np.testing.assert_array_equal(layer(IMAGES), twin(IMAGES))


def test_statistics_that_replicas_share_are_left_to_keras(monkeypatch):
    layer = built(FusedBatchNormalization(synchronized=True))
    assert is_fast(layer, training=True)
    monkeypatch.setattr(cpu_layers, "replica_count", lambda: 2)
    monkeypatch.setattr(
        keras.layers.BatchNormalization, "call", lambda *_, **__: "keras"
    )
    assert layer.call(IMAGES, training=True) == "keras"


def test_a_frozen_normalisation_keeps_its_statistics():
    layer = built(FusedBatchNormalization(trainable=False))
    np.testing.assert_allclose(
        layer(IMAGES, training=True), IMAGES, rtol=1e-3, atol=1e-3
    )
    np.testing.assert_array_equal(layer.moving_mean, np.zeros(3))


@pytest.mark.parametrize("kind", LAYERS)
def test_a_plain_layer_has_the_same_configuration(kind):
    layer = LAYERS[kind](dtype="mixed_float16", name="it")
    plain = plain_layer(layer, dtype="float32")
    assert type(plain) in keras.layers.__dict__.values()
    assert plain.name == "it"
    assert plain.compute_dtype == "float32"
    kept = layer.get_config()
    changed = {k for k, v in plain.get_config().items() if kept[k] != v}
    assert changed <= {"dtype"}


def test_a_layer_of_another_class_stays_what_it_is():
    assert type(plain_layer(keras.layers.ReLU())) is keras.layers.ReLU
