"""A folder to a prepared data set: whole or not at all, the same each time."""

import json
import multiprocessing
import os
import signal
import tempfile
from pathlib import Path

import ida_tree
import numpy as np
import pytest
import tensorflow_datasets as tfds

from tfds_adni import Selection, prepare
from tfds_adni.preparation import claimed
from tfds_adni.volumes.normalisation import Normalisation


def content(folder):
    """Every file below a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    root = tmp_path_factory.mktemp("ida") / "scans"
    return ida_tree.write_tree(root, ida_tree.cohort_rows(4))


@pytest.fixture(scope="module")
def whole(tree, tmp_path_factory):
    """A `data_dir` that one process prepared undisturbed."""
    folder = tmp_path_factory.mktemp("whole")
    prepare(tree, folder, config="axial_64", jobs=1)
    return folder


def make(tree, folder, **options):
    """Prepares what is expected to fail, which leaves nothing."""
    try:
        return prepare(tree, folder, config="axial_64", **options)
    finally:
        assert not folder.exists()
        assert not multiprocessing.active_children()


def test_a_loadable_set_with_shards_and_options(tree, tmp_path, whole):
    cohorts = []
    home = prepare(
        str(tree),
        tmp_path,
        config="axial_64",
        num_shards=2,
        selection=Selection(visits="all"),
        normalisation=Normalisation(),
        jobs=1,
        check=cohorts.append,
    )
    assert len(cohorts[0].used) == 12
    assert len(list(home.glob("*train*"))) == 2
    data = tfds.load("adni/axial_64", data_dir=tmp_path, split="train")
    assert next(iter(data))["image"].shape == (64, 64, 1)
    facts = json.loads((home / "metadata.json").read_text())
    assert facts["spacing_mm"] == 3.0
    assert facts["selection"]["visits"] == "all"
    assert facts["normalisation"] == {"method": "brain"}


def test_the_number_of_processes_does_not_matter(tree, tmp_path, whole):
    """Nor does the place: no path of this machine is written."""
    counts = []
    prepare(
        tree,
        tmp_path,
        config="axial_64",
        jobs=2,
        progress=lambda *count: counts.append(count),
    )
    assert content(tmp_path) == content(whole)
    assert counts == [(n, 12) for n in range(1, 13)]
    for name, data in content(whole).items():
        assert str(tree.parent).encode() not in data, name


@pytest.mark.parametrize("options", [None, "--runner=DirectRunner"])
def test_no_temporary_file_stays(tree, tmp_path, monkeypatch, options):
    """TFDS and Beam leave some, where they are let."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.setenv("TMPDIR", str(temporary))
    prepare(tree, tmp_path / "data", config="axial_64", beam_options=options)
    assert not list(temporary.iterdir())
    assert tempfile.tempdir == os.environ["TMPDIR"] == str(temporary)


def test_prepare_again_is_refused_and_keeps_what_is_there(tree, whole):
    before = content(whole)
    with pytest.raises(FileExistsError, match="expected no data set yet"):
        prepare(tree, whole, config="axial_64")
    with pytest.raises(ValueError, match=r"999_S_9\d+ \(.*same --seed"):
        prepare(tree, whole, config="axial_128", split_seed=5)
    assert content(whole) == before


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"config": "axial_999"}, ValueError, "axial_128, coronal_128"),
        ({"data_dir": "gs://bucket/d"}, ValueError, "a folder as --data-dir"),
        ({"data_dir": Path("s3:/b")}, ValueError, "a folder as --data-dir"),
        (
            {"normalisation": Normalisation(method="mask", masks=Path("no"))},
            FileNotFoundError,
            "expected mask images",
        ),
    ],
)
def test_options_that_are_refused(tree, tmp_path, change, error, words):
    options = {"data_dir": tmp_path / "d", "config": "axial_64"} | change
    with pytest.raises(error, match=words):
        prepare(tree, **options)
    assert not (tmp_path / "d").exists()


