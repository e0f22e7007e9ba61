"""Several devices against one: real logical devices and real processes."""

import contextlib
import csv
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from pet_dcgan.runs.run import Run

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).with_name("shared_training.py")
# what draws numbers, or computes something over the whole batch
OPTIONS = (
    "ema_decay=0.9",
    "augment=translate,cutout,rotate,scale",
    "augment_probability=0.5",
    "augment_target=0.6",
    "bend_mm=6",
)
CASES = {
    "plain": (),
    "options": OPTIONS,
    # batches are dictionaries, and a weight moves with the steps
    "conditional": (
        "conditions=stage,plane,position",
        "transition=true",
        "ema_decay=0.9",
        "batch_size=36",
    ),
    # the chief alone calls the callback that sets the rates
    "own": ("own", "ema_decay=0.9", "g_learning_rate=1e-3"),
    # the chief alone sees that the KID has not become lower
    "early stop": ("epochs=100", "select_every=2", "patience=1"),
}
# Adam's first steps scale up the roundings of the matrices of conditions, whose
# gradients are 0 until the transition
TOLERANCE = {"conditional": 1e-3}
PATIENCE = 600  # seconds, on a busy machine


def start(*arguments, cluster=None, index=0):
    environment = dict(os.environ)
    environment.pop("TF_CONFIG", None)
    if cluster:
        task = {"type": "worker", "index": index}
        environment["TF_CONFIG"] = json.dumps(
            {"cluster": {"worker": cluster}, "task": task}
        )
    return subprocess.Popen(
        [sys.executable, SCRIPT, *map(str, arguments)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@contextlib.contextmanager
def two_workers(*arguments):
    """Two processes on free ports; whatever is left of them is ended."""
    with socket.socket() as a, socket.socket() as b:
        a.bind(("127.0.0.1", 0))
        b.bind(("127.0.0.1", 0))
        cluster = [f"127.0.0.1:{s.getsockname()[1]}" for s in (a, b)]
    workers = [
        start("multiworker", 1, *each, cluster=cluster, index=index)
        for index, each in enumerate(
            arguments if isinstance(arguments[0], tuple) else [arguments] * 2
        )
    ]
    try:
        yield workers
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()


def said(process):
    """Exit code and output of a process that comes to its end."""
    output, _ = process.communicate(timeout=PATIENCE)
    return process.returncode, output


def losses(run):
    """float64 `[steps, 4]` of a run of one step an epoch."""
    names = ("d_loss", "g_loss", "real_accuracy", "fake_accuracy")
    with (run / "log.csv").open(newline="") as file:
        rows = [[float(row[n]) for n in names] for row in csv.DictReader(file)]
    return np.array(rows)


@pytest.fixture(scope="module")
def alone(toy_set, tmp_path_factory):
    """The ten steps of one device, by case."""
    runs = {}
    for case, options in CASES.items():
        run = tmp_path_factory.mktemp("alone") / case
        code, output = said(start("none", 1, toy_set, run, *options))
        assert code == 0, output
        runs[case] = run
    return runs


@pytest.mark.parametrize("case", ["plain", "options", "conditional", "own"])
def test_two_devices_give_the_losses_of_one(alone, toy_set, tmp_path, case):
    arguments = ("mirrored", 2, toy_set, tmp_path / "two", *CASES[case])
    code, output = said(start(*arguments))
    assert code == 0, output
    expected, found = losses(alone[case]), losses(tmp_path / "two")
    assert expected.shape == (10, 4)
    atol = TOLERANCE.get(case, 1e-4)
    np.testing.assert_allclose(found, expected, atol=atol)
    assert_same_generator(alone[case], tmp_path / "two")


@pytest.mark.parametrize("case", CASES)
def test_two_processes_give_the_losses_of_one(alone, toy_set, tmp_path, case):
    with two_workers(toy_set, tmp_path / "two", *CASES[case]) as workers:
        ends = [said(worker) for worker in workers]
    assert [code for code, _ in ends] == [0, 0], ends
    expected, found = losses(alone[case]), losses(tmp_path / "two")
    atol = TOLERANCE.get(case, 1e-4)
    np.testing.assert_allclose(found[:10], expected[:10], atol=atol)
    if case == "early stop":
        # roundings decide after how many of a hundred epochs
        assert len(expected) < 100
        assert len(found) < 100
    else:
        assert len(expected) == len(found)
        assert_same_generator(alone[case], tmp_path / "two")
    # the chief alone has written
    assert len(list((tmp_path / "two" / "tensorboard").iterdir())) == 1


def assert_same_generator(a, b):
    pairs = zip(
        Run.open(a).load_generator().get_weights(),
        Run.open(b).load_generator().get_weights(),
        strict=True,
    )
    for expected, found in pairs:
        np.testing.assert_allclose(found, expected, atol=1e-3)


def test_the_others_say_that_a_worker_is_gone_and_the_run_goes_on(
    toy_set, tmp_path
):
    run = tmp_path / "two"
    log = run / "log.csv"
    many = "epochs=60"
    with two_workers(toy_set, run, many) as workers:
        while not log.exists() or len(losses(run)) < 5:
            assert workers[0].poll() is None, workers[0].communicate()
            time.sleep(0.1)
        workers[1].send_signal(signal.SIGKILL)
        code, output = said(workers[0])
    assert code == 1
    last = output.strip().splitlines()[-1]  # and no complaint of TensorFlow's
    assert last.startswith("ConnectionError: another worker")
    assert "--resume" in last
    whole = len(losses(run))
    assert not Run.open(run).finished
    with two_workers(toy_set, run, many, "resume") as workers:
        ends = [said(worker) for worker in workers]
    assert [code for code, _ in ends] == [0, 0], ends
    assert Run.open(run).finished
    assert len(losses(run)) == 60 > whole


def test_workers_that_were_told_different_things_do_not_start(
    toy_set, tmp_path
):
    run = tmp_path / "two"
    told = ((toy_set, run), (toy_set, run, "g_learning_rate=0.1"))
    with two_workers(*told) as workers:
        ends = [said(worker) for worker in workers]
    for code, output in ends:
        assert code == 1
        assert "the workers differ in configuration" in output
    assert not run.exists()
