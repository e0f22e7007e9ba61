import shutil
from pathlib import Path

import ida_tree
import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import tensorflow_datasets as tfds

from tfds_adni import AdniConfig, Builder
from tfds_adni.cohort import COLUMNS
from tfds_adni.cohort.selection import Selection
from tfds_adni.cohort.splits import SPLITS
from tfds_adni.volumes.normalisation import Normalisation

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


def brightest(builder):
    """Row and column of the spot in the slice that shows it best."""
    image = max(
        (e["image"][..., 0] for e in examples(builder, "train")),
        key=lambda image: image.max(),
    )
    return np.unravel_index(image.argmax(), image.shape)


def test_right_stays_right_and_front_stays_in_front(prepared):
    row, column = brightest(prepared)
    assert row < 16 < column


@pytest.fixture(scope="module")
def revisits(tmp_path_factory):
    """Nine subjects of two scans each; some changed stage in between."""
    rows = [
        ida_tree.row(number, group)
        | {
            "Image Data ID": f"I{number}{year}",
            "Visit": name,
            "Acq Date": f"5/5/{year}",
        }
        for number in range(1, 10)
        for name, year, group in (
            ("bl", 2012, ("CN", "MCI", "AD")[number % 3]),
            ("m12", 2013, "AD"),
        )
    ]
    return ida_tree.write_tree(tmp_path_factory.mktemp("ida") / "scans", rows)


EVERY_VISIT = {"selection": Selection(visits="all"), "jobs": 1}


def test_no_subject_of_several_visits_is_in_two_splits(revisits, tmp_path):
    builder = build(revisits, tmp_path, SMALL, **EVERY_VISIT)
    homes = [subjects(builder, split) for split in SPLITS]
    assert sum(map(len, homes)) == len(set().union(*homes)) == 9
    scans = {e["scan"] for s in SPLITS for e in examples(builder, s)}
    assert len(scans) == 18


def split_by_scan(self, cohort, split_of):
    """The mistake: each subject's later scan goes to the next split."""
    tasks = BY_SUBJECT(self, cohort, split_of)
    later = {s: [t for t in tasks[s] if is_later(t)] for s in SPLITS}
    return {
        split: [t for t in tasks[split] if not is_later(t)] + later[other]
        for split, other in zip(SPLITS, (*SPLITS[1:], SPLITS[0]), strict=True)
    }


BY_SUBJECT = Builder._tasks


def is_later(task):
    return task.decision.record.date.startswith("2013")


@pytest.mark.parametrize(
    "beam", [False, pytest.param(True, marks=pytest.mark.slow)]
)
def test_examples_of_a_subject_in_two_splits_are_refused(
    revisits, tmp_path, monkeypatch, beam
):
    if beam:
        pytest.importorskip("apache_beam")
    monkeypatch.setattr(Builder, "_tasks", split_by_scan)
    named = r"every subject in one split, found 999_S_900\d \(\w+ and \w+\)"
    with pytest.raises(ValueError, match=named) as error:
        build(revisits, tmp_path, SMALL, beam=beam, **EVERY_VISIT)
    assert str(error.value).count("999_S_900") == 9
    assert not list(tmp_path.rglob("*.tfrecord*"))


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
    assert facts["normalisation"] == {"method": "brain"}
    assert facts["source"] == "ida"
    assert facts["label_sources"] == {"collection CSV Group": 12}
    assert facts["scans"] == {
        "used": 12,
        "skipped_for_their_pixels": 0,
        "averaged_over_frames": 0,
        "with_repaired_voxels": 0,
        "with_left_and_right_assumed": 0,
    }
    assert facts["made_by"].startswith("pet-dcgan ")


def test_loads_without_the_builders_code(prepared):
    read = tfds.builder_from_directory(prepared.data_dir)
    assert dict(read.info.metadata) == dict(prepared.info.metadata)
    assert len(examples(read, "test")) == 18


def test_account_lies_beside_the_records(prepared):
    account = pd.read_csv(prepared.data_path / "scans.csv")
    assert account["used"].sum() == 12
    assert list(account.columns) == [*COLUMNS, "split", "frames"]
    assert set(account["frames"].dropna()) == {1}
    counts = account["split"].value_counts().to_dict()
    assert counts == {"train": 6, "validation": 3, "test": 3}
    (skipped,) = account[~account["used"]]["reason"]
    assert skipped.startswith("SMC")


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


def halve(path):
    head = ida_tree.head()
    head[:20] = 0
    ida_tree.save_las(head, path)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (truncate, "truncated: "),
        (flatten, "constant volume: "),
        (halve, "part of a brain: "),
    ],
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


def records(builder):
    """The bytes of the record files, which are in no order of scans."""
    return {p.name: p.read_bytes() for p in builder.data_path.glob("*record*")}


