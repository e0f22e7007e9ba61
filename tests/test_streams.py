"""Standard output and error that are closed, full, or a broken pipe."""

import os
import signal
import subprocess
import sys

import pytest

from pet_dcgan.cli import streams
from pet_dcgan.cli.streams import Streams

LOST = "pet-dcgan: standard output could not be written ("


def shell(words):
    """Exit code, output and errors of a command line in a shell."""
    line = f"{sys.executable} -m pet_dcgan {words}"
    ended = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {line}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "Traceback" not in ended.stderr
    assert "Exception ignored" not in ended.stderr
    return ended.returncode, ended.stdout, ended.stderr


@pytest.mark.parametrize(
    ("redirected", "words"),
    [
        ("> /dev/full", "No space left on device"),
        (">&-", "Bad file descriptor"),
        ("<&- >&-", "Bad file descriptor"),
        ("| (exec <&-; sleep 3)", "Broken pipe"),
    ],
)
def test_output_that_is_lost_is_one_line(redirected, words):
    code, output, errors = shell(f"--version {redirected}")
    assert (code, output) == (1, "")
    (line,) = errors.splitlines()
    assert line.startswith(f"{LOST}{words})")


def test_errors_that_are_lost_change_nothing():
    for redirected in ("2>&-", "2> /dev/full"):
        assert shell(f"--version {redirected}")[0] == 0
        assert shell(f"scan /nonexistent >&- {redirected}")[0] == 1


@pytest.fixture
def restored(monkeypatch):
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    monkeypatch.setattr(sys, "stderr", sys.stderr)


@pytest.mark.usefixtures("restored")
def test_a_broken_pipe_raises_nothing_and_is_remembered(monkeypatch):
    read, write = os.pipe()
    with open(write, "w", encoding="utf-8") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        monkeypatch.setattr(streams, "_OUTPUT", write)
        replaced = Streams()
        print("heard: \udcff", flush=True)  # of a path with a wrong byte
        assert os.read(read, 100) == b"heard: \\udcff\n"
        assert replaced.failure() == ""
        os.close(read)
        for _ in range(3):
            print("x" * 10**6, flush=True)
        assert replaced.failure() == "Broken pipe"


@pytest.mark.usefixtures("restored")
def test_a_pipe_that_is_not_ready_is_waited_for(monkeypatch):
    read, write = os.pipe()
    os.set_blocking(write, False)
    with open(write, "w", encoding="utf-8") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        monkeypatch.setattr(streams, "_OUTPUT", write)
        replaced = Streams()
        reader = subprocess.Popen(
            ["wc", "-c"], stdin=read, stdout=subprocess.PIPE, text=True
        )
        os.close(read)
        print("x" * 10**6, flush=True)
        assert replaced.failure() == ""
        sys.stdout = sys.__stdout__
    assert reader.communicate()[0].strip() == "1000001"


def test_ctrl_c_while_it_is_imported_is_no_traceback():
    """At any moment after Python itself has started."""
    for module in ("typer", "rich"):
        process = subprocess.Popen(
            [
                *(sys.executable, "-X", "importtime", "-m", "pet_dcgan"),
                *("scan", "/nonexistent"),
            ],
            stderr=subprocess.PIPE,
            text=True,
        )
        for line in process.stderr:
            if module in line:
                break
        process.send_signal(signal.SIGINT)
        errors = process.communicate(timeout=60)[1]
        assert "Traceback" not in errors
        # or it had come to its end
        assert process.returncode in (1, 130, -signal.SIGINT)
