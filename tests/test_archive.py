import subprocess
import sys
import textwrap

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2
from test_model_info import FACTS

from pet_dcgan.data.suvr import png_from_suvr
from pet_dcgan.models.networks import build_generator
from pet_dcgan.models.sampling import synthetic_slices
from pet_dcgan.serving import saved_model
from pet_dcgan.serving import saved_model as signatures_module
from pet_dcgan.serving.saved_model import (
    compare_model,
    save_functions,
    save_model,
)

SEEDS = np.array([0, 1, 77, 2**40, 5])


def lively_generator(channels=3):
    """Large weights and unequal batch statistics: images that differ."""
    model = build_generator(size=32, channels=channels, latent_dim=6, width=4)
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


@pytest.fixture(scope="module")
def signatures(folder):
    loaded = tf.saved_model.load(str(folder))
    yield loaded.signatures
    del loaded


def test_names_types_and_shapes(signatures):
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


def test_latents_give_the_live_images(generator, signatures):
    latents = np.random.default_rng(0).uniform(-1, 1, (5, 6)).astype("f4")
    image = signatures["serving_default"](latent=latents)["image"]
    live = generator(latents, training=False)
    np.testing.assert_allclose(image, live, atol=1e-5)
    assert np.abs(image).max() <= 1


def test_seeds_give_the_live_slices(generator, signatures):
    suvr = signatures["generate"](seed=SEEDS)["suvr"]
    live = synthetic_slices(generator, SEEDS, suvr_max=2.5)
    np.testing.assert_allclose(suvr, live, atol=1e-5)


def test_png_holds_16_bits_on_the_scale_of_the_data_set(generator, signatures):
    encoded = signatures["generate_png"](seed=SEEDS)["image_bytes"]
    live = synthetic_slices(generator, SEEDS, suvr_max=2.5)
    for png, suvr in zip(encoded, live, strict=True):
        stored = tf.io.decode_png(png, dtype=tf.uint16)
        assert stored.shape == (32, 32, 1)
        steps = stored[..., 0].numpy().astype(int)
        steps -= png_from_suvr(suvr, 2.5)
        assert np.abs(steps).max() <= 1
        assert png.numpy()[24] == 16  # bit depth, in the header


def test_a_seed_alone_equals_the_seed_in_a_batch(signatures):
    batch = signatures["generate"](seed=SEEDS)["suvr"]
    png = signatures["generate_png"](seed=SEEDS)["image_bytes"]
    assert np.ptp(batch, axis=0).max() > 0.1
    for row, seed in enumerate(SEEDS):
        alone = signatures["generate"](seed=[seed])["suvr"][0]
        np.testing.assert_allclose(alone, batch[row], atol=1e-5)
        alone = signatures["generate_png"](seed=[seed])["image_bytes"][0]
        one, other = (
            tf.io.decode_png(each, dtype=tf.uint16).numpy().astype(int)
            for each in (alone, png[row])
        )
        assert np.abs(one - other).max() <= 1


def test_no_rows_give_no_images(signatures):
    none = np.zeros(0, np.int64)
    assert signatures["generate"](seed=none)["suvr"].shape == (0, 32, 32)
    assert len(signatures["generate_png"](seed=none)["image_bytes"]) == 0


def test_facts_are_given_in_each_row(signatures):
    for count in (0, 1, 3):
        found = signatures["describe"](seed=np.arange(count))["facts_bytes"]
        assert found.numpy().tolist() == [FACTS.to_json().encode()] * count
    assert signatures["describe"].structured_outputs["facts_bytes"].shape.rank


def test_more_rows_than_the_limit_are_refused(signatures):
    seeds = np.arange(FACTS.max_rows + 1)
    for name in ("generate", "generate_png", "describe"):
        signatures[name](seed=seeds[1:])
        with pytest.raises(
            tf.errors.InvalidArgumentError, match=r"at most 64, found .*\[65\]"
        ):
            signatures[name](seed=seeds)
    with pytest.raises(
        tf.errors.InvalidArgumentError, match=r"shape \[n, 6\] .*\[65 6\]"
    ):
        signatures["serving_default"](latent=np.zeros([65, 6], np.float32))


def test_a_bad_row_gives_an_image_and_leaves_its_neighbours(
    generator, signatures
):
    latents = np.random.default_rng(0).uniform(-1, 1, (5, 6)).astype("f4")
    meant = latents.copy()
    latents[1, :3] = np.nan, np.inf, -np.inf
    meant[1, :3] = 0
    latents[3] = 1e30, -1e30, 1.01, -1.01, 3e38, -2
    meant[3] = 1, -1, 1, -1, 1, -1
    image = signatures["serving_default"](latent=latents)["image"]
    live = generator(meant, training=False)
    np.testing.assert_allclose(image, live, atol=1e-5)
    assert np.ptp(live, axis=0).max() > 0.1


def test_any_seed_gives_a_finite_image(signatures):
    limits = np.iinfo(np.int64)
    seeds = np.array([limits.min, -1, 0, limits.max])
    suvr = signatures["generate"](seed=seeds)["suvr"].numpy()
    assert np.isfinite(suvr).all()
    assert len(np.unique(suvr, axis=0)) == 4


