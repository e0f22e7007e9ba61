import pytest

from pet_dcgan.utils.files import replacing, sweep


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
