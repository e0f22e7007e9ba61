"""The clients of export/, against stubs that answer from the models."""

import importlib
import io
import json
import os
import re
import shlex
import struct
import subprocess
import sys
import urllib.request
import zlib

import canned_server
import client_scripts
import numpy as np
import pytest
import tensorflow as tf
from client_scripts import CLIENTS, one_line, table
from export_files import EXPORT
from PIL import Image


@pytest.fixture(autouse=True)
def scripts():
    """The scripts can be imported."""
    with client_scripts.importable():
        yield


@pytest.fixture
def rest(tmp_path):
    """`rest(url, "--count", "2")`: exit code; files in tmp/images."""
    import rest_client

    out = str(tmp_path / "images")
    return lambda url, *options: rest_client.main([url, "--out", out, *options])


@pytest.fixture
def draw(rest, stub):
    """`draw("ad", "--count", "2")`: `rest` from a model of the stub."""
    return lambda model, *options: rest(
        f"{stub.url}/v1/models/{model}", *options
    )


@pytest.fixture
def grpc(tmp_path):
    """`grpc(address, "ad", "--count", "2")`: files in tmp/over_grpc."""
    import grpc_client

    out = str(tmp_path / "over_grpc")
    return lambda *words: grpc_client.main([*words, "--out", out])


@pytest.fixture
def address(toy_models):
    """Address of a stub that answers over gRPC."""
    pytest.importorskip("tensorflow_serving", reason="no serving extra")
    import stub_grpc

    with stub_grpc.serve(toy_models) as address:
        yield address


@pytest.fixture(scope="module")
def generate(toy_models):
    """`generate(version, signature, rows)`: of seeds 0 to 63, by the folder."""

    def run(version, signature, rows):
        loaded = tf.saved_model.load(str(toy_models / "ad" / str(version)))
        seed = tf.range(64, dtype=tf.int64)
        (output,) = loaded.signatures[signature](seed=seed).values()
        return output.numpy()[rows]

    return run


def test_images_are_those_of_the_folder(draw, generate, tmp_path):
    assert draw("ad", "--count", "3", "--seed", "5") == 0
    rows = table(tmp_path / "images")
    assert [row["seed"] for row in rows] == ["5", "6", "7"]
    assert {row["model_version"] for row in rows} == {"2"}
    assert {row["suvr_max"] for row in rows} == {"2.5"}
    assert rows[0]["file"] == "phantom_ad_0000005.png"
    found = [(tmp_path / "images" / r["file"]).read_bytes() for r in rows]
    assert found == generate(2, "generate_png", [5, 6, 7]).tolist()


def test_slices_in_suvr_are_those_of_the_folder(draw, generate, tmp_path):
    assert draw("ad/versions/1", "--suvr", "--seed", "9") == 0
    found = np.load(tmp_path / "images" / "phantom_ad_0000009.npy")
    np.testing.assert_array_equal(found, generate(1, "generate", 9))
    assert table(tmp_path / "images")[0]["model_version"] == "1"


def test_requests_are_of_one_version_and_not_too_large(draw, stub, tmp_path):
    assert draw("ad", "--count", "70", "--seed", "60") == 0
    drawn = [
        (path, len(json.loads(body)["instances"]))
        for path, body in stub.requests[1:]
    ]
    path = "/v1/models/ad/versions/2:predict"
    assert drawn == [(path, 64), (path, 64), (path, 64)]
    assert len(table(tmp_path / "images")) == 70


