import keras
import numpy as np
import pytest
import tensorflow as tf

from pet_dcgan.models import cpu_layers
from pet_dcgan.models.cpu_layers import (
    StridedConv2D,
    StridedConv2DTranspose,
    plain_layer,
)

SIDE = 8
IMAGES = tf.random.stateless_normal([3, SIDE, SIDE, 3], [0, 0])
LAYERS = {
    "down": lambda **options: StridedConv2D(4, 5, **options),
    "down, activated": lambda **options: StridedConv2D(
        4, 5, activation="tanh", bias_initializer="ones", **options
    ),
    "up": lambda **options: StridedConv2DTranspose(4, 5, **options),
}
every_layer = pytest.mark.parametrize("kind", LAYERS)


@pytest.fixture(params=[False, True], ids=["as they are", "all by patches"])
def by_patches(request, monkeypatch):
    """The forms for kernels that outweigh the map, for small ones too."""
    if request.param:
        monkeypatch.setattr(cpu_layers, "_HEAVY", 1)
        monkeypatch.setattr(cpu_layers, "_HEAVY_GRADIENT", 1)
    return request.param


# --- the two functions --------------------------------------------------------


def plain(images, kernel):
    return tf.nn.conv2d(images, kernel, 2, "SAME")


def plain_transposed(maps, kernel):
    count, side = maps.shape[:2]
    shape = [count, 2 * side, 2 * side, kernel.shape[2]]
    return tf.nn.conv2d_transpose(maps, kernel, shape, 2, "SAME")


def random(shape, seed):
    return tf.random.stateless_normal(shape, [seed, 0])


def output_and_gradients(function, inputs, kernel, upstream):
    with tf.GradientTape() as tape:
        tape.watch([inputs, kernel])
        outputs = function(inputs, kernel)
    by = tape.gradient(outputs, [inputs, kernel], upstream)
    return [outputs, *by]


def assert_close(found, wanted):
    """All of outputs and gradients, against the largest number in each."""
    for one, other in zip(found, wanted, strict=True):
        assert one.shape == other.shape
        # np.max, as max would pass over what is no number
        assert np.max(np.abs(one - other)) <= 1e-5 * np.max(np.abs(other))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [2, 3, 4, 5, 6, 7])
