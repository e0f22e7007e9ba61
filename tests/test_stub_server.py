"""The stub answers as a model server does, so that clients may be tested."""

import base64
import http.client
import json
import urllib.error
import urllib.request

import numpy as np
import pytest
import stub_server
import tensorflow as tf


def ask(stub, path, body=None):
    """HTTP status and the JSON of the answer."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{stub.url}{path}", data)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.loads(refused.read())


def predict(stub, body, name="ad"):
    return ask(stub, f"/v1/models/{name}:predict", body)


@pytest.fixture(scope="module")
def generate(toy_models):
    loaded = tf.saved_model.load(str(toy_models / "ad" / "2"))
    return lambda name, **inputs: (
        _ := loaded,
        loaded.signatures[name](**inputs),
    )[1]


def test_status_of_a_model(stub):
    status, answer = ask(stub, "/v1/models/ad")
    assert status == 200
    (entry,) = answer["model_version_status"]
    assert entry == {
        "version": "2",
        "state": "AVAILABLE",
        "status": {"error_code": "OK", "error_message": ""},
    }


def test_status_of_a_version(stub):
    _, answer = ask(stub, "/v1/models/ad/versions/1")
    assert answer["model_version_status"][0]["version"] == "1"


def test_metadata_names_inputs_and_outputs(stub):
    status, answer = ask(stub, "/v1/models/ad/metadata")
    assert status == 200
    assert answer["model_spec"]["version"] == "2"
    signature = answer["metadata"]["signature_def"]["signature_def"]["generate"]
    assert signature["inputs"]["seed"]["dtype"] == "DT_INT64"
    sizes = [
        one["size"]
        for one in signature["outputs"]["suvr"]["tensor_shape"]["dim"]
    ]
    assert sizes == ["-1", "32", "32"]


@pytest.mark.parametrize(
    "seeds", [{"instances": [3, 4]}, {"instances": [{"seed": 3}, {"seed": 4}]}]
)
def test_row_form(stub, generate, seeds):
    status, answer = predict(stub, {"signature_name": "generate", **seeds})
    assert status == 200
    expected = generate("generate", seed=tf.constant([3, 4], tf.int64))
    found = np.array(answer["predictions"], np.float32)
    np.testing.assert_array_equal(found, expected["suvr"])


@pytest.mark.parametrize("seeds", [[3, 4], {"seed": [3, 4]}])
def test_column_form(stub, generate, seeds):
    body = {"signature_name": "generate_png", "inputs": seeds}
    status, answer = predict(stub, body)
    assert status == 200
    expected = generate("generate_png", seed=tf.constant([3, 4], tf.int64))
    found = [base64.b64decode(one["b64"]) for one in answer["outputs"]]
    assert found == expected["image_bytes"].numpy().tolist()


def test_default_signature_and_version(stub, generate):
    latent = [[0.5] * 6, [float("inf")] * 6]
    status, answer = ask(
        stub, "/v1/models/ad/versions/2:predict", {"instances": latent}
    )
    assert status == 200
    expected = generate("serving_default", latent=tf.constant(latent))["image"]
    found = np.array(answer["predictions"], np.float32)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/v1/models/nc", 404, "Could not find any versions of model nc"),
        ("/v1/models/ad/versions/9", 404, "Could not find any versions"),
        ("/v1/models/nc/metadata", 404, "Servable not found"),
        ("/v1/models", 400, "Malformed request: GET /v1/models"),
        ("/v1/models/ad:predict", 400, "Malformed request"),
        ("/", 404, "Malformed request"),
    ],
)
def test_refused_paths(stub, path, status, words):
    found, answer = ask(stub, path)
    assert found == status
    assert words in answer["error"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"instances": []}, "No values in 'instances'"),
        ({"instances": 3}, "to be an list"),
        ({"instances": [1], "inputs": [1]}, "only one of"),
        ({}, "Missing 'inputs'"),
        ({"instances": [1.5]}, "not of expected type"),
        ({"instances": [True]}, "not of expected type"),
        ({"instances": ["1"]}, "not of expected type"),
        ({"instances": [2**63]}, "not of expected type"),
        ({"instances": [[1], [2, 3]]}, "unexpected size"),
        ({"instances": [{"seed": 1}, 2]}, "Expecting object"),
        ({"instances": [{"latent": 1}]}, "keys must be equal to: seed"),
        ({"inputs": {"latent": [1]}}, "Missing named input: seed"),
        ({"instances": [1], "signature_name": "x"}, 'name: "x" not found'),
        ({"instances": [1], "signature_name": 5}, "must be a string"),
        ([1], "Is not object"),
    ],
)
def test_refused_bodies(stub, body, words):
    if isinstance(body, dict):
        body = {"signature_name": "generate", **body}
    status, answer = predict(stub, body)
    assert status == 400
    assert words in answer["error"]


@pytest.mark.parametrize("latent", [[[1e300] * 6], [[2**24] * 6], [[0.1] * 5]])
def test_refused_latents(stub, latent):
    assert predict(stub, {"instances": latent})[0] == 400


def test_unknown_model_is_not_found(stub):
    status, answer = predict(stub, {"instances": [1]}, name="nc")
    assert status == 404
    assert answer["error"] == "Servable not found for request: Latest(nc)"


def test_faults_and_requests_are_kept(stub):
    stub.faults = [503, "drop", 0.01, "cut"]
    body = {"signature_name": "generate_png", "instances": [1]}
    assert predict(stub, body)[0] == 503
    with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
        predict(stub, body)
    assert predict(stub, body)[0] == 200
    with pytest.raises(http.client.IncompleteRead):
        predict(stub, body)
    assert predict(stub, body)[0] == 200
    assert len(stub.requests) == 5
    assert json.loads(stub.requests[0][1]) == body


def test_metrics_count_requests(stub):
    predict(stub, {"signature_name": "generate_png", "instances": [1]})
    predict(stub, {"instances": "bad"})
    address = f"{stub.url}{stub_server.METRICS}"
    with urllib.request.urlopen(address) as page:
        text = page.read().decode()
    name = ":tensorflow:serving:request_count"
    assert f'{name}{{model_name="ad",status="OK"}} 1' in text
    assert f'{name}{{model_name="ad",status="INVALID_ARGUMENT"}} 1' in text