@pytest.mark.parametrize(
    ("words", "error"),
    [
        *(
            ([url], f"expected a URL as http://.*found {re.escape(url)}")
            for url in [
                "localhost:8501/v1/models/ad",
                "http://localhost:8501",
                "http://localhost:8501/v1/models/ad:predict",
                "http://localhost:99999/v1/models/ad",
                "http://localhost:8501/v1/models/ad?x=1",
                "ftp://localhost/v1/models/ad",
            ]
        ),
        *(
            (["http://localhost/v1/models/ad", *words], f"found {words[1]}")
            for words in [
                ["--count", "0"],
                ["--seed", "-1"],
                ["--seed", str(2**63)],
                ["--timeout", "0"],
                ["--timeout", "nan"],
            ]
        ),
    ],
)
def test_bad_options(rest, words, error, capsys):
    with pytest.raises(SystemExit) as stopped:
        rest(*words)
    assert stopped.value.code == 2
    assert re.search(error, capsys.readouterr().err)


@pytest.mark.parametrize(
    ("model", "faults", "words"),
    [
        ("nc", [], "HTTP 404: Could not find any versions of model nc"),
        ("ad/versions/7", [], "answered HTTP 404"),
        ("ad", [503], "answered HTTP 503: made by the test"),
        ("ad", ["drop"], "(an incomplete or invalid answer)"),
        ("ad", ["cut"], "no model server at"),
        ("ad", [5.0], "within 0.2 s: check"),
    ],
)
def test_a_server_that_fails(draw, stub, capsys, model, faults, words):
    stub.faults = faults
    assert draw(model, "--timeout", "0.2" if faults == [5.0] else "30") == 1
    assert words in one_line(capsys.readouterr().err)


def test_no_server(rest, capsys, tmp_path):
    assert rest("http://127.0.0.1:1/v1/models/ad") == 1
    assert "Connection refused)" in one_line(capsys.readouterr().err)
    assert not (tmp_path / "images").exists()


def test_out_is_a_new_folder(draw, capsys, tmp_path):
    images = tmp_path / "images"
    images.touch()
    assert draw("ad") == 1
    line = one_line(capsys.readouterr().err)
    assert line.startswith(f"error: cannot write {images} ")
    assert line.endswith("(File exists): give another place")
    images.unlink()
    images.mkdir()
    (images / "mine").touch()
    assert draw("ad") == 1
    assert "is not empty" in one_line(capsys.readouterr().err)
    assert os.listdir(images) == ["mine"]


def test_seeds_beyond_int64(draw, capsys):
    assert draw("ad", "--count", "2", "--seed", str(2**63 - 1)) == 1
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
def test_answers_of_another_model(draw, capsys, monkeypatch, answer, words):
    import rest_client

    monkeypatch.setattr(rest_client.Model, "pinned", lambda self: self)
    monkeypatch.setattr(rest_client.Model, "_json", lambda *_: answer)
    assert draw("ad") == 1
    assert words in one_line(capsys.readouterr().err)


@pytest.mark.parametrize(
    "damage",
    [
        lambda image: image[:-1],
        lambda image: image[:60] + b"\0" + image[61:],
        lambda image: image.replace(b"IDAT", b"XDAT"),
        lambda image: b"GIF" + image,
        lambda image: image + image,
        lambda image: b"",
        lambda image: tf.io.encode_png(np.zeros([64, 64, 1], "u2")).numpy(),
        lambda image: tf.io.encode_png(np.zeros([32, 32, 1], "u1")).numpy(),
    ],
)
def test_an_image_that_is_no_whole_png(
    draw, capsys, monkeypatch, tmp_path, damage
):
    import rest_client

    predict = rest_client.Model.predict

    def damaged(self, signature, seeds, columns=None):
        found = predict(self, signature, seeds)
        if signature == "describe":
            return found
        return [damage(image) for image in found]

    monkeypatch.setattr(rest_client.Model, "predict", damaged)
    assert draw("ad") == 1
    line = one_line(capsys.readouterr().err)
    assert "expected a whole image of 32 x 32" in line
    assert os.listdir(tmp_path / "images") == []


