import errno
import subprocess
import sys
import threading

import pytest

from pet_dcgan.utils import files
from pet_dcgan.utils.files import locked, replacing, sweep

HOLDER = """
import sys
from pet_dcgan.utils.files import locked
with locked(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_file_takes_its_place_when_whole(tmp_path):
    path = tmp_path / "sub" / "a.weights.h5"
    with replacing(path) as temporary:
        assert temporary.name.endswith(".a.weights.h5")
        temporary.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_a_block_that_fails_leaves_what_was_there(tmp_path, error):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def write(name):
        with replacing(tmp_path / name) as temporary:
            if name == "a.txt":
                temporary.write_text("half")
            else:
                temporary.mkdir()
                (temporary / "config.json").touch()
            raise error

    for name in ("a.txt", "run"):
        with pytest.raises(error):
            write(name)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_killed_processes_left_is_swept(tmp_path):
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / ".partial-1234.epoch_0008.png").touch()
    (tmp_path / ".partial-5678.run" / ".partial-9.deep").mkdir(parents=True)
    (tmp_path / "samples" / "epoch_0007.png").touch()
    sweep(tmp_path)
    sweep(tmp_path / "absent")
    kept = {p.name for p in tmp_path.rglob("*")}
    assert kept == {"samples", "epoch_0007.png"}


@pytest.fixture
def holder(tmp_path):
    """Another process that holds `tmp_path / "lock"`."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout.readline() == b"held\n"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def test_a_lock_file_exists_while_it_is_held(tmp_path):
    def fail():
        with locked(tmp_path / "lock"):
            assert (tmp_path / "lock").is_file()
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_link_in_place_of_the_lock_is_refused(tmp_path):
    target = tmp_path / "thesis.tex"
    target.write_text("whole")
    (tmp_path / "lock").symlink_to(target)
    with (
        pytest.raises(OSError, match="symbolic link"),
        locked(tmp_path / "lock"),
    ):
        pass
    assert target.read_text() == "whole"


def test_another_process_is_kept_out_until_it_is_killed(tmp_path, holder):
    with pytest.raises(BlockingIOError), locked(tmp_path / "lock"):
        pass
    assert (tmp_path / "lock").is_file()
    holder.kill()
    holder.wait()
    assert (tmp_path / "lock").is_file()
    with locked(tmp_path / "lock"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_waits_until_the_other_one_is_done(tmp_path, holder):
    taken = threading.Event()

    def take():
        with locked(tmp_path / "lock", wait=True):
            taken.set()

    waiting = threading.Thread(target=take)
    waiting.start()
    assert not taken.wait(0.2)
    holder.stdin.close()
    waiting.join(timeout=60)
    assert taken.is_set()


def test_file_systems_without_locks_are_not_locked(tmp_path, monkeypatch):
    def unable(file, how):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(files.fcntl, "flock", unable)
    with locked(tmp_path / "lock"):
        assert (tmp_path / "lock").is_file()
