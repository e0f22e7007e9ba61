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


def load(data_dir, **changes):
    where = {"split": "train", "stage": "AD", "plane": "axial"} | changes
    return load_slices(data_dir, "axial_32", **where)


@pytest.fixture
def copied(toy_set, tmp_path):
    """A set to damage: its data_dir and its version folder."""
    shutil.copytree(toy_set / "adni", tmp_path / "adni")
    return tmp_path, tmp_path / "adni" / "axial_32" / "2.0.0"


def rewrite_info(folder, **changes):
    path = folder / "dataset_info.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.fixture
def reads(monkeypatch):
    """The splits whose records have been read."""
    found = []

    def read(files, **options):
        found.append(files[0].path.name.split(".")[0].removeprefix("adni-"))
        return read_facts(files, **options)

    monkeypatch.setattr(prepared_set, "read_facts", read)
    return found


# --- what there is ------------------------------------------------------------


def test_all_splits_are_those_of_each_together(toy_set):
    joined = load(toy_set, split="all")
    parts = [load(toy_set, split=split) for split in ("train", "validation")]
    parts.append(load(toy_set, split="test"))
    for name in ("images", "subjects", "scans", "positions_mm"):
        expected = np.concatenate([getattr(part, name) for part in parts])
        np.testing.assert_array_equal(getattr(joined, name), expected)
    some = load(toy_set, split="all", subjects=["999_S_3005", "999_S_3000"])
    assert list(dict.fromkeys(some.subjects)) == ["999_S_3000", "999_S_3005"]
    assert len(subjects_of(toy_set, "axial_32", split="all")) == 18
    found = subjects_of(toy_set, "axial_32", split="all", stage="AD")
    assert found == set(joined.subjects)


def test_slices_come_in_order_with_their_pixels(toy_set):
    slices = load(toy_set)
    assert slices.images.shape == (12, 32, 32)
    assert slices.images.dtype == np.uint16
    subjects = np.repeat(["999_S_3000", "999_S_3001", "999_S_3002"], 4)
    np.testing.assert_array_equal(slices.subjects, subjects)
    np.testing.assert_array_equal(slices.scans[:5], ["I3000"] * 4 + ["I3001"])
    np.testing.assert_array_equal(slices.positions_mm[:5], [0, 6, 12, 18, 0])
    for place in range(12):
        expected = disc("AD", place)[..., 0]
        np.testing.assert_array_equal(slices.images[place], expected)
    assert slices.meta == SetMeta(
        size=32,
        spacing_mm=6.0,
        suvr_max=2.5,
        reference="brain",
        phantom=True,
        planes=("axial",),
        dataset="axial_32",
        version="2.0.0",
        bands_mm={"axial": (0.0, 24.0)},
    )


def test_all_stages_together_are_those_of_each(toy_set):
    together = load(toy_set, stage="ALL")
    assert len(together.images) == 36
    assert list(together.subjects) == sorted(together.subjects)
    for stage in ("NC", "MCI", "AD"):
        alone = load(toy_set, stage=stage)
        own = together.stages == stage
        np.testing.assert_array_equal(together.scans[own], alone.scans)
        assert set(alone.stages) == {stage}
        np.testing.assert_array_equal(together.images[own], alone.images)


def test_only_some_subjects(toy_set, tmp_path):
    some = {"999_S_3002", "999_S_3000"}
    everyone = load(toy_set)
    kept = np.isin(everyone.subjects, sorted(some))
    for overflow in (None, tmp_path):
        found = load(toy_set, subjects=some, overflow=overflow)
        np.testing.assert_array_equal(found.images, everyone.images[kept])
        assert set(found.subjects) == some
        assert len(found.positions_mm) == len(found.images) == 8
    with pytest.raises(ValueError, match="expected axial slices of stage AD"):
        load(toy_set, subjects={"999_S_9999"})


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


def test_slices_are_counted_without_their_pixels(toy_set, monkeypatch):
    whole = load(toy_set)
    monkeypatch.setattr(prepared_set, "read_pixels", None)
    counted = load(toy_set, decode=False)
    assert counted.images.shape == whole.images.shape
    assert counted.images.nbytes == whole.images.nbytes
    np.testing.assert_array_equal(counted.subjects, whole.subjects)


def test_each_split_is_read_once(copied, reads):
    data_dir, folder = copied
    for stage in ("AD", "NC", "ALL"):
        load(data_dir, stage=stage)
        subjects_of(data_dir, "axial_32", split="test", stage=stage)
    assert reads == ["train"]
    # a set that has been prepared again is another one
    os.utime(folder / "dataset_info.json", (1, 1))
    load(data_dir)
    assert reads == ["train", "train"]