@pytest.mark.parametrize(
    ("subjects", "words"),
    [(2, "at least 3 subjects"), (3, "usable scans for the train split")],
)
def test_cohorts_that_fail_leave_nothing(tmp_path, subjects, words):
    """Too few subjects, and subjects of whom no scan has a brain in it."""
    rows = ida_tree.cohort_rows(subjects)
    root = ida_tree.write_tree(tmp_path / "scans", rows)
    for path in root.rglob("*.nii"):
        ida_tree.save_las(np.ones(ida_tree.SHAPE, "f4"), path)
    with pytest.raises(ValueError, match=words):
        make(root, tmp_path / "d", jobs=1)


def test_ctrl_c_leaves_nothing(tree, tmp_path):
    def interrupt(done, total):
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(tree, tmp_path / "d", jobs=1, progress=interrupt)


def test_a_killed_process_leaves_nothing(tree, tmp_path):
    def kill_one(done, total):
        if done == 3:
            child = multiprocessing.active_children()[0]
            os.kill(child.pid, signal.SIGKILL)

    with pytest.raises(ChildProcessError, match="found one that was killed"):
        make(tree, tmp_path / "d", jobs=2, progress=kill_one)


# --- the claim on a place -----------------------------------------------------


@pytest.fixture
def home(tmp_path):
    return tmp_path / "data" / "adni" / "axial_128" / "2.0.0"


def test_only_a_whole_set_and_what_was_there_stay(home, tmp_path):
    with pytest.raises(ValueError, match="x"), claimed(home):
        raise ValueError("x")
    assert not list(tmp_path.iterdir())
    with claimed(home) as scratch:
        (scratch / "downloads").mkdir(parents=True)
        home.mkdir()
        (home.parent.parent / ".config").mkdir()
    (tmp_path / "data" / "notes.txt").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    assert {path.name for path in before} == {
        *("data", "adni", "axial_128", "2.0.0", ".config", "notes.txt")
    }
    other = home.parent.parent / "coronal_128" / "2.0.0"
    with pytest.raises(ValueError, match="x"), claimed(other):
        raise ValueError("x")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_second_claim_is_refused_and_disturbs_nothing(home):
    other = home.parent.parent / "coronal_128" / "2.0.0"
    with claimed(home):
        half = home.parent / "incomplete.X1_2.0.0"
        half.mkdir()
        for wanted in (home, other):
            with (
                pytest.raises(BlockingIOError, match="pet-dcgan prepare"),
                claimed(wanted),
            ):
                pass
        assert half.exists()
    with claimed(other):
        pass


def test_what_was_left_beside_a_whole_set_goes(home):
    """By a `prepare` that was killed between its set and its end."""
    home.mkdir(parents=True)
    sets = home.parent.parent
    (home.parent / "incomplete.downloads" / "extracted").mkdir(parents=True)
    (sets / ".lock").touch()
    with pytest.raises(FileExistsError, match="found one at"), claimed(home):
        pass
    assert sorted(sets.rglob("*")) == [home.parent, home]
    other = home.parent.parent / "coronal_128" / "2.0.0"
    with (
        claimed(other) as scratch,
        pytest.raises(FileExistsError, match="found one at"),
        claimed(home),
    ):
        pass
    assert not scratch.exists()


def claim_and_die(home):
    with claimed(home) as scratch:
        (home.parent / "incomplete.X1_2.0.0" / "deep").mkdir(parents=True)
        (scratch / "half").write_text("half")
        config = home.parent.parent / ".config"
        config.mkdir()
        (config / "incomplete.XY.metadata.json").write_text("half")
        os.kill(os.getpid(), signal.SIGKILL)


def test_the_claim_ends_with_its_process_and_its_leftovers_go(home):
    child = multiprocessing.get_context("fork").Process(
        target=claim_and_die, args=(home,)
    )
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL
    assert (home.parent / "incomplete.X1_2.0.0").exists()
    with claimed(home) as scratch:
        assert list(home.parent.iterdir()) == [scratch]
        assert not list(scratch.iterdir())
        assert not list((home.parent.parent / ".config").iterdir())
