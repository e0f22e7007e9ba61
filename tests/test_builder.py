import json
from pathlib import Path

import ida_tree
import numpy as np
import pandas as pd
import pytest
import tensorflow_datasets as tfds

from tfds_adni import AdniConfig, Builder
from tfds_adni.prepare import prepare
from tfds_adni.splits import SPLITS

SMALL = AdniConfig(name="axial_32", size=32, spacing_mm=6.0)
ALL = AdniConfig(
    name="all_32",
    size=32,
    spacing_mm=6.0,
    planes=("axial", "coronal", "sagittal"),
)


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    root = tmp_path_factory.mktemp("ida") / "scans"
    rows = ida_tree.cohort_rows(4)
    rows.append(ida_tree.row(50, "SMC"))
    return ida_tree.write_tree(root, rows)


@pytest.fixture(scope="module")
def prepared(tree, tmp_path_factory):
    return build(tree, tmp_path_factory.mktemp("data"), SMALL)


def build(tree, data_dir, config, **options):
    builder = Builder(config=config, data_dir=str(data_dir), **options)
    download = tfds.download.DownloadConfig(manual_dir=str(tree))
    builder.download_and_prepare(download_config=download)
    return builder


def examples(builder, split):
    return list(tfds.as_numpy(builder.as_dataset(split=split)))


def subjects(builder, split):
    return {e["subject"].decode() for e in examples(builder, split)}


class AdniTest(tfds.testing.DatasetBuilderTestCase):
    """TFDS's own contract for a builder."""

    DATASET_CLASS = Builder
    BUILDER_CONFIG_NAMES_TO_TEST = [SMALL]  # noqa: RUF012
    SPLITS = {"train": 36, "validation": 18, "test": 18}  # noqa: RUF012
    SKIP_CHECKSUMS = True

    @classmethod
    def setUpClass(cls):
        folder = tfds.testing.make_tmp_dir()
        cls.EXAMPLE_DIR = folder
        ida_tree.write_tree(Path(folder) / "scans", ida_tree.cohort_rows(4))
        super().setUpClass()


def test_an_example(prepared):
    example = examples(prepared, "train")[0]
    assert example["image"].shape == (32, 32, 1)
    assert example["image"].dtype == np.uint16
    assert example["plane"] == 0
    assert example["subject"].startswith(b"999_S_9")
    assert example["scan"].startswith(b"900")
    assert (example["visit"], example["date"]) == (b"bl", b"2012-05-05")
    assert example["age"] == 71
    assert example["sex"] in (b"F", b"M")


def test_stored_values_are_suvr_on_a_constant_scale(prepared):
    images = [e["image"] for e in examples(prepared, "train")]
    suvr = np.stack(images) / 65535 * prepared.info.metadata["suvr_max"]
    inner, outer = suvr[:, 16, 16], suvr[:, 16].max(axis=1)
    assert np.all((inner > 0.4) & (inner < 0.9))
    assert np.all((outer > 1.0) & (outer < 2.5))


def test_labels_are_the_stages_of_the_table(prepared):
    names = prepared.info.features["label"].names
    codes = {"0": "NC", "1": "MCI", "2": "AD"}
    for split in SPLITS:
        for example in examples(prepared, split):
            hundreds = example["subject"].decode()[-3]
            assert names[example["label"]] == codes[hundreds]


def test_right_stays_right_and_front_stays_in_front(prepared):
    highest = max(
        (e["image"][..., 0] for e in examples(prepared, "train")),
        key=lambda image: image.max(),
    )
    row, column = np.unravel_index(highest.argmax(), highest.shape)
    assert row < 16 < column


def test_no_subject_is_in_two_splits(prepared):
    homes = [subjects(prepared, split) for split in SPLITS]
    assert sum(map(len, homes)) == len(set().union(*homes)) == 12


def test_same_split_in_every_configuration(prepared, tree, tmp_path):
    other = build(tree, tmp_path, ALL)
    for split in SPLITS:
        assert subjects(other, split) == subjects(prepared, split)
    planes = {int(e["plane"]) for e in examples(other, "test")}
    assert planes == {0, 1, 2}


def test_seed_changes_the_split(prepared, tree, tmp_path):
    other = build(tree, tmp_path, SMALL, split_seed=5)
    assert subjects(other, "test") != subjects(prepared, "test")
    assert other.info.metadata["split_seed"] == 5


def test_metadata(prepared):
    facts = prepared.info.metadata
    assert facts["phantom"] is True
    assert (facts["suvr_max"], facts["spacing_mm"], facts["size"]) == (
        2.5,
        6,
        32,
    )
    assert facts["bands_mm"] == {"axial": [0.0, 36.0]}
    assert facts["subjects"]["AD"] == {"train": 2, "validation": 1, "test": 1}
    assert facts["clipped_share"] == 0
    assert facts["selection"]["tracer"] == "FDG"
    assert facts["made_by"].startswith("pet-dcgan ")


def test_loads_without_the_builders_code(prepared):
    read = tfds.builder_from_directory(prepared.data_dir)
    assert dict(read.info.metadata) == dict(prepared.info.metadata)
    assert len(examples(read, "test")) == 18


def test_account_lies_beside_the_records(prepared):
    account = pd.read_csv(prepared.data_path / "scans.csv")
    assert account["used"].sum() == 12
    counts = account["split"].value_counts().to_dict()
    assert counts == {"train": 6, "validation": 3, "test": 3}
    (skipped,) = account[~account["used"]]["reason"]
    assert skipped == "no stage (Group is SMC)"


def test_description_and_citation_are_packaged(prepared):
    assert "posterior cingulate" in prepared.info.description
    assert "10.1186/s40708-020-00104-2" in prepared.info.citation


def test_clipped_pixels_are_counted(tree, tmp_path):
    config = AdniConfig(name="dim", size=32, spacing_mm=6.0, suvr_max=1.0)
    share = build(tree, tmp_path, config).info.metadata["clipped_share"]
    assert 0.05 < share < 0.5


def bad_tree(folder, spoil):
    """A cohort whose first NC scan is spoilt."""
    rows = ida_tree.cohort_rows(5)
    root = ida_tree.write_tree(folder, rows)
    spoil(ida_tree.image_path(root, rows[0]))
    return root


def truncate(path):
    path.write_bytes(path.read_bytes()[:2000])


def flatten(path):
    ida_tree.save_las(np.ones(ida_tree.SHAPE, "f4"), path)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [(truncate, "unreadable data"), (flatten, "constant volume")],
)
def test_bad_scan_is_skipped_and_listed(tmp_path, spoil, reason):
    root = bad_tree(tmp_path / "scans", spoil)
    builder = build(root, tmp_path / "data", SMALL)
    account = pd.read_csv(builder.data_path / "scans.csv")
    (row,) = account[~account["used"]].to_dict("records")
    assert row["subject"] == "999_S_9001"
    assert row["reason"].startswith(reason)
    counts = builder.info.metadata["subjects"]["NC"]
    assert sum(counts.values()) == 4


def test_nothing_left_in_a_split_fails_and_leaves_nothing(tmp_path):
    root = ida_tree.write_tree(tmp_path / "scans", ida_tree.cohort_rows(3))
    for path in root.rglob("*.nii"):
        truncate(path)
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
