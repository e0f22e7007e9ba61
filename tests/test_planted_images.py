"""From a network's known image to a served one and to metrics in SUVR."""

import csv

import client_scripts
import keras
import nibabel as nib
import numpy as np
import pytest
import stub_server
import tensorflow as tf
from PIL import Image
from toy_data import disc
from toy_run import make_run

from pet_dcgan.evaluation.images import evaluation_images
from pet_dcgan.metrics.regions import regional_uptake
from pet_dcgan.metrics.uptake import wasserstein
from pet_dcgan.models.networks import build_generator
from pet_dcgan.models.sampling import suvr_from_images, synthetic_slices
from pet_dcgan.runs.run import Run
from pet_dcgan.serving.export import export_run
from pet_dcgan.serving.generate import generate

SIZE = 32
# a PNG's value for each pixel, no two alike, from black to white
STEPS = np.linspace(0, 65535, SIZE * SIZE).round().reshape(SIZE, SIZE)
FLOAT32 = 3e-7  # of SUVR; a step of a PNG is 3e-5
SUVR_MAX = 3.0  # of the exported model


def assert_suvr(found, steps=STEPS, suvr_max=2.5):
    """That an image is that of a PNG's steps, on the scale of SUVR."""
    expected = np.broadcast_to(steps / 65535 * suvr_max, np.shape(found))
    np.testing.assert_allclose(found, expected, rtol=0, atol=2 * FLOAT32)


def generator_of(steps, channels=1):
    """Returns the same image for every latent; three channels differ."""
    image = steps[..., None] / 65535 * 2 - 1
    # within [-1, 1], and of the same mean
    apart = np.array([[0.0], [-0.125, 0, 0.125]][channels == 3])
    image = image + apart * (1 - np.abs(image))
    latent = keras.Input([6], name="latent")
    dense = keras.layers.Dense(image.size, kernel_initializer="zeros")
    shape = keras.layers.Reshape(image.shape)
    model = keras.Model(latent, shape(dense(latent)))
    dense.bias.assign(image.ravel())
    return model


def plant(patch, generator):
    """Lets every run have this generator, which no configuration builds."""
    patch.setattr(Run, "load_generator", lambda run: generator)


@pytest.fixture(scope="module")
def model(toy_set, tmp_path_factory):
    """An exported version of RGB slices, whose every image is `STEPS`."""
    folder = tmp_path_factory.mktemp("planted")
    facts = {"suvr_max": SUVR_MAX}
    run = make_run(folder / "run", toy_set, **facts)
    with pytest.MonkeyPatch.context() as patch:
        plant(patch, generator_of(STEPS, channels=3))
        return export_run(run, folder / "models")


@pytest.fixture(scope="module")
def url(model):
    """URL of the model on a stub of a model server."""
    with stub_server.serve(model.parent.parent) as stub:
        yield f"{stub.url}/v1/models/ad"


# --- a network's values -------------------------------------------------------


def test_network_values_to_suvr_by_hand():
    x = np.array([-1, -0.5, 0, 0.25, 1], np.float32)
    expected = np.array([0, 0.625, 1.25, 1.5625, 2.5], np.float32)
    images = x.reshape(1, 1, 5, 1)
    for each in (images, np.repeat(images, 3, axis=-1)):
        found = suvr_from_images(tf.constant(each), 2.5).numpy()
        np.testing.assert_array_equal(found, expected.reshape(1, 1, 5))
    # channels are averaged before they are SUVR
    x = np.array([[[[-1, 0.5, -0.25]]]], np.float32)  # mean -0.25
    np.testing.assert_array_equal(suvr_from_images(x, 4.0), [[[1.5]]])


def test_a_generator_whose_last_bias_is_known():
    model = build_generator(size=32, channels=3, latent_dim=6, width=4)
    last = model.get_layer("up_32")
    kernel, bias = last.get_weights()
    logits = np.arctanh([0.1, 0.2, 0.6])  # mean 0.3
    last.set_weights([0 * kernel, logits.astype(bias.dtype)])
    slices = synthetic_slices(model, np.array([0, 99]), suvr_max=2.5)
    assert slices.shape == (2, 32, 32)
    np.testing.assert_allclose(slices, 1.625, rtol=0, atol=FLOAT32)


