import errno
import os
import stat
import tempfile

import pytest

from pet_dcgan.utils.files import (
    replacing,
    require_file_place,
    require_writable,
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
