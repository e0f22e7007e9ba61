"""The TFDS builder: its examples, facts and account, and what it rejects."""

from pathlib import Path

import ida_tree
import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import tensorflow_datasets as tfds
from tensorflow_datasets.core import shuffle
from tensorflow_datasets.proto import tf_example_pb2

from tfds_adni import (
    AdniConfig,
    Builder,
    Selection,
    deterministic_writing,
)
from tfds_adni.cohort import COLUMNS
from tfds_adni.cohort.splits import SPLITS
from tfds_adni.deterministic_writing import (
    DeterministicWriter,
    bounded_shuffling,
)
from tfds_adni.volumes.normalisation import Normalisation

SMALL = AdniConfig(name="axial_32", size=32, spacing_mm=6.0)
PLANES = ("axial", "coronal", "sagittal")
# the account's columns of scans that were cut
MADE = ("split", "frames", "scale", "centre_mm", "mask_ml", "flags")
ALL = AdniConfig(name="all_32", size=32, spacing_mm=6.0, planes=PLANES)


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    root = tmp_path_factory.mktemp("ida") / "scans"
    rows = [*ida_tree.cohort_rows(4), ida_tree.row(50, "SMC")]
    return ida_tree.write_tree(root, rows)


@pytest.fixture(scope="module")
def prepared(tree, tmp_path_factory):
    return build(tree, tmp_path_factory.mktemp("data"), SMALL)


def build(tree, data_dir, config=SMALL, most=None, **options):
    builder = Builder(config=config, data_dir=str(data_dir), jobs=1, **options)
    download = tfds.download.DownloadConfig(
        manual_dir=str(tree), max_examples_per_split=most
    )
    builder.download_and_prepare(download_config=download)
    return builder


def examples(builder, split):
    return list(tfds.as_numpy(builder.as_dataset(split=split)))


def subjects(builder, split):
    return {e["subject"].decode() for e in examples(builder, split)}


def account_of(builder):
    return pd.read_csv(builder.data_path / "scans.csv", dtype={"frames": str})


class AdniTest(tfds.testing.DatasetBuilderTestCase):
    """TFDS's own contract for a builder."""

    DATASET_CLASS = Builder
    BUILDER_CONFIG_NAMES_TO_TEST = [SMALL]  # noqa: RUF012
    SPLITS = {"train": 18, "validation": 18, "test": 18}  # noqa: RUF012
    SKIP_CHECKSUMS = True

    @classmethod
    def setUpClass(cls):
        folder = tfds.testing.make_tmp_dir()
        cls.EXAMPLE_DIR = folder
        ida_tree.write_tree(Path(folder) / "scans", ida_tree.cohort_rows(3))
        super().setUpClass()


def test_examples(prepared):
    example = examples(prepared, "train")[0]
    assert example["image"].shape == (32, 32, 1)
    assert example["image"].dtype == np.uint16
    assert example["plane"] == 0
    assert example["scan"].startswith(b"900")
    assert (example["visit"], example["date"]) == (b"bl", b"2012-05-05")
    assert example["age"] == 71
    assert example["sex"] in (b"F", b"M")
    names = prepared.info.features["label"].names
    codes = {"0": "NC", "1": "MCI", "2": "AD"}
    for split in SPLITS:
        for example in examples(prepared, split):
            hundreds = example["subject"].decode()[-3]
            assert names[example["label"]] == codes[hundreds]


@pytest.fixture(scope="module")
def revisits(tmp_path_factory):
    """Nine subjects of two scans each; some changed stage in between."""
    rows = [
        ida_tree.visit(number, name, group)
        for number in range(1, 10)
        for name, group in (
            ("bl", ("CN", "MCI", "AD")[number % 3]),
            ("m12", "AD"),
        )
    ]
    return ida_tree.write_tree(tmp_path_factory.mktemp("ida") / "scans", rows)


EVERY_VISIT = Selection(visits="all")


def test_no_subject_of_several_visits_is_in_two_splits(revisits, tmp_path):
    builder = build(revisits, tmp_path, selection=EVERY_VISIT)
    homes = [subjects(builder, split) for split in SPLITS]
    assert sum(map(len, homes)) == len(set().union(*homes)) == 9
    assert account_of(builder)["used"].sum() == 18


def split_by_scan(self, *arguments, by_subject=Builder._tasks):
    """The mistake: a subject's later scan goes to another split."""
    tasks = by_subject(self, *arguments)
    tasks["test"].append(tasks["train"].pop())
    return tasks


