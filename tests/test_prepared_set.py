import json
import os
import shutil

import numpy as np
import pytest
from toy_data import METADATA, disc

from pet_dcgan.data import prepared_set
from pet_dcgan.data.prepared_set import (
    SetMeta,
    load_slices,
    open_set,
    subjects_of,
)
from pet_dcgan.data.records import read_facts

AD = {"split": "train", "stage": "AD", "plane": "axial"}


@pytest.fixture
def copied(toy_set, tmp_path):
    """A set to damage: its data_dir and its version folder."""
    shutil.copytree(toy_set / "adni", tmp_path / "adni")
    return tmp_path, tmp_path / "adni" / "axial_32" / "1.0.0"


def test_metadata_is_read(toy_set):
    assert open_set(toy_set, "axial_32").meta == SetMeta(
        size=32,
        spacing_mm=6.0,
        suvr_max=2.5,
        phantom=True,
        planes=("axial",),
        dataset="axial_32",
        version="1.0.0",
    )


def test_slices_come_in_order_with_their_pixels(toy_set):
    slices = load_slices(toy_set, "axial_32", **AD)
    assert slices.images.shape == (12, 32, 32)
    assert slices.images.dtype == np.uint16
    subjects = np.repeat(["999_S_3000", "999_S_3001", "999_S_3002"], 4)
    np.testing.assert_array_equal(slices.subjects, subjects)
    np.testing.assert_array_equal(slices.scans[:5], ["I3000"] * 4 + ["I3001"])
    np.testing.assert_array_equal(slices.positions_mm[:5], [0, 6, 12, 18, 0])
    for place in range(12):
        expected = disc("AD", place)[..., 0]
        np.testing.assert_array_equal(slices.images[place], expected)


def test_all_stages_together_are_those_of_each(toy_set):
    together = load_slices(toy_set, "axial_32", **AD | {"stage": "ALL"})
    assert len(together.images) == 36
    assert list(together.subjects) == sorted(together.subjects)
    for stage in ("NC", "MCI", "AD"):
        alone = load_slices(toy_set, "axial_32", **AD | {"stage": stage})
        own = np.isin(together.scans, alone.scans)
        np.testing.assert_array_equal(together.images[own], alone.images)


@pytest.mark.parametrize(
    ("chosen", "numbers"),
    [
        ({"split": "validation"}, (1003, 2003, 3003)),
        ({"split": "test", "stage": "NC"}, (1004, 1005)),
    ],
)
def test_subjects_of_a_split(toy_set, chosen, numbers):
    expected = {f"999_S_{number}" for number in numbers}
    assert subjects_of(toy_set, "axial_32", **chosen) == expected


def test_the_highest_version_is_opened(copied):
    data_dir, folder = copied
    info = json.loads((folder / "dataset_info.json").read_text())
    newer = folder.with_name("1.10.0")
    shutil.copytree(folder, newer)
    info["version"] = "1.10.0"
    (newer / "dataset_info.json").write_text(json.dumps(info))
    shutil.copytree(folder, folder.with_name("1.9.0"))
    assert open_set(data_dir, "axial_32").meta.version == "1.10.0"


def test_a_missing_set_names_the_remedy_and_what_is_there(toy_set, tmp_path):
    with pytest.raises(FileNotFoundError, match="found axial_32: ") as caught:
        open_set(toy_set, "axial_64")
    assert "pet-dcgan prepare FOLDER --data-dir" in str(caught.value)
    assert "--config axial_64" in str(caught.value)
    with pytest.raises(FileNotFoundError, match="found none"):
        open_set(tmp_path / "absent", "axial_32")


def test_a_plane_without_slices_says_what_there_is(toy_set):
    counts = "found 12 AD axial, 12 MCI axial, 12 NC axial: "
    with pytest.raises(ValueError, match=counts):
        load_slices(toy_set, "axial_32", **AD | {"plane": "coronal"})


def test_a_set_without_the_split_says_so(copied):
    data_dir, folder = copied
    path = folder / "dataset_info.json"
    info = json.loads(path.read_text())
    info["splits"] = [s for s in info["splits"] if s["name"] != "test"]
    path.write_text(json.dumps(info))
    with pytest.raises(ValueError, match=r"split test of .* found no slice"):
        load_slices(data_dir, "axial_32", **AD | {"split": "test"})


@pytest.mark.parametrize(
    ("name", "value"), [("split", "tset"), ("stage", "CN"), ("plane", "top")]
)
def test_unknown_words_are_refused(toy_set, name, value):
    words = AD | {name: value}
    with pytest.raises(ValueError, match=f"expected {name} among .*{value}"):
        load_slices(toy_set, "axial_32", **words)
    words.pop("plane")
    if name != "plane":
        with pytest.raises(ValueError, match=f"expected {name} among"):
            subjects_of(toy_set, "axial_32", **words)