@pytest.mark.parametrize("side", [2, SIDE])
def test_outputs_and_gradients_are_those_of_tensorflow(
    side, size, channels, by_patches
):
    images = random([3, side, side, channels], 0)
    kernel = random([size, size, channels, 6], 1)
    maps = random([3, side // 2, side // 2, 6], 2)
    for ours, theirs, given in (
        (cpu_layers.convolve, plain, (images, kernel, maps)),
        (
            cpu_layers.convolve_transposed,
            plain_transposed,
            (maps, kernel, images),
        ),
    ):
        found, wanted = (
            output_and_gradients(f, *given) for f in (ours, theirs)
        )
        assert_close(found, wanted)


def test_the_heaviest_layer_of_the_paper_is_computed_by_patches():
    assert cpu_layers._is_heavy(4, tf.zeros([5, 5, 512, 1024]))
    assert not cpu_layers._is_heavy(8, tf.zeros([5, 5, 256, 512]))
    assert not cpu_layers._is_heavy(8, tf.zeros([5, 5, 512, 1024]))


def test_the_operations_are_those_that_were_measured_to_be_fast(by_patches):
    @tf.function
    def both(images, kernel):
        with tf.GradientTape() as tape:
            tape.watch([images, kernel])
            maps = cpu_layers.convolve(images, kernel)
        return tape.gradient(maps, [images, kernel])

    graph = both.get_concrete_function(
        tf.TensorSpec([None, SIDE, SIDE, 5]), tf.TensorSpec([5, 5, 5, 6])
    ).graph
    found = {operation.type for operation in graph.get_operations()}
    assert ("MatMul" in found) == by_patches
    assert ("Conv2DBackpropFilter" in found) != by_patches
    assert ("Conv2DBackpropInput" in found) != by_patches


def test_a_batch_of_any_size_is_taken(by_patches):
    kernel = random([5, 5, 3, 6], 0)
    function = tf.function(
        lambda maps, kernel, upstream: output_and_gradients(
            cpu_layers.convolve_transposed, maps, kernel, upstream
        ),
        input_signature=[
            tf.TensorSpec([None, 4, 4, 6]),
            tf.TensorSpec(kernel.shape),
            tf.TensorSpec([None, 8, 8, 3]),
        ],
    )
    for count in (1, 2):
        given = random([count, 4, 4, 6], 1), kernel, random([count, 8, 8, 3], 2)
        wanted = output_and_gradients(plain_transposed, *given)
        assert_close(function(*given), wanted)


def test_gradients_of_gradients_are_those_of_tensorflow(by_patches):
    images, kernel = random([2, SIDE, SIDE, 3], 0), random([5, 5, 3, 4], 1)

    def steepness(function):
        with tf.GradientTape() as outer:
            outer.watch(kernel)
            with tf.GradientTape() as inner:
                inner.watch(images)
                total = tf.reduce_sum(function(images, kernel) ** 3)
            steep = tf.reduce_sum(inner.gradient(total, images) ** 2)
        return [steep, outer.gradient(steep, kernel)]

    assert_close(steepness(cpu_layers.convolve), steepness(plain))


# --- the two layers -----------------------------------------------------------


@pytest.fixture
def heavy_on_a_cpu(monkeypatch):
    """Small kernels count as heavy; with a GPU nothing is to compare."""
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: [])
    monkeypatch.setattr(cpu_layers, "_HEAVY", 1)
    monkeypatch.setattr(cpu_layers, "_HEAVY_GRADIENT", 1)


def built(layer):
    layer.build(IMAGES.shape)
    return layer


def training_pass(layer):
    """Outputs, gradients and moving statistics of a training pass."""
    with tf.GradientTape() as tape:
        tape.watch(IMAGES)
        # a plain convolution takes no `training`
        ours = isinstance(layer, StridedConv2D | StridedConv2DTranspose)
        outputs = layer(IMAGES, **({"training": True} if ours else {}))
        total = tf.reduce_sum(tf.sin(3.0 * outputs))
    by = [IMAGES, *layer.trainable_variables]
    return [outputs, *tape.gradient(total, by), *layer.non_trainable_variables]


@every_layer
def test_a_pass_is_that_of_the_plain_layer(kind, heavy_on_a_cpu):
    layer = built(LAYERS[kind]())
    twin = built(plain_layer(layer))
    twin.set_weights(layer.get_weights())
    assert_close(training_pass(layer), training_pass(twin))
    # and bit for bit in inference
    np.testing.assert_array_equal(layer(IMAGES), twin(IMAGES))


def is_fast(layer, **options):
    """Whether a call is something else than the parent's, by its graph."""
    function = tf.function(lambda given: layer(given, **options))
    graph = function.get_concrete_function(IMAGES).graph
    names = {operation.type for operation in graph.get_operations()}
    return "IdentityN" in names


@every_layer
def test_only_training_heavy_kernels_in_float32_on_a_cpu_is_fast(
    kind, heavy_on_a_cpu, monkeypatch
):
    layer = built(LAYERS[kind]())
    assert is_fast(layer, training=True)
    assert not is_fast(layer, training=False)
    half = LAYERS[kind](dtype="mixed_bfloat16")
    assert not is_fast(half, training=True)
    with monkeypatch.context() as patch:
        patch.setattr(cpu_layers, "_HEAVY_GRADIENT", 2**20)
        assert not is_fast(layer, training=True)
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: [kind])
    assert not is_fast(layer, training=True)


@every_layer
def test_a_plain_layer_has_the_same_configuration(kind):
    layer = LAYERS[kind](dtype="mixed_float16", name="it")
    plain = plain_layer(layer, dtype="float32")
    assert type(plain) in (keras.layers.Conv2D, keras.layers.Conv2DTranspose)
    assert plain.compute_dtype == "float32"
    kept = layer.get_config()
    changed = {k for k, v in plain.get_config().items() if kept[k] != v}
    assert changed == {"dtype"}
    assert type(plain_layer(keras.layers.ReLU())) is keras.layers.ReLU
