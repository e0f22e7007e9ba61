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
IMAGES = RNG.normal(size=[2, 8, 8, 2]).astype("f4")

# --- spectral normalisation ---------------------------------------------------


def conv(seed=1, **options):
    layer = SpectralConv2D(4, 3, padding="same", seed=seed, **options)
    layer.build((None, 8, 8, 2))
    return layer


def converged(layer):
    for _ in range(100):
        layer.normalised_kernel(training=True)
    return layer


def largest(kernel):
    matrix = np.reshape(kernel, [-1, kernel.shape[-1]])
    return np.linalg.svd(matrix, compute_uv=False)[0]


def test_the_largest_singular_value_becomes_1():
    dense = SpectralDense(3, seed=1)
    dense.build((None, 5))
    for layer in (conv(), dense):
        kernel = np.array(converged(layer).normalised_kernel(training=False))
        assert largest(kernel) == pytest.approx(1, rel=1e-3)
        np.testing.assert_allclose(
            kernel, layer.kernel / largest(np.array(layer.kernel)), rtol=1e-3
        )


def test_calls_use_the_normalised_kernel():
    layer = converged(conv())
    plain = keras.layers.Conv2D(4, 3, padding="same")
    plain.build((None, 8, 8, 2))
    plain.set_weights([layer.normalised_kernel(False), np.arange(4.0)])
    layer.bias.assign(np.arange(4.0))
    np.testing.assert_allclose(layer(IMAGES), plain(IMAGES), rtol=1e-5)


def test_only_a_training_pass_follows_the_singular_vector():
    layer = conv()
    before, kernel = np.array(layer.right), np.array(layer.kernel)
    one = layer(IMAGES, training=False)
    np.testing.assert_array_equal(layer.right, before)
    layer(IMAGES, training=True)
    assert not np.array_equal(layer.right, before)
    assert not np.array_equal(layer(IMAGES, training=False), one)
    np.testing.assert_array_equal(layer.kernel, kernel)


def test_the_gradient_does_not_lengthen_the_kernel():
    """The quotient ignores the kernel's length, and so must its gradient."""
    layer = converged(conv())
    weights = RNG.normal(size=layer.kernel.shape).astype("f4")
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(weights * layer.normalised_kernel(False))
    gradient = tape.gradient(loss, layer.kernel.value)
    along = float(tf.reduce_sum(gradient * layer.kernel.value))
    size = float(tf.norm(gradient) * tf.norm(layer.kernel.value))
    assert size > 1
    assert abs(along) < 1e-3 * size


def test_the_seed_fixes_the_start():
    np.testing.assert_array_equal(conv().right, conv().right)
    assert not np.array_equal(conv().right, conv(seed=2).right)


def test_a_saved_network_comes_back(tmp_path):
    image = keras.Input([8, 8, 2])
    x = keras.layers.Flatten()(SpectralConv2D(4, 3, seed=1)(image))
    model = keras.Model(image, SpectralDense(1, seed=2)(x))
    model(IMAGES, training=True)
    model.save(tmp_path / "discriminator.keras")
    loaded = keras.models.load_model(tmp_path / "discriminator.keras")
    np.testing.assert_array_equal(loaded(IMAGES), model(IMAGES))
    assert loaded.layers[1].get_config()["seed"] == 1


def test_half_precision_computes_with_a_float32_vector():
    layer = conv(dtype="mixed_bfloat16")
    assert layer(IMAGES, training=True).dtype == "bfloat16"
    assert layer.right.dtype == layer.kernel.dtype == "float32"


# --- batch normalisation ------------------------------------------------------

X = RNG.normal(3, 2, [6, 4, 4, 2])


def norm(**options):
    return SharedBatchNormalization(epsilon=1e-3, **options)


def test_it_normalises_as_keras_does():
    own, other = norm(), keras.layers.BatchNormalization(epsilon=1e-3)
    x = tf.constant(X, tf.float32)
    for _ in range(3):
        found, expected = own(x, training=True), other(x, training=True)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    for a, b in zip(own.variables, other.variables, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)
    expected = other(x, training=False)
    np.testing.assert_allclose(own(x, training=False), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("x", "mean", "variance"),
    [
        ([1.0, 2.0, 6.0], 3.0, 14 / 3),
        # large values with little variance keep it
        ([1000.0, 1000.5], 1000.25, 0.25**2),
    ],
)
def test_mean_and_variance_by_hand(x, mean, variance):
    x = np.array(x)[:, None]
    found = norm(center=False, scale=False)(
        tf.constant(x, tf.float32), training=True
    )
    expected = (x - mean) / np.sqrt(variance + 1e-3)
    np.testing.assert_allclose(found, expected, rtol=1e-3)


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_sixteen_bits_do_not_overflow(dtype):
    layer = norm(dtype=dtype)
    # a square of 300 is more than float16 holds
    found = layer(tf.constant([[-300.0], [300.0]]), training=True)
    assert found.dtype == layer.compute_dtype
    np.testing.assert_allclose(
        tf.cast(found, tf.float32), [[-1.0], [1.0]], rtol=0.01
    )


def test_its_second_derivatives_are_those_of_finite_differences():
    layer = norm(dtype="float64")
    weights = tf.reshape(tf.range(6, dtype=tf.float64), [-1, 1, 1, 1])

    def penalty(x):
        """Of the gradient through the layer."""
        with tf.GradientTape() as tape:
            tape.watch(x)
            total = tf.reduce_sum(layer(x, training=True) ** 3)
        return tf.reduce_sum(weights * tape.gradient(total, x) ** 2)

    x = tf.constant(X)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = penalty(x)
    direction = RNG.normal(size=X.shape)
    along = np.sum(tape.gradient(value, x) * direction)
    step = 1e-5 * direction
    change = penalty(tf.constant(X + step)) - penalty(tf.constant(X - step))
    assert along == pytest.approx(float(change) / 2e-5, rel=1e-6)