@pytest.mark.parametrize(
    "beam", [False, pytest.param(True, marks=pytest.mark.slow)]
)
def test_examples_of_a_subject_in_two_splits_are_refused(
    revisits, tmp_path, monkeypatch, beam
):
    if beam:
        pytest.importorskip("apache_beam")
    monkeypatch.setattr(Builder, "_tasks", split_by_scan)
    named = r"in one split, found 999_S_900\d \(train and test\); split by"
    with pytest.raises(ValueError, match=named):
        build(revisits, tmp_path, selection=EVERY_VISIT, beam=beam)
    assert not list(tmp_path.rglob("*.tfrecord*"))


def test_same_split_in_every_configuration(prepared, tree, tmp_path):
    other = build(tree, tmp_path, ALL)
    for split in SPLITS:
        made = examples(other, split)
        assert {int(e["plane"]) for e in made} == {0, 1, 2}
        assert {e["subject"].decode() for e in made} == subjects(
            prepared, split
        )


def test_seed_and_scale(prepared, tree, tmp_path):
    dim = AdniConfig(name="dim", size=32, spacing_mm=6.0, suvr_max=1.0)
    other = build(tree, tmp_path, dim, split_seed=5)
    assert subjects(other, "test") != subjects(prepared, "test")
    assert other.info.metadata["split_seed"] == 5
    assert 0.05 < other.info.metadata["clipped_share"] < 0.5


def test_metadata_loads_without_the_builders_code(prepared):
    read = tfds.builder_from_directory(prepared.data_dir)
    assert len(examples(read, "test")) == 18
    facts = dict(read.info.metadata)
    assert facts == dict(prepared.info.metadata)
    assert facts.pop("made_by").startswith("pet-dcgan ")
    assert facts.pop("selection")["tracer"] == "FDG"
    each = {"train": 2, "validation": 1, "test": 1}
    # the band of 36 mm holds six slices of 6 mm
    six = {"train": 12, "validation": 6, "test": 6}
    assert facts == {
        "phantom": True,
        "suvr_max": 2.5,
        "spacing_mm": 6.0,
        "size": 32,
        "planes": ["axial"],
        "bands_mm": {"axial": [0.0, 36.0]},
        "split_seed": 0,
        "subjects": {"NC": each, "MCI": each, "AD": each},
        "slices": {"NC": six, "MCI": six, "AD": six},
        "clipped_share": 0,
        "normalisation": {"method": "brain"},
        "reading": {"window": None, "flip_left_right": False},
        "source": "ida",
        "label_sources": {"collection CSV Group": 12},
        "flags": {},
        "scans": {
            "used": 12,
            "skipped_for_their_pixels": 0,
            "averaged_over_frames": 0,
            "with_repaired_voxels": 0,
            "with_noise_above_10_percent": 0,
            "with_voxels_far_too_bright_or_dark": 0,
            "unlike_the_others": 0,
        },
    }
    account = account_of(prepared)
    assert list(account.columns) == [*COLUMNS, *MADE]
    counts = account["split"].value_counts().to_dict()
    assert counts == {"train": 6, "validation": 3, "test": 3}
    assert set(account["age"]) == {71}
    assert set(account["sex"]) <= {"F", "M"}
    (skipped,) = account[~account["used"]]["reason"]
    assert skipped.startswith("SMC")
    assert "posterior cingulate" in prepared.info.description
    assert "10.1186/s40708-020-00104-2" in prepared.info.citation


def spoil(paths):
    """Three scans to skip, one to average and one to repair."""
    truncated, constant, halved, dynamic, holed = paths
    truncated.write_bytes(truncated.read_bytes()[:2000])
    ida_tree.save_las(np.ones(ida_tree.SHAPE, "f4"), constant)
    half = ida_tree.head()
    half[:20] = 0
    ida_tree.save_las(half, halved)
    series = nib.Nifti1Image(np.stack([ida_tree.head(1) * 100] * 6, 3), None)
    series.header.set_zooms((*[ida_tree.SPACING] * 3, 300))
    nib.save(series, dynamic)
    hole = ida_tree.head(2)
    hole[20, 20, 12] = np.nan
    affine = np.diag([*[ida_tree.SPACING] * 3, 1])
    nib.save(nib.Nifti1Image(hole, affine), holed)


