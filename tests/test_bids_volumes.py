"""Synthetic volumes as a BIDS derivative that the validator passes."""

import csv
import json
import os
import shutil
import socket

import nibabel as nib
import numpy as np
import pytest
from bids_validator import faults
from nilearn import image as nilearn_image
from toy_volume_models import SIZE, TEMPLATE
from typer.testing import CliRunner

import pet_dcgan
from pet_dcgan.cli.main import app
from pet_dcgan.serving import bids
from pet_dcgan.serving.wanted import WantedError

MNI = f"_space-{TEMPLATE}"


@pytest.fixture(scope="module")
def datasets(volume_models, tmp_path_factory):
    """Data sets by the name of their model."""
    parent = tmp_path_factory.mktemp("bids")
    asked = {
        "conditional_volume": {"stage": "AD", "license": "CC0", "seed": 3},
        "ad_volume": {},
        "nc_volume": {},
    }
    for name, options in asked.items():
        table = pet_dcgan.generate(
            volume_models / name,
            count=2,
            out=parent / name,
            bids=True,
            **options,
        )
        assert table == parent / name / "participants.tsv"
    return parent


@pytest.fixture
def dataset(datasets, tmp_path):
    """A copy of one, to be changed."""
    return shutil.copytree(datasets / "conditional_volume", tmp_path / "copy")


def read(path):
    return json.loads(path.read_text())


def image_of(folder, seed, space=""):
    subject = f"sub-syn{seed:04d}"
    name = f"{subject}_trc-18FFDG{space}_desc-synthetic_pet.nii.gz"
    return folder / subject / "pet" / name


# --- what there is ------------------------------------------------------------


def test_files_are_those_of_a_derivative(datasets):
    folder = datasets / "conditional_volume"
    found = sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file()
    )
    images = [
        f"sub-syn000{n}/pet/sub-syn000{n}_trc-18FFDG_desc-synthetic_pet.{end}"
        for n in (3, 4)
        for end in ("json", "nii.gz")
    ]
    assert found == [
        "README.md",
        "dataset_description.json",
        "participants.json",
        "participants.tsv",
        *images,
    ]
    described = read(folder / "dataset_description.json")
    assert described["DatasetType"] == "derivative"
    assert described["License"] == "CC0"
    ours, model = described["GeneratedBy"]
    assert ours["Name"] == "pet-dcgan"
    assert (ours["Version"], model["Version"]) == (pet_dcgan.__version__, "1")
    assert model["Name"] == "conditional_volume"


def test_a_participant_is_a_seed(datasets):
    folder = datasets / "conditional_volume"
    with (folder / "participants.tsv").open() as table:
        rows = list(csv.DictReader(table, delimiter="\t"))
    assert rows[1] == {
        "participant_id": "sub-syn0004",
        "stage": "AD",
        "seed": "4",
        "model": "conditional_volume",
        "model_version": "1",
        "synthetic": "true",
        "phantom": "true",
    }
    described = read(folder / "participants.json")
    assert set(described) == {"Description", *rows[0]}
    single = (datasets / "ad_volume" / "participants.tsv").read_text()
    assert "sub-syn0001\tAD\t1\tad_volume\t1\ttrue\ttrue\n" in single


def test_a_sidecar_says_what_an_image_is(datasets):
    path = image_of(datasets / "conditional_volume", 3)
    found = read(path.with_name(path.name.replace("nii.gz", "json")))
    assert found["Synthetic"] is True
    assert found["Phantom"] is True
    assert (found["Seed"], found["Stage"]) == (3, "AD")
    assert (found["ModelName"], found["ModelVersion"]) == (
        "conditional_volume",
        "1",
    )
    assert found["Units"] == "unitless"
    assert "mean-scaled" in found["UnitsDescription"]
    # nobody was injected, and no scanner measured anything
    assert not [n for n in found if "Inject" in n or "Manufact" in n]


def test_the_space_is_named_where_it_is_a_template_alone(datasets):
    assert image_of(datasets / "nc_volume", 0, MNI).is_file()
    names = [path.name for path in datasets.rglob("*.nii.gz")]
    named = {name for name in names if "space" in name}
    assert named == {name for name in names if MNI in name}
    assert len(named) == 2
    assert TEMPLATE in (datasets / "nc_volume" / "README.md").read_text()
    native = (datasets / "ad_volume" / "README.md").read_text()
    assert "in no template" in native


