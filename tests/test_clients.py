"""The REST client of export/, against a stub that answers from the models."""

import json
import os
import subprocess
import sys

import client_scripts
import numpy as np
import pytest
import tensorflow as tf
from client_scripts import CLIENTS, one_line, table


@pytest.fixture(autouse=True)
def scripts():
    """The scripts can be imported."""
    with client_scripts.importable():
        yield


@pytest.fixture
def rest_client(stub, tmp_path):
    """`rest_client("ad", "--count", "2")`: exit code; files in tmp/images."""
    import rest_client as script

    def run(model, *options):
        out = ["--out", str(tmp_path / "images")]
        return script.main([f"{stub.url}/v1/models/{model}", *out, *options])

    return run


@pytest.fixture(scope="module")
def generate(toy_models):
    """`generate(version, signature, rows)`: of seeds 0 to 63, by the folder."""

    def run(version, signature, rows):
        loaded = tf.saved_model.load(str(toy_models / "ad" / str(version)))
        seed = tf.range(64, dtype=tf.int64)
        (output,) = loaded.signatures[signature](seed=seed).values()
        return output.numpy()[rows]

    return run


def test_images_are_those_of_the_folder(rest_client, generate, tmp_path):
    assert rest_client("ad", "--count", "3", "--seed", "5") == 0
    rows = table(tmp_path / "images")
    assert [row["seed"] for row in rows] == ["5", "6", "7"]
    assert {row["model_version"] for row in rows} == {"2"}
    assert {row["suvr_max"] for row in rows} == {"2.5"}
    assert rows[0]["file"] == "phantom_ad_0000005.png"
    found = [(tmp_path / "images" / r["file"]).read_bytes() for r in rows]
    assert found == generate(2, "generate_png", [5, 6, 7]).tolist()


def test_slices_in_suvr_are_those_of_the_folder(
    rest_client, generate, tmp_path
):
    assert rest_client("ad/versions/1", "--suvr", "--seed", "9") == 0
    found = np.load(tmp_path / "images" / "phantom_ad_0000009.npy")
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, generate(1, "generate", 9))
    assert table(tmp_path / "images")[0]["model_version"] == "1"


def test_requests_are_of_one_version_and_not_too_large(
    rest_client, stub, tmp_path
):
    assert rest_client("ad", "--count", "70", "--seed", "60") == 0
    drawn = [
        (path, len(json.loads(body)["instances"]))
        for path, body in stub.requests[1:]
    ]
    path = "/v1/models/ad/versions/2:predict"
    assert drawn == [(path, 64), (path, 64), (path, 64)]
    assert len(table(tmp_path / "images")) == 70


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:8501/v1/models/ad",
        "http://localhost:8501",
        "http://localhost:8501/v1/models/ad:predict",
        "http://localhost:99999/v1/models/ad",
        "http://localhost:8501/v1/models/ad?x=1",
        "ftp://localhost/v1/models/ad",
    ],
)
def test_what_is_no_url_of_a_model_is_an_option_error(url, capsys, tmp_path):
    import rest_client as script

    with pytest.raises(SystemExit) as error:
        script.main([url, "--out", str(tmp_path / "x")])
    assert error.value.code == 2
    assert "expected a URL as http://" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options",
    [
        ["--count", "0"],
        ["--count", "two"],
        ["--seed", "-1"],
        ["--seed", str(2**63)],
        ["--timeout", "0"],
        ["--timeout", "nan"],
        ["--timeout", "soon"],
    ],
)
def test_options_out_of_range(rest_client, options, capsys):
    with pytest.raises(SystemExit) as error:
        rest_client("ad", *options)
    assert error.value.code == 2
    assert f"found {options[1]}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("model", "faults", "words"),
    [
        ("nc", [], "found HTTP 404: Could not find any versions of model nc"),
        ("ad/versions/7", [], "found HTTP 404"),
        ("ad", [503], "found HTTP 503: made by the test"),
        ("ad", ["drop"], "found Remote end closed connection"),
        ("ad", ["cut"], "expected a model server at"),
        ("ad", [5.0], "within 1 s, found none"),
    ],
)
def test_a_server_that_fails(rest_client, stub, capsys, model, faults, words):
    stub.faults = faults
    assert (
        rest_client(model, "--timeout", "1" if faults == [5.0] else "30") == 1
    )
    assert words in one_line(capsys.readouterr().err)