def test_what_pixels_reveal_is_counted_and_listed(tmp_path):
    rows = ida_tree.cohort_rows(5)
    root = ida_tree.write_tree(tmp_path / "scans", rows)
    spoil(ida_tree.image_path(root, row) for row in rows[4:9])
    builder = build(root, tmp_path / "data")
    account = account_of(builder).set_index("subject")
    assert list(account["reason"].dropna().str.split(":").str[0]) == [
        "truncated",
        "constant volume",
        "part of a brain",
    ]
    assert account["frames"].value_counts().to_dict() == {"1": 11, "6": 1}
    assert account["frames"][f"999_S_{9000 + 103}"] == "6"
    scans = dict(builder.info.metadata["scans"])
    odd = scans.pop("unlike_the_others")
    assert scans == {
        "used": 12,
        "skipped_for_their_pixels": 2,
        "averaged_over_frames": 1,
        "with_repaired_voxels": 1,
        "with_noise_above_10_percent": 0,
        "with_voxels_far_too_bright_or_dark": 0,
    }
    assert sum(builder.info.metadata["subjects"]["NC"].values()) == 4
    assert sum(builder.info.metadata["slices"]["NC"].values()) == 4 * 6
    assert list(account["flags"].dropna()) == [
        "6 frames averaged; left and right assumed",
        "no position; repaired voxels: 1",
    ]
    page = (builder.data_path / "scans.html").read_text()
    # the truncated one was never read
    assert page.count("<article>") == 14
    assert page.count("<img") == 14
    skipped, others = page.split(f"All others ({12 - odd})")
    assert "Skipped when they were read (2)" in skipped
    for reason in ("constant volume", "part of a brain"):
        assert reason in skipped
        assert reason not in others


def test_ids_are_on_the_page_and_not_in_the_metadata(prepared):
    page = (prepared.data_path / "scans.html").read_text()
    account = account_of(prepared)
    facts = (prepared.data_path / "metadata.json").read_text()
    for row in account[account["used"]].itertuples():
        assert page.count(f"<h3>{row.subject} bl 2012-05-05</h3>") == 1
        card = page.partition(f"<h3>{row.subject} ")[2].partition("<h3>")[0]
        assert f"{row.stage}, {row.split}" in card
        assert row.subject not in facts
        assert str(row.image_id) not in facts
    # the SMC scan was not read
    assert "999_S_9050" not in page
    used = account[account["used"]]
    assert used["mask_ml"].between(1200, 1600).all()
    assert used["scale"].between(5000, 6000).all()
    assert used["centre_mm"].str.match(r"-?\d+ -?\d+ -?\d+$").all()
    assert account[~account["used"]][list(MADE)].isna().all(axis=None)


def test_a_scan_without_its_mask_is_listed(tree, tmp_path):
    masks = tmp_path / "masks"
    masks.mkdir()
    inner = np.zeros(ida_tree.SHAPE, np.uint8)
    inner[17:23, 17:23, 10:14] = 1
    for path in sorted(tree.rglob("*.nii"))[1:]:
        name = f"pons_{path.parent.name}.nii.gz"
        nib.save(nib.Nifti1Image(inner, nib.load(path).affine), masks / name)
    by_mask = Normalisation(method="mask", masks=masks)
    builder = build(tree, tmp_path / "data", normalisation=by_mask)
    facts = dict(builder.info.metadata)
    assert facts["normalisation"]["method"] == "mask"
    assert str(tmp_path) not in str(facts)
    account = account_of(builder).set_index("image_id")
    assert account["reason"][900001] == "no mask for this scan"
    assert account["used"].sum() == 11


def test_a_split_that_tfds_leaves_early_does_not_shift_the_others(
    tree, tmp_path
):
    builder = build(tree, tmp_path, most=2)
    homes = [subjects(builder, split) for split in SPLITS]
    assert sum(map(len, homes)) == len(set().union(*homes))
    assert [len(examples(builder, split)) for split in SPLITS] == [2, 2, 2]


# --- how TFDS writes: its private constants, which another TFDS may rename ----


def test_fields_are_written_in_the_order_of_their_names(tmp_path):
    names = [f"field_{n}" for n in range(30)]
    example = tf_example_pb2.Example()
    for name in names:
        example.features.feature[name].int64_list.value.append(1)
    writer = DeterministicWriter(tfds.core.FileFormat.TFRECORD)
    writer.write(tmp_path / "a", [(0, example.SerializeToString())])
    record = (tmp_path / "a").read_bytes()
    places = [record.index(name.encode()) for name in sorted(names)]
    assert places == sorted(places)


def test_a_small_memory_gives_the_same_order(tmp_path, monkeypatch):
    """Fails where TFDS's shuffler no longer reads the constants."""
    before = shuffle.MAX_MEM_BUFFER_SIZE, shuffle.BUCKETS_NUMBER
    bounds, orders = deterministic_writing._BOUNDS, []
    for bound in (2**30, 1000):
        monkeypatch.setitem(bounds, "MAX_MEM_BUFFER_SIZE", bound)
        with bounded_shuffling():
            shuffler = shuffle.Shuffler(str(tmp_path), "salt")
            for n in range(500):
                shuffler.add(str(n), bytes([n % 256]) * 100)
            assert len(shuffler.bucket_lengths) == (1 if bound > 2**20 else 64)
            orders.append(list(shuffler))
    assert orders[0] == orders[1]
    assert len(orders[0]) == 500
    with pytest.raises(KeyError), bounded_shuffling():
        raise KeyError
    assert before == (shuffle.MAX_MEM_BUFFER_SIZE, shuffle.BUCKETS_NUMBER)
