import base64
import functools
import json
import os
import re
import signal
import subprocess
import sys
import time

import canned_server
import numpy as np
import pytest
import stub_server
import tensorflow as tf
from test_model_info import FACTS
from typer.testing import CliRunner

from pet_dcgan.cli.main import app
from pet_dcgan.serving.generate import generate
from pet_dcgan.serving.json_http import JsonClient
from pet_dcgan.serving.rest_model import (
    RemoteModel,
    is_url,
    parse_model_url,
)
from pet_dcgan.utils import png

SIX_ATTEMPTS = 6


# by path: a model stays as it is
LOAD = functools.cache(tf.saved_model.load)


@pytest.fixture(autouse=True)
def waited(monkeypatch):
    """Seconds that would have been waited between attempts."""
    seconds = []
    monkeypatch.setattr(
        JsonClient, "pause", lambda _, s, why: seconds.append(s)
    )
    return seconds


@pytest.fixture(autouse=True)
def loaded_once(monkeypatch):
    monkeypatch.setattr(tf.saved_model, "load", LOAD)


@pytest.fixture
def url(stub):
    return f"{stub.url}/v1/models/ad"


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def from_folder(toy_models, tmp_path_factory):
    """The files of seeds 3 to 72 from the folder: more than a request."""
    out = tmp_path_factory.mktemp("from_folder") / "png"
    return contents(
        generate(toy_models / "ad", count=70, seed=3, out=out).parent
    )


# --- URLs ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "base", "chosen"),
    [
        ("http://h:8501/v1/models/ad", "http://h:8501/v1/models/ad", ""),
        ("https://h/v1/models/ad/", "https://h/v1/models/ad", ""),
        ("http://[::1]:1/v1/models/ad", "http://[::1]:1/v1/models/ad", ""),
        (
            "http://h/behind/proxy/v1/models/ad/versions/3",
            "http://h/behind/proxy/v1/models/ad",
            "/versions/3",
        ),
        (
            "http://h/v1/models/ad_coronal/labels/stable",
            "http://h/v1/models/ad_coronal",
            "/labels/stable",
        ),
    ],
)
def test_urls_of_models(text, base, chosen):
    assert is_url(text)
    assert parse_model_url(text) == (base, chosen)


@pytest.mark.parametrize(
    "text",
    [
        "http://host:8501",
        "http://host:8501/v1/models",
        "http://host:8501/v1/models/ad:predict",
        "http://host/v1/models/ad/versions/new",
        "http://host/v1/models/ad?x=1",
        "http:/host/v1/models/ad",
        "grpc://host:8500/v1/models/ad",
        "http://host/v1/models/a\x1b[2Jd",
        "http://host/v1/models/ad/versions/" + "9" * 5000,
    ],
)
def test_other_urls_are_refused(text, tmp_path):
    assert is_url(text)
    words = ["generate", text, "--count", "1", "--out", str(tmp_path / "o")]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 2
    assert "expected a model's URL" in " ".join(result.stderr.split())


def test_a_password_is_not_repeated():
    assert not is_url("C:\\models\\ad")
    with pytest.raises(ValueError, match=r"found http://\.\.\.@h/v1") as error:
        parse_model_url("http://me:secret@h/v1/models/ad")
    assert "secret" not in str(error.value)


# --- what comes back ----------------------------------------------------------


def test_the_same_bytes_as_from_the_folder(url, toy_models, tmp_path):
    asked = {"count": 5, "seed": 2**62, "format": "nifti"}
    generate(toy_models / "ad", out=tmp_path / "folder", **asked)
    generate(url, out=tmp_path / "server", **asked)
    found = contents(tmp_path / "server")
    assert len(found) == 6
    assert found == contents(tmp_path / "folder")


def test_the_newest_version_is_kept_to(stub, url, from_folder, tmp_path):
    generate(url, count=70, seed=3, out=tmp_path / "o")
    assert contents(tmp_path / "o") == from_folder
    asked = [(path, json.loads(body)) for path, body in stub.requests]
    assert {path for path, _ in asked} == {"/v1/models/ad/versions/2:predict"}
    seeds = [body["inputs"]["seed"] for _, body in asked]
    assert seeds == [[0], [*range(64)], [*range(64, 128)]]