def test_no_server(capsys, tmp_path):
    import rest_client as script

    url = "http://127.0.0.1:1/v1/models/ad"
    assert script.main([url, "--out", str(tmp_path / "x")]) == 1
    assert "found [Errno 111]" in one_line(capsys.readouterr().err)
    assert not (tmp_path / "x").exists()


def test_a_folder_that_holds_something_stays(rest_client, capsys, tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "mine").touch()
    assert rest_client("ad") == 1
    assert "to be new or empty" in one_line(capsys.readouterr().err)
    assert os.listdir(tmp_path / "images") == ["mine"]


def test_a_place_that_is_no_folder(rest_client, capsys, tmp_path):
    (tmp_path / "images").touch()
    assert rest_client("ad") == 1
    line = one_line(capsys.readouterr().err)
    assert line.startswith(f"error: expected to write {tmp_path}/images, ")
    assert line.endswith("File exists: give another place")


def test_seeds_beyond_int64(rest_client, capsys):
    assert rest_client("ad", "--count", "2", "--seed", str(2**63 - 1)) == 1
    assert "expected seeds below 2^63" in one_line(capsys.readouterr().err)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"predictions": [{"b64": "e30="}]}, "expected a model that pet-dcgan"),
        ({"predictions": [{"b64": "eA=="}]}, "expected a model that pet-dcgan"),
        ({"predictions": []}, "expected 1 images"),
        ({"predictions": [{"b64": 3}]}, "found another answer"),
        ({"outputs": [1]}, "found another answer"),
    ],
)
def test_answers_of_another_model(
    rest_client, capsys, monkeypatch, answer, words
):
    import rest

    true = rest.Model.json

    def other(self, method, *rest_of_it):
        found = true(self, method, *rest_of_it)
        return found if method == "GET" else answer

    monkeypatch.setattr(rest.Model, "json", other)
    assert rest_client("ad") == 1
    assert words in one_line(capsys.readouterr().err)


def test_an_image_that_is_no_png(rest_client, capsys, monkeypatch):
    import synthetic

    monkeypatch.setattr(synthetic, "PNG", b"GIF")
    assert rest_client("ad") == 1
    assert "expected a PNG" in one_line(capsys.readouterr().err)


def test_a_model_that_is_not_loaded_yet(stub, monkeypatch, rest_client, capsys):
    status = [{"version": "1", "state": "LOADING"}]
    monkeypatch.setattr(stub.models, "status", lambda *_: status)
    assert rest_client("ad") == 1
    assert "expected a loaded version" in one_line(capsys.readouterr().err)


def test_interrupted(rest_client, monkeypatch):
    import synthetic

    def interrupted(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(synthetic, "write", interrupted)
    assert rest_client("ad") == 130


def test_the_script_stands_alone(stub, tmp_path):
    """No package of this repository, no TensorFlow, any folder."""
    blocked = tmp_path / "sitecustomize.py"
    blocked.write_text(
        "import sys\n"
        "for name in ('pet_dcgan', 'tensorflow', 'numpy'):\n"
        "    sys.modules[name] = None\n"
    )
    url = f"{stub.url}/v1/models/mci"
    done = subprocess.run(
        [sys.executable, CLIENTS / "rest_client.py", url, "--out", "images"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr.strip()) == (0, "1 of 1")
    assert done.stdout == "images: 1 phantom images of mci 1\n"
    assert (tmp_path / "images" / "phantom_mci_0000000.png").is_file()
