import csv
import os
import re
import shutil

import nibabel as nib
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from toy_run import make_run

from pet_dcgan import generate as module
from pet_dcgan.export import export_run
from pet_dcgan.generate import generate
from pet_dcgan.sampling import synthetic_slices
from pet_dcgan.serving.served import ModelFacts


@pytest.fixture(scope="module")
def run(toy_set, tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("runs") / "ad", toy_set)


@pytest.fixture(scope="module")
def model(run, tmp_path_factory):
    return export_run(run, tmp_path_factory.mktemp("models")).parent


@pytest.fixture
def out(tmp_path):
    return tmp_path / "synthetic"


@pytest.fixture(scope="module")
def live(run):
    """Slices of seeds 3 to 7."""
    return synthetic_slices(run.load_generator(), np.arange(3, 8), suvr_max=2.5)


def rows(table):
    with table.open(newline="") as file:
        return list(csv.DictReader(file))


def test_png_holds_the_live_slices_and_says_what_they_are(model, live, out):
    table = generate(model, count=5, seed=3, out=out)
    assert table == out / "images.csv"
    for row, suvr in zip(rows(table), live, strict=True):
        with Image.open(out / row["file"]) as image:
            assert image.mode == "I;16"
            pixels = np.asarray(image, np.float64)
            assert image.text["phantom"] == "true"
            assert image.text["seed"] == row["seed"]
            assert "synthetic phantom" in image.text["Description"]
            suvr_max = float(image.text["suvr_max"])
        np.testing.assert_allclose(pixels / 65535 * suvr_max, suvr, atol=8e-5)


def test_npy_holds_suvr(model, live, out):
    for row, suvr in zip(
        rows(generate(model, count=5, seed=3, out=out, format="npy")),
        live,
        strict=True,
    ):
        np.testing.assert_allclose(np.load(out / row["file"]), suvr, atol=1e-5)


def test_nifti_holds_suvr_in_place(model, live, out):
    table = generate(model, count=5, seed=3, out=out, format="nifti")
    for row, suvr in zip(rows(table), live, strict=True):
        image = nib.load(out / row["file"])
        assert image.shape == (32, 32, 1)
        assert nib.aff2axcodes(image.affine) == ("P", "R", "S")
        np.testing.assert_allclose(image.header.get_zooms(), 6)
        assert b"synthetic phantom" in image.header["descrip"].item()
        np.testing.assert_allclose(image.get_fdata()[..., 0], suvr, atol=1e-5)


def test_table_traces_every_image(model, out):
    table = rows(generate(model / "1", count=2, seed=12, out=out))
    assert table[0] == {
        "file": "phantom_ad_0000012.png",
        "stage": "AD",
        "seed": "12",
        "model_version": "1",
        "suvr_max": "2.5",
        "spacing_mm": "6.0",
        "plane": "axial",
        "phantom": "true",
    }
    assert [row["seed"] for row in table] == ["12", "13"]
    assert sorted(p.name for p in out.iterdir()) == [
        "images.csv",
        "phantom_ad_0000012.png",
        "phantom_ad_0000013.png",
    ]


def test_patients_model_is_not_called_a_phantom(toy_set, tmp_path, out):
    patients = make_run(
        tmp_path / "nc", toy_set, "NC", phantom=False, plane="sagittal"
    )
    version = export_run(patients, tmp_path / "models")
    row = rows(generate(version, count=1, out=out))[0]
    assert row["file"] == "synthetic_nc_sagittal_0000000.png"
    assert row["phantom"] == "false"
    with Image.open(out / row["file"]) as image:
        assert "phantom" not in image.text["Description"]


def test_highest_version_is_taken(model, tmp_path, out):
    for version in ("9", "10"):
        shutil.copytree(model / "1", tmp_path / "ad" / version)
    table = generate(tmp_path / "ad", count=1, out=out)
    assert rows(table)[0]["model_version"] == "10"