def test_texts_say_that_it_is_a_phantom_and_no_more(datasets):
    for path in datasets.rglob("*"):
        if path.suffix in (".json", ".md", ".tsv"):
            text = path.read_text()
            assert str(datasets) not in text
            assert socket.gethostname() not in text
            assert "999_S" not in text
    readme = (datasets / "ad_volume" / "README.md").read_text()
    assert "phantom, not on patients" in readme
    assert max(map(len, readme.splitlines())) <= 80


def test_the_same_request_gives_the_same_bytes(
    volume_models, datasets, tmp_path
):
    model = volume_models / "ad_volume"
    pet_dcgan.generate(model, count=2, out=tmp_path / "again", bids=True)
    first = datasets / "ad_volume"
    paths = [path for path in first.rglob("*") if path.is_file()]
    assert len(paths) == 8
    for path in paths:
        again = tmp_path / "again" / path.relative_to(first)
        assert again.read_bytes() == path.read_bytes(), path.name


def test_a_stopped_data_set_goes_on(volume_models, datasets, tmp_path):
    class Stop(Exception):  # noqa: N818
        pass

    def stop(done, count):
        raise Stop

    asked = {"count": 4, "out": tmp_path / "out", "bids": True}
    model = volume_models / "ad_volume"
    with pytest.raises(Stop):
        pet_dcgan.generate(model, **asked, progress=stop)
    with pytest.raises(FileExistsError, match="another request"):
        pet_dcgan.generate(model, **asked | {"bids": False}, format="nifti")
    steps = []
    pet_dcgan.generate(
        model, **asked, progress=lambda done, count: steps.append(done)
    )
    assert steps == [4]
    kept, other = image_of(tmp_path / "out", 1), image_of(datasets, 1)
    other = datasets / "ad_volume" / other.relative_to(datasets)
    assert kept.read_bytes() == other.read_bytes()


def test_a_smaller_count_leaves_no_empty_participants(volume_models, tmp_path):
    def stop(done, count):
        raise InterruptedError

    asked = {"out": tmp_path / "out", "bids": True}
    model = volume_models / "ad_volume"
    with pytest.raises(InterruptedError):
        pet_dcgan.generate(model, count=4, **asked, progress=stop)
    pet_dcgan.generate(model, count=1, **asked)
    folders = sorted(p.name for p in (tmp_path / "out").glob("sub-*"))
    assert folders == ["sub-syn0000"]


# --- the validator ------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["conditional_volume", "ad_volume", "nc_volume"]
)
def test_the_validator_passes_it(datasets, name):
    assert faults(datasets / name) == []


def _generated_by_a_text(folder):
    path = folder / "dataset_description.json"
    path.write_text(json.dumps(read(path) | {"GeneratedBy": "pet-dcgan"}))


def _without_a_description(folder):
    (folder / "dataset_description.json").unlink()


def _with_a_wrong_type(folder):
    path = next(folder.rglob("*_pet.json"))
    path.write_text(json.dumps(read(path) | {"SkullStripped": "no"}))


def _with_a_wrong_name(folder):
    path = image_of(folder, 3)
    os.rename(path, path.with_name(path.name.replace("desc-", "kind-")))


def _with_another_file(folder):
    (folder / "images.csv").write_text("file,stage\n")


def _without_a_sidecar(folder):
    for path in folder.rglob("*_pet.json"):
        path.unlink()


def _without_a_participant(folder):
    path = folder / "participants.tsv"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:-1]))


@pytest.mark.parametrize(
    ("plant", "code"),
    [
        (_generated_by_a_text, "JSON_SCHEMA_VALIDATION_ERROR"),
        (_without_a_description, "MISSING_DATASET_DESCRIPTION"),
        (_with_a_wrong_type, "JSON_SCHEMA_VALIDATION_ERROR"),
        (_with_a_wrong_name, "FILENAME_MISMATCH"),
        (_with_another_file, "NOT_INCLUDED"),
        (_without_a_sidecar, "SIDECAR_KEY_REQUIRED"),
        (_without_a_participant, "PARTICIPANT_ID_MISMATCH"),
    ],
)
def test_the_validator_refuses_a_planted_fault(dataset, plant, code):
    plant(dataset)
    assert code in faults(dataset)


