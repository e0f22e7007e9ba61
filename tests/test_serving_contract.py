"""One contract, asked of an exported model in every way that is here."""

import contextlib
import functools
import importlib.util
import json
import shutil
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import stub_server
import tensorflow as tf
from model_process import model_process
from serving_contract import Refused, folder_call, grpc_call, rest_call

from pet_dcgan.image_facts import ImageFacts
from pet_dcgan.models.plain_generator import model_info
from pet_dcgan.models.sampling import latents_from_seeds, suvr_from_latents
from pet_dcgan.runs.run import Run

HERE = Path(__file__).parent
SERVER = shutil.which("tensorflow_model_server")
COMPILER = shutil.which("g++")
# the headers of the wheel ask for these, its libraries were built with them
FLAGS = (
    "-std=c++17",
    "-O0",
    "-w",
    "-DEIGEN_MAX_ALIGN_BYTES=64",
    "-D_GLIBCXX_USE_CXX11_ABI=1",
)
LIBRARIES = "libtensorflow_cc.so.2", "libtensorflow_framework.so.2"


@pytest.fixture(scope="module")
def live(toy_models):
    """A call that the run's own generator answers."""
    run = Run.open(toy_models.parent / "runs" / "AD")
    generator, config = run.load_generator(), run.config
    facts = model_info(generator, ImageFacts.of(config), preset=config.preset)

    def slices(seed):
        # as many rows at once as the model is asked for
        latents = latents_from_seeds(seed, facts.latent_dim)
        return suvr_from_latents(generator, latents, facts.suvr_max).numpy()

    answers = {
        "serving_default": lambda latent: {
            "image": generator(latent, training=False).numpy()
        },
        "generate": lambda seed: {"suvr": slices(seed)},
        "describe": lambda seed: {
            "facts_bytes": [facts.to_json().encode()] * len(seed)
        },
    }
    return lambda signature, inputs: answers[signature](**inputs)


# --- the ways -----------------------------------------------------------------


def by_folder(models, work):
    return contextlib.nullcontext(folder_call(models / "ad" / "2"))


def by_session(models, work):
    program = work / "session_run"
    if COMPILER is None:
        pytest.skip("no g++ on the PATH to build session_run.cc with")
    folder = libraries()
    build = (
        *(COMPILER, *FLAGS, f"-I{folder / 'include'}"),
        *(HERE / "session_run.cc", "-o", program),
        *(f"-L{folder}", "-Wl,--no-as-needed", f"-Wl,-rpath,{folder}"),
        *(f"-l:{name}" for name in LIBRARIES),
    )
    subprocess.run(build, check=True)
    return model_process(program, models / "ad" / "2")


@contextlib.contextmanager
def by_stub(models, work):
    with stub_server.serve(models) as stub:
        yield rest_call(f"{stub.url}/v1/models/ad")


@contextlib.contextmanager
def by_grpc_stub(models, work):
    pytest.importorskip("tensorflow_serving", reason="the official messages")
    import stub_grpc

    with (
        stub_grpc.serve(models) as address,
        grpc_call(address, "ad") as call,
    ):
        yield call


@contextlib.contextmanager
def by_server(models, work, kind="rest", name="ad"):
    if SERVER is None:
        pytest.skip("no tensorflow_model_server on the PATH")
    ports = {name: free_port() for name in ("rest", "grpc")}
    log = (work / "server.log").open("wb")
    started = (
        *(SERVER, f"--model_name={name}", f"--model_base_path={models / name}"),
        *(f"--port={ports['grpc']}", f"--rest_api_port={ports['rest']}"),
    )
    process = subprocess.Popen(started, stdout=log, stderr=log)
    try:
        url = f"http://localhost:{ports['rest']}/v1/models/{name}"
        wait_for(url, process)
        if kind == "rest":
            yield rest_call(url)
        else:
            address = f"localhost:{ports['grpc']}"
            with grpc_call(address, name) as call:
                yield call
    finally:
        process.terminate()
        process.wait()
        log.close()


def libraries():
    """Folder of the wheel's libraries, found without importing it."""
    found = Path(importlib.util.find_spec("tensorflow").origin).parent
    for name in LIBRARIES:
        if not (found / name).is_file():
            pytest.skip(f"the installed TensorFlow brings no {name}")
    return found


def free_port():
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


def wait_for(url, process):
    for _ in range(600):
        assert process.poll() is None, "the server ended"
        with contextlib.suppress(OSError), urllib.request.urlopen(url) as reply:
            if b"AVAILABLE" in reply.read():
                return
        time.sleep(0.1)
    raise TimeoutError(url)


WAYS = {
    "folder": by_folder,
    "session": by_session,
    "rest_stub": by_stub,
    "grpc_stub": by_grpc_stub,
    "rest_server": by_server,
    "grpc_server": functools.partial(by_server, kind="grpc"),
}
SLOW = ("session", "rest_server", "grpc_server")


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(way, marks=[pytest.mark.slow] if way in SLOW else [])
        for way in WAYS
    ],
)
def call(request, toy_models, tmp_path_factory):
    work = tmp_path_factory.mktemp(request.param)
    with WAYS[request.param](toy_models, work) as asked:
        yield asked


# --- what has to be answered --------------------------------------------------

# the same rows, asked for together
TOLERANCE = 1e-5
# what README and export/README.md promise of a seed alone and among others
ROWS_TOLERANCE = 1e-4
ROWS_STEPS = 3
PNG_MAX = 65535
SEEDS = np.array([0, 1, 77, 2**40, 5])


