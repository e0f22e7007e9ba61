import multiprocessing
import os
import signal

import pytest
from tfds_adni.staging import claimed


@pytest.fixture
def home(tmp_path):
    return tmp_path / "data" / "adni" / "axial_128" / "1.0.0"


def make(home):
    """What TFDS leaves of a data set that is whole."""
    (home.parent.parent / ".config").mkdir(parents=True, exist_ok=True)
    (home.parent.parent / ".config" / "metadata.json").write_text("{}")
    home.mkdir(parents=True)
    (home / "dataset_info.json").write_text("{}")


def tree(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))


def test_only_the_data_set_stays(home, tmp_path):
    with claimed(home) as scratch:
        assert scratch.is_dir()
        (scratch / "downloads").mkdir()
        make(home)
    assert tree(tmp_path / "data") == [
        "adni",
        "adni/.config",
        "adni/.config/metadata.json",
        "adni/axial_128",
        "adni/axial_128/1.0.0",
        "adni/axial_128/1.0.0/dataset_info.json",
    ]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_what_fails_leaves_nothing(home, tmp_path, error):
    def fail():
        (home.parent.parent / ".config").mkdir()
        (home.parent.parent / ".config" / "metadata.json").write_text("{}")
        (home.parent / "incomplete.ABC_1.0.0").mkdir()
        raise error

    with pytest.raises(error), claimed(home):
        fail()
    assert not (tmp_path / "data").exists()


def test_what_was_there_before_stays(home, tmp_path):
    other = tmp_path / "data" / "adni" / "coronal_128" / "1.0.0"
    make(other)
    (tmp_path / "data" / "notes.txt").write_text("mine")
    before = tree(tmp_path)
    with pytest.raises(ValueError), claimed(home):  # noqa: PT011
        raise ValueError
    assert tree(tmp_path) == before


def test_leftovers_of_a_killed_process_are_removed(home):
    for leftover in ("incomplete.X1_1.0.0", "incomplete.downloads"):
        (home.parent / leftover / "deep").mkdir(parents=True)
        (home.parent / leftover / "deep" / "file").write_text("half")
    config = home.parent.parent / ".config"
    config.mkdir()
    (config / "incomplete.XY.metadata.json").write_text("half")
    (home.parent.parent / ".preparing").write_text("")
    with claimed(home):
        assert [p.name for p in home.parent.iterdir()] == [
            "incomplete.downloads"
        ]
        assert not list((home.parent / "incomplete.downloads").iterdir())
        assert not list(config.iterdir())


def test_a_second_one_is_refused_and_disturbs_nothing(home):
    other = home.parent.parent / "coronal_128" / "1.0.0"
    with claimed(home):
        half = home.parent / "incomplete.X1_1.0.0"
        half.mkdir()
        for wanted in (home, other):
            with (
                pytest.raises(FileExistsError, match="another pet-dcgan"),
                claimed(wanted),
            ):
                pass
        assert half.exists()
    with claimed(other):
        pass


def claim_and_die(home):
    with claimed(home):
        (home.parent / "incomplete.X1_1.0.0").mkdir()
        os.kill(os.getpid(), signal.SIGKILL)


def test_the_claim_ends_with_its_process(home):
    child = multiprocessing.get_context("spawn").Process(
        target=claim_and_die, args=(home,)
    )
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL
    assert (home.parent / "incomplete.X1_1.0.0").exists()
    with claimed(home):
        assert not (home.parent / "incomplete.X1_1.0.0").exists()