@pytest.mark.parametrize("value", [None, "x", [[1.0]], float("nan"), [[]] * 32])
def test_slices_that_are_no_images(draw, capsys, monkeypatch, value):
    import rest_client

    predict = rest_client.Model.predict
    monkeypatch.setattr(
        rest_client.Model,
        "predict",
        lambda self, signature, seeds, columns=None: (
            predict(self, signature, seeds)
            if signature == "describe"
            else [value] * len(seeds)
        ),
    )
    assert draw("ad", "--suvr") == 1
    assert "expected a whole image" in one_line(capsys.readouterr().err)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("max_rows", bad) for bad in (-4, 0, 65, 200_000_000, True, "1")),
        *(("size", bad) for bad in (0, 10**9, 32.5)),
        *(("stage", bad) for bad in ("\x1b[2J", "../x", None, ["AD"])),
        *(("plane", "x"), ("phantom", "no"), ("suvr_max", 0)),
        ("spacing_mm", float("inf")),
    ],
)
def test_facts_that_make_no_sense(draw, capsys, monkeypatch, name, value):
    import rest_client
    from test_model_info import FACTS

    text = json.dumps(json.loads(FACTS.to_json()) | {name: value})
    monkeypatch.setattr(rest_client.Model, "predict", lambda *_: [text])
    assert draw("ad") == 1
    line = one_line(capsys.readouterr().err)
    assert f"sound values of {name}: give another" in line


def test_an_answer_that_never_ends(rest, capsys):
    begun = b"HTTP/1.1 200 OK\r\n\r\n"
    with canned_server.drip(begun, b" ") as server:
        assert rest(f"{server.url}/v1/models/ad", "--timeout", "0.3") == 1
    assert "within 0.3 s" in one_line(capsys.readouterr().err)


def test_a_server_that_writes_to_the_terminal(rest, capsys):
    words = json.dumps({"error": "\x1b]0;title\x07\x1b[2J" + "x" * 5000})
    with canned_server.serve([(404, words.encode(), {})]) as server:
        assert rest(f"{server.url}/v1/models/ad") == 1
    line = one_line(capsys.readouterr().err)
    assert line.isprintable()
    assert len(line) < 400


def test_a_model_that_is_not_loaded_yet(stub, monkeypatch, draw, capsys):
    status = [{"version": "1", "state": "LOADING"}]
    monkeypatch.setattr(stub.models, "status", lambda *_: status)
    assert draw("ad") == 1
    assert "no version is loaded" in one_line(capsys.readouterr().err)


def test_interrupted(draw, monkeypatch):
    def interrupted(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("synthetic.write", interrupted)
    assert draw("ad") == 130


def test_the_script_stands_alone(stub, tmp_path):
    """No package of this repository, no TensorFlow, any folder."""
    (tmp_path / "sitecustomize.py").write_text(
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


@pytest.mark.parametrize(
    "options", [["--count", "3"], ["--suvr", "--seed", "8"]]
)
def test_both_clients_write_the_same(draw, grpc, address, tmp_path, options):
    assert draw("ad", *options) == 0
    assert grpc(address, "ad", *options) == 0
    over_rest, over_grpc = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}
        for name in ("images", "over_grpc")
    )
    assert len(over_rest) > 1
    assert over_grpc == over_rest


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"a": "one", "b": "two"},
        # one value that stands for a gigabyte
        {"a": tf.make_tensor_proto(1.0, shape=[64, 2**12, 2**12])},
        {"a": tf.make_tensor_proto([b"x"] * 63)},
        {"a": tf.make_tensor_proto([b"x"] * 64)},
    ],
    ids=["none", "two", "gigantic", "few", "text"],
)
def test_answers_that_make_no_sense_over_grpc(
    grpc, toy_models, capsys, monkeypatch, answer
):
    pytest.importorskip("tensorflow_serving", reason="no serving extra")
    import stub_grpc

    predict = stub_grpc._Service.Predict

    def odd(self, request, context):
        found = predict(self, request, context)
        if request.model_spec.signature_name != "describe":
            found.outputs.clear()
            for name, value in answer.items():
                if isinstance(value, str):
                    value = tf.make_tensor_proto(value)
                found.outputs[name].CopyFrom(value)
        return found

    monkeypatch.setattr(stub_grpc._Service, "Predict", odd)
    with stub_grpc.serve(toy_models) as other:
        assert grpc(other, "ad") == 1
    assert "expected" in one_line(capsys.readouterr().err)


