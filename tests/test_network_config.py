"""Descriptions of networks: built again, or refused in one line."""

import copy
import json
import sys

import keras
import numpy as np
import pytest
from toy_model import make_config
from toy_networks import own_discriminator, own_generator

from pet_dcgan.models import network_config
from pet_dcgan.models.network_config import (
    copied,
    describe,
    is_same_architecture,
    layer_outputs,
    rebuild,
)
from pet_dcgan.models.networks import build_discriminator, build_generator


@pytest.fixture(scope="module")
def config(toy_set):
    return make_config(toy_set)


@pytest.fixture(scope="module")
def description(config):
    return describe(own_generator(config, block=False))


def layer(description, kind):
    """The first layer of a class in a description."""
    found = description["config"]["layers"]
    return next(each for each in found if each["class_name"] == kind)


def refused(description, *words, **options):
    with pytest.raises(ValueError, match="expected") as caught:
        rebuild(description, **options)
    line = str(caught.value)
    assert "\n" not in line
    assert len(line) < 600
    for word in words:
        assert word in line, (word, line)


@pytest.mark.parametrize(
    "make",
    [
        own_generator,
        own_discriminator,
        lambda c: build_generator(size=32, channels=1, width=4),
        lambda c: build_discriminator(size=32, channels=1, width=4),
    ],
    ids=["generator", "discriminator", "ours", "ours too"],
)
def test_a_network_comes_back(config, make):
    network = make(config)
    found = describe(network)
    again = copied(network, json.loads(json.dumps(found)))
    assert describe(again) == found
    shape = network.input_shape[1:]
    inputs = np.random.default_rng(0).normal(size=[3, *shape])
    inputs = inputs.astype(np.float32)
    np.testing.assert_array_equal(again(inputs), network(inputs))
    # seeds of dropout, too
    for one, other in zip(again.variables, network.variables, strict=True):
        np.testing.assert_array_equal(one, other)


def test_names_of_layers_do_not_matter_and_all_else_does(config, description):
    again = describe(own_generator(config, block=False))
    assert again != description  # Keras counts on
    assert is_same_architecture(again, description)
    for other in (
        own_generator(config),
        own_generator(config, block=False, filters=8),
        own_discriminator(config),
    ):
        assert not is_same_architecture(describe(other), description)
    for kind, name, value in (
        ("Conv2D", "activation", "relu"),
        ("Dropout", "rate", 0.2),
        ("Conv2D", "dtype", "float32"),
    ):
        changed = copy.deepcopy(description)
        layer(changed, kind)["config"][name] = value
        assert not is_same_architecture(changed, description)


def test_a_compiled_network_is_described_without_its_optimiser(config):
    network = own_discriminator(config)
    before = describe(network)
    network.compile("adam", "mse")
    assert describe(network) == before
    assert "compile_config" not in json.dumps(before)


def test_numbers_that_each_layer_makes(config):
    found = layer_outputs(own_discriminator(config))
    # 32 pixels by a kernel of 5 at strides of 4, 4 filters
    assert list(found.values()) == [196, 196, 196, 196, 1]


def test_a_sequential_that_is_rebuilt_makes_no_more_numbers():
    """Keras calls all its layers again for each that it adds."""
    layers = keras.layers
    network = keras.Sequential(
        [
            keras.Input([16, 16, 1]),
            layers.Conv2D(4, 5, strides=2, padding="same"),
            layers.LeakyReLU(),
            layers.Flatten(),
            layers.Dense(1),
        ]
    )
    for found in (network, rebuild(describe(network))):
        assert list(layer_outputs(found).values()) == [256, 256, 256, 1]


