"""The stub answers as a model server does, so that clients may be tested."""

import base64

import numpy as np
import pytest
import requests
import tensorflow as tf


def predict(stub, body, name="ad"):
    """HTTP status and the JSON of the answer."""
    url = f"{stub.url}/v1/models/{name}:predict"
    answer = requests.post(url, json=body, timeout=30)
    return answer.status_code, answer.json()


@pytest.fixture(scope="module")
def loaded(toy_models):
    return tf.saved_model.load(str(toy_models / "ad" / "2"))


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/v1/models/ad", 200, "'version': '2', 'state': 'AVAILABLE'"),
        ("/v1/models/ad/versions/1", 200, "'version': '1', 'state': 'AVAIL"),
        ("/v1/models/nc", 404, "Could not find any versions of model nc"),
        ("/v1/models/ad/versions/9", 404, "Could not find any versions"),
        ("/v1/models/ad:predict", 400, "Malformed request"),
        ("/", 404, "Malformed request"),
    ],
)
def test_status(stub, path, status, words):
    answer = requests.get(f"{stub.url}{path}", timeout=30)
    assert answer.status_code == status
    assert words in str(answer.json())


@pytest.mark.parametrize(
    "seeds",
    [
        {"instances": [3, 4]},
        {"instances": [{"seed": 3}, {"seed": 4}]},
        {"inputs": [3, 4]},
        {"inputs": {"seed": [3, 4]}},
    ],
)
def test_row_and_column_form(stub, loaded, seeds):
    seed = tf.constant([3, 4], tf.int64)
    for name, output in (("generate", "suvr"), ("generate_png", "image_bytes")):
        status, answer = predict(stub, {"signature_name": name, **seeds})
        assert status == 200
        (rows,) = answer.values()
        if name == "generate_png":
            rows = [base64.b64decode(one["b64"]) for one in rows]
        expected = loaded.signatures[name](seed=seed)[output].numpy()
        np.testing.assert_array_equal(np.array(rows, expected.dtype), expected)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"instances": []}, "No values in 'instances'"),
        ({"instances": [1], "inputs": [1]}, "expecting one of"),
        ({"instances": [1.5]}, "not of expected type"),
        ({"instances": [2**63]}, "not of expected type"),
        ({"instances": [[1], [2, 3]]}, "unexpected size"),
        ({"instances": [{"latent": 1}]}, "keys must be equal to: seed"),
        ({"inputs": {"latent": [1]}}, "Missing named input: seed"),
        ({"instances": [1], "signature_name": "x"}, 'name: "x" not found'),
        ([1], "Is not object"),
        ({"instances": [[1e300]], "signature_name": ""}, "Cannot convert"),
        ({"instances": [[2**24]], "signature_name": ""}, "Cannot convert"),
    ],
)
def test_refused_bodies(stub, body, words):
    if isinstance(body, dict):
        body = {"signature_name": "generate", **body}
    status, answer = predict(stub, body)
    assert status == 400
    assert words in answer["error"]


def test_faults_come_in_order(stub):
    stub.faults = [503, "drop", 0.01, "cut"]
    body = {"signature_name": "generate_png", "instances": [1]}
    assert predict(stub, body)[0] == 503
    with pytest.raises(requests.ConnectionError):
        predict(stub, body)
    assert predict(stub, body)[0] == 200
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        predict(stub, body)
    assert predict(stub, body, name="nc")[0] == 404
    assert len(stub.requests) == 5
