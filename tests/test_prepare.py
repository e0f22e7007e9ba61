import json
import os
import signal
import subprocess
import sys
import time
from multiprocessing import active_children
from pathlib import Path

import ida_tree
import numpy as np
import pytest
import tensorflow_datasets as tfds

from tfds_adni import prepare
from tfds_adni.cohort.selection import Selection
from tfds_adni.volumes.normalisation import Normalisation


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    root = tmp_path_factory.mktemp("ida") / "scans"
    return ida_tree.write_tree(root, ida_tree.cohort_rows(4))


@pytest.fixture(scope="module")
def undisturbed(tree, tmp_path_factory):
    """What a prepare by one process left, as bytes by path."""
    folder = tmp_path_factory.mktemp("undisturbed")
    prepare(tree, folder, config="axial_64", jobs=1)
    return content(folder)


def content(folder):
    """Every file below a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_nothing_left_in_a_split_fails_and_leaves_nothing(tmp_path):
    root = ida_tree.write_tree(tmp_path / "scans", ida_tree.cohort_rows(3))
    for path in root.rglob("*.nii"):
        ida_tree.save_las(np.ones(ida_tree.SHAPE, "f4"), path)
    with pytest.raises(ValueError, match=r"usable scans for the train split"):
        prepare(root, tmp_path / "data", config="axial_64")
    assert not list((tmp_path / "data").rglob("*.tfrecord*"))


def test_prepare_gives_a_loadable_set_with_shards(tree, tmp_path):
    seen = []
    home = prepare(
        tree, tmp_path, config="axial_64", num_shards=2, check=seen.append
    )
    assert len(seen[0].used) == 12
    assert len(list(home.glob("*train*"))) == 2
    data = tfds.load("adni/axial_64", data_dir=tmp_path, split="train")
    assert next(iter(data))["image"].shape == (64, 64, 1)
    facts = json.loads((home / "metadata.json").read_text())
    assert facts["spacing_mm"] == 3.0


def test_prepare_again_is_refused_and_keeps_what_is_there(tree, tmp_path):
    home = prepare(tree, tmp_path, config="axial_64")
    before = sorted(p.stat().st_mtime_ns for p in home.iterdir())
    with pytest.raises(FileExistsError, match="expected no data set yet"):
        prepare(tree, tmp_path, config="axial_64")
    assert sorted(p.stat().st_mtime_ns for p in home.iterdir()) == before


def test_unknown_configuration(tree, tmp_path):
    with pytest.raises(ValueError, match="axial_128, coronal_128"):
        prepare(tree, tmp_path, config="axial_999")


def test_too_few_subjects_fail_before_anything_is_written(tmp_path):
    root = ida_tree.write_tree(tmp_path / "scans", ida_tree.cohort_rows(2))
    with pytest.raises(ValueError, match="at least 3 subjects"):
        prepare(root, tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_another_split_in_the_same_data_dir_is_refused(tree, tmp_path):
    prepare(tree, tmp_path, config="axial_64")
    with pytest.raises(ValueError, match=r"999_S_9\d+ \(.*same --seed"):
        prepare(tree, tmp_path, config="axial_128", split_seed=5)
    assert not (tmp_path / "adni" / "axial_128").exists()


def test_a_second_prepare_gives_the_same_bytes(tree, tmp_path, undisturbed):
    prepare(tree, tmp_path, config="axial_64")
    assert content(tmp_path) == undisturbed


@pytest.mark.parametrize("jobs", [2, 3])
def test_the_number_of_processes_does_not_matter(
    tree, tmp_path, undisturbed, jobs
):
    prepare(tree, tmp_path, config="axial_64", jobs=jobs)
    assert content(tmp_path) == undisturbed


def test_no_path_of_this_machine_is_written(tree, undisturbed):
    for name, data in undisturbed.items():
        assert str(tree.parent).encode() not in data, name


def test_progress_counts_every_scan(tree, tmp_path):
    seen = []
    prepare(
        tree,
        tmp_path,
        config="axial_64",
        jobs=2,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen == [(n, 12) for n in range(1, 13)]


def test_selection_and_normalisation_reach_the_builder(tree, tmp_path):
    home = prepare(
        tree,
        tmp_path,
        config="axial_64",
        selection=Selection(visits="all"),
        normalisation=Normalisation(),
    )
    facts = json.loads((home / "metadata.json").read_text())
    assert facts["selection"]["visits"] == "all"
    assert facts["normalisation"] == {"method": "brain"}


def interrupt(done, total):
    if done == 5:
        raise KeyboardInterrupt


def test_ctrl_c_leaves_nothing(tree, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        prepare(
            tree, tmp_path / "d", config="axial_64", jobs=2, progress=interrupt
        )
    assert not (tmp_path / "d").exists()
    assert not active_children()


def test_a_killed_process_leaves_nothing(tree, tmp_path):
    def kill_one(done, total):
        if done == 3:
            os.kill(active_children()[0].pid, signal.SIGKILL)

    with pytest.raises(ChildProcessError, match="found one that was killed"):
        prepare(
            tree, tmp_path / "d", config="axial_64", jobs=2, progress=kill_one
        )
    assert not (tmp_path / "d").exists()
    assert not active_children()


@pytest.mark.parametrize("address", ["gs://bucket/data", "s3:/bucket"])
def test_a_bucket_is_no_folder(tree, address):
    with pytest.raises(ValueError, match="expected a folder as --data-dir"):
        prepare(tree, address)


def test_masks_that_are_not_there_fail_and_leave_nothing(tree, tmp_path):
    nowhere = Normalisation(method="mask", masks=tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="expected mask images"):
        prepare(tree, tmp_path / "d", config="axial_64", normalisation=nowhere)
    assert not (tmp_path / "d").exists()


PREPARE = """
import sys
from tfds_adni import prepare

