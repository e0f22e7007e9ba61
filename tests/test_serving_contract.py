"""One contract, asked of an exported model in every way that is here."""

import contextlib
import functools
import importlib.util
import shutil
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import serving_contract
import stub_server
import tensorflow as tf
from model_process import model_process
from serving_contract import CHECKS, Refused

from pet_dcgan.models.latents import latents_from_seeds
from pet_dcgan.models.sampling import network_images, suvr_from_latents
from pet_dcgan.runs.run import Run
from pet_dcgan.serving.export import model_facts

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
def version(toy_models):
    return toy_models / "ad" / "2"


@pytest.fixture(scope="module")
def live(toy_models):
    """A call that the run's own generator answers."""
    run = Run.open(toy_models.parent / "runs" / "2")
    generator, facts = run.load_generator(), model_facts(run.config)

    def slices(seed):
        # as many rows at once as the model is asked for
        latents = latents_from_seeds(seed, facts.latent_dim)
        return suvr_from_latents(generator, latents, facts.suvr_max).numpy()

    answers = {
        "serving_default": lambda latent: {
            "image": network_images(generator, latent).numpy()
        },
        "generate": lambda seed: {"suvr": slices(seed)},
        "describe": lambda seed: {
            "facts_bytes": [facts.to_json().encode()] * len(seed)
        },
    }
    return lambda signature, inputs: answers[signature](**inputs)


# --- the ways -----------------------------------------------------------------


def by_folder(models, work):
    return contextlib.nullcontext(asked_in_folder(models / "ad" / "2"))


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
        yield serving_contract.call_for(f"{stub.url}/v1/models/ad")


@contextlib.contextmanager
def by_grpc_stub(models, work):
    pytest.importorskip("tensorflow_serving", reason="the official messages")
    import stub_grpc

    with stub_grpc.serve(models) as address:
        call = serving_contract.call_for(f"grpc://{address}/ad")
        yield call
        call.close()


@contextlib.contextmanager
def by_server(models, work, kind="rest"):
    if SERVER is None:
        pytest.skip("no tensorflow_model_server on the PATH")
    ports = {name: free_port() for name in ("rest", "grpc")}
    log = (work / "server.log").open("wb")
    started = (
        *(SERVER, "--model_name=ad", f"--model_base_path={models / 'ad'}"),
        *(f"--port={ports['grpc']}", f"--rest_api_port={ports['rest']}"),
    )
    process = subprocess.Popen(started, stdout=log, stderr=log)
    try:
        url = f"http://localhost:{ports['rest']}/v1/models/ad"
        wait_for(url, process)
        grpc = f"grpc://localhost:{ports['grpc']}/ad"
        call = serving_contract.call_for(url if kind == "rest" else grpc)
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


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_contract(check, call, live):
    check(call, live)


# --- each check finds what it looks for ---------------------------------------


def edited(**edits):
    """A call whose outputs are edited, by signature."""

    def wrap(call):
        def edited_call(signature, inputs):
            outputs = call(signature, inputs)
            edit = edits.get(signature, lambda values, inputs: values)
            return {n: edit(v, inputs) for n, v in outputs.items()}

        return edited_call

    return wrap


def never_refusing(call):
    def answering(signature, inputs):
        try:
            return call(signature, inputs)
        except Refused:
            return {"image": np.zeros([65, 32, 32, 1], np.float32)}

    return answering


def always_refusing(call):
    def refusing(signature, inputs):
        raise Refused("")

    return refusing


def in_batches_only(values, inputs):
    return values + 2e-4 * (len(values) == 1)


def unsanitised(values, inputs):
    bad = ~np.isfinite(inputs["latent"]).all()
    return values * np.nan if bad else values


def one_seed_for_all(values, inputs):
    return np.repeat(values[:1], len(values), axis=0)


def too_bright(pngs, inputs):
    pixels = [tf.io.decode_png(p, dtype=tf.uint16).numpy() + 2 for p in pngs]
    return [tf.io.encode_png(each).numpy() for each in pixels]


BROKEN = {
    "latents_give_the_same_images": edited(serving_default=lambda v, i: v / 2),
    "seeds_give_the_same_slices": edited(generate=lambda v, i: v + 0.01),
    "png_files_hold_the_same_slices": edited(generate_png=too_bright),
    "the_model_describes_itself": edited(describe=lambda v, i: v[:1]),
    "a_seed_alone_is_the_seed_in_a_batch": edited(generate=in_batches_only),
    "a_bad_row_leaves_its_neighbours": edited(serving_default=unsanitised),
    "any_seed_gives_a_finite_image": edited(generate=one_seed_for_all),
    "as_many_rows_as_stated_are_answered": edited(generate=lambda v, i: v[1:]),
    "more_rows_are_refused_by_number": never_refusing,
    "no_rows_are_no_images_or_an_error": always_refusing,
    "other_shapes_are_refused": never_refusing,
    "other_types_are_refused": never_refusing,
    "other_names_are_refused": never_refusing,
}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_check_can_fail(check, version, live):
    broken = BROKEN[check.__name__](asked_in_folder(version))
    with pytest.raises(AssertionError):
        check(broken, live)


@functools.cache
def asked_in_folder(version):
    return serving_contract.folder_call(version)


def test_as_a_program(toy_models, version, capsys):
    with stub_server.serve(toy_models) as stub:
        url = f"{stub.url}/v1/models/ad"
        assert serving_contract.main(url, version) == 0
        assert capsys.readouterr().out.count("passed ") == len(CHECKS)
        assert serving_contract.main(f"{url}x", version) > 0
    assert "FAILED seeds_give_the_same_slices: " in capsys.readouterr().out
