"""Damaged and hostile files of a prepared set: one line with a remedy."""

import json
import os
import shutil
import sys

import numpy as np
import pytest
import tensorflow as tf
from test_damaged_runs import mutations, refused

from pet_dcgan.data.prepared_set import load_slices, open_set
from pet_dcgan.utils.checksums import write_checksums

REMEDY = "remove it and run pet-dcgan prepare again"
SMALL = (
    *("dataset_info.json", "metadata.json", "features.json", "scans.csv"),
    *("label.labels.txt", "plane.labels.txt"),
)


@pytest.fixture
def copied(toy_set, tmp_path):
    """A set to damage: its data_dir and its version folder."""
    shutil.copytree(toy_set / "adni", tmp_path / "adni")
    return tmp_path, tmp_path / "adni" / "axial_32" / "2.0.0"


def read(data_dir):
    where = {"split": "train", "stage": "ALL", "plane": "axial"}
    # a process keeps a set that it has opened
    open_set.__globals__["_opened"].cache_clear()
    return load_slices(data_dir, "axial_32", **where)


def same(found, wanted):
    """Whether what a training would take is the same."""
    names = ("images", "subjects", "scans", "positions_mm")
    return found.meta == wanted.meta and all(
        np.array_equal(getattr(found, n), getattr(wanted, n)) for n in names
    )


@pytest.mark.parametrize("name", SMALL)
def test_damage_is_one_line_and_with_checksums_all_of_it(copied, name):
    data_dir, folder = copied
    path, rng = folder / name, np.random.default_rng(0)
    wanted, whole = read(data_dir), path.read_bytes()
    summed = name != "dataset_info.json"
    if summed:
        write_checksums(folder, [n for n in SMALL if n != "dataset_info.json"])
    for damaged in mutations(whole, rng, 60):
        path.write_bytes(damaged)
        try:
            found = read(data_dir)
        except (ValueError, FileNotFoundError):
            refused(lambda: read(data_dir), str(folder))
        else:
            assert same(found, wanted)
            assert not summed or damaged == whole


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo, None])
def test_anything_in_place_of_a_file_is_one_line(copied, name, make):
    data_dir, folder = copied
    (folder / name).unlink()
    if make:
        make(folder / name)
    elif name == "dataset_info.json":
        return  # then there is no set
    refused(lambda: read(data_dir), str(folder / name), REMEDY)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("label.labels.txt", "NC\nMC1\nAD\n"),
        ("label.labels.txt", "MCI\nNC\nAD\n"),
        ("label.labels.txt", "NC\nMCI\n"),
        ("plane.labels.txt", "axial\nsagittal\ncoronal\n"),
        ("plane.labels.txt", "\0" * 10**6),
    ],
)
def test_labels_of_another_meaning_are_refused(copied, name, text):
    data_dir, folder = copied
    (folder / name).write_text(text)
    refused(lambda: read(data_dir), name, REMEDY)


def test_a_module_that_features_name_is_not_imported(copied, monkeypatch):
    data_dir, folder = copied
    evil = data_dir / "evil_features.py"
    evil.write_text("raise SystemExit('code ran')")
    monkeypatch.syspath_prepend(data_dir)
    path = folder / "features.json"
    text = path.read_text()
    honest = "tensorflow_datasets.core.features.text_feature.Text"
    for name in ("evil_features.Text", "os.Text", "Text", 7, None, ["a"]):
        path.write_text(text.replace(f'"{honest}"', json.dumps(name)))
        refused(lambda: read(data_dir), "features of TFDS", REMEDY)
    assert "evil_features" not in sys.modules


def change(path, **entries):
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


def split(**entries):
    template = "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}"
    train = {"filepathTemplate": template, "name": "train"}
    return {"splits": [train | {"shardLengths": ["36"]} | entries]}