def test_a_version_can_be_chosen(url, toy_models, tmp_path):
    generate(f"{url}/versions/1", count=1, out=tmp_path / "server")
    generate(toy_models / "ad" / "1", count=1, out=tmp_path / "folder")
    assert contents(tmp_path / "server") == contents(tmp_path / "folder")


def test_faults_are_passed_over(stub, url, from_folder, tmp_path, waited):
    stub.faults += [503, "drop", "cut", 0.0, 500, "cut", 0.0, 429]
    generate(url, count=70, seed=3, out=tmp_path / "o")
    assert contents(tmp_path / "o") == from_folder
    assert waited == [0.5, 1.0, 2.0, 0.5, 1.0, 0.5]


# --- what goes wrong: each one line, exit 1, nothing made ---------------------


def refused(url, tmp_path, **options):
    """The line that the command prints."""
    words = ["generate", url, "--count", "3", "--out", str(tmp_path / "o")]
    for name, value in options.items():
        words += [f"--{name}", str(value)]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 1
    (line,) = filter(None, result.stderr.splitlines())
    assert line.isprintable()
    assert "unexpected" not in line
    assert not list(tmp_path.iterdir())
    assert len(line) < 600
    return line


def test_a_server_that_takes_too_long(stub, url, tmp_path):
    stub.faults += [600.0] * SIX_ATTEMPTS
    line = refused(url, tmp_path, timeout=0.1)
    assert "6 attempts (no answer in time)" in line


def test_no_such_model(stub, tmp_path):
    line = refused(f"{stub.url}/v1/models/xx", tmp_path)
    assert "no model at" in line
    assert "models.config" in line


def test_no_such_version(url, tmp_path):
    line = refused(f"{url}/versions/9", tmp_path)
    assert f"expected versions 9 at {url}, found versions" in line
    assert line.endswith("2: choose one of them")


def test_a_model_of_somebody_else(tmp_path, tmp_path_factory):
    folder = tmp_path_factory.mktemp("foreign")
    spec = tf.TensorSpec([None], tf.float32, name="x")
    double = tf.function(lambda x: {"y": 2 * x}, input_signature=[spec])
    tf.saved_model.save(
        tf.Module(), str(folder / "ad" / "1"), {"serving_default": double}
    )
    with stub_server.serve(folder) as stub:
        line = refused(f"{stub.url}/v1/models/ad", tmp_path)
    assert "does not describe itself" in line


def status(*states):
    content = {
        "model_version_status": [
            {"version": str(number), "state": state} for number, state in states
        ]
    }
    return (200, json.dumps(content).encode(), {})


def outputs(*contents):
    rows = [{"b64": base64.b64encode(each).decode()} for each in contents]
    return (200, json.dumps({"outputs": rows}).encode(), {})


READY = status((1, "AVAILABLE"))
DESCRIPTION = outputs(FACTS.to_json().encode())


def grey(size=32, dtype=np.uint16):
    return tf.io.encode_png(np.zeros([size, size, 1], dtype)).numpy()


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ([(200, b"{}", {})], "expected an answer of TensorFlow Serving"),
        ([(403, b"", {})], "answered HTTP 403 (Forbidden)"),
        ([status()], "no version is ready"),
        ([status((1, "END"))], "(found 1 END): see the server's log"),
        ([READY, outputs(b"{}")], "found none of stage, plane"),
        ([READY, outputs()], "expected 1 rows of describe"),
        ([READY, DESCRIPTION, outputs(grey())], "expected 64 rows of generate"),
        (
            [READY, DESCRIPTION, outputs(*[grey()] * 65)],
            "expected 64 rows of generate_png from",
        ),
        ([READY, DESCRIPTION, outputs(bytes(10**7))], "expected at most"),
        ([READY, (200, b" " * 2**20, {})], "expected at most"),
        ([(200, b" " * (2**20 + 1), {})], "expected at most 1048576 bytes"),
        ([(400, b'{"error": "\\u001b[2Jgone"}', {})], "HTTP 400 (?[2Jgone)"),
        ([status((1, "\x1b]0;x\x07" + "E" * 500))], "(found 1 ?]0;x?EEE"),
    ],
)
def test_answers_that_make_no_sense(answers, words, tmp_path):
    with canned_server.serve(answers) as server:
        line = refused(f"{server.url}/v1/models/ad", tmp_path)
    assert words in line


