"""3-D convolutions by planes: the same function as TensorFlow's own."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from pet_dcgan.models import volume_layers
from pet_dcgan.models.cpu_layers import is_plain, plain_layer
from pet_dcgan.models.networks import float32_copy
from pet_dcgan.models.volume_layers import (
    StridedConv3D,
    StridedConv3DTranspose,
    in_planes,
    in_planes_transposed,
)


def random(shape, seed):
    return tf.random.stateless_normal(shape, [seed, 0])


def own(maps, kernel):
    return tf.nn.conv3d(maps, kernel, [1, 2, 2, 2, 1], "SAME")


def own_transposed(maps, kernel):
    shape = [len(maps), *(2 * n for n in maps.shape[1:4]), kernel.shape[3]]
    return tf.nn.conv3d_transpose(maps, kernel, shape, [1, 2, 2, 2, 1], "SAME")


FORMS = [(in_planes, own), (in_planes_transposed, own_transposed)]
BY_NAME = pytest.mark.parametrize(
    ("form", "reference"), FORMS, ids=["down", "up"]
)


@BY_NAME
@pytest.mark.parametrize("size", [2, 3, 4, 5])
def test_values_and_both_gradients_are_those_of_tensorflow(
    form, reference, size
):
    kernel = random([size] * 3 + [3, 5], 1)
    channels = 3 if form is in_planes else 5
    maps = random([2, 6, 6, 6, channels], 2)
    found = []
    for function in (form, reference):
        with tf.GradientTape() as tape:
            tape.watch([maps, kernel])
            made = function(maps, kernel)
            loss = tf.reduce_sum(made * random(made.shape, 3))
        found.append([made, *tape.gradient(loss, [maps, kernel])])
    for ours, theirs in zip(*found, strict=True):
        scale = float(tf.reduce_max(tf.abs(theirs)))
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5 * scale)


def test_one_tap_moves_a_voxel_by_hand():
    # tap 1 of 4 lies on plane 2 i of the larger map
    kernel = np.zeros([4, 4, 4, 1, 1], np.float32)
    kernel[1, 1, 1] = 7.0
    maps = np.zeros([1, 4, 4, 4, 1], np.float32)
    maps[0, 2, 0, 2] = 1.0
    found = in_planes(tf.constant(maps), tf.constant(kernel)).numpy()
    assert found[0, 1, 0, 1] == 7.0
    assert found.sum() == 7.0


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("kind", [StridedConv3D, StridedConv3DTranspose])
def test_a_layer_computes_what_its_parent_does(monkeypatch, kind, known):
    monkeypatch.setattr(volume_layers, "one_dnn", lambda: known)
    layer = kind(64, 4)
    maps = random([2, 4, 4, 4, 32], 1)
    found = layer(maps, training=True)
    plain = plain_layer(layer)
    plain.build(maps.shape)
    plain.set_weights(layer.get_weights())
    assert is_plain(plain)
    assert not is_plain(layer)
    np.testing.assert_allclose(found, plain(maps), rtol=0, atol=2e-5)


@pytest.mark.parametrize("known", [True, False])
def test_the_form_by_planes_is_for_deep_maps_without_one_dnn(
    monkeypatch, known
):
    calls = []

    def watched(maps, kernel):
        calls.append(maps.shape)
        return in_planes(maps, kernel)

    monkeypatch.setattr(volume_layers, "one_dnn", lambda: known)
    monkeypatch.setattr(StridedConv3D, "convolve", staticmethod(watched))
    deep, flat = StridedConv3D(64, 4), StridedConv3D(2, 4)
    deep(random([1, 4, 4, 4, 32], 1), training=True)
    deep(random([1, 4, 4, 4, 32], 1), training=False)
    flat(random([1, 4, 4, 4, 1], 1), training=True)
    assert len(calls) == (0 if known else 1)


def test_a_copy_is_of_layers_that_keras_knows():
    volumes = keras.Input([4, 4, 4, 1])
    network = keras.Model(volumes, StridedConv3D(2, 4)(volumes))
    layers = float32_copy(network).layers
    assert [type(layer).__name__ for layer in layers] == [
        "InputLayer",
        "Conv3D",
    ]


def test_one_dnn_is_known_or_taken_as_absent(monkeypatch):
    from tensorflow.python.util import _pywrap_util_port

    assert volume_layers.one_dnn() in (True, False)
    monkeypatch.delattr(_pywrap_util_port, "IsMklEnabled")
    assert volume_layers.one_dnn() is False
