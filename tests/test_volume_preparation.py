"""Volumes of the real builder, and what users of TFDS do with them."""

import base64
import io
import re
import subprocess
import sys
from pathlib import Path

import ida_tree
import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
import toy_tfds
from PIL import Image
from typer.testing import CliRunner

from pet_dcgan.cli.main import app
from pet_dcgan.data.prepared_set import load_slices, subjects_of
from pet_dcgan.utils.foreign_text import read_object
from tfds_adni import prepare
from tfds_adni.cohort.splits import SPLITS
from tfds_adni.volume_feature import VolumeFeature

NAME = "adni/volume_64"
WHERE = {"stage": "ALL", "plane": "volume"}


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    return toy_tfds.write_tree(tmp_path_factory.mktemp("ida"))


@pytest.fixture(scope="module")
def data_dir(tree, tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    prepare(tree, folder, config="volume_64", jobs=1)
    return folder


def home_of(data_dir):
    (home,) = data_dir.glob(f"{NAME}/*.*.*")
    return home


def content(data_dir):
    return {p.name: p.read_bytes() for p in home_of(data_dir).iterdir()}


def run(*words):
    result = CliRunner().invoke(app, [*map(str, words)])
    assert "Traceback" not in result.output
    return result


# --- what is in them ----------------------------------------------------------


def test_volumes_lie_around_their_centres_with_left_at_the_left(data_dir):
    volumes = load_slices(data_dir, "volume_64", split="train", **WHERE)
    assert volumes.images.shape == (6, 64, 64, 64)
    suvr = volumes.images / 65535 * volumes.meta.suvr_max
    inside = suvr[suvr > 0.4]
    assert inside.mean() == pytest.approx(1, abs=0.08)  # edges are dim
    for one in suvr:
        centre = np.argwhere(one > 0.4).mean(0)
        np.testing.assert_allclose(centre, 32, atol=1)
        # a bright spot on the right, at the front, high up
        spot = np.unravel_index(one.argmax(), one.shape)
        expected = np.array([35, 40, 20]) / 3.5 + 32
        np.testing.assert_allclose(spot, expected, atol=2)


def test_the_same_subjects_in_the_same_splits(tree, data_dir, tmp_path):
    prepare(tree, tmp_path, config="axial_64", jobs=1)
    for split in SPLITS:
        found = subjects_of(data_dir, "volume_64", split=split)
        assert found == subjects_of(tmp_path, "axial_64", split=split)


def test_several_processes_write_the_same_bytes(tree, data_dir, tmp_path):
    prepare(tree, tmp_path, config="volume_64", jobs=2)
    assert content(tmp_path) == content(data_dir)


@pytest.mark.slow
def test_beam_writes_the_same_bytes(tree, data_dir, tmp_path):
    pytest.importorskip("apache_beam")
    options = "--runner=DirectRunner"
    prepare(tree, tmp_path, config="volume_64", beam_options=options)
    assert content(tmp_path) == content(data_dir)


def test_files_say_volumes_and_not_slices(data_dir):
    facts = read_object(home_of(data_dir) / "metadata.json")
    assert facts["planes"] == ["volume"]
    assert (facts["size"], facts["spacing_mm"]) == (64, 3.5)
    assert facts["bands_mm"] == {}
    assert (facts["space"], facts["spaces_named"]) == ("native", {"": 12})
    assert sum(facts["volumes"]["NC"].values()) == 4
    assert "slices" not in facts
    page = (home_of(data_dir) / "scans.html").read_text()
    assert "around which volumes are cut" in page
    assert "slices" not in page
    table = pd.read_csv(home_of(data_dir) / "scans.csv", keep_default_na=False)
    assert set(table["space"]) == {"native"}


# --- as TFDS reads them -------------------------------------------------------


def test_load(data_dir):
    train = tfds.load(NAME, data_dir=data_dir, split="train")
    assert len(train) == 6
    example = next(iter(train))
    assert example["image"].shape == (64, 64, 64)
    assert example["image"].dtype == tf.uint16
    image, label = next(
        iter(
            tfds.load(
                NAME, data_dir=data_dir, split="test", as_supervised=True
            ).batch(2)
        )
    )
    assert (image.shape, label.shape) == ((2, 64, 64, 64), (2,))


WITHOUT = """
import sys
import numpy as np
import tensorflow_datasets as tfds
builder = tfds.builder_from_directory(sys.argv[1])
assert "Tensor" in str(builder.info.features["image"])
found = [e["image"] for e in tfds.as_numpy(builder.as_dataset(split="test"))]
np.save(sys.argv[2], found)
assert not {"tfds_adni", "pet_dcgan"} & set(sys.modules)
"""


def test_a_set_opens_without_this_package(data_dir, tmp_path):
    subprocess.run(
        [
            sys.executable,
            "-c",
            WITHOUT,
            home_of(data_dir),
            tmp_path / "found.npy",
        ],
        cwd=tmp_path,
        check=True,
    )
    found = np.load(tmp_path / "found.npy")
    ours = load_slices(data_dir, "volume_64", split="test", **WHERE)
    assert found.shape == ours.images.shape
    expected = {each.tobytes() for each in ours.images}
    assert {each.tobytes() for each in found} == expected


def test_a_data_source_and_its_bytes(tree, data_dir, tmp_path):
    pytest.importorskip("array_record")
    options = {"config": "volume_64", "file_format": "array_record"}
    prepare(tree, tmp_path, jobs=2, **options)
    source = tfds.data_source(NAME, data_dir=tmp_path, split="train")
    data = tfds.as_numpy(tfds.load(NAME, data_dir=data_dir, split="train"))
    for found, expected in zip(source, data, strict=True):
        np.testing.assert_array_equal(found["image"], expected["image"])
        assert found["image"].dtype == np.uint16


def test_a_table_in_a_notebook_has_thumbnails(data_dir):
    data, info = tfds.load(
        NAME, data_dir=data_dir, split="train", with_info=True
    )
    html = tfds.as_dataframe(data.take(2), info)._repr_html_()
    pictures = re.findall(r"data:image/png;base64,([^\"]+)\"", html)
    assert len(pictures) == 2
    with Image.open(io.BytesIO(base64.b64decode(pictures[0]))) as image:
        grey = np.asarray(image)
    assert grey.shape == (64, 192)
    assert 60 < grey.max() <= 255


# --- the feature --------------------------------------------------------------


def test_a_volume_is_stored_as_a_plain_tensor():
    ours = VolumeFeature(8)
    plain = tfds.features.Tensor(
        shape=(8, 8, 8), dtype=np.uint16, encoding="zlib"
    )
    volume = np.random.default_rng(0).integers(0, 2**16, (8, 8, 8), np.uint16)
    assert ours.to_proto() == plain.to_proto()
    assert ours.get_tensor_info() == plain.get_tensor_info()
    packed = ours.encode_example(volume)
    np.testing.assert_array_equal(plain.decode_example(packed), volume)
    np.testing.assert_array_equal(plain.decode_example_np(packed), volume)
    assert ours.encode_example(packed) == packed
    with pytest.raises(ValueError, match=r"\(8, 8, 8\)"):
        ours.encode_example(volume[:4])


def test_a_thumbnail_has_front_and_top_and_left_where_they_are():
    volume = np.zeros((8, 8, 8), np.uint16)
    volume[6, 4, 4] = 65535  # right
    volume[4, 7, 4] = 65535  # front
    volume[4, 4, 7] = 65535  # top
    html = VolumeFeature(8).repr_html(volume)
    (text,) = re.findall(r"base64,([^\"]+)\"", html)
    with Image.open(io.BytesIO(base64.b64decode(text))) as image:
        grey = np.asarray(image)
    sagittal, coronal, axial = grey[:, :8], grey[:, 8:16], grey[:, 16:]
    assert np.argwhere(sagittal).tolist() == [[0, 3], [3, 0]]
    assert np.argwhere(coronal).tolist() == [[0, 4], [3, 6]]
    assert np.argwhere(axial).tolist() == [[0, 4], [3, 6]]


# --- the command --------------------------------------------------------------


def test_the_command_says_what_comes_next(tree, tmp_path):
    result = run("prepare", tree, "--data-dir", tmp_path, "--config=volume_64")
    assert result.exit_code == 0, result.output
    text = " ".join(result.output.split())
    assert "Subjects / volumes by stage and split" in text
    assert "space: native, each brain about its own centre" in text
    assert "--config volume_64 --preset volume --run runs/volumes" in text
    assert "slices" not in text


def test_one_stage_alone_is_trained_without_conditions(tmp_path):
    rows = [ida_tree.row(n, "CN") for n in range(6)]
    tree = ida_tree.write_tree(tmp_path / "scans", rows)
    result = run(
        *("prepare", tree, "--data-dir", tmp_path / "d", "--config=volume_64")
    )
    assert result.exit_code == 0, result.output
    text = " ".join(result.output.split())
    assert "--preset volume --conditions none --stage NC --run runs/nc" in text


# --- spaces -------------------------------------------------------------------


def bids_tree(root, space, *, shift=(0, 0, 0)):
    """Twelve scans in MNI coordinates, whose brains differ by their places."""
    rows = [("participant_id", "group")]
    for number in range(12):
        group = ("CN", "MCI", "AD")[number % 3]
        subject = f"sub-{number:02}"
        rows.append((subject, group))
        name = f"{subject}_trc-18FFDG_space-{space}_pet.nii.gz"
        path = root / "derivatives" / "made" / subject / "pet" / name
        path.parent.mkdir(parents=True)
        head = np.roll(ida_tree.head(number), number % 3, 1)
        affine = np.diag([6.0, 6.0, 6.0, 1.0])
        middle = (np.array(ida_tree.SHAPE) - 1) / 2
        affine[:3, 3] = np.add((0, -17.5, 7), shift) - 6.0 * middle
        nib.save(nib.Nifti1Image(head * 5000, affine), path)
    (root / "derivatives" / "made" / "dataset_description.json").write_text(
        '{"Name": "made", "GeneratedBy": [{"Name": "made"}]}'
    )
    (root / "participants.tsv").write_text(
        "\n".join("\t".join(row) for row in rows)
    )
    return root


def test_scans_in_a_template_keep_their_place_in_it(tmp_path):
    tree = bids_tree(tmp_path / "scans", "MNI152NLin6ASym")
    words = ("prepare", tree, "--data-dir", tmp_path, "--config=volume_64")
    result = run(*words)
    assert result.exit_code == 0, result.output
    assert "space: MNI152NLin6Asym, all images on one grid" in result.output
    facts = read_object(home_of(tmp_path) / "metadata.json")
    assert facts["space"] == "MNI152NLin6Asym"
    assert facts["spaces_named"] == {"MNI152NLin6ASym": 12}
    table = pd.read_csv(home_of(tmp_path) / "scans.csv", keep_default_na=False)
    assert set(table["space"]) == {"MNI152NLin6Asym"}
    page = (home_of(tmp_path) / "scans.html").read_text()
    assert "one place of MNI152NLin6Asym (MNI 0.0, -17.5, 7.0 mm)" in page
    volumes = load_slices(tmp_path, "volume_64", split="all", **WHERE)
    assert volumes.meta.space == "MNI152NLin6Asym"
    for scan, volume in zip(volumes.scans, volumes.images, strict=True):
        number = int(re.search(r"sub-(\d+)", scan)[1])
        # the brain was moved to the front, and is not brought back
        expected = [32, 32 + number % 3 * 6 / 3.5, 32]
        centre = np.argwhere(volume > 0.4 * 65535 / 2.5).mean(0)
        np.testing.assert_allclose(centre, expected, atol=0.7)


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("MNI152", "names say space-MNI152, but that is no template's name"),
        ("T1w", "names say space-T1w, but that is no template's name"),
    ],
)
def test_a_name_that_is_no_templates_makes_native_volumes(
    tmp_path, label, words
):
    tree = bids_tree(tmp_path / "scans", label)
    result = run("prepare", tree, "--data-dir", tmp_path, "--config=volume_64")
    assert result.exit_code == 0, result.output
    assert words in " ".join(result.output.split())
    facts = read_object(home_of(tmp_path) / "metadata.json")
    assert (facts["space"], facts["spaces_named"]) == ("native", {label: 12})