@pytest.mark.parametrize(
    "rows",
    [
        *(None, {}, "", 1, [], [None], ["e30="], [{}], [["b64"]]),
        *({"b64": "e30="}, {"facts_bytes": "e30="}, {"x": [{"b64": "e30="}]}),
        *([{"b64": None}], [{"b64": 1}], [{"b64": ["e30="]}], [{"b64": "*"}]),
        *([{"b64": "e30"}], [{"b64": "e3\n0="}], [{"b64": "\xe9"}]),
        *([{"b64": "e30=e30="}], [{"b64": "e30=", "x": 1}] * 2),
    ],
    ids=str,
)
def test_rows_that_hold_no_bytes(rows, tmp_path):
    answer = (200, json.dumps({"outputs": rows}).encode(), {})
    with canned_server.serve([READY, answer]) as server:
        line = refused(f"{server.url}/v1/models/ad", tmp_path)
    assert "is this" in line or "export the run again" in line
    assert "Error" not in line


@pytest.mark.parametrize(
    "number",
    [
        *(True, 1, 1.0, -1, None, [], {}, 10**30),
        *("", "-1", "1.0", "1e3", " 1", "0x1", "\u0661", "1\x1b[2J", "9" * 400),
    ],
    ids=str,
)
def test_versions_that_are_no_numbers(number, tmp_path):
    entry = {"version": number, "state": "AVAILABLE"}
    for entries in ([entry], entry, [[entry]], [number], number):
        content = json.dumps({"model_version_status": entries}).encode()
        with canned_server.serve([(200, content, {})]) as server:
            line = refused(f"{server.url}/v1/models/ad", tmp_path)
        assert re.search("answer of TensorFlow Serving|no version is", line)


def test_another_version_than_the_one_asked_for(tmp_path):
    with canned_server.serve([status((2, "AVAILABLE"))]) as server:
        line = refused(f"{server.url}/v1/models/ad/versions/3", tmp_path)
    assert "no version is ready" in line


def test_many_versions(tmp_path):
    many = status(*((number, "END") for number in range(9000)))
    with canned_server.serve([many]) as server:
        line = refused(f"{server.url}/v1/models/ad", tmp_path)
    assert "no version is ready" in line


