"""From a network's known image to a served one and to metrics in SUVR."""

import csv
import json
import urllib.request

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

from pet_dcgan.data.suvr import suvr_from_network
from pet_dcgan.evaluation.images import evaluation_images
from pet_dcgan.metrics.uptake import regional_uptake, wasserstein
from pet_dcgan.models.networks import build_generator
from pet_dcgan.models.sampling import suvr_from_images, synthetic_slices
from pet_dcgan.serving.export import export_run
from pet_dcgan.serving.generate import generate

SIZE = 32
# a PNG's value for each pixel, no two alike, from black to white
STEPS = np.linspace(0, 65535, SIZE * SIZE).round().reshape(SIZE, SIZE)
FLOAT32 = 3e-7  # of SUVR; a step of a PNG is 3e-5


def generator_of(steps, channels=1):
    """Returns the same image for every latent; three channels differ."""
    image = steps[..., None] / 65535 * 2 - 1
    image = image + np.array([[0.0], [-0.125, 0, 0.125]][channels == 3])
    latent = keras.Input([6], name="latent")
    dense = keras.layers.Dense(image.size, kernel_initializer="zeros")
    shape = keras.layers.Reshape(image.shape)
    model = keras.Model(latent, shape(dense(latent)))
    dense.bias.assign(image.ravel())
    return model


def exported(folder, toy_set, *, suvr_max, channels=1):
    """Models `ad` in axial slices, whose every image is `STEPS`."""
    facts = {"suvr_max": suvr_max}
    run = make_run(folder / "run", toy_set, finished=False, **facts)
    run.save_generator(generator_of(STEPS, channels))
    return export_run(run, folder / "models")


@pytest.fixture(
    scope="module", params=[(2.5, 1), (3.0, 3)], ids=["2.5", "3.0, RGB"]
)
def model(request, toy_set, tmp_path_factory):
    """The version's folder, and what SUVR its +1 stands for."""
    suvr_max, channels = request.param
    folder = tmp_path_factory.mktemp("planted")
    options = {"suvr_max": suvr_max, "channels": channels}
    return exported(folder, toy_set, **options), suvr_max


@pytest.fixture
def answer(model):
    """`answer("generate", seed=[1])`: the one output of a signature."""
    loaded = tf.saved_model.load(str(model[0]))

    def run(signature, **inputs):
        (output,) = loaded.signatures[signature](**inputs).values()
        return output.numpy()

    return run


# --- a network's values -------------------------------------------------------


def test_network_values_to_suvr_by_hand():
    x = np.array([-1, -0.5, 0, 0.25, 1], np.float32)
    expected = np.array([0, 0.625, 1.25, 1.5625, 2.5], np.float32)
    np.testing.assert_array_equal(suvr_from_network(x, 2.5), expected)
    images = x.reshape(1, 1, 5, 1)
    for each in (images, np.repeat(images, 3, axis=-1)):
        found = suvr_from_images(tf.constant(each), 2.5).numpy()
        np.testing.assert_array_equal(found, expected.reshape(1, 1, 5))


def test_channels_are_averaged_before_they_are_suvr():
    x = np.array([[[[-1, 0.5, -0.25]]]], np.float32)  # mean -0.25
    found = suvr_from_images(tf.constant(x), 4.0)
    np.testing.assert_array_equal(found, [[[1.5]]])
    alone = suvr_from_network(x.mean(-1, dtype=np.float32), 4.0)
    np.testing.assert_array_equal(alone, [[[1.5]]])


def test_a_generator_whose_last_bias_is_known():
    model = build_generator(size=32, channels=3, latent_dim=6, width=4)
    last = model.get_layer("up_32")
    kernel, bias = last.get_weights()
    logits = np.arctanh([0.1, 0.2, 0.6])  # mean 0.3
    last.set_weights([0 * kernel, logits.astype(bias.dtype)])
    slices = synthetic_slices(model, np.array([0, 99]), suvr_max=2.5)
    assert slices.shape == (2, 32, 32)
    np.testing.assert_allclose(slices, 1.625, rtol=0, atol=FLOAT32)


def test_a_known_pattern_stays_where_it_is():
    for channels in (1, 3):
        network = generator_of(STEPS, channels)
        (found,) = synthetic_slices(network, np.array([7]), suvr_max=2.5)
        expected = STEPS / 65535 * 2.5
        np.testing.assert_allclose(found, expected, rtol=0, atol=FLOAT32)


# --- an exported model --------------------------------------------------------