# --- an exported model --------------------------------------------------------


def test_signatures(model):
    loaded = tf.saved_model.load(str(model))

    def answer(signature, **inputs):
        (output,) = loaded.signatures[signature](**inputs).values()
        return output.numpy()

    image = answer("serving_default", latent=np.zeros([2, 6], "f4"))
    assert image.shape[:3] == (2, SIZE, SIZE)
    assert_suvr(image.mean(axis=-1, dtype=np.float64) + 1, suvr_max=2)
    assert_suvr(answer("generate", seed=[0, 2**40]), suvr_max=SUVR_MAX)
    for png in answer("generate_png", seed=[0, 2**40]):
        stored = tf.io.decode_png(png, dtype=tf.uint16)[..., 0]
        np.testing.assert_array_equal(stored, STEPS)


def pixels(path):
    """A file's pixels by another reader than the package's."""
    if path.suffix == ".png":
        with Image.open(path) as image:
            return np.asarray(image)
    if path.suffix == ".npy":
        return np.load(path)
    data = nib.load(path)
    assert nib.aff2axcodes(data.affine) == ("P", "R", "S")
    return data.get_fdata()[..., 0]


def check_files(table, *, png):
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2
    for row in rows:
        assert float(row["suvr_max"]) == SUVR_MAX
        found = pixels(table.parent / row["file"])
        if png:
            np.testing.assert_array_equal(found, STEPS)
        else:
            assert_suvr(found, suvr_max=SUVR_MAX)


@pytest.mark.parametrize("kind", ["png", "npy", "nifti"])
@pytest.mark.parametrize("where", ["folder", "server"])
def test_files_of_generate(model, url, tmp_path, kind, where):
    source = model if where == "folder" else url
    table = generate(source, count=2, out=tmp_path / "out", format=kind)
    check_files(table, png=kind == "png")


@pytest.mark.parametrize("over", ["rest", "grpc"])
@pytest.mark.parametrize("suvr", [False, True])
def test_files_of_the_clients(model, url, tmp_path, over, suvr):
    options = ["--count", "2", "--out", str(tmp_path / "out")]
    options += ["--suvr"] if suvr else []
    with client_scripts.importable():
        if over == "rest":
            import rest_client

            assert rest_client.main([url, *options]) == 0
        else:
            pytest.importorskip("tensorflow_serving")
            import grpc_client
            import stub_grpc

            with stub_grpc.serve(model.parent.parent) as address:
                assert grpc_client.main([address, "ad", *options]) == 0
    check_files(tmp_path / "out" / "images.csv", png=not suvr)


# --- metrics ------------------------------------------------------------------


def test_what_is_evaluated_is_in_suvr(toy_set, tmp_path, monkeypatch):
    run = make_run(tmp_path / "run", toy_set)
    plant(monkeypatch, generator_of(STEPS))
    images = evaluation_images(run, data_dir=None, count=8, seed=0)
    # the toy set's AD subjects: 0 to 2 trained on, 4 and 5 held out
    for found, subjects in (
        (images.training_suvr, (0, 1, 2)),
        (images.real.images, (4, 5)),
        (images.validation.images, (3,)),
    ):
        seeds = [4 * subject + n for subject in subjects for n in range(4)]
        steps = np.array([disc("AD", seed)[..., 0] for seed in seeds])
        assert found.shape == steps.shape
        assert_suvr(found, steps)
    assert_suvr(images.compared)


def test_metrics_of_stored_steps_in_suvr():
    # SUVR 1 of 2.5 is 26214 steps, of which a tenth more is 28835.4
    steps = np.full([SIZE, SIZE], 26214.0)
    more = np.full([SIZE, SIZE], 28835.0)
    one, other = (
        synthetic_slices(generator_of(s), np.array([0]), suvr_max=2.5)
        for s in (steps, more)
    )
    np.testing.assert_allclose(regional_uptake(one), [[1.0] * 9], atol=FLOAT32)
    expected = (28835 - 26214) / 65535 * 2.5
    assert wasserstein(one, other) == pytest.approx(expected, abs=FLOAT32)
