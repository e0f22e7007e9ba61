import keras
import numpy as np
import pytest
import tensorflow as tf

from pet_dcgan.models.layers import SharedBatchNormalization

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