prepare(
    sys.argv[1],
    sys.argv[2],
    config="axial_64",
    jobs=int(sys.argv[3]),
    progress=lambda done, total: print(done, flush=True),
)
"""


def start(tree, folder, jobs=2, **options):
    return subprocess.Popen(
        [sys.executable, "-c", PREPARE, tree, folder, str(jobs)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        **options,
    )


@pytest.mark.slow
def test_another_process_gives_the_same_bytes(tree, tmp_path, undisturbed):
    process = start(tree, tmp_path)
    process.communicate(timeout=300)
    assert process.returncode == 0
    assert content(tmp_path) == undisturbed


@pytest.mark.slow
@pytest.mark.parametrize("how", ["kill", "interrupt"])
def test_stopped_at_every_file_operation_and_run_again(tree, tmp_path, how):
    """Whatever it was about to do: whole or absent, and whole the next time."""
    whole = tmp_path / "whole"
    prepare(tree, whole, config="axial_64", jobs=1)
    script = Path(__file__).with_name("killed_prepare.py")
    done = subprocess.run(
        [sys.executable, script, tree, whole, tmp_path / "work", how, "1", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    moments = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(moments) > 20
    assert all(m["whole"] and m["again"] for m in moments)
    left = [len(m["left"]) for m in moments]
    half = [n for n in left if 0 < n < left[-1]]
    assert bool(half) == (how == "kill")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("by", "seed"),
    [(signal.SIGKILL, n) for n in range(4)]
    + [(signal.SIGINT, 0), (signal.SIGINT, 1), (signal.SIGTERM, 0)],
)
def test_stopped_at_any_moment_and_run_again(
    tree, tmp_path, undisturbed, by, seed
):
    """Never a set that loads and is not whole; the next run makes it whole."""
    rng = np.random.default_rng([seed, by])
    folder = tmp_path / "data"
    for _ in range(2):
        process = start(tree, folder)
        process.stdout.readline()  # the first scan is cut
        time.sleep(rng.uniform(0, 3))
        os.killpg(process.pid, by)
        process.communicate(timeout=300)
        if list(folder.glob("adni/axial_64/*/dataset_info.json")):
            assert content(folder) == undisturbed
            return
        if by == signal.SIGINT:
            assert not folder.exists()
    prepare(tree, folder, config="axial_64", jobs=1)
    assert content(folder) == undisturbed
