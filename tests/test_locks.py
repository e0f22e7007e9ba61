import errno
import subprocess
import sys
import threading

import pytest

from pet_dcgan.utils import files
from pet_dcgan.utils.files import locked

pytestmark = pytest.mark.skipif(
    files.fcntl is None, reason="this system has no fcntl"
)

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


def test_file_is_there_while_it_is_held(tmp_path):
    with locked(tmp_path / "lock"):
        assert (tmp_path / "lock").is_file()
    assert list(tmp_path.iterdir()) == []


def test_freed_by_an_error(tmp_path):
    with pytest.raises(KeyError), locked(tmp_path / "lock"):
        raise KeyError
    assert list(tmp_path.iterdir()) == []


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