def test_layers_of_volumes_are_known_as_those_of_slices_are():
    layers = keras.layers
    network = keras.Sequential(
        [
            keras.Input([8, 8, 8]),
            layers.Reshape([8, 8, 8, 1]),
            layers.ZeroPadding3D(1),
            layers.Cropping3D(1),
            layers.Conv3D(2, 3, strides=2, padding="same"),
            layers.SpatialDropout3D(0.1),
            layers.Conv3DTranspose(2, 4, strides=2, padding="same"),
            layers.UpSampling3D(2),
            layers.AveragePooling3D(2),
            layers.MaxPooling3D(2),
            layers.GlobalAveragePooling3D(),
            layers.Dense(1),
        ]
    )
    description = json.loads(json.dumps(describe(network)))
    found = rebuild(description)
    assert is_same_architecture(description, describe(found))
    assert found.output_shape == (None, 1)


HOSTILE = {
    "Lambda": ("Dense", {"class_name": "Lambda"}),
    "TFSMLayer": ("Dense", {"class_name": "TFSMLayer"}),
    "vocabulary": ("Dense", {"class_name": "TextVectorization"}),
    "os.system": ("Dense", {"module": "os", "class_name": "system"}),
    "our module": ("Dense", {"module": "pet_dcgan.utils.files"}),
    "load_model": (
        "Dense",
        {"module": "keras.models", "class_name": "load_model"},
    ),
    "older format": ("Dense", {"module": None}),
    "no name": ("Dense", {"class_name": None}),
    "list for a name": ("Dense", {"class_name": ["Dense"]}),
    "registered": ("Dense", {"registered_name": "toy>Nothing"}),
    "compiled": ("Dense", {"compile_config": {"optimizer": "adam"}}),
    "one more field": ("Dense", {"shared_object_id": 1}),
}


@pytest.mark.parametrize(("kind", "changes"), HOSTILE.values(), ids=HOSTILE)
def test_what_does_more_than_compute_is_refused(description, kind, changes):
    changed = copy.deepcopy(description)
    layer(changed, kind).update(changes)
    refused(changed, "import the module that defines it")