def test_weights_are_stored_once(tmp_path):
    model = build_generator(size=32, channels=1, latent_dim=6, width=64)
    save_model(model, tmp_path / "1", FACTS)
    weights = sum(w.nbytes for w in model.get_weights())
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert weights < sum(path.stat().st_size for path in files) < 1.1 * weights


def graph_def(folder):
    model = saved_model_pb2.SavedModel()
    model.ParseFromString((folder / "saved_model.pb").read_bytes())
    (graph,) = model.meta_graphs
    assert graph.meta_info_def.stripped_default_attrs
    return graph.graph_def


def test_what_a_server_of_tensorflow_2_20_reads(folder):
    graph = graph_def(folder)
    # TF_GRAPH_DEF_VERSION in core/public/version.h of 2.20.0
    assert graph.versions.min_consumer <= 2288
    functions = [f.node_def for f in graph.library.function]
    found = {node.op for nodes in (graph.node, *functions) for node in nodes}
    assert {"StatelessRandomUniformV2", "EncodePng", "Assert"} <= found
    assert not [op for op in found if "PyFunc" in op or "Xla" in op]
    attributes = {name for f in graph.library.function for name in f.attr}
    assert not [name for name in attributes if "xla" in name.lower()]


@pytest.mark.parametrize(
    "name", ["variables", "signatures", "_init", "", "a b", "submodules"]
)
def test_reserved_names_are_refused(tmp_path, name):
    function = tf.function(
        lambda x: {"y": x}, input_signature=[tf.TensorSpec([None], name="x")]
    )
    with pytest.raises(ValueError, match="cannot be a signature's name"):
        save_functions({name: function}, [], tmp_path / "1")
    assert not (tmp_path / "1").exists()


STANDALONE = """
    import sys

    class Refuse:
        def find_spec(self, name, path=None, target=None):
            if name.split(".")[0] in ("keras", "tf_keras", "pet_dcgan"):
                # tensorflow looks for Keras and takes either as its absence
                raise type("Absent", (ImportError, ValueError), {})(name)

    sys.meta_path.insert(0, Refuse())
    import tensorflow as tf
    import numpy as np

    model = tf.saved_model.load(sys.argv[1])
    call = model.signatures
    seeds = tf.constant(np.load(sys.argv[2]))
    suvr = call["generate"](seed=seeds)["suvr"]
    png = call["generate_png"](seed=seeds)["image_bytes"]
    pixels = [tf.io.decode_png(each, dtype=tf.uint16) for each in png]
    latent = tf.fill([3, 6], 0.5)
    image = call["serving_default"](latent=latent)["image"]
    assert not {"keras", "pet_dcgan"} & set(sys.modules)
    np.savez(sys.argv[3], suvr=suvr, image=image, pixels=np.stack(pixels))
"""


def test_runs_without_keras_and_without_this_package(
    generator, folder, tmp_path
):
    np.save(tmp_path / "seeds.npy", SEEDS)
    arguments = [folder, tmp_path / "seeds.npy", tmp_path / "out.npz"]
    code = textwrap.dedent(STANDALONE)
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = np.load(tmp_path / "out.npz")
    live = synthetic_slices(generator, SEEDS, suvr_max=2.5)
    np.testing.assert_allclose(found["suvr"], live, atol=1e-5)
    steps = found["pixels"][..., 0].astype(int) - png_from_suvr(live, 2.5)
    assert np.abs(steps).max() <= 1
    image = generator(np.full((3, 6), 0.5, np.float32), training=False)
    np.testing.assert_allclose(found["image"], image, atol=1e-5)


def test_comparison_reports_a_small_difference(generator, folder):
    assert compare_model(generator, folder, FACTS) <= 1e-5


def test_comparison_refuses_other_weights(folder):
    other = lively_generator()
    weights = other.get_weights()
    weights[0] = weights[0] + 0.01
    other.set_weights(weights)
    with pytest.raises(ValueError, match="images differ by"):
        compare_model(other, folder, FACTS)


def test_comparison_refuses_another_png_scale(generator, tmp_path, monkeypatch):
    monkeypatch.setattr(signatures_module, "PNG_MAX", 65530)
    save_model(generator, tmp_path / "1", FACTS)
    with pytest.raises(ValueError, match=r"by \d+ steps from"):
        compare_model(generator, tmp_path / "1", FACTS)


def test_comparison_refuses_nan(generator, tmp_path, monkeypatch):
    broken = lively_generator()
    broken.set_weights([w * np.nan for w in broken.get_weights()])
    monkeypatch.setattr(saved_model, "_require_exportable", lambda model: None)
    save_model(broken, tmp_path / "1", FACTS)
    with pytest.raises(ValueError, match="images differ by inf"):
        compare_model(generator, tmp_path / "1", FACTS)


def test_weights_that_are_not_finite_are_refused(tmp_path):
    model = lively_generator(channels=1)
    weights = model.get_weights()
    weights[3][0] = np.inf
    model.set_weights(weights)
    with pytest.raises(ValueError, match=r"NaN or infinity in .*norm"):
        save_model(model, tmp_path / "1", FACTS)
    assert not (tmp_path / "1").exists()


def test_half_precision_is_refused(tmp_path):
    latent = keras.Input([6])
    image = keras.layers.Dense(4, dtype="mixed_float16", name="half")(latent)
    with pytest.raises(ValueError, match="layer half in float16"):
        save_model(keras.Model(latent, image), tmp_path / "1", FACTS)
