import errno
import os
import stat
import tempfile

import pytest

from pet_dcgan.utils.files import (
    replacing,
    replacing_folder,
    require_file_place,
    require_writable,
    restore,
    sweep,
    sweep_beside,
)


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


def test_what_a_killed_process_left_beside_a_run_is_swept(tmp_path):
    for name in ("ad", "x.ad", "a[d]", "ad2"):
        (tmp_path / f".partial-12345678.{name}").mkdir()
    sweep_beside(tmp_path / "ad")
    sweep_beside(tmp_path / "a[d]")
    kept = sorted(path.name[18:] for path in tmp_path.iterdir())
    assert kept == ["ad2", "x.ad"]


def test_a_pipe_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with (
        pytest.raises(FileExistsError, match=r"expected a file at .*pipe"),
        replacing(tmp_path / "pipe"),
    ):
        pass
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    for name, words in (("pipe", "a device, a pipe"), ("", "a folder")):
        with pytest.raises(FileExistsError, match=words):
            require_file_place(tmp_path / name)


def test_a_place_is_tried_and_left_as_it_was(tmp_path, monkeypatch):
    require_writable(tmp_path / "not" / "yet")
    require_file_place(tmp_path / "a.csv")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        require_writable(tmp_path / "file")

    def full(**options):
        raise OSError(errno.ENOSPC, "No space left on device", "random name")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with pytest.raises(OSError, match="No space left") as caught:
        require_writable(tmp_path)
    assert caught.value.filename == tmp_path


# --- folders that are replaced as a whole -------------------------------------


def tree(folder):
    """The content of each file in a folder, by its path."""
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in folder.rglob("*")
        if path.is_file()
    }


def put(folder, name, text):
    with replacing_folder(folder) as made:
        (made / name).write_text(text)


def test_a_folder_takes_the_place_of_all_that_was_there(tmp_path):
    folder = tmp_path / "sub" / "evaluation"
    put(folder, "old.png", "old")
    put(folder, "new.png", "new")
    assert tree(tmp_path) == {"sub/evaluation/new.png": "new"}


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_replacement_that_is_stopped_leaves_the_old(
    tmp_path, monkeypatch, error, number
):
    """While it is written, and at either of the renames."""
    put(tmp_path / "a", "old.png", "old")
    renames, replace = [], os.replace

    def stop(source, target):
        renames.append(target)
        if len(renames) == number:
            raise error
        replace(source, target)

    def write():
        with replacing_folder(tmp_path / "a") as made:
            (made / "new.png").write_text("half")
            if not number:
                raise error

    monkeypatch.setattr(os, "replace", stop)
    with pytest.raises(error):
        write()
    assert tree(tmp_path) == {"a/old.png": "old"}


def test_a_replacement_that_was_killed_is_ended_or_undone(tmp_path):
    folder, aside = tmp_path / "a", tmp_path / ".previous.a"
    put(folder, "old.png", "old")
    folder.rename(aside)
    restore(folder)
    assert tree(tmp_path) == {"a/old.png": "old"}
    put(aside, "older.png", "older")
    put(tmp_path / ".partial-12345678.a", "new.png", "half")
    restore(folder)
    assert tree(tmp_path) == {"a/old.png": "old"}
    restore(tmp_path / "none")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_link_to_a_folder_is_replaced_and_its_target_stays(tmp_path):
    put(tmp_path / "kept", "old.png", "old")
    (tmp_path / "a").symlink_to(tmp_path / "kept", target_is_directory=True)
    put(tmp_path / "a", "new.png", "new")
    assert not (tmp_path / "a").is_symlink()
    assert sorted(os.listdir(tmp_path)) == ["a", "kept"]
    assert tree(tmp_path) == {"a/new.png": "new", "kept/old.png": "old"}