def test_signature_serving_default(answer):
    image = answer("serving_default", latent=np.zeros([2, 6], "f4"))
    assert image.shape[:3] == (2, SIZE, SIZE)
    expected = np.broadcast_to(STEPS / 65535 * 2 - 1, [2, SIZE, SIZE])
    found = image.mean(axis=-1, dtype=np.float64)
    np.testing.assert_allclose(found, expected, rtol=0, atol=FLOAT32)


def test_signature_generate(answer, model):
    suvr = answer("generate", seed=[0, 2**40])
    for one in suvr:
        expected = STEPS / 65535 * model[1]
        np.testing.assert_allclose(one, expected, rtol=0, atol=2 * FLOAT32)


def test_signature_generate_png(answer):
    for png in answer("generate_png", seed=[0, 2**40]):
        stored = tf.io.decode_png(png, dtype=tf.uint16)[..., 0]
        np.testing.assert_array_equal(stored, STEPS)


def images(table):
    with table.open(newline="") as file:
        return [(table.parent / r["file"], r) for r in csv.DictReader(file)]


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


def check_files(table, suvr_max, *, png):
    found = images(table)
    assert len(found) == 2
    for path, row in found:
        assert float(row["suvr_max"]) == suvr_max
        if png:
            np.testing.assert_array_equal(pixels(path), STEPS)
        else:
            expected = STEPS / 65535 * suvr_max
            np.testing.assert_allclose(
                pixels(path), expected, rtol=0, atol=2 * FLOAT32
            )


@pytest.mark.parametrize("kind", ["png", "npy", "nifti"])
def test_files_of_generate(model, tmp_path, kind):
    table = generate(model[0], count=2, out=tmp_path / "out", format=kind)
    check_files(table, model[1], png=kind == "png")


# --- a server -----------------------------------------------------------------


@pytest.fixture
def url(model):
    """URL of a model on a stub of a model server."""
    with stub_server.serve(model[0].parent.parent) as stub:
        yield f"{stub.url}/v1/models/ad"


@pytest.mark.parametrize("kind", ["png", "npy", "nifti"])
def test_files_of_generate_from_a_server(model, url, tmp_path, kind):
    table = generate(url, count=2, out=tmp_path / "out", format=kind)
    check_files(table, model[1], png=kind == "png")


def test_answer_over_rest(model, url):
    body = {"signature_name": "generate", "inputs": {"seed": [3]}}
    request = urllib.request.Request(
        f"{url}:predict", json.dumps(body).encode(), method="POST"
    )
    with urllib.request.urlopen(request) as reply:
        (suvr,) = json.load(reply)["outputs"]
    expected = STEPS / 65535 * model[1]
    np.testing.assert_allclose(suvr, expected, rtol=0, atol=2 * FLOAT32)


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

            with stub_grpc.serve(model[0].parent.parent) as address:
                assert grpc_client.main([address, "ad", *options]) == 0
    check_files(tmp_path / "out" / "images.csv", model[1], png=not suvr)


# --- metrics ------------------------------------------------------------------


def test_what_is_judged_is_in_suvr(toy_set, tmp_path):
    run = make_run(tmp_path / "run", toy_set, finished=False)
    run.save_generator(generator_of(STEPS))
    judged = evaluation_images(run, data_dir=None, count=8, seed=0)
    # the toy set's AD subjects: 0 to 2 trained on, 4 and 5 held out
    for found, subjects in (
        (judged.training_suvr, (0, 1, 2)),
        (judged.real.images, (4, 5)),
        (judged.validation.images, (3,)),
    ):
        seeds = [4 * subject + n for subject in subjects for n in range(4)]
        steps = np.array([disc("AD", seed)[..., 0] for seed in seeds])
        expected = steps / 65535 * 2.5
        np.testing.assert_allclose(found, expected, rtol=0, atol=FLOAT32)
    for one in judged.compared:
        expected = STEPS / 65535 * 2.5
        np.testing.assert_allclose(one, expected, rtol=0, atol=FLOAT32)


def test_metrics_of_stored_steps_in_suvr():
    # SUVR 1 of 2.5 is 26214 steps, of which a tenth more is 28835.4
    steps = np.full([SIZE, SIZE], 26214.0)
    more = np.full([SIZE, SIZE], 28835.0)
    one, other = (
        synthetic_slices(generator_of(s), np.array([0]), suvr_max=2.5)
        for s in (steps, more)
    )
    np.testing.assert_allclose(regional_uptake(one), [[1.0] * 5], atol=FLOAT32)
    expected = (28835 - 26214) / 65535 * 2.5
    assert wasserstein(one, other) == pytest.approx(expected, abs=FLOAT32)
