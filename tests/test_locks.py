"""Locked folders, and functions that work in them alone."""

import errno
import os
import threading
from pathlib import Path

import pytest
from lock_holder import end, hold

from pet_dcgan.utils import locks
from pet_dcgan.utils.files import sweep
from pet_dcgan.utils.locks import exclusive, is_free, locked, working_in


def test_waits_until_the_other_one_is_done(tmp_path):
    taken, other = threading.Event(), hold(tmp_path)

    def take():
        with locked(tmp_path / ".lock", "export", wait=True):
            taken.set()

    waiting = threading.Thread(target=take)
    waiting.start()
    assert not taken.wait(0.2)
    end(other)
    waiting.join(timeout=60)
    assert taken.is_set()


def test_the_same_thread_may_take_it_again(tmp_path):
    with working_in(tmp_path / "ad", "demo"):
        with working_in(tmp_path / "x" / ".." / "ad", "train"):
            pass
        assert (tmp_path / "ad" / ".lock").is_file()
    assert list(tmp_path.iterdir()) == []


def test_another_thread_may_not(tmp_path):
    found = []

    def take():
        try:
            with working_in(tmp_path, "train"):
                found.append("held")
        except BlockingIOError as error:
            found.append(str(error))

    with working_in(tmp_path, "evaluate"):
        thread = threading.Thread(target=take)
        thread.start()
        thread.join()
    assert f"evaluate (process {os.getpid()} on this machine)" in found[0]


def test_a_folder_that_is_left_empty_is_removed(tmp_path):
    with working_in(tmp_path / "a" / "b", "train"):
        assert is_free(tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []
    with working_in(tmp_path / "a" / "b", "train"):
        (tmp_path / "a" / "config.json").touch()
    assert [p.name for p in tmp_path.rglob("*")] == ["a", "config.json"]


def test_no_folder_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("absent")
    for name in ("file", "link"):
        with pytest.raises(FileExistsError, match="expected a folder"):
            working_in(tmp_path / name, "train").__enter__()
        assert not is_free(tmp_path / name)


@exclusive("evaluate", "folder")
def _work(number, folder):
    (folder / "result").touch()
    return number


def test_a_function_works_alone(tmp_path):
    assert _work(3, folder=tmp_path) == 3
    assert [p.name for p in tmp_path.iterdir()] == ["result"]
    other = hold(tmp_path)
    with pytest.raises(BlockingIOError, match="another pet-dcgan train"):
        _work(3, tmp_path)
    end(other)


def test_what_cannot_be_written_is_noticed_before_the_work(
    tmp_path, monkeypatch
):
    (tmp_path / "evaluation").mkdir()

    def refused(folder):
        if Path(folder).name == "evaluation":
            raise OSError(errno.EROFS, "Read-only file system", folder)

    monkeypatch.setattr(locks, "require_writable", refused)
    with pytest.raises(OSError, match="evaluation"):
        _work(3, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["evaluation"]


def test_leftovers_of_a_locked_folder_are_its_own(tmp_path):
    (tmp_path / "split_0" / "nc").mkdir(parents=True)
    (tmp_path / "split_0" / "ad").mkdir(parents=True)
    (tmp_path / "split_0" / "ad" / ".lock").touch()
    for name in ("ad", "nc"):
        (tmp_path / "split_0" / name / ".partial-1.log.csv").touch()
    sweep(tmp_path)
    assert [p.parent.name for p in tmp_path.rglob(".partial-*")] == ["ad"]
    sweep(tmp_path / "split_0" / "ad")
    assert not list(tmp_path.rglob(".partial-*"))