@pytest.mark.parametrize("format_", ["png", "npy", "nifti"])
def test_same_seed_same_bytes_in_any_batch(
    model, tmp_path, monkeypatch, format_
):
    options = {"count": 1, "seed": 4, "format": format_}
    one = generate(model, out=tmp_path / "one", **options).parent
    again = generate(model, out=tmp_path / "again", **options).parent
    files = sorted(os.listdir(one))
    assert files == sorted(os.listdir(again))
    for name in files:
        assert (one / name).read_bytes() == (again / name).read_bytes()


def test_chunks_and_progress(model, live, out, monkeypatch):
    monkeypatch.setattr(module, "CHUNK", 2)
    seen = []
    table = generate(
        model,
        count=5,
        seed=3,
        out=out,
        format="npy",
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen == [(2, 5), (4, 5), (5, 5)]
    found = [np.load(out / row["file"]) for row in rows(table)]
    np.testing.assert_allclose(found, live, atol=1e-5)


def test_largest_seed(model, out):
    table = generate(model, count=1, seed=2**63 - 1, out=out)
    assert rows(table)[0]["seed"] == str(2**63 - 1)


def test_empty_folder_is_filled(model, out):
    out.mkdir()
    assert generate(model, count=1, out=out).is_file()


def test_folder_in_use_is_refused(model, out):
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="choose another --out"):
        generate(model, count=1, out=out)
    with pytest.raises(FileExistsError, match="choose another --out"):
        generate(model, count=1, out=out / "mine.txt")
    assert (out / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"count": 0}, "count as a whole number of 1 or more, found 0"),
        ({"count": 2.5}, r"found 2\.5"),
        ({"count": True}, "found True"),
        ({"seed": -1}, "seed as a whole number of 0 or more, found -1"),
        ({"seed": 2**63}, r"seeds below 2\^63"),
        ({"format": "jpeg"}, "among png, npy, nifti, found 'jpeg'"),
    ],
)
def test_bad_options_are_refused(out, options, message):
    with pytest.raises(ValueError, match=message):
        generate("nowhere", out=out, **{"count": 1, **options})
    assert not out.exists()


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        ("nowhere", FileNotFoundError, "found none: make one with"),
        ("https://host/v1/models/ad", ValueError, "found the URL"),
    ],
)
def test_what_is_no_model_is_refused(out, model, error, message):
    with pytest.raises(error, match=message) as caught:
        generate(model, count=1, out=out)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("saved_model.pb", b"not a graph"),
        ("variables/variables.index", None),
        ("variables/variables.index", b"short"),
        ("variables/variables.data-00000-of-00001", b""),
        ("variables/variables.data-00000-of-00001", b"half" * 1000),
    ],
)
def test_damaged_model_is_refused(model, tmp_path, out, name, content):
    damaged = shutil.copytree(model / "1", tmp_path / "1")
    path = damaged / name
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match="export the run again") as caught:
        generate(damaged, count=1, out=out)
    assert "\n" not in str(caught.value)
    assert not out.exists()


def test_model_without_the_signature_is_refused(model, tmp_path, out):
    facts = ModelFacts.read(model / "1")
    folder = tmp_path / "foreign" / "1"
    tf.saved_model.save(tf.Module(), str(folder))
    facts.write(folder)
    with pytest.raises(ValueError, match="signature generate_png in"):
        generate(folder, count=1, out=out)


@pytest.mark.parametrize("error", [OSError(28, "full"), KeyboardInterrupt()])
def test_interrupted_writing_leaves_nothing(
    model, out, tmp_path, monkeypatch, error
):
    written = []

    def fail(path, *args):
        written.append(path)
        path.touch()
        if len(written) == 3:
            raise error

    monkeypatch.setattr(module.slice_files, "write_png", fail)
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(type(error)):
        generate(model, count=5, out=out)
    assert sorted(os.listdir(tmp_path)) == before


def test_reading_needs_no_training_code():
    """Only layout, file and TensorFlow code is imported."""
    with open(module.__file__) as file:
        text = file.read()
    ours = set(re.findall(r"from (pet_dcgan[\w.]*) import", text))
    assert ours == {
        "pet_dcgan.files",
        "pet_dcgan.serving",
        "pet_dcgan.serving.served",
    }