def test_any_changed_byte_of_answers(tmp_path):
    """Seeded mutations: whole images or one line, never a traceback."""
    random = np.random.default_rng(0)
    answers = [READY, DESCRIPTION, outputs(*[grey()] * 64)]
    for number in range(60):
        mutated = [list(answer) for answer in answers]
        chosen = mutated[random.integers(3)]
        content = bytearray(chosen[1])
        for place in random.integers(0, len(content), random.integers(1, 9)):
            content[place] = random.integers(256)
        chosen[1] = bytes(content[: random.integers(len(content) // 2, 10**6)])
        out = tmp_path / str(number)
        with canned_server.serve(map(tuple, mutated)) as server:
            url = f"{server.url}/v1/models/ad"
            words = ["generate", url, "--count", "64", "--out", str(out)]
            result = CliRunner().invoke(app, words)
        if result.exit_code == 0:
            for path in out.glob("*.png"):
                png.check_png(path.read_bytes(), size=32)
            continue
        assert result.exit_code == 1
        assert "unexpected" not in result.stderr
        assert not list(tmp_path.glob(f"*{number}*"))


@pytest.mark.parametrize(
    "image",
    [b"", grey(64), grey(dtype=np.uint8), grey()[:-2]],
    ids=["empty", "larger", "8 bits", "cut off"],
)
def test_images_that_do_not_fit_the_description(image, tmp_path):
    answers = [READY, DESCRIPTION, outputs(*[image] * 64)]
    with canned_server.serve(answers) as server:
        line = refused(f"{server.url}/v1/models/ad", tmp_path)
    assert "expected a grey 16-bit PNG of 32 x 32, found " in line


@pytest.mark.parametrize(
    "changes",
    [
        {"stage": "../../x"},
        {"plane": "/etc"},
        {"suvr_max": 0.0},
        {"reference": "pons.nii"},
        {"spacing_mm": 1e300},
        {"size": 0},
        {"max_rows": -4},
        {"max_rows": 200_000_000},
        {"max_rows": 0},
        {"made_by": "\x1b[2J"},
    ],
)
def test_a_description_that_is_not_sound(changes, tmp_path):
    text = json.dumps(json.loads(FACTS.to_json()) | changes)
    with canned_server.serve([READY, outputs(text.encode())]) as server:
        line = refused(f"{server.url}/v1/models/ad", tmp_path)
    assert f"expected {next(iter(changes))} " in line
    assert line.endswith("versions/1: export the run again")


def test_a_model_that_is_being_loaded_is_waited_for(waited):
    loading = status((1, "LOADING"))
    with canned_server.serve([loading, loading, READY, DESCRIPTION]) as server:
        model = RemoteModel(f"{server.url}/v1/models/ad")
    assert (model.version, model.facts.name) == ("1", "ad")
    assert waited == [0.5, 1.0]


def test_a_label_stands_for_its_version():
    known = status((3, "AVAILABLE"))
    with canned_server.serve([known, DESCRIPTION]) as server:
        model = RemoteModel(f"{server.url}/v1/models/ad/labels/stable")
    assert model.url == f"{server.url}/v1/models/ad/versions/3"
    assert server.asked[0][1] == "/v1/models/ad/labels/stable"


def test_an_answer_by_the_names_of_outputs():
    row = {"b64": base64.b64encode(FACTS.to_json().encode()).decode()}
    named = json.dumps({"outputs": {"facts_bytes": [row]}}).encode()
    with canned_server.serve([READY, (200, named, {})]) as server:
        model = RemoteModel(f"{server.url}/v1/models/ad")
    assert model.facts == FACTS


# --- going on -----------------------------------------------------------------


@pytest.mark.parametrize("resumed_by", ["server", "folder"])
def test_a_batch_that_a_server_began_is_resumed(
    stub, url, toy_models, from_folder, tmp_path, resumed_by
):
    asked = {"count": 70, "seed": 3, "out": tmp_path / "o"}
    stub.faults += [0.0, 0.0, *[503] * SIX_ATTEMPTS]
    with pytest.raises(ConnectionError):
        generate(url, **asked)
    assert os.listdir(tmp_path) == [".o.unfinished"]
    stub.requests.clear()
    generate(url if resumed_by == "server" else toy_models / "ad", **asked)
    assert contents(tmp_path / "o") == from_folder
    seeds = [json.loads(body)["inputs"]["seed"] for _, body in stub.requests]
    if resumed_by == "server":
        assert seeds == [[0], [*range(64)], [*range(64, 128)]]


def test_a_newer_version_does_not_go_on_with_an_older_ones(stub, url, tmp_path):
    asked = {"count": 70, "seed": 3, "out": tmp_path / "o"}
    stub.faults += [0.0, 0.0, *[503] * SIX_ATTEMPTS]
    with pytest.raises(ConnectionError):
        generate(f"{url}/versions/1", **asked)
    with pytest.raises(FileExistsError, match=r"\(version 1\)"):
        generate(url, **asked)


def test_ctrl_c_does_not_wait_for_a_server(stub, url, from_folder, tmp_path):
    out, journal = tmp_path / "o", tmp_path / ".o.unfinished" / "journal.txt"
    stub.faults += [0.0, 0.0, 600.0]
    words = ("--count", "70", "--seed", "3", "--out", out)
    with subprocess.Popen(
        [sys.executable, "-m", "pet_dcgan", "generate", url, *words],
        stderr=subprocess.PIPE,
    ) as process:
        while not journal.is_file():
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        line = process.stderr.read().decode().splitlines()[-1]
    assert line.startswith("pet-dcgan: stopped by Ctrl-C")
    assert not out.exists()
    generate(url, count=70, seed=3, out=out)
    assert contents(out) == from_folder
    assert os.listdir(tmp_path) == ["o"]
