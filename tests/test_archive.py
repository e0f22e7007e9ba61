"""Networks of one's own, and models in memory, as a served archive."""

import dataclasses
import functools
import json
import zipfile

import keras
import numpy as np
import own_networks
import pytest
import tensorflow as tf
from keras import layers
from own_networks import LATENT_DIM, MIDDLES, Noise, generator_of
from test_same_bytes import files
from toy_model import make_model

from pet_dcgan.image_facts import ImageFacts
from pet_dcgan.models import archive
from pet_dcgan.models.archive import export_model
from pet_dcgan.models.model_info import SIGNATURES
from pet_dcgan.models.plain_generator import generator_of as generator_in
from pet_dcgan.models.plain_generator import model_info
from pet_dcgan.models.sampling import synthetic_slices
from pet_dcgan.serving.exported_model import ExportedModel

FACTS = ImageFacts(
    stage="AD", plane="axial", spacing_mm=6, suvr_max=2.5, phantom=True
)


def lively(**options):
    """A DCGAN with large weights, in its average too: images that differ."""
    model = make_model(facts=FACTS, **options)
    for network in (model.generator, model.average):
        if network is not None:
            network.set_weights([w * 12 for w in network.get_weights()])
    return model


def slices_of(folder, seeds):
    """What a reader without Keras gets, in SUVR."""
    call = tf.saved_model.load(str(folder)).signatures["generate"]
    return call(seed=tf.constant(seeds, tf.int64))["suvr"].numpy()


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A model with an average, and its archive."""
    model = lively(ema_decay=0.9)
    folder = tmp_path_factory.mktemp("archive") / "new" / "ad"
    model.average.set_weights([w * 0.8 for w in model.average.get_weights()])
    model.export(folder, verbose=False)
    return model, folder


# --- DCGAN.export -------------------------------------------------------------


def test_an_archive_has_what_a_server_and_generate_read(exported):
    _, folder = exported
    assert list(files(folder)) == [
        "assets.extra/model.json",
        "assets.extra/tf_serving_warmup_requests",
        "saved_model.pb",
        "variables/variables.data-00000-of-00001",
        "variables/variables.index",
    ]
    found = ExportedModel(folder).load()
    assert (found.facts.stage, found.facts.preset) == ("AD", "own")
    assert (found.facts.size, found.facts.latent_dim) == (32, 6)
    signatures = tf.saved_model.load(str(folder)).signatures
    assert sorted(signatures) == sorted(SIGNATURES)


def test_its_images_are_those_of_the_average(exported):
    model, folder = exported
    seeds = np.arange(5)
    expected = synthetic_slices(model.sampler_network, seeds, suvr_max=2.5)
    np.testing.assert_allclose(slices_of(folder, seeds), expected, atol=1e-4)
    other = synthetic_slices(model.generator, seeds, suvr_max=2.5)
    assert np.abs(other - expected).max() > 0.01


def test_keras_reads_it_as_a_layer(exported):
    model, folder = exported
    layer = keras.layers.TFSMLayer(folder, call_endpoint="serving_default")
    latents = np.linspace(-1, 1, 12, dtype="float32").reshape(2, 6)
    np.testing.assert_allclose(
        layer(latents)["image"], model.sampler_network(latents), atol=1e-5
    )


def test_the_same_model_gives_the_same_bytes(exported, tmp_path):
    model, folder = exported
    generator_of(own_networks.upsampled)(tf.zeros([1, LATENT_DIM]))
    model.export(tmp_path / "1", verbose=False)
    assert files(tmp_path / "1") == files(folder)


def test_it_is_what_an_exported_run_is(toy_models, tmp_path):
    model = lively()
    network = generator_in(model)
    network.set_weights([w * 12 for w in make_model().generator.get_weights()])
    info = model_info(network, FACTS, preset="demo")
    archive.write_archive(network, tmp_path / "1", info)
    run = files(toy_models / "ad" / "1")
    own = files(tmp_path / "1")
    assert own.keys() < run.keys()
    assert [name for name in own if own[name] != run[name]] == []


def test_a_line_says_where_it_is_unless_told_not_to(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(
        archive, "write_archive", lambda network, folder, info: folder.mkdir()
    )
    model = make_model(facts=FACTS)
    for number, verbose in enumerate((None, True, False)):
        model.export(str(tmp_path / str(number)), verbose=verbose)
        found = capsys.readouterr().out
        assert found.count("\n") == (verbose is not False)
        assert (str(tmp_path) in found) == (verbose is not False)


def test_facts_are_given_where_the_model_has_none(tmp_path):
    model = make_model()
    with pytest.raises(ValueError, match=r"found none: write facts=.*ImageFa"):
        model.export(tmp_path / "1")
    model.export(tmp_path / "1", facts=FACTS, verbose=False)
    found = json.loads(
        (tmp_path / "1" / "assets.extra" / "model.json").read_text()
    )
    assert dataclasses.asdict(FACTS).items() <= found.items()


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (dataclasses.replace(FACTS, suvr_max=3.0), "the model's own facts"),
        ({"stage": "AD"}, "facts as pet_dcgan.ImageFacts, found"),
    ],
)
def test_facts_that_differ_or_are_none_are_refused(tmp_path, facts, words):
    with pytest.raises(ValueError, match=words) as error:
        make_model(facts=FACTS).export(tmp_path / "1", facts=facts)
    assert str(error.value).isprintable()
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_replaced(tmp_path):
    model = make_model(facts=FACTS)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").touch()
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    before = files(tmp_path)
    for name in ("full", "file", "link"):
        with pytest.raises(FileExistsError, match="a new or an empty folder"):
            model.export(tmp_path / name)
    assert files(tmp_path) == before
    (tmp_path / "empty").mkdir()
    model.export(tmp_path / "empty", verbose=False)
    assert ExportedModel(tmp_path / "empty").facts.stage == "AD"


def test_a_failing_export_leaves_nothing(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive, "compare_model", fail)
    with pytest.raises(OSError, match="No space left"):
        make_model(facts=FACTS).export(tmp_path / "1")
    assert list(tmp_path.iterdir()) == []


def test_an_untrained_network_is_exported(tmp_path):
    """Its images are grey, and may happen to have nothing below 0."""
    latent = keras.Input([LATENT_DIM])
    x = layers.Dense(256, kernel_initializer="zeros", activation="tanh")(latent)
    network = keras.Model(latent, layers.Reshape([16, 16, 1])(x))
    network.weights[1].assign(np.linspace(0.001, 0.2, 256))
    export_model(network, tmp_path / "1", facts=FACTS, verbose=False)
    assert slices_of(tmp_path / "1", [0]).min() >= 1.25


def test_options_of_other_formats_are_refused(tmp_path):
    model = make_model(facts=FACTS)
    spec = [keras.InputSpec(shape=(1, 6), dtype="float32")]
    with pytest.raises(ValueError, match="no input_signature with format tf_s"):
        model.export(tmp_path / "1", input_signature=spec)
    with pytest.raises(ValueError, match="no opset_version with format"):
        model.export(tmp_path / "1", opset_version=18)
    with pytest.raises(ValueError, match="format=x"):
        model.export(tmp_path / "1", format="x")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(
    keras.__version__.startswith("3.12."), reason="it does not write LiteRT yet"
)
def test_another_format_has_the_network_alone(tmp_path):
    path = tmp_path / "network.tflite"
    make_model().export(str(path), format="litert", verbose=False)
    assert path.read_bytes()[4:8] == b"TFL3"
    wrong, path = plain(activation="linear"), tmp_path / "wrong.tflite"
    with pytest.raises(ValueError, match=r"images in \[-1, 1\]"):
        export_model(wrong, str(path), format="litert")
    assert not path.exists()


@pytest.mark.slow
def test_onnx_reads_the_same_images(tmp_path):
    pytest.importorskip("tf2onnx", reason="what Keras converts with")
    runtime = pytest.importorskip("onnxruntime", reason="what reads the file")
    model, path = lively(), tmp_path / "network.onnx"
    model.export(str(path), format="onnx", verbose=False)
    session = runtime.InferenceSession(str(path))
    (given,) = session.get_inputs()
    latents = np.random.default_rng(0).uniform(-1, 1, (3, 6)).astype("float32")
    (found,) = session.run(None, {given.name: latents})
    np.testing.assert_allclose(found, model.generator(latents), atol=1e-5)


@pytest.mark.filterwarnings("ignore:You are casting")
def test_half_precision_is_exported_in_float32(tmp_path):
    network = mixed(own_networks.transposed)
    half = {each.compute_dtype for each in network.layers}
    assert "bfloat16" in half
    export_model(network, tmp_path / "1", facts=FACTS, verbose=False)
    copy = generator_in(network)
    expected = synthetic_slices(copy, np.arange(3), suvr_max=2.5)
    found = slices_of(tmp_path / "1", np.arange(3))
    np.testing.assert_allclose(found, expected, atol=1e-4)


def mixed(middle):
    """A generator in half precision."""
    before = keras.config.dtype_policy()
    try:
        keras.config.set_dtype_policy("mixed_bfloat16")
        return generator_of(middle)
    finally:
        keras.config.set_dtype_policy(before)


def test_no_byte_names_a_subject_or_a_place(toy_slices, toy_set, tmp_path):
    """Of a model that was fitted, in its archive and in Keras's own file."""
    model = make_model()
    model.fit(toy_slices, batch_size=4, epochs=1, verbose=0)
    assert model.subjects
    model.export(tmp_path / "1", verbose=False)
    model.save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as file:
        saved = {name: file.read(name) for name in file.namelist()}
    words = [*model.subjects, "999_S", str(tmp_path), str(toy_set)]
    for name, content in (saved | files(tmp_path / "1")).items():
        for word in words:
            assert word.encode() not in content, (name, word)


