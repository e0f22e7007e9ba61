"""Volumes over REST and gRPC, by the clients of export/."""

import client_scripts
import numpy as np
import pytest
import stub_server
from client_scripts import one_line, table
from test_volume_files import contents
from toy_volume_models import LATENT_DIM, volume_facts

import pet_dcgan
from pet_dcgan.models.networks import build_generator
from pet_dcgan.utils.seed_blocks import volume_rows

ASKED = ("--stage", "AD", "--count", "4", "--seed", "2")
OPTIONS = {"stage": "AD", "count": 4, "seed": 2}


@pytest.fixture(autouse=True)
def scripts():
    """The scripts can be imported."""
    with client_scripts.importable():
        yield


@pytest.fixture(scope="module")
def stub(volume_models):
    with stub_server.serve(volume_models) as stub:
        yield stub


def rest(stub, out, *words):
    import rest_client

    url = f"{stub.url}/v1/models/conditional_volume"
    return rest_client.main([url, "--out", str(out), *words])


def voxels(folder):
    return [np.load(folder / row["file"]) for row in table(folder)]


def test_sheets_are_those_of_generate(stub, volume_models, tmp_path):
    assert rest(stub, tmp_path / "rest", *ASKED) == 0
    model = volume_models / "conditional_volume"
    pet_dcgan.generate(model, **OPTIONS, out=tmp_path / "own")
    found, own = (contents(tmp_path / name) for name in ("rest", "own"))
    assert found["images.csv"] == own["images.csv"]
    assert sorted(found) == sorted(own)
    # beside the pixels, generate writes the seed into a PNG
    assert b"phantom" in found["phantom_conditional_volume_ad_0000002.png"]


def test_volumes_in_suvr(stub, volume_models, tmp_path):
    stub.requests.clear()
    assert rest(stub, tmp_path / "rest", *ASKED, "--suvr") == 0
    # seeds 2 to 5 lie in two blocks of three
    assert len(stub.requests) == 3
    model = volume_models / "conditional_volume"
    pet_dcgan.generate(model, **OPTIONS, out=tmp_path / "own", format="npy")
    found, own = voxels(tmp_path / "rest"), voxels(tmp_path / "own")
    assert found[0].shape == (32, 32, 32)
    # of six decimal digits, and of 16 bits
    np.testing.assert_allclose(found, own, atol=3e-5)


def test_a_plane_is_refused(stub, tmp_path, capsys):
    assert rest(stub, tmp_path / "rest", *ASKED, "--plane", "axial") == 1
    assert "expected --plane, one of volume" in one_line(
        capsys.readouterr().err
    )


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A model of volumes of 64 voxels."""
    network = build_generator(
        size=64, channels=64, latent_dim=LATENT_DIM, width=2
    )
    folder = tmp_path_factory.mktemp("large") / "models"
    facts = volume_facts(stage="NC")
    pet_dcgan.export(network, folder, facts=facts)
    return folder


def test_an_answer_fits_into_what_grpc_takes_unless_told(large):
    pytest.importorskip("tensorflow_serving", reason="the official messages")
    import grpc
    import stub_grpc
    import tensorflow as tf
    from tensorflow_serving.apis import (
        predict_pb2,
        prediction_service_pb2_grpc,
    )

    request = predict_pb2.PredictRequest()
    request.model_spec.name = "nc_volume"
    request.model_spec.signature_name = "generate"
    seeds = tf.make_tensor_proto(np.arange(volume_rows(64)), tf.int64)
    request.inputs["seed"].CopyFrom(seeds)
    with (
        stub_grpc.serve(large) as address,
        # without options: 4 MiB
        grpc.insecure_channel(address) as channel,
    ):
        service = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        answer = service.Predict(request, timeout=60)
    suvr = tf.make_ndarray(answer.outputs["suvr"])
    assert suvr.shape == (3, 64, 64, 64)
    # one more would not fit
    assert answer.ByteSize() * 4 / 3 > 4 * 2**20


def test_the_client_of_grpc_writes_volumes(large, tmp_path):
    pytest.importorskip("tensorflow_serving", reason="the official messages")
    import grpc_client
    import stub_grpc

    with stub_grpc.serve(large) as address:
        words = [address, "nc_volume", "--count", "2", "--suvr"]
        assert grpc_client.main([*words, "--out", str(tmp_path / "out")]) == 0
    found = voxels(tmp_path / "out")
    assert [each.shape for each in found] == [(64, 64, 64)] * 2
    assert [row["space"] for row in table(tmp_path / "out")] == ["native"] * 2
