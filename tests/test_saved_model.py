import io
import itertools
import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tensorflow.core.protobuf import saved_model_pb2
from test_model_info import FACTS

from pet_dcgan.models import saved_model, signature_parts
from pet_dcgan.models.networks import build_generator
from pet_dcgan.models.png_notes import png_notes
from pet_dcgan.models.saved_model import compare_model, save_model
from pet_dcgan.utils.png import check_png


def lively_generator():
    """Large weights and unequal batch statistics: images that differ."""
    model = build_generator(size=32, channels=3, latent_dim=6, width=4)
    random = np.random.default_rng(0)
    model.set_weights(
        [w * 12 + random.uniform(0, 0.1, w.shape) for w in model.get_weights()]
    )
    return model


@pytest.fixture(scope="module")
def generator():
    return lively_generator()


@pytest.fixture(scope="module")
def folder(generator, tmp_path_factory):
    path = tmp_path_factory.mktemp("archive") / "1"
    save_model(generator, path, FACTS)
    return path


def test_names_types_and_shapes(folder):
    signatures = tf.saved_model.load(str(folder)).signatures
    expected = {
        "serving_default": ("latent", tf.float32, [None, 6], "image"),
        "generate": ("seed", tf.int64, [None], "suvr"),
        "generate_png": ("seed", tf.int64, [None], "image_bytes"),
        "describe": ("seed", tf.int64, [None], "facts_bytes"),
    }
    assert set(signatures) == set(expected)
    for name, (key, dtype, shape, output) in expected.items():
        given = signatures[name].structured_input_signature[1]
        assert given == {key: tf.TensorSpec(shape, dtype, name=key)}
        assert list(signatures[name].structured_outputs) == [output]
    outputs = signatures["generate"].structured_outputs
    assert outputs["suvr"].shape.as_list() == [None, 32, 32]
    outputs = signatures["serving_default"].structured_outputs
    assert outputs["image"].shape.as_list() == [None, 32, 32, 3]


@pytest.fixture(scope="module")
def saved(folder):
    """The message in `saved_model.pb`."""
    model = saved_model_pb2.SavedModel()
    model.ParseFromString((folder / "saved_model.pb").read_bytes())
    (graph,) = model.meta_graphs
    return graph


def test_weights_are_stored_once(generator, folder, saved):
    stored = tf.train.list_variables(str(folder / "variables" / "variables"))
    sizes = [math.prod(shape) for name, shape in stored if name[0] != "_"]
    assert sum(sizes) == generator.count_params()
    functions = [f.node_def for f in saved.graph_def.library.function]
    for node in itertools.chain(saved.graph_def.node, *functions):
        assert len(node.attr["value"].tensor.tensor_content) < 1000


def test_what_a_server_of_tensorflow_2_20_reads(saved):
    assert saved.meta_info_def.stripped_default_attrs
    graph = saved.graph_def
    # TF_GRAPH_DEF_VERSION in core/public/version.h of 2.20.0
    assert graph.versions.min_consumer <= 2288
    functions = [f.node_def for f in graph.library.function]
    found = {node.op for nodes in (graph.node, *functions) for node in nodes}
    assert {"StatelessRandomUniformV2", "EncodePng", "Assert"} <= found
    assert not [op for op in found if "PyFunc" in op or "Xla" in op]
    attributes = {name for f in graph.library.function for name in f.attr}
    assert not [name for name in attributes if "xla" in name.lower()]
    objects = saved.object_graph_def.nodes
    assert "keras" not in str({node.user_object.identifier for node in objects})


def edited(model, number, edit):
    """The model with one of its weights edited."""
    weights = model.get_weights()
    weights[number] = edit(weights[number])
    model.set_weights(weights)
    return model


def test_comparison_refuses_other_weights(generator, folder):
    compare_model(generator, folder, FACTS)
    other = edited(lively_generator(), 0, lambda weights: weights + 0.01)
    with pytest.raises(ValueError, match="images differ by"):
        compare_model(other, folder, FACTS)


@pytest.mark.parametrize(
    ("module", "name", "value", "words"),
    [
        (signature_parts, "PNG_MAX", 65530, r"by \d+ steps from"),
        (saved_model, "sanitised", lambda x: x * np.nan, "differ by inf"),
    ],
    ids=["scale", "latents"],
)
def test_comparison_refuses_an_export_gone_wrong(
    generator, tmp_path, monkeypatch, module, name, value, words
):
    with monkeypatch.context() as patch:
        patch.setattr(module, name, value)
        save_model(generator, tmp_path / "1", FACTS)
    with pytest.raises(ValueError, match=words):
        compare_model(generator, tmp_path / "1", FACTS)


def test_weights_that_are_not_finite_are_refused(tmp_path):
    model = edited(lively_generator(), 3, lambda weights: weights + np.inf)
    with pytest.raises(ValueError, match=r"NaN or infinity in .*norm"):
        save_model(model, tmp_path / "1", FACTS)
    assert not (tmp_path / "1").exists()


def test_half_precision_is_refused(tmp_path):
    latent = keras.Input([6])
    image = keras.layers.Dense(4, dtype="mixed_float16", name="half")(latent)
    with pytest.raises(ValueError, match="layer half in float16"):
        save_model(keras.Model(latent, image), tmp_path / "1", FACTS)


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_images_say_themselves_that_they_are_synthetic(folder, rows):
    """As a server sends them, without this package."""
    loaded = tf.saved_model.load(str(folder))
    seeds = tf.range(rows, dtype=tf.int64)
    found = loaded.signatures["generate_png"](seed=seeds)["image_bytes"].numpy()
    suvr = loaded.signatures["generate"](seed=seeds)["suvr"].numpy()
    assert len(found) == rows
    for content, image in zip(found, suvr, strict=True):
        check_png(content, size=32)
        with Image.open(io.BytesIO(content)) as picture:
            assert picture.text == png_notes(FACTS)
            steps = np.asarray(picture) - image / FACTS.suvr_max * 65535
        assert picture.text["synthetic"] == "true"
        assert np.abs(steps).max() <= 0.51
