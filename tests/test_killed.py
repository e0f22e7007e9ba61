"""Stopped commands, run again, end as undisturbed ones, bit for bit."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import killed
import pytest
from training_process import (
    EPOCHS,
    PATIENCE,
    assert_same_run,
    command,
    log_rows,
    start,
    to_its_end,
    wait_for_epochs,
)

from pet_dcgan.runs.run import Run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def undisturbed(toy_set, tmp_path_factory):
    run = tmp_path_factory.mktemp("undisturbed") / "ad"
    code, errors = to_its_end(start(toy_set, run))
    assert code == 0, errors
    assert len(log_rows(run)) == EPOCHS
    assert (run / "selection.csv").exists()
    return run


def interrupt(process, run, epochs, delay, number):
    """Sends a signal so many seconds after an epoch; the exit code."""
    wait_for_epochs(process, run, epochs)
    time.sleep(delay)
    if process.poll() is None:
        process.send_signal(number)
    return to_its_end(process)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    return tmp_path_factory.mktemp("kills") / "inputs"


@pytest.mark.parametrize("command", killed.COMMANDS)
def test_killed_at_any_moment_and_run_again_it_ends_as_undisturbed(
    command, inputs, tmp_path, pytestconfig
):
    """The same bytes, and nothing is left: no file, folder or process."""
    seed = random.SystemRandom().randrange(2**32)
    kills = pytestconfig.getoption("--kills")
    moments = killed_at(command, inputs, tmp_path, kills, seed)
    print(f"seed {seed}")
    assert len(moments) >= kills
    assert any(moment["code"] for moment in moments)
    assert not [moment for moment in moments if moment["problems"]]


@pytest.mark.parametrize("how", ["kill", "interrupt"])
def test_prepare_stopped_at_every_file_operation(inputs, tmp_path, how):
    """Ctrl-C leaves nothing or the whole set, not only after the next time."""
    moments = killed_at("prepare", inputs, tmp_path, 1000, 0, how)
    assert len(moments) > 20
    assert not [moment for moment in moments if moment["problems"]]
    left = [moment["left"] for moment in moments]
    assert any(0 < n < left[-1] for n in left) == (how == "kill")


def killed_at(*arguments):
    """What `killed.py` prints of each moment."""
    done = subprocess.run(
        [sys.executable, killed.__file__, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_ctrl_c_is_one_line_and_the_run_goes_on(undisturbed, toy_set, tmp_path):
    run = tmp_path / "ad"
    delay = random.uniform(0, 0.5)
    code, errors = interrupt(start(toy_set, run), run, 4, delay, signal.SIGINT)
    assert code == 130, errors
    assert "Traceback" not in errors
    assert errors.splitlines()[-1].startswith("pet-dcgan: stopped by Ctrl-C")
    assert "--resume" in errors.splitlines()[-1]
    assert not Run.open(run).finished
    code, errors = to_its_end(start(toy_set, run, "--resume"))
    assert code == 0, errors
    assert_same_run(undisturbed, run)


@pytest.fixture
def small_disk(tmp_path):
    """`small_disk(script)`: runs it where `$DISK` is 600 kB large."""
    mounting = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-ec"]
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = f"mount -t tmpfs -o size=600k full {disk}; "
    if (
        not shutil.which("unshare")
        or subprocess.run(
            [*mounting, mount], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("this system does not let users mount a small disk")

    def small_disk(script):
        return subprocess.run(
            [*mounting, mount + script],
            env=os.environ | {"DISK": str(disk)},
            capture_output=True,
            text=True,
            timeout=2 * PATIENCE,
            check=False,
        )

    return small_disk, disk


def test_a_full_disk_is_one_line_and_the_run_goes_on(
    undisturbed, toy_set, tmp_path, small_disk
):
    within, disk = small_disk
    train = " ".join(command(toy_set, disk / "ad"))
    ended = within(
        f"{train} && exit 3 || echo code $?; "
        "test ! -e $DISK/ad/generator.keras; "
        "find $DISK -name '.partial-*'; mount -o remount,size=64m $DISK; "
        f"{train} --resume; cp -r $DISK/ad {tmp_path / 'ad'}"
    )
    assert ended.returncode == 0, ended.stderr
    assert "code 1\n" in ended.stdout
    assert ".partial-" not in ended.stdout
    assert "the disk is full" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert_same_run(undisturbed, tmp_path / "ad")
