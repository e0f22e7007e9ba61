"""The clients of export/, against stubs that answer from the models."""

import importlib
import json
import os
import re
import shlex
import subprocess
import sys

import client_scripts
import numpy as np
import pytest
import tensorflow as tf
from client_scripts import CLIENTS, one_line, table
from export_files import EXPORT


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
        ["--seed", "-1"],
        ["--seed", str(2**63)],
        ["--timeout", "0"],
        ["--timeout", "nan"],
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
        (
            "nc",
            [],
            "HTTP 404: Could not find any versions of model nc",
        ),
        ("ad/versions/7", [], "answered HTTP 404"),
        ("ad", [503], "answered HTTP 503: made by the test"),
        ("ad", ["drop"], "(Remote end closed connection"),
        ("ad", ["cut"], "no model server at"),
        ("ad", [5.0], "within 1 s: check"),
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
    assert "Connection refused)" in one_line(capsys.readouterr().err)
    assert not (tmp_path / "x").exists()


def test_a_folder_that_holds_something_stays(rest_client, capsys, tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "mine").touch()
    assert rest_client("ad") == 1
    assert "is not empty" in one_line(capsys.readouterr().err)
    assert os.listdir(tmp_path / "images") == ["mine"]


def test_a_place_that_is_no_folder(rest_client, capsys, tmp_path):
    (tmp_path / "images").touch()
    assert rest_client("ad") == 1
    line = one_line(capsys.readouterr().err)
    assert line.startswith(f"error: cannot write {tmp_path}/images ")
    assert line.endswith("(File exists): give another place")


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
    import rest_client as script

    monkeypatch.setattr(script.Model, "pinned", lambda self: self)
    monkeypatch.setattr(script.Model, "_json", lambda *_: answer)
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
    assert "no version is loaded" in one_line(capsys.readouterr().err)


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


# --- over gRPC ----------------------------------------------------------------


@pytest.fixture
def grpc_client(toy_models, tmp_path):
    """`grpc_client("ad", "--count", "2")`: files in tmp/over_grpc."""
    pytest.importorskip("tensorflow_serving", reason="no serving extra")
    import grpc_client as script
    import stub_grpc

    with stub_grpc.serve(toy_models) as address:
        yield lambda *options: script.main(
            [address, *options, "--out", str(tmp_path / "over_grpc")]
        )


def test_both_clients_write_the_same(grpc_client, stub, tmp_path):
    import rest_client

    url = f"{stub.url}/v1/models/ad"
    for options in (["--count", "3"], ["--suvr", "--seed", "8"]):
        over_rest = tmp_path / f"rest{options[0]}"
        over_grpc = tmp_path / f"grpc{options[0]}"
        out = ["--out", str(over_rest)]
        assert rest_client.main([url, *options, *out]) == 0
        assert grpc_client("ad", *options) == 0
        (tmp_path / "over_grpc").rename(over_grpc)
        written = sorted(path.name for path in over_rest.iterdir())
        assert len(written) > 1
        assert written == sorted(path.name for path in over_grpc.iterdir())
        for name in written:
            found = (over_grpc / name).read_bytes()
            assert found == (over_rest / name).read_bytes()


def test_a_version_over_grpc(grpc_client, tmp_path):
    assert grpc_client("ad", "--version", "1") == 0
    assert table(tmp_path / "over_grpc")[0]["model_version"] == "1"


def test_an_unknown_model_over_grpc(grpc_client, capsys):
    assert grpc_client("nc") == 1
    line = one_line(capsys.readouterr().err)
    assert "answered NOT_FOUND: Servable not found for request" in line


@pytest.mark.parametrize("address", ["localhost", "http://localhost:8500", ""])
def test_what_is_no_address_is_an_option_error(address, capsys, tmp_path):
    import grpc_client as script

    with pytest.raises(SystemExit) as error:
        script.main([address, "ad", "--out", str(tmp_path / "x")])
    assert error.value.code == 2
    assert "expected HOST:PORT as" in capsys.readouterr().err


def test_no_server_over_grpc(capsys, tmp_path):
    pytest.importorskip("tensorflow_serving", reason="no serving extra")
    import grpc_client as script

    out = str(tmp_path / "x")
    assert script.main(["127.0.0.1:1", "ad", "--out", out]) == 1
    assert "answered UNAVAILABLE" in one_line(capsys.readouterr().err)


def test_without_the_package(capsys, tmp_path, monkeypatch):
    import grpc_client as script

    monkeypatch.setitem(sys.modules, "tensorflow_serving.apis", None)
    out = str(tmp_path / "x")
    assert script.main(["localhost:8500", "ad", "--out", out]) == 1
    line = one_line(capsys.readouterr().err)
    assert 'pip install "pet-dcgan[serving]"' in line


# --- the page that tells of them ----------------------------------------------


def test_commands_of_the_page_run(stub, toy_models, tmp_path, monkeypatch):
    """Each line that starts a script does what it says, on the stub."""
    pytest.importorskip("tensorflow_serving", reason="no serving extra")
    import stub_grpc

    page = (EXPORT / "README.md").read_text()
    lines = re.findall(r"^python export/clients/(\w+)\.py (.*)$", page, re.M)
    assert {name for name, _ in lines} == {
        "rest_client",
        "grpc_client",
        "load_test",
    }
    monkeypatch.chdir(tmp_path)
    with stub_grpc.serve(toy_models) as address:
        for name, words in lines:
            words = words.replace("http://localhost:8501", stub.url)
            words = words.replace("localhost:8500", address)
            words = words.replace("--seconds 20", "--seconds 0.2")
            script = importlib.import_module(name)
            assert script.main(shlex.split(words)) == 0
    assert len(list(tmp_path.glob("over_*/*"))) == 2 * 5