# --- readers ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "space"), [("ad_volume", ""), ("nc_volume", MNI)]
)
def test_left_is_left_in_nibabel_and_nilearn(datasets, name, space):
    path = image_of(datasets / name, 0, space)
    found = nib.load(path)
    assert nib.aff2axcodes(found.affine) == ("R", "A", "S")
    # the hot spot of `right_sided`: a third of the way to the right, in front
    hot = np.argwhere(found.get_fdata() > 1.5)
    place = nib.affines.apply_affine(found.affine, hot).mean(0)
    middle = found.affine @ [SIZE // 2, SIZE // 2, SIZE // 2, 1]
    np.testing.assert_allclose(place - middle[:3], [56, 70, -42])
    read_by_nilearn = nilearn_image.load_img(str(path))
    np.testing.assert_array_equal(read_by_nilearn.affine, found.affine)
    # on a grid of another order of axes, mm lead to the same spot
    turned = nilearn_image.resample_img(
        read_by_nilearn,
        target_affine=np.diag([-7.0, 7.0, 7.0]),
        interpolation="nearest",
        force_resample=True,
        copy_header=True,
    )
    hot = np.argwhere(turned.get_fdata() > 1.5)
    found = nib.affines.apply_affine(turned.affine, hot).mean(0)
    np.testing.assert_allclose(found, place, atol=3.6)


# --- what is refused ----------------------------------------------------------


def test_slices_are_no_data_set(toy_models, tmp_path):
    with pytest.raises(WantedError, match="found ad, a model of slices"):
        pet_dcgan.generate(
            toy_models / "ad", count=1, out=tmp_path / "out", bids=True
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"bids": True, "format": "npy"}, "expected NIfTI with --bids"),
        ({"license": "CC0"}, "expected --license with --bids alone"),
        ({"bids": True, "license": ""}, "expected a licence in one line"),
        ({"bids": True, "license": "a\nb"}, "expected a licence in one line"),
        ({"bids": True, "license": "a" * 201}, "at most 200 letters"),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    volume_models, tmp_path, options, words
):
    model = volume_models / "ad_volume"
    with pytest.raises(ValueError, match=words):
        pet_dcgan.generate(model, count=1, out=tmp_path / "out", **options)
    assert list(tmp_path.iterdir()) == []


def test_ages_and_sexes_are_columns_of_bids(volume_models):
    from test_volume_export import facts_with_people

    facts, row = facts_with_people(age=70.0, sex="F")
    drawn = bids.Drawn(facts, "2", {12: row})
    found = dict(bids.texts(drawn, license=None))
    heading, line = found["participants.tsv"].splitlines()
    assert heading.split("\t")[-2:] == ["age", "sex"]
    assert line.split("\t")[-2:] == ["70", "F"]
    assert line.startswith("sub-syn0012\tNC\t12\t")


def test_the_command_writes_a_data_set(volume_models, tmp_path):
    model = str(volume_models / "conditional_volume")
    words = ["generate", model, "--count", "1", "--stage", "MCI", "--bids"]
    out = tmp_path / "synthetic"
    words += ["--license", "CC0", "--out", str(out)]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert "participants.tsv: 1 images, their seeds and stages" in done.output
    assert read(out / "dataset_description.json")["License"] == "CC0"
    assert image_of(out, 0).is_file()


@pytest.mark.parametrize(
    ("name", "more", "words"),
    [
        ("toy", ["--bids"], "a model of slices: leave it out"),
        ("volume", ["--bids", "--format", "png"], "expected NIfTI with --bids"),
        ("volume", ["--license", "CC0"], "add --bids, or leave it out"),
    ],
)
def test_the_command_refuses_what_does_not_go_together(
    toy_models, volume_models, tmp_path, name, more, words
):
    models = {"toy": toy_models / "ad", "volume": volume_models / "ad_volume"}
    asked = ["generate", str(models[name]), "--count", "1", *more]
    done = CliRunner().invoke(app, [*asked, "--out", str(tmp_path / "out")])
    assert done.exit_code == 2
    assert words in " ".join(done.output.replace("│", " ").split())
    assert list(tmp_path.iterdir()) == []