def test_missing_metadata_is_named(copied):
    data_dir, folder = copied
    rest = {k: v for k, v in METADATA.items() if k != "suvr_max"}
    (folder / "metadata.json").write_text(json.dumps(rest))
    with pytest.raises(ValueError, match="expected suvr_max in the metadata"):
        open_set(data_dir, "axial_32")


@pytest.mark.parametrize(
    "name", ["features.json", "dataset_info.json", "metadata.json"]
)
def test_a_damaged_description_is_one_line(copied, name):
    data_dir, folder = copied
    (folder / name).write_text("{")
    with pytest.raises(ValueError, match=r"found a damaged one \(") as caught:
        open_set(data_dir, "axial_32")
    assert "\n" not in str(caught.value)


def first_record(whole):
    """The bytes of the first of some TFRecords: length, sums and content."""
    return whole[: 16 + int.from_bytes(whole[:8], "little")]


@pytest.mark.parametrize(
    "left",
    [
        None,
        lambda whole: b"",
        lambda whole: whole[: len(whole) // 2],
        first_record,
        lambda whole: whole + first_record(whole),
    ],
    ids=["none", "empty", "half", "one", "one more"],
)
def test_damaged_records_are_one_line(copied, left):
    data_dir, folder = copied
    records = next(folder.glob("adni-train.*"))
    whole = records.read_bytes()
    records.unlink()
    if left:
        records.write_bytes(left(whole))
    with pytest.raises(ValueError, match=r"damaged one \([^{]") as caught:
        load_slices(data_dir, "axial_32", **AD)
    assert "\n" not in str(caught.value)


def test_only_some_subjects(toy_set, tmp_path):
    some = {"999_S_3002", "999_S_3000"}
    everyone = load_slices(toy_set, "axial_32", **AD)
    kept = np.isin(everyone.subjects, sorted(some))
    for overflow in (None, tmp_path):
        found = load_slices(
            toy_set, "axial_32", **AD, subjects=some, overflow=overflow
        )
        np.testing.assert_array_equal(found.images, everyone.images[kept])
        assert set(found.subjects) == some
        assert len(found.positions_mm) == len(found.images) == 8
    with pytest.raises(ValueError, match="expected axial slices of stage AD"):
        load_slices(toy_set, "axial_32", **AD, subjects={"999_S_9999"})


def test_slices_are_counted_without_their_pixels(toy_set, monkeypatch):
    whole = load_slices(toy_set, "axial_32", **AD)
    monkeypatch.setattr(prepared_set, "read_pixels", None)
    counted = load_slices(toy_set, "axial_32", **AD, decode=False)
    assert counted.images.shape == whole.images.shape
    assert counted.images.nbytes == whole.images.nbytes
    np.testing.assert_array_equal(counted.subjects, whole.subjects)


def test_each_split_is_read_once(copied, monkeypatch):
    reads = []

    def read(builder, split):
        reads.append(split)
        return read_facts(builder, split)

    monkeypatch.setattr(prepared_set, "read_facts", read)
    data_dir, folder = copied
    for stage in ("AD", "NC", "ALL"):
        load_slices(data_dir, "axial_32", **AD | {"stage": stage})
        subjects_of(data_dir, "axial_32", split="test", stage=stage)
    assert reads == ["train"]
    # a set that has been prepared again is another one
    os.utime(folder / "dataset_info.json", (1, 1))
    load_slices(data_dir, "axial_32", **AD)
    assert reads == ["train", "train"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (None, None, "No such file"),
        ("subject,", "person,", "subject"),
        ("AD,True,train", "AD,True,test", "no 999_S_300. in split train"),
    ],
    ids=["absent", "no column", "another split"],
)
def test_a_damaged_list_of_scans_is_one_line(copied, old, new, words):
    data_dir, folder = copied
    path = folder / "scans.csv"
    text = path.read_text()
    path.unlink()
    if old:
        path.write_text(text.replace(old, new))
    with pytest.raises(ValueError, match=rf"damaged one \(.*{words}"):
        load_slices(data_dir, "axial_32", **AD)


def test_a_dry_run_reads_the_training_split_once(tiny_config, monkeypatch):
    from pet_dcgan.training.dry_run import dry_run

    prepared_set._opened.cache_clear()
    reads = []
    records = prepared_set.read_facts
    monkeypatch.setattr(prepared_set, "read_pixels", None)
    monkeypatch.setattr(
        prepared_set,
        "read_facts",
        lambda builder, split: reads.append(split) or records(builder, split),
    )
    lines = dry_run(tiny_config())
    assert "3 subjects, 12 slices" in lines
    assert reads == ["train"]
