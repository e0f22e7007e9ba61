"""A lock file, and what lies in its place: real processes, and attacks."""

import errno
import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from lock_holder import end, hold

from tfds_adni.parallel import lock_file

NOBODY = 65534


@pytest.fixture
def held_elsewhere(tmp_path):
    process = hold(tmp_path)
    yield process
    if process.poll() is None:
        end(process)


@pytest.fixture
def held():
    """`held(folder)`."""

    def held(folder, **options):
        path = folder / ".lock"
        return lock_file.held(path, "train", place=folder, **options)

    return held


def test_it_is_there_while_it_is_held(tmp_path, held):
    def fail():
        with held(tmp_path):
            record = (tmp_path / ".lock").read_text()
            assert record.startswith(f"pet-dcgan train {os.getpid()} ")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_the_second_one_learns_who_is_at_work(tmp_path, held, held_elsewhere):
    number = held_elsewhere.pid
    with (
        pytest.raises(BlockingIOError) as caught,
        held(tmp_path),
    ):
        pass
    assert str(caught.value) == (
        f"another pet-dcgan train (process {number} on this machine) is "
        f"working in {tmp_path}: wait for it, or stop it first"
    )
    end(held_elsewhere, signal.SIGINT)
    assert list(tmp_path.iterdir()) == []


def test_words_of_others_are_not_printed(tmp_path, held, held_elsewhere):
    (tmp_path / ".lock").write_bytes(b"pet-dcgan train 1 \x1b[2Jhost\n")
    with pytest.raises(BlockingIOError, match=r"^another pet-dcgan is working"):
        held(tmp_path).__enter__()


def test_what_a_killed_process_left_is_taken_over_with_a_line(
    tmp_path, held, held_elsewhere, capsys
):
    end(held_elsewhere)
    assert (tmp_path / ".lock").is_file()
    with held(tmp_path):
        assert f" {os.getpid()} " in (tmp_path / ".lock").read_text()
    assert capsys.readouterr().err == (
        "pet-dcgan: took over the lock of a process that has ended\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_one_that_was_not_signed_yet_is_replaced_without_a_word(
    tmp_path, held, capsys
):
    (tmp_path / ".lock").touch()
    with held(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr().err == ""


def test_only_one_of_many_gets_it(tmp_path, held_elsewhere):
    """A lock that was left, and processes that all want to take it over."""
    end(held_elsewhere)
    code = """
import sys, time
from pathlib import Path
from tfds_adni.parallel.lock_file import held
folder = Path(sys.argv[1])
for _ in range(200):
    try:
        with held(folder / ".lock", "train", place=folder):
            mark = folder / "mark"
            mark.touch(exist_ok=False)
            mark.unlink()
    except BlockingIOError:
        pass
"""
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)],
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for worker in workers:
        errors = worker.communicate()[1]
        assert worker.returncode == 0, errors
    assert list(tmp_path.iterdir()) == []


def _link(path, target):
    path.symlink_to(target)


def _dangling(path, target):
    path.symlink_to(target.parent / "absent")


def _hard_link(path, target):
    os.link(target, path)


def _pipe(path, target):
    os.mkfifo(path)


def _folder(path, target):
    path.mkdir()


def _socket(path, target):
    here = os.getcwd()
    os.chdir(path.parent)  # the name of a socket is short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path.name)
    os.chdir(here)


def _file(path, target):
    path.write_text("my own words\n")


@pytest.mark.parametrize("reading", [False, True])
@pytest.mark.parametrize(
    ("place", "words"),
    [
        (_link, "a symbolic link"),
        (_dangling, "a symbolic link"),
        (_hard_link, "a hard link"),
        (_pipe, "a pipe"),
        (_socket, "a socket"),
        (_folder, "a folder"),
        (_file, "another file"),
    ],
)
def test_something_else_in_its_place_is_left_alone(
    tmp_path, held, place, words, reading
):
    target = tmp_path / "thesis.tex"
    target.write_text("whole")
    (tmp_path / "run").mkdir()
    path = tmp_path / "run" / ".lock"
    place(path, target)
    before = path.lstat()
    with pytest.raises(FileExistsError, match=rf"found.*{words}.*: remove it"):
        held(path.parent, reading=reading).__enter__()
    assert target.read_text() == "whole"
    assert os.path.samestat(before, path.lstat())
    if place is _file:
        assert path.read_text() == "my own words\n"
    assert not (tmp_path / "absent").exists()