def test_a_version_over_grpc(grpc, address, tmp_path):
    assert grpc(address, "ad", "--version", "1") == 0
    assert table(tmp_path / "over_grpc")[0]["model_version"] == "1"


def test_an_unknown_model_and_no_server_over_grpc(grpc, address, capsys):
    assert grpc(address, "nc") == 1
    line = one_line(capsys.readouterr().err)
    assert "answered NOT_FOUND: Servable not found for request" in line
    assert grpc("127.0.0.1:1", "ad") == 1
    assert "answered UNAVAILABLE" in one_line(capsys.readouterr().err)


@pytest.mark.parametrize("address", ["localhost", "http://localhost:8500", ""])
def test_a_bad_address(grpc, address, capsys):
    with pytest.raises(SystemExit) as stopped:
        grpc(address, "ad")
    assert stopped.value.code == 2
    assert "expected HOST:PORT as" in capsys.readouterr().err


def test_without_the_package(grpc, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_serving.apis", None)
    assert grpc("localhost:8500", "ad") == 1
    line = one_line(capsys.readouterr().err)
    assert 'pip install "pet-dcgan[serving]"' in line


# --- export/README.md ---------------------------------------------------------


def test_an_image_of_curl_carries_the_mark(stub, tmp_path, monkeypatch):
    """The page's own line; only its request is sent from here."""
    page = (EXPORT / "README.md").read_text()
    (body, script) = re.search(
        r"^curl --data '([^']+)' \\\n[^\n]* \|\n  python3 -c '([^']+)'",
        page,
        re.M,
    ).groups()
    asked = urllib.request.Request(
        f"{stub.url}/v1/models/ad:predict", body.encode(), method="POST"
    )
    with urllib.request.urlopen(asked) as answer:
        image = subprocess.run(
            [sys.executable, "-c", script],
            input=answer.read(),
            capture_output=True,
            check=True,
        ).stdout
    names, place = [], 8
    while place < len(image):
        length, name = struct.unpack(">I4s", image[place : place + 8])
        content = image[place + 4 : place + 8 + length]
        (checksum,) = struct.unpack(">I", image[place + 8 + length :][:4])
        assert checksum == zlib.crc32(content)
        names.append(name)
        place += 12 + length
    texts = names.count(b"tEXt")
    assert texts == 7
    assert names[: 2 + texts] == [b"IHDR", *[b"tEXt"] * texts, b"IDAT"]
    with Image.open(io.BytesIO(image)) as opened:
        assert opened.text["synthetic"] == "true"
        assert opened.text["stage"] == "AD"
        assert "not for diagnosis" in opened.text["Description"]


def test_commands_of_the_page_run(stub, address, tmp_path, monkeypatch):
    """Each line that starts a script does what it says, on the stubs."""
    page = (EXPORT / "README.md").read_text()
    lines = re.findall(r"^python export/clients/(\w+)\.py (.*)$", page, re.M)
    assert {name for name, _ in lines} == {
        "rest_client",
        "grpc_client",
        "load_test",
    }
    monkeypatch.chdir(tmp_path)
    for name, words in lines:
        words = words.replace("http://localhost:8501", stub.url)
        words = words.replace("localhost:8500", address)
        words = words.replace("--seconds 20", "--seconds 0.2 --warm-up 0.05")
        assert importlib.import_module(name).main(shlex.split(words)) == 0
    assert len(list(tmp_path.glob("over_*/*"))) == 2 * 5