@pytest.mark.parametrize(
    "entries",
    [
        {"splits": None},
        {"splits": {}},
        {"splits": [7]},
        {"splits": split()["splits"] * 2},
        split(name="../../etc"),
        split(name=["train"]),
        split(filepathTemplate="../../{DATASET}"),
        split(shardLengths="36"),
        split(shardLengths=["-1"]),
        split(shardLengths=["1e9"]),
        split(shardLengths=["9" * 30]),
        split(shardLengths=[None]),
        split(shardLengths=["35"]),
        split(shardLengths=["18", "18"]),
        split(shardLengths=["0"] * 100_000),
    ],
)
def test_impossible_splits_are_refused(copied, entries):
    data_dir, folder = copied
    change(folder / "dataset_info.json", **entries)
    refused(lambda: read(data_dir), str(folder), REMEDY)


@pytest.mark.parametrize(
    "entries",
    [
        {"size": "32"},
        {"size": 32.5},
        {"size": -1},
        {"size": 10**9},
        {"size": 10**400},
        {"size": 64},
        {"suvr_max": 0},
        {"suvr_max": None},
        {"spacing_mm": "6"},
        {"phantom": "no"},
        {"phantom": 1},
        {"planes": []},
        {"planes": [32]},
        {"planes": ["axial", "axial"]},
        {"planes": "axial"},
        {"normalisation": "brain"},
        {"normalisation": {"method": ["brain"]}},
        {"normalisation": {"method": "cerebellum"}},
        {"normalisation": {}},
        {"planes": ["ALL"]},
        {"bands_mm": [0, 24]},
        {"bands_mm": {"top": [0, 24]}},
        {"bands_mm": {"axial": 24}},
        {"bands_mm": {"axial": [24]}},
        {"bands_mm": {"axial": [24, 0]}},
        {"bands_mm": {"axial": ["0", 24]}},
        {"bands_mm": {"axial": [0, 10**400]}},
    ],
)
def test_impossible_metadata_is_refused(copied, entries):
    data_dir, folder = copied
    change(folder / "metadata.json", **entries)
    refused(lambda: read(data_dir), str(folder), REMEDY)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("NC,True,train", "NQ,True,train"),
        ("NC,True,train", "NC,Trve,train"),
        ("NC,True,train", "NC,True,tain"),
        ("999_S_1000", "999_S_1009"),
        ("999_S_1000", "x" * 200_000),
        ("999_S_1000", '"'),
        ("999_S_1000", "999_S_1000,"),
        ("999_S_1000", ""),
    ],
)
def test_a_wrong_account_of_scans_is_refused(copied, old, new):
    data_dir, folder = copied
    path = folder / "scans.csv"
    path.write_text(path.read_text().replace(old, new, 1))
    refused(lambda: read(data_dir), "scans.csv", REMEDY)


def test_a_missing_file_of_records_is_one_line(copied):
    data_dir, folder = copied
    (path,) = folder.glob("adni-train.*")
    path.unlink()
    refused(lambda: read(data_dir), str(path), REMEDY)
    path.mkdir()
    refused(lambda: read(data_dir), str(path), REMEDY)
    path.rmdir()
    os.mkfifo(path)
    refused(lambda: read(data_dir), str(path), REMEDY)


def test_other_folders_are_no_versions(copied):
    data_dir, folder = copied
    for name in ("2.x.0", "9.9.9.bak", "a.b.c"):
        shutil.copytree(folder, folder.with_name(name))
    assert open_set(data_dir, "axial_32").meta.version == "2.0.0"


def test_damaged_records_of_right_checksums_are_one_line(copied):
    data_dir, folder = copied
    (path,) = folder.glob("adni-train.*")
    records = list(tf.data.TFRecordDataset(str(path)).as_numpy_iterator())
    rng, whole = np.random.default_rng(6), read(data_dir)
    seen = 0
    for number, damaged in enumerate(mutations(records[0], rng, 40)):
        # its texts, which are a few bytes, as often as its pixels
        if number % 2:
            place = len(damaged) - 1 - number
            damaged = damaged[:place] + b"\xff" + damaged[place + 1 :]
        with tf.io.TFRecordWriter(str(path)) as writer:
            for record in (damaged, *records[1:]):
                writer.write(record)
        try:
            found = read(data_dir)
        except ValueError:
            seen += 1
            refused(lambda: read(data_dir), str(folder), REMEDY)
        else:  # another pixel, or a field that is not read
            assert found.images.shape == whole.images.shape
    assert seen > 10