def test_no_module_is_imported_for_a_registered_name(
    description, tmp_path, monkeypatch
):
    # Keras imports these packages, if it finds no registered class
    (tmp_path / "keras_hub.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "keras_hub", raising=False)
    changes = {"module": "keras_hub", "class_name": "toy>Block"}
    for registered in (None, ""):
        changed = copy.deepcopy(description)
        layer(changed, "Dense").update(changes, registered_name=registered)
        refused(changed, "import the module that defines it")
    assert "keras_hub" not in sys.modules


INNER = {
    "lambda": {"class_name": "__lambda__", "config": {"value": ["e30="]}},
    "numpy": {"class_name": "__numpy__", "config": {"value": 0, "dtype": "O"}},
    "tensor": {"class_name": "__tensor__", "config": {"value": 0}},
    "type": {"class_name": "__typespec__", "config": []},
    "function": {
        "module": "os",
        "class_name": "function",
        "config": "system",
        "registered_name": "system",
    },
    "keras function": {
        "module": "keras.utils",
        "class_name": "function",
        "config": "get_file",
        "registered_name": "get_file",
    },
}


@pytest.mark.parametrize("value", INNER.values(), ids=INNER)
def test_code_within_a_layer_is_refused(description, value):
    for name in ("activation", "kernel_initializer", "name"):
        changed = copy.deepcopy(description)
        layer(changed, "Dense")["config"][name] = value
        refused(changed, "import the module that defines it")


def test_code_is_refused_where_a_user_has_allowed_it(description):
    keras.config.enable_unsafe_deserialization()
    try:
        for value in (INNER["lambda"], HOSTILE["Lambda"][1]):
            changed = copy.deepcopy(description)
            layer(changed, "Dense")["config"]["activation"] = value
            refused(changed)
    finally:
        keras.src.backend.common.global_state.set_global_attribute(
            "safe_mode_saving", None
        )


SIZES = {
    "weights": ("Dense", {"units": 10**9}),
    "kernel": ("Conv2D", {"kernel_size": [10**5, 10**5]}),
    "map": ("Reshape", {"target_shape": [8, 8, 10**12]}),
    "negative": ("Dense", {"units": -1}),
    "text": ("Dense", {"units": "many"}),
    "float": ("Conv2D", {"strides": 1e300}),
    "endless": ("Conv2D", {"filters": 10**400}),
    "nothing": ("Conv2D", {"filters": None}),
    "unknown option": ("Dense", {"__class__": 1}),
    "unknown activation": ("Dense", {"activation": "os.system"}),
}


@pytest.mark.parametrize(("kind", "changes"), SIZES.values(), ids=SIZES)
def test_what_asks_for_too_much_or_for_nonsense_is_refused(
    description, kind, changes
):
    changed = copy.deepcopy(description)
    layer(changed, kind)["config"].update(changes)
    refused(changed)


def test_no_more_weights_than_its_file_holds(description):
    count = sum(int(np.prod(w.shape)) for w in rebuild(description).variables)
    rebuild(description, most=count)
    refused(description, "more weights than", most=count - 1)


def test_a_map_that_no_image_needs_is_refused(config):
    latent = keras.Input([6])
    x = keras.layers.Reshape([1, 1, 6])(latent)
    large = keras.layers.UpSampling2D(4096)(x)
    image = keras.layers.AveragePooling2D(128)(large)
    refused(describe(keras.Model(latent, image)), "numbers of an image")


def nested(inner, shape):
    """A generator with a network in it, which is called on `[1, 1, 6]`."""
    latent = keras.Input([6])
    x = keras.layers.Reshape([1, 1, 6])(latent)
    start = keras.Input(shape)
    return keras.Model(latent, keras.Model(start, inner(start))(x))


def test_a_map_within_a_network_within_it_is_refused():
    def large(x):
        x = keras.layers.UpSampling2D(4096)(x)
        return keras.layers.AveragePooling2D(128)(x)

    refused(describe(nested(large, [1, 1, 6])), "numbers of an image")
    # without sides nothing is known of it
    refused(describe(nested(large, [None, None, 6])), "cannot build")
    small = nested(keras.layers.UpSampling2D(4), [1, 1, 6])
    assert rebuild(describe(small)).output_shape == (None, 4, 4, 6)


def test_networks_that_call_one_another_without_end_are_refused():
    network = keras.Sequential([keras.Input([6]), keras.layers.ReLU()])
    for _ in range(4):  # 20 ** 4 calls
        x = start = keras.Input([6])
        for _ in range(20):
            x = network(x)
        network = keras.Model(start, x)
    refused(describe(network), "that calls 10,000 layers")


def test_what_is_nested_too_deep_is_another_architecture(description):
    deep = "[" * 800 + "]" * 800
    changed = description | {"config": json.loads(deep)}
    assert not is_same_architecture(changed, changed)


def test_anything_else_is_refused(description):
    deep = inner = copy.deepcopy(description)
    for _ in range(70):
        inner["config"] = inner = {"config": None}
    refused(deep, "without end")
    without = copy.deepcopy(description)
    without["config"]["layers"].pop(2)
    layers_alone = layer(description, "Dense")
    for other in ({}, {"class_name": "Dense"}, without, layers_alone):
        refused(other)


def test_what_cannot_be_described_is_refused(config, monkeypatch):
    class Mine(keras.layers.Layer):
        def __init__(self, width):
            super().__init__()

        def call(self, latents):
            return latents

    latent = keras.Input([6])
    refusals = (
        (Mine(3)(latent), "found Mine"),
        (keras.layers.Lambda(lambda x: x)(latent), "found"),
    )
    for output, word in refusals:
        with pytest.raises(ValueError, match=word) as caught:
            describe(keras.Model(latent, output))
        assert "\n" not in str(caught.value)
    monkeypatch.setattr(network_config, "MOST_BYTES", 100)
    with pytest.raises(ValueError, match="described in 100 bytes"):
        describe(own_generator(config))
