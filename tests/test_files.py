import errno
import subprocess
import sys
import threading

import pytest

from pet_dcgan.utils import files
from pet_dcgan.utils.files import locked, replacing, sweep


def test_a_file_takes_its_place_when_whole(tmp_path):
    path = tmp_path / "sub" / "a.weights.h5"
    with replacing(path) as temporary:
        assert temporary.name.endswith(".a.weights.h5")
        temporary.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    assert list(path.parent.iterdir()) == [path]


def test_an_earlier_file_stays_when_the_block_fails(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def write():
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        write()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_removed_when_interrupted(tmp_path):
    def make():
        with replacing(tmp_path / "run") as temporary:
            temporary.mkdir()
            (temporary / "config.json").touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make()
    assert not list(tmp_path.iterdir())


def test_what_killed_processes_left_is_swept(tmp_path):
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / ".partial-1234.epoch_0008.png").touch()
    (tmp_path / ".partial-5678.run" / ".partial-9.deep").mkdir(parents=True)
    (tmp_path / "samples" / "epoch_0007.png").touch()
    sweep(tmp_path)
    sweep(tmp_path / "absent")
    kept = {p.name for p in tmp_path.rglob("*")}
    assert kept == {"samples", "epoch_0007.png"}


HOLDER = """
import sys
from pet_dcgan.utils.files import locked
with locked(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


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


def test_another_process_is_kept_out(tmp_path, holder):
    with pytest.raises(BlockingIOError), locked(tmp_path / "lock"):
        pass
    assert (tmp_path / "lock").is_file()


def test_a_killed_process_holds_nothing(tmp_path, holder):
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