def test_a_space_that_lies_is_refused_in_one_line(tmp_path):
    shift = (0, 0, 60)
    tree = bids_tree(tmp_path / "scans", "MNI152NLin6Asym", shift=shift)
    result = run("prepare", tree, "--data-dir", tmp_path, "--config=volume_64")
    assert result.exit_code == 1
    line = result.stderr.strip().splitlines()[-1]
    assert "not in the space of its name" in line
    assert "60 mm from that of MNI152NLin6Asym" in line
    assert not (tmp_path / "adni").exists()


def test_slices_of_such_scans_are_native_as_ever(tmp_path):
    tree = bids_tree(tmp_path / "scans", "MNI152NLin6Asym")
    prepare(tree, tmp_path / "d", config="axial_64", jobs=1)
    (path,) = (tmp_path / "d").glob("adni/axial_64/*/metadata.json")
    assert "space" not in read_object(path)


# --- scans that cannot be used ------------------------------------------------


def test_bad_scans_have_their_reason_and_the_others_are_used(tmp_path):
    rows = ida_tree.cohort_rows(5)
    tree = ida_tree.write_tree(tmp_path / "scans", rows)
    paths = [Path(ida_tree.image_path(tree, row)) for row in rows]
    half = ida_tree.head()
    half[:20] = 0
    ida_tree.save_las(half, paths[0])
    series = np.stack([ida_tree.head(n) * 5000 for n in range(2)], 3)
    nib.save(nib.Nifti1Image(series, ida_tree.las_affine()), paths[1])
    sheared = ida_tree.las_affine()
    sheared[0, 1] = 4.0
    nib.save(nib.Nifti1Image(ida_tree.head(), sheared), paths[2])
    other = np.diag([-7.0, 5.0, 6.0, 1.0])
    nib.save(nib.Nifti1Image(ida_tree.head() * 5000, other), paths[3])
    prepare(tree, tmp_path, config="volume_64", jobs=1)
    path = home_of(tmp_path) / "scans.csv"
    table = pd.read_csv(path, keep_default_na=False)
    found = [
        table[table["path"].str.endswith(path.name)].iloc[0] for path in paths
    ]
    assert found[0]["reason"].startswith("part of a brain")
    assert (found[1]["reason"], found[1]["frames"]) == ("", "2")
    assert found[2]["reason"].startswith("axes in the header are not at right")
    assert found[3]["reason"] == ""
    assert (table["space"] == "native").tolist() == table["used"].tolist()