# --- networks of one's own ----------------------------------------------------


@pytest.mark.parametrize("middle", MIDDLES, ids=lambda each: each.__name__)
def test_a_network_of_usual_layers_is_exported(middle, tmp_path):
    """`compare_model` has compared images; here, `generate` can read it."""
    export_model(
        generator_of(middle), tmp_path / "1", facts=FACTS, verbose=False
    )
    images = ExportedModel(tmp_path / "1").load().draw([0, 1])
    assert images[0] != images[1]


def test_the_seed_of_dropout_is_no_weight(tmp_path):
    network = generator_of(lambda x, latent: layers.Dropout(0.5)(x))
    export_model(network, tmp_path / "1", facts=FACTS, verbose=False)
    stored = tf.train.list_variables(
        str(tmp_path / "1" / "variables" / "variables")
    )
    shapes = [tuple(shape) for name, shape in stored if name[0] != "_"]
    expected = [tuple(each.shape) for each in network.weights]
    assert sorted(shapes) == sorted(expected)


@pytest.mark.parametrize("inside", [False, True])
def test_a_wrapped_network_is_exported(inside, tmp_path):
    """A class of one's own, or a network within a network."""

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.inner = generator_of(own_networks.styled)

        def call(self, latent):
            return self.inner(latent)

    part = generator_of(own_networks.styled) if inside else Own()
    if not inside:
        part(tf.zeros([1, LATENT_DIM]))
        with pytest.raises(ValueError, match=r"wrap it as keras\.Model\("):
            export_model(part, tmp_path / "1", facts=FACTS)
    latent = keras.Input([LATENT_DIM])
    network = keras.Model(latent, part(latent))
    export_model(network, tmp_path / "1", facts=FACTS, verbose=False)
    assert len(ExportedModel(tmp_path / "1").load().draw([0])) == 1