def test_a_dry_run_reads_the_training_split_once(
    tiny_config, reads, monkeypatch
):
    from pet_dcgan.training.dry_run import dry_run

    prepared_set._opened.cache_clear()
    monkeypatch.setattr(prepared_set, "read_pixels", None)
    lines = dry_run(tiny_config())
    assert "3 subjects, 12 slices" in lines
    assert reads == ["train"]


def test_the_highest_version_is_opened(copied):
    data_dir, folder = copied
    newer = folder.with_name("2.10.0")
    shutil.copytree(folder, newer)
    rewrite_info(newer, version="2.10.0")
    shutil.copytree(folder, folder.with_name("2.9.0"))
    assert open_set(data_dir, "axial_32").meta.version == "2.10.0"


# --- what is missing or damaged -----------------------------------------------


def test_a_missing_set_names_the_remedy_and_what_is_there(toy_set, tmp_path):
    with pytest.raises(FileNotFoundError, match="found axial_32: ") as caught:
        open_set(toy_set, "axial_64")
    assert "pet-dcgan prepare FOLDER --data-dir" in str(caught.value)
    assert "--config axial_64" in str(caught.value)
    with pytest.raises(FileNotFoundError, match="found no such folder"):
        open_set(tmp_path / "absent", "axial_32")


def test_a_plane_or_a_split_without_slices_says_what_there_is(copied):
    data_dir, folder = copied
    counts = "found 12 AD axial, 12 MCI axial, 12 NC axial: "
    with pytest.raises(ValueError, match=counts):
        load(data_dir, plane="coronal")
    with pytest.raises(ValueError, match="expected slices of stage AD in"):
        load(data_dir, plane="ALL", subjects={"999_S_9999"})
    splits = json.loads((folder / "dataset_info.json").read_text())["splits"]
    rest = [split for split in splits if split["name"] != "test"]
    rewrite_info(folder, splits=rest)
    with pytest.raises(ValueError, match=r"split test of .* found no slice"):
        load(data_dir, split="test")


@pytest.mark.parametrize(
    ("name", "value"), [("split", "tset"), ("stage", "CN"), ("plane", "top")]
)
def test_unknown_words_are_refused(toy_set, name, value):
    with pytest.raises(ValueError, match=f"expected {name} among .*{value}"):
        load(toy_set, **{name: value})
    if name != "plane":
        words = {"split": "train", "stage": "AD"} | {name: value}
        with pytest.raises(ValueError, match=f"expected {name} among"):
            subjects_of(toy_set, "axial_32", **words)


def test_missing_metadata_is_named(copied):
    data_dir, folder = copied
    rest = {k: v for k, v in METADATA.items() if k != "suvr_max"}
    (folder / "metadata.json").write_text(json.dumps(rest))
    with pytest.raises(ValueError, match="expected suvr_max in the metadata"):
        open_set(data_dir, "axial_32")


def first_record(whole):
    """The bytes of the first of some TFRecords: length, sums and content."""
    return whole[: 16 + int.from_bytes(whole[:8], "little")]


DAMAGE = {
    "features": ("features.json", lambda whole: b"{", ""),
    "info": ("dataset_info.json", lambda whole: b"{", ""),
    "metadata": ("metadata.json", lambda whole: b"{", ""),
    "no records": ("adni-train.*", None, ""),
    "empty": ("adni-train.*", lambda whole: b"", ""),
    "half": ("adni-train.*", lambda whole: whole[: len(whole) // 2], ""),
    "one record": ("adni-train.*", first_record, ""),
    "one more": ("adni-train.*", lambda x: x + first_record(x), ""),
    "no scans.csv": ("scans.csv", None, "No such file"),
    "no column": (
        "scans.csv",
        lambda whole: whole.replace(b"subject,", b"person,"),
        "subject",
    ),
    "another split": (
        "scans.csv",
        lambda whole: whole.replace(b"AD,True,train", b"AD,True,test"),
        "no 999_S_300. in split train",
    ),
}


@pytest.mark.parametrize(
    ("name", "change", "words"), DAMAGE.values(), ids=DAMAGE
)
def test_a_damaged_set_is_one_line(copied, name, change, words):
    data_dir, folder = copied
    (path,) = folder.glob(name)
    whole = path.read_bytes()
    path.unlink()
    if change:
        path.write_bytes(change(whole))
    match = rf"found a damaged one \((?!{{).*{words}"
    with pytest.raises(ValueError, match=match) as caught:
        load(data_dir)
    assert "\n" not in str(caught.value)