def test_one_that_becomes_a_link_is_not_followed(tmp_path, held, monkeypatch):
    """Between the look at it and its opening."""
    target, path = tmp_path / "thesis.tex", tmp_path / ".lock"
    target.write_text("whole")
    path.touch()

    def swapped(self, lstat=Path.lstat):
        found = lstat(self)
        self.unlink()
        self.symlink_to(target)
        return found

    monkeypatch.setattr(Path, "lstat", swapped)
    with pytest.raises(OSError, match="symbolic link"):
        held(tmp_path).__enter__()
    assert target.read_text() == "whole"


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_locks_nothing(
    tmp_path, held, monkeypatch, number
):
    def unable(file, how):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(lock_file.fcntl, "flock", unable)
    with held(tmp_path), held(tmp_path):
        assert list(tmp_path.iterdir()) == []


def test_a_folder_that_was_removed_is_one_line(tmp_path, held, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(
        FileNotFoundError, match=r"cannot make the lock|No such"
    ):
        held(Path()).__enter__()


# --- without permission -------------------------------------------------------


@pytest.fixture
def refusing(monkeypatch):
    """`refusing(number, modes)`: opening fails so; root may open anything."""

    def refusing(number, refused):
        def opened(path, flags, mode=0o777, *, real=os.open, **more):
            if str(path).endswith(".lock") and refused(flags):
                raise OSError(number, os.strerror(number), str(path))
            return real(path, flags, mode, **more)

        monkeypatch.setattr(os, "open", opened)

    return refusing


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.EPERM])
def test_a_place_that_cannot_be_written_is_only_read(
    tmp_path, held, refusing, number
):
    refusing(number, lambda flags: flags & os.O_CREAT)
    with pytest.raises(OSError, match=os.strerror(number)):
        held(tmp_path).__enter__()
    with held(tmp_path, reading=True):
        assert list(tmp_path.iterdir()) == []


def test_one_that_cannot_be_opened_says_what_to_remove(
    tmp_path, held, refusing
):
    (tmp_path / ".lock").touch()
    refusing(errno.EACCES, lambda flags: not flags & os.O_CREAT)
    for reading in (False, True):
        with pytest.raises(PermissionError) as caught:
            held(tmp_path, reading=reading).__enter__()
        assert str(caught.value) == (
            f"cannot open the lock {tmp_path / '.lock'}: if no pet-dcgan is at "
            "work there, remove it"
        )
    assert (tmp_path / ".lock").is_file()


@pytest.fixture
def of_another_user(tmp_path, monkeypatch):
    path = tmp_path / ".lock"
    path.write_text("pet-dcgan train 12 host\n")
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    return path


def test_one_of_another_user_says_what_to_remove(
    tmp_path, held, of_another_user
):
    with pytest.raises(PermissionError) as caught:
        held(tmp_path).__enter__()
    assert str(caught.value) == (
        f"cannot open the lock {of_another_user} of another user: if no "
        "pet-dcgan is at work there, remove it"
    )
    assert of_another_user.read_text() == "pet-dcgan train 12 host\n"


def test_one_of_another_user_does_not_hinder_reading(
    tmp_path, held, of_another_user
):
    with held(tmp_path, reading=True), pytest.raises(BlockingIOError):
        held(tmp_path).__enter__()
    assert of_another_user.read_text() == "pet-dcgan train 12 host\n"


@pytest.fixture
def public():
    """A folder that others may enter; those of `tmp_path` are for one user."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        yield Path(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
def test_as_another_user(public):
    """What modes allow and forbid, which root's tests cannot see."""
    closed, open_ = public / "closed", public / "open"
    for folder, mode in ((closed, 0o555), (open_, 0o777)):
        folder.mkdir()
        folder.chmod(mode)
    code = f"""
import os, sys
sys.path[:0] = {[p for p in sys.path if p]!r}
from tfds_adni.parallel import lock_file
from pathlib import Path
os.setuid({NOBODY})
for folder in map(Path, sys.argv[1:]):
    for reading in (False, True):
        try:
            with lock_file.held(
                folder / ".lock", "train", place=folder, reading=reading
            ):
                print("held")
        except OSError as error:
            print(error)
"""

    def asked(*folders):
        return subprocess.run(
            [sys.executable, "-c", code, *map(str, folders)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()

    assert asked(closed)[0].endswith(f"Permission denied: '{closed / '.lock'}'")
    assert asked(closed, open_)[1:] == ["held", "held", "held"]
    words = "cannot open the lock {} of another user"
    for mode in (0o000, 0o644):
        for folder in (closed, open_):
            (folder / ".lock").write_text("pet-dcgan train 12 host\n")
            (folder / ".lock").chmod(mode)
        found = asked(closed, open_)
        for line, folder in ((found[0], closed), (found[2], open_)):
            assert line.startswith(words.format(folder / ".lock"))
        for line in (found[1], found[3]):
            assert (line == "held") == (mode == 0o644)
    other = hold(open_ / "x")
    found = asked(open_ / "x")
    assert len(found) == 2
    assert all(f"train (process {other.pid} on" in line for line in found)
    end(other)