def test_flipped_storage_gives_the_same_bytes(prepared, tree, tmp_path):
    """The left-right check: what turns with the file must turn back."""
    root = tmp_path / "scans"
    shutil.copytree(tree, root)
    turns = np.array([[1, 1], [0, -1], [2, -1]])
    for path in root.rglob("*.nii"):
        image = nib.load(path)
        content = bytearray(path.read_bytes())
        stored = image.dataobj.get_unscaled()
        flipped = nib.Nifti1Image(
            nib.apply_orientation(stored, turns),
            image.affine
            @ nib.orientations.inv_ornt_aff(turns, stored.shape[:3]),
        ).to_bytes()
        # nibabel would choose a slope of its own.
        path.write_bytes(flipped[:112] + content[112:120] + flipped[120:])
    assert records(build(root, tmp_path / "data", SMALL)) == records(prepared)


def test_mirrored_content_gives_mirrored_images(prepared, tree, tmp_path):
    """That the check above can fail: here the head itself is mirrored."""
    root = tmp_path / "scans"
    shutil.copytree(tree, root)
    for path in root.rglob("*.nii"):
        image = nib.load(path)
        nib.save(nib.Nifti1Image(image.get_fdata()[::-1], image.affine), path)
    mirrored = build(root, tmp_path / "data", SMALL)
    assert records(mirrored) != records(prepared)
    assert brightest(prepared)[1] > 16 > brightest(mirrored)[1]


def test_frames_are_counted_and_orientation_is_said(tmp_path):
    rows = ida_tree.cohort_rows(3)
    root = ida_tree.write_tree(tmp_path / "scans", rows)
    head = ida_tree.head(1) * 100
    series = nib.Nifti1Image(np.stack([head] * 6, 3), None)
    series.header.set_zooms((*[ida_tree.SPACING] * 3, 300))
    nib.save(series, ida_tree.image_path(root, rows[0]))
    spoilt = ida_tree.head(2)
    spoilt[20, 20, 12] = np.nan
    affine = np.diag([*[ida_tree.SPACING] * 3, 1])
    nib.save(
        nib.Nifti1Image(spoilt, affine), ida_tree.image_path(root, rows[1])
    )
    builder = build(root, tmp_path / "data", SMALL)
    account = pd.read_csv(builder.data_path / "scans.csv", dtype=str)
    frames = dict(zip(account["subject"], account["frames"], strict=True))
    assert frames.pop("999_S_9001") == "6"
    assert set(frames.values()) == {"1"}
    assert builder.info.metadata["scans"] == {
        "used": 9,
        "skipped_for_their_pixels": 0,
        "averaged_over_frames": 1,
        "with_repaired_voxels": 1,
        "with_left_and_right_assumed": 1,
    }


def test_volumes_that_are_suvr_already(tree, tmp_path):
    with pytest.raises(ValueError, match="not SUVR: mean inside the brain"):
        build(
            tree,
            tmp_path / "counts",
            SMALL,
            normalisation=Normalisation(method="none"),
        )
    rows = ida_tree.cohort_rows(3)
    root = ida_tree.write_tree(tmp_path / "scans", rows)
    for number, row in enumerate(rows):
        path = ida_tree.image_path(root, row)
        ida_tree.save_las(ida_tree.head(number), path, scale=1.25)
    builder = build(
        root, tmp_path, SMALL, normalisation=Normalisation(method="none")
    )
    assert builder.info.metadata["normalisation"] == {"method": "none"}
    images = [e["image"] for e in examples(builder, "train")]
    middle = np.stack(images)[:, 16, 16] / 65535 * 2.5
    assert np.median(middle) == pytest.approx(0.7 * 1.25, abs=0.05)


def test_masks_for_each_scan(tree, tmp_path):
    masks = tmp_path / "masks"
    masks.mkdir()
    inner = np.zeros(ida_tree.SHAPE, np.uint8)
    inner[17:23, 17:23, 10:14] = 1
    for path in sorted(tree.rglob("*.nii"))[1:]:
        name = f"pons_{path.parent.name}.nii.gz"
        nib.save(nib.Nifti1Image(inner, nib.load(path).affine), masks / name)
    builder = build(
        tree,
        tmp_path / "data",
        SMALL,
        normalisation=Normalisation(method="mask", masks=masks),
    )
    facts = builder.info.metadata
    assert facts["normalisation"]["method"] == "mask"
    assert str(tmp_path) not in str(dict(facts))
    account = pd.read_csv(builder.data_path / "scans.csv")
    missing = account[account["reason"] == "no mask for this scan"]
    assert list(missing["image_id"]) == [900001]
    images = [e["image"] for e in examples(builder, "train")]
    middle = np.stack(images)[:, 16, 16] / 65535 * 2.5
    assert np.median(middle) == pytest.approx(1, abs=0.05)


def test_a_split_that_tfds_leaves_early_does_not_shift_the_others(
    tree, tmp_path
):
    builder = Builder(config=SMALL, data_dir=str(tmp_path))
    download = tfds.download.DownloadConfig(
        manual_dir=str(tree), max_examples_per_split=2
    )
    builder.download_and_prepare(download_config=download)
    homes = [subjects(builder, split) for split in SPLITS]
    assert sum(map(len, homes)) == len(set().union(*homes))
    assert [len(examples(builder, split)) for split in SPLITS] == [2, 2, 2]
