"""The contract of a conditional model, in every way that is here."""

import contextlib
import functools
import json

import numpy as np
import pytest
import stub_server
import tensorflow as tf
import toy_asked
from serving_contract import Refused, folder_call, grpc_call, rest_call
from test_serving_contract import by_server

from pet_dcgan.models.sampling import latents_from_seeds

NAME = "conditional"
SEEDS = np.array([0, 77, 2**40, 5])
# of the contract: a name, an order, a type, a shape
INPUTS = {
    "stage": np.array(
        [[0, 0, 1], [1, 0, 0], [0.25, 0.25, 0.5], [0, 1, 0]], np.float32
    ),
    "plane": np.array(["axial", "coronal", "coronal", "axial"], object),
    "position_mm": np.array([12, -60.5, 37.3, -40], np.float32),
    "age": np.array([70, -1, 55, 90], np.float32),
    "sex": np.array(["F", "", "M", ""], object),
}
IN_ORDER = ("NC", "MCI", "AD")


def by_folder(models, work):
    return contextlib.nullcontext(folder_call(models / NAME / "1"))


@contextlib.contextmanager
def by_stub(models, work):
    with stub_server.serve(models) as stub:
        yield rest_call(f"{stub.url}/v1/models/{NAME}")


@contextlib.contextmanager
def by_grpc_stub(models, work):
    pytest.importorskip("tensorflow_serving", reason="the official messages")
    import stub_grpc

    with (
        stub_grpc.serve(models) as address,
        grpc_call(address, NAME) as call,
    ):
        yield call


WAYS = {
    "folder": by_folder,
    "rest_stub": by_stub,
    "grpc_stub": by_grpc_stub,
    "rest_server": functools.partial(by_server, name=NAME),
    "grpc_server": functools.partial(by_server, kind="grpc", name=NAME),
}


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(way, marks=[pytest.mark.slow] if "server" in way else [])
        for way in WAYS
    ],
)
def call(request, conditional_models, tmp_path_factory):
    work = tmp_path_factory.mktemp(request.param)
    with WAYS[request.param](conditional_models, work) as asked:
        yield asked


@pytest.fixture(scope="module")
def images():
    """What the live network draws `[4, 32, 32, 1]`."""
    nan = np.nan
    asked = {
        "stage": INPUTS["stage"],
        "plane": [[1, 0, 0], [0, 1, 0], [0, 1, 0], [1, 0, 0]],
        "position_mm": INPUTS["position_mm"][:, None],
        "age": [[70], [nan], [55], [90]],
        "sex": [[0], [nan], [1], [nan]],
    }
    named = {n: tf.constant(v, tf.float32) for n, v in asked.items()}
    latent = latents_from_seeds(SEEDS, toy_asked.LATENT_DIM)
    generator = toy_asked.lively_generator()
    return generator({"latent": latent, **named}, training=False).numpy()


def test_every_signature_answers_as_the_live_network(call, images):
    latent = latents_from_seeds(SEEDS, toy_asked.LATENT_DIM).numpy()
    found = call("serving_default", {"latent": latent, **INPUTS})
    np.testing.assert_allclose(found["image"], images, atol=1e-5)
    assert list(found["status"]) == [b""] * 4
    found = call("generate", {"seed": SEEDS, **INPUTS})
    suvr = (images[..., 0] + 1) * 1.25
    np.testing.assert_allclose(found["suvr"], suvr, atol=1e-5)
    found = call("generate_png", {"seed": SEEDS, **INPUTS})
    assert set(found) == {"image_bytes", "status"}
    for png, slice_ in zip(found["image_bytes"], suvr, strict=True):
        pixels = tf.io.decode_png(png, dtype=tf.uint16).numpy()[..., 0]
        steps = pixels - np.clip(slice_ / 2.5 * 65535, 0, 65535)
        assert np.abs(steps).max() <= 1.5


def test_describe_tells_what_can_be_asked_for(call):
    (text,) = call("describe", {"seed": np.zeros(1, int)})["facts_bytes"]
    facts = json.loads(text)
    assert facts["conditions"] == {
        "names": ["stage", "plane", "position", "age", "sex"],
        "stages": list(IN_ORDER),
        "bands_mm": {"axial": [-40.0, 50.0], "coronal": [-60.5, 37.3]},
        "ages": [55.0, 90.0],
    }
    assert set(facts["how_to_ask"]) == {*INPUTS, "status"}
    assert ", ".join(IN_ORDER) in facts["how_to_ask"]["stage"]
    assert "NaN" in facts["how_to_ask"]["status"]
    assert (facts["stage"], facts["plane"]) == ("ALL", "ALL")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("stage", [0.5, 0.4, 0], b"stage weights of NC, MCI, AD"),
        ("stage", [np.nan, 0, 1], b"stage weights of NC, MCI, AD"),
        ("plane", "sagittal", b"a plane among axial, coronal"),
        ("position_mm", 50.5, b"from -40 to 50 in the axial plane"),
        ("position_mm", np.nan, b"from -40 to 50 in the axial plane"),
        ("age", 20, b"age from 55 to 90"),
        ("sex", "woman", b"sex F or M"),
    ],
)
def test_a_bad_row_is_refused_alone(call, name, value, words):
    inputs = {key: values.copy() for key, values in INPUTS.items()}
    inputs["plane"][1] = "axial"
    inputs["position_mm"][1] = 0
    good = call("generate", {"seed": SEEDS, **inputs})["suvr"]
    inputs[name][1] = value
    found = call("generate", {"seed": SEEDS, **inputs})
    assert words in found["status"][1]
    assert np.isnan(found["suvr"][1]).all()
    for row in (0, 2, 3):
        assert found["status"][row] == b""
        np.testing.assert_array_equal(found["suvr"][row], good[row])
    pngs = call("generate_png", {"seed": SEEDS, **inputs})["image_bytes"]
    assert [len(png) > 0 for png in pngs] == [True, False, True, True]


def test_other_shapes_lengths_and_types_are_refused(call):
    wrong = (
        {"stage": INPUTS["stage"][:, :2]},
        {"stage": INPUTS["stage"][0]},
        {"position_mm": INPUTS["position_mm"][:, None]},
        {"age": INPUTS["age"][:3]},
        {"plane": np.array([1.0] * 4, np.float32)},
    )
    for each in wrong:
        with pytest.raises(Refused, match=r"\S"):
            call("generate", {"seed": SEEDS, **INPUTS, **each})
    for name in INPUTS:
        inputs = {key: v for key, v in INPUTS.items() if key != name}
        with pytest.raises(Refused, match=r"\S"):
            call("generate", {"seed": SEEDS, **inputs})