def printing(x, latent):
    def call(x):
        tf.print("x")
        return x

    return layers.Lambda(call)(x)


def calling_python(x, latent):
    def call(x):
        found = tf.numpy_function(lambda array: array, [x], tf.float32)
        return tf.ensure_shape(found, x.shape)

    return layers.Lambda(call, output_shape=x.shape[1:])(x)


class Hidden(layers.Layer):
    """A weight that nobody can find."""

    def call(self, x):
        return x * _HIDDEN


_HIDDEN = tf.Variable(2.0)


@pytest.mark.parametrize(
    ("middle", "words"),
    [
        (lambda x, _: Noise()(x), "AssignVariableOp in the generator's graph"),
        (lambda x, _: Noise(own_seed=False)(x), "found RandomStandardNormal"),
        (printing, "found PrintV2, StringFormat in"),
        (calling_python, "found PyFunc in"),
        (lambda x, _: Hidden()(x), "fails with AssertionError"),
    ],
)
def test_layers_that_do_more_than_compute_are_refused(middle, words, tmp_path):
    network = generator_of(middle)
    with pytest.raises(ValueError, match=words) as error:
        export_model(network, tmp_path / "1", facts=FACTS)
    assert str(error.value).isprintable()
    assert list(tmp_path.iterdir()) == []


def dense(*shape):
    latent = keras.Input([LATENT_DIM])
    units = int(np.prod(shape))
    x = layers.Dense(units, activation="tanh")(latent)
    return keras.Model(latent, layers.Reshape(shape)(x))


def two_images():
    latent = keras.Input([LATENT_DIM])
    image = layers.Reshape([16, 16, 1])(layers.Dense(256)(latent))
    return keras.Model(latent, [image, image])


plain = functools.partial(generator_of, lambda x, latent: x)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: plain(activation="sigmoid"), "background is -1, where"),
        (lambda: plain(activation="linear"), r"values from -.* to .*in tanh"),
        (lambda: dense(16, 16, 2), "to images .*, found .*16, 16, 2"),
        (lambda: dense(16, 8, 1), "to images .*, found .*16, 8, 1"),
        (lambda: dense(64), "to images .*, found"),
        (lambda: dense(4, 4, 1), "expected size to be 8 to 512, found 4"),
        (two_images, "to images|Keras generator"),
        (lambda: keras.Sequential([layers.Dense(3)]), "found Sequential with"),
        (lambda: "runs/ad", "found str without"),
        (lambda: None, "found NoneType without"),
    ],
)
def test_what_is_no_generator_is_refused(build, words, tmp_path):
    with pytest.raises(ValueError, match=words) as error:
        export_model(build(), tmp_path / "1", facts=FACTS)
    assert str(error.value).isprintable()
    assert list(tmp_path.iterdir()) == []
