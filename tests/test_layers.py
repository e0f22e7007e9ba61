import keras
import numpy as np
import pytest
import tensorflow as tf

from pet_dcgan.models.layers import (
    SharedBatchNormalization,
    SpectralConv2D,
    SpectralDense,
)

RNG = np.random.default_rng(0)


def conv(**options):
    layer = SpectralConv2D(4, 3, padding="same", seed=1, **options)
    layer.build((None, 8, 8, 2))
    return layer


def largest(kernel):
    matrix = np.reshape(kernel, [-1, kernel.shape[-1]])
    return np.linalg.svd(matrix, compute_uv=False)[0]


def test_the_largest_singular_value_becomes_1():
    for layer in (conv(), SpectralDense(3, seed=1)):
        if not layer.built:
            layer.build((None, 5))
        for _ in range(100):
            kernel = layer.normalised_kernel(training=True)
        assert largest(np.array(kernel)) == pytest.approx(1, rel=1e-3)
        np.testing.assert_allclose(
            kernel, layer.kernel / largest(np.array(layer.kernel)), rtol=1e-3
        )


def test_calls_use_the_normalised_kernel():
    layer, images = conv(), RNG.normal(size=[2, 8, 8, 2]).astype("f4")
    for _ in range(100):
        layer.normalised_kernel(training=True)
    plain = keras.layers.Conv2D(4, 3, padding="same")
    plain.build((None, 8, 8, 2))
    plain.set_weights([layer.normalised_kernel(False), np.arange(4.0)])
    layer.bias.assign(np.arange(4.0))
    np.testing.assert_allclose(layer(images), plain(images), rtol=1e-5)


def test_the_trained_kernel_is_left_alone():
    layer, images = conv(), RNG.normal(size=[2, 8, 8, 2]).astype("f4")
    before = np.array(layer.kernel)
    layer(images, training=True)
    np.testing.assert_array_equal(layer.kernel, before)


def test_only_a_training_pass_follows_the_singular_vector():
    layer, images = conv(), RNG.normal(size=[2, 8, 8, 2]).astype("f4")
    before = np.array(layer.right)
    one = layer(images, training=False)
    np.testing.assert_array_equal(layer.right, before)
    layer(images, training=True)
    assert not np.array_equal(layer.right, before)
    assert not np.array_equal(layer(images, training=False), one)


def test_the_gradient_does_not_lengthen_the_kernel():
    """The quotient ignores the kernel's length, and so must its gradient."""
    layer = conv()
    for _ in range(100):
        layer.normalised_kernel(training=True)
    weights = RNG.normal(size=layer.kernel.shape).astype("f4")
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(weights * layer.normalised_kernel(False))
    gradient = tape.gradient(loss, layer.kernel.value)
    along = float(tf.reduce_sum(gradient * layer.kernel.value))
    size = float(tf.norm(gradient) * tf.norm(layer.kernel.value))
    assert size > 1
    assert abs(along) < 1e-3 * size


def test_the_seed_fixes_the_start():
    one, same = conv(), conv()
    np.testing.assert_array_equal(one.right, same.right)
    other = SpectralConv2D(4, 3, seed=2)
    other.build((None, 8, 8, 2))
    assert not np.array_equal(one.right, other.right)


def test_a_saved_network_comes_back(tmp_path):
    image = keras.Input([8, 8, 2])
    x = keras.layers.Flatten()(SpectralConv2D(4, 3, seed=1)(image))
    model = keras.Model(image, SpectralDense(1, seed=2)(x))
    images = RNG.normal(size=[2, 8, 8, 2]).astype("f4")
    model(images, training=True)
    model.save(tmp_path / "judge.keras")
    loaded = keras.models.load_model(tmp_path / "judge.keras")
    np.testing.assert_array_equal(loaded(images), model(images))
    assert loaded.layers[1].get_config()["seed"] == 1


def test_half_precision_computes_with_a_float32_vector():
    layer = conv(dtype="mixed_bfloat16")
    images = RNG.normal(size=[2, 8, 8, 2]).astype("f4")
    out = layer(images, training=True)
    assert out.dtype == "bfloat16"
    assert layer.right.dtype == layer.kernel.dtype == "float32"


RNG = np.random.default_rng(0)
X = RNG.normal(3, 2, [6, 4, 4, 2])


def layer(**options):
    return SharedBatchNormalization(epsilon=1e-3, **options)


def test_it_normalises_as_keras_does():
    own, other = layer(), keras.layers.BatchNormalization(epsilon=1e-3)
    x = tf.constant(X, tf.float32)
    for _ in range(3):
        found, expected = own(x, training=True), other(x, training=True)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    for a, b in zip(own.variables, other.variables, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)
    expected = other(x, training=False)
    np.testing.assert_allclose(own(x, training=False), expected, atol=1e-5)


def test_mean_and_variance_by_hand():
    x = tf.constant([[1.0], [2.0], [6.0]])
    found = layer(center=False, scale=False)(x, training=True)
    # mean 3, variance (4 + 1 + 9) / 3
    expected = (np.array([[1.0], [2.0], [6.0]]) - 3) / np.sqrt(14 / 3 + 1e-3)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_large_values_with_little_variance_keep_it():
    x = tf.constant([[1000.0], [1000.5]])
    found = layer(center=False, scale=False)(x, training=True)
    spread = 0.25 / np.sqrt(0.25**2 + 1e-3)
    np.testing.assert_allclose(found, [[-spread], [spread]], rtol=1e-3)


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_sixteen_bits_do_not_overflow(dtype):
    norm = layer(dtype=dtype)
    # a square of 300 is more than float16 holds
    found = norm(tf.constant([[-300.0], [300.0]]), training=True)
    assert found.dtype == norm.compute_dtype
    np.testing.assert_allclose(
        tf.cast(found, tf.float32), [[-1.0], [1.0]], rtol=0.01
    )


def second(x):
    """Gradient of a penalty on the gradient through the layer."""
    norm = layer(dtype="float64")
    weights = tf.reshape(tf.range(x.shape[0], dtype=tf.float64), [-1, 1, 1, 1])

    def penalty(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            total = tf.reduce_sum(norm(x, training=True) ** 3)
        return tf.reduce_sum(weights * tape.gradient(total, x) ** 2)

    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = penalty(x)
    return tape.gradient(value, x), penalty


def test_its_second_derivatives_are_those_of_finite_differences():
    found, penalty = second(X)
    direction = RNG.normal(size=X.shape)
    step = 1e-5 * direction
    change = penalty(tf.constant(X + step)) - penalty(tf.constant(X - step))
    along = np.sum(found * direction)
    assert along == pytest.approx(float(change) / 2e-5, rel=1e-6)