def test_latents_give_the_same_images(call, live):
    inputs = {"latent": _latents(live, 5)}
    found = _only(call("serving_default", inputs), "image")
    expected = live("serving_default", inputs)["image"]
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=TOLERANCE)
    assert np.abs(found).max() <= 1
    assert np.ptp(found, axis=0).max() > 0.01


def test_seeds_give_the_same_slices(call, live):
    inputs = {"seed": SEEDS}
    found = _only(call("generate", inputs), "suvr")
    expected = live("generate", inputs)["suvr"]
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=TOLERANCE)
    assert np.ptp(found, axis=0).max() > 0.01


def test_png_files_hold_the_same_slices(call, live):
    inputs = {"seed": SEEDS}
    found = _only(call("generate_png", inputs), "image_bytes")
    scale = _facts(live)["suvr_max"] / PNG_MAX
    expected = live("generate", inputs)["suvr"]
    for png, suvr in zip(found, expected, strict=True):
        assert png[:8] == b"\x89PNG\r\n\x1a\n"
        assert png[24] == 16  # bit depth, in the header
        steps = _pixels(png) - np.rint(np.clip(suvr / scale, 0, PNG_MAX))
        assert np.abs(steps).max() <= 1


def test_the_model_describes_itself(call, live):
    inputs = {"seed": np.zeros(2, np.int64)}
    rows = _only(call("describe", inputs), "facts_bytes")
    expected = live("describe", inputs)["facts_bytes"]
    assert list(rows) == list(expected)
    assert json.loads(rows[0])["max_rows"] >= len(SEEDS)


def test_a_seed_alone_is_the_seed_in_a_batch(call, live):
    """To the stated tolerance: kernels are chosen by the number of rows."""
    rows = np.arange(_facts(live)["max_rows"])
    suvr = call("generate", {"seed": rows})["suvr"]
    assert len(suvr) == len(rows)
    pixels = _all_pixels(call("generate_png", {"seed": rows})["image_bytes"])
    for count in (1, 2, 3, 7, 8):
        some = {"seed": rows[-count:]}
        found = call("generate", some)["suvr"]
        np.testing.assert_allclose(found, suvr[-count:], atol=ROWS_TOLERANCE)
        stored = _all_pixels(call("generate_png", some)["image_bytes"])
        assert np.abs(stored - pixels[-count:]).max() <= ROWS_STEPS


def test_a_bad_row_leaves_its_neighbours(call, live):
    good = _latents(live, 5)
    bad = good.copy()
    bad[1, :3] = np.nan, np.inf, -np.inf
    bad[3] = 1e30
    meant = good.copy()
    meant[1, :3], meant[3] = 0, 1
    found = call("serving_default", {"latent": bad})["image"]
    expected = live("serving_default", {"latent": meant})["image"]
    np.testing.assert_allclose(found, expected, atol=TOLERANCE)


def test_any_seed_gives_a_finite_image(call, live):
    limits = np.iinfo(np.int64)
    seeds = np.array([limits.min, -1, 0, limits.max])
    suvr = call("generate", {"seed": seeds})["suvr"]
    assert np.isfinite(suvr).all()
    assert len(np.unique(suvr, axis=0)) == len(seeds)
    assert len(call("generate_png", {"seed": seeds})["image_bytes"]) == 4


def test_more_rows_are_refused_by_number(call, live):
    rows = _facts(live)["max_rows"] + 1
    requests = [
        (name, {"seed": np.arange(rows)})
        for name in ("generate", "generate_png", "describe")
    ]
    requests.append(("serving_default", {"latent": _latents(live, rows)}))
    for name, inputs in requests:
        assert f"at most {rows - 1}" in _refusal(call, name, inputs)


def test_no_rows_are_no_images_or_an_error(call, live):
    requests = {"serving_default": {"latent": _latents(live, 0)}}
    for name in ("generate", "generate_png", "describe"):
        requests[name] = {"seed": np.zeros(0, np.int64)}
    for name, inputs in requests.items():
        with contextlib.suppress(Refused):
            assert [len(v) for v in call(name, inputs).values()] == [0]


def test_other_shapes_are_refused(call, live):
    latents = _latents(live, 2)
    for wrong in (latents[:, 1:], latents[0], latents[None]):
        _refusal(call, "serving_default", {"latent": wrong})
    for wrong in (np.int64(1), np.ones([2, 2], np.int64)):
        inputs = {"seed": np.asarray(wrong)}
        for name in ("generate", "generate_png", "describe"):
            _refusal(call, name, inputs)


def test_other_types_and_names_are_refused(call):
    _refusal(call, "generate", {"seed": np.array([0.5], np.float32)})
    _refusal(call, "absent", {"seed": SEEDS})
    _refusal(call, "generate", {"number": SEEDS})


def _facts(live):
    (row,) = live("describe", {"seed": np.zeros(1, np.int64)})["facts_bytes"]
    return json.loads(row)


def _latents(live, rows):
    width = _facts(live)["latent_dim"]
    drawn = np.random.default_rng(0).uniform(-1, 1, (rows, width))
    return drawn.astype(np.float32)


def _only(outputs, name):
    assert list(outputs) == [name]
    return outputs[name]


def _refusal(call, name, inputs):
    with pytest.raises(Refused, match=r"\S") as refused:
        call(name, inputs)
    return str(refused.value)


def _all_pixels(pngs):
    return np.stack([_pixels(png) for png in pngs])


def _pixels(png):
    decoded = tf.io.decode_png(png, dtype=tf.uint16).numpy()
    assert decoded.shape[-1] == 1
    return decoded[..., 0].astype(float)
