"""Images of a conditional model: files, tables, resuming, both routes."""

import csv
import io

import nibabel as nib
import numpy as np
import pytest
import stub_server
import tensorflow as tf
import toy_asked
from PIL import Image
from typer.testing import CliRunner

from pet_dcgan.cli.main import app
from pet_dcgan.models.sampling import latents_from_seeds
from pet_dcgan.serving import generate as module
from pet_dcgan.serving.exported_model import ExportedModel
from pet_dcgan.serving.generate import generate
from pet_dcgan.serving.rest_model import RemoteModel
from pet_dcgan.serving.wanted import WantedError

AD = {"stage": "AD", "plane": "axial"}


@pytest.fixture(scope="module")
def model(conditional_models):
    return conditional_models / "conditional"


@pytest.fixture(scope="module")
def url(conditional_models):
    with stub_server.serve(conditional_models) as stub:
        yield f"{stub.url}/v1/models/conditional"


@pytest.fixture
def out(tmp_path):
    return tmp_path / "synthetic"


def rows(table):
    with table.open(newline="") as file:
        return list(csv.DictReader(file))


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def live(**inputs):
    """The live network's slice of seed 5."""
    generator = toy_asked.lively_generator()
    nan = float("nan")
    values = {"age": [[nan]], "sex": [[nan]]} | inputs
    named = {n: tf.constant(v, tf.float32) for n, v in values.items()}
    latents = latents_from_seeds([5], toy_asked.LATENT_DIM)
    image = generator({"latent": latents, **named}, training=False)
    return (image.numpy()[0, ..., 0] + 1) * 1.25


def test_a_slice_is_the_live_networks_and_says_what_it_is(model, out):
    table = generate(
        model, count=1, seed=5, out=out, **AD, position_mm=12, age=75, sex="F"
    )
    (row,) = rows(table)
    assert row == {
        "file": "phantom_conditional_ad_0000005.png",
        "stage": "AD",
        "seed": "5",
        "model_version": "1",
        "suvr_max": "2.5",
        "spacing_mm": "6.0",
        "plane": "axial",
        "phantom": "true",
        "position_mm": "12",
        "age": "75",
        "sex": "F",
    }
    with Image.open(out / row["file"]) as image:
        assert image.text["stage"] == "AD"
        assert image.text["position_mm"] == "12"
        assert (image.text["age"], image.text["sex"]) == ("75", "F")
        suvr = np.asarray(image, float) / 65535 * 2.5
    expected = live(
        stage=[[0, 0, 1]],
        plane=[[1, 0, 0]],
        position_mm=[[12]],
        age=[[75]],
        sex=[[0]],
    )
    np.testing.assert_allclose(suvr, np.clip(expected, 0, 2.5), atol=1e-4)


def test_positions_that_are_not_given_are_in_the_table(model, tmp_path):
    by_seed = tmp_path / "by_seed"
    table = rows(
        generate(
            model,
            count=3,
            seed=5,
            out=by_seed,
            stage=(0.5, 0, 0.5),
            plane="coronal",
            format="npy",
        )
    )
    positions = [float(row["position_mm"]) for row in table]
    assert len(set(positions)) == 3
    assert all(-60.5 <= position <= 37.3 for position in positions)
    assert {row["stage"] for row in table} == {"0.5,0,0.5"}
    assert {(row["age"], row["sex"]) for row in table} == {("", "")}
    suvr = np.load(by_seed / table[0]["file"])
    expected = live(
        stage=[[0.5, 0, 0.5]], plane=[[0, 1, 0]], position_mm=[[positions[0]]]
    )
    np.testing.assert_allclose(suvr, np.clip(expected, 0, 2.5), atol=1e-4)


def test_nifti_lies_at_its_position(model, out):
    table = generate(
        model,
        count=1,
        out=out,
        stage="NC",
        plane="coronal",
        position_mm=-20,
        format="nifti",
    )
    image = nib.load(out / rows(table)[0]["file"])
    middle = image.affine @ [15.5, 15.5, 0, 1]
    # to the right, to the front, upwards
    np.testing.assert_allclose(middle[:3], [0, -20, 0], atol=1e-6)
    description = image.header["descrip"].item().decode()
    assert description.endswith(": NC coronal -20.0mm")


def test_folder_and_server_give_the_same_files(model, url, tmp_path):
    for asked in ({}, {"position_mm": 3.0, "sex": "M"}):
        folder, server = (tmp_path / f"{n}{len(asked)}" for n in "ab")
        generate(model, count=3, seed=62, out=folder, **AD, **asked)
        generate(url, count=3, seed=62, out=server, **AD, **asked)
        assert contents(folder) == contents(server)


def test_a_network_in_memory(model, tmp_path):
    folder, live_ = tmp_path / "folder", tmp_path / "live"
    generate(model, count=2, out=folder, **AD, format="npy")
    generate(
        toy_asked.lively_generator(),
        facts=toy_asked.FACTS,
        count=2,
        out=live_,
        **AD,
        format="npy",
    )
    before, found = contents(folder), contents(live_)
    before.pop("images.csv")
    assert b",live," in found.pop("images.csv")
    assert found == before


def test_another_stage_is_no_beginning_of_this_one(model, out, monkeypatch):
    whole = module.image_files.ResumableBatch.finish
    monkeypatch.setattr(
        module.image_files.ResumableBatch,
        "finish",
        lambda _: (_ for _ in ()).throw(KeyboardInterrupt),
    )
    with pytest.raises(KeyboardInterrupt):
        generate(model, count=2, out=out, **AD, age=60)
    monkeypatch.setattr(module.image_files.ResumableBatch, "finish", whole)
    for other in ({"stage": "NC"}, {"age": 61}, {"position_mm": 0}):
        with pytest.raises(FileExistsError, match="begun with another request"):
            generate(model, count=2, out=out, **AD | {"age": 60} | other)
    assert len(rows(generate(model, count=2, out=out, **AD, age=60))) == 2


def test_wrong_requests_write_nothing(model, toy_models, out):
    with pytest.raises(WantedError, match="expected a stage among NC"):
        generate(model, count=1, out=out)
    with pytest.raises(WantedError, match="without conditions"):
        generate(toy_models / "ad", count=1, out=out, stage="AD")
    assert not out.exists()


@pytest.mark.parametrize("kind", ["folder", "server"])
def test_rows_that_the_model_refuses_are_an_error(model, url, kind):
    drawing = (
        ExportedModel(model).load() if kind == "folder" else RemoteModel(url)
    )
    columns = {
        "stage": [[1.0, 0.0, 0.0]] * 2,
        "plane": ["axial", "nowhere"],
        "position_mm": [0.0, 0.0],
        "age": [-1.0, -1.0],
        "sex": ["", ""],
    }
    words = r"refused 1 of 2 images \(expected a plane among axial, coronal\)"
    with pytest.raises(ValueError, match=words):
        drawing.draw([1, 2], conditions=columns)
    with Image.open(
        io.BytesIO(
            drawing.draw(
                [1], conditions={n: v[:1] for n, v in columns.items()}
            )[0]
        )
    ) as image:
        assert image.size == (32, 32)


# --- the command line ---------------------------------------------------------


def command(*words):
    return CliRunner().invoke(app, ["generate", *map(str, words)])


def test_the_command_on_both_routes(model, url, tmp_path):
    asked = ("--stage", "0.5,0.5,0", "--plane", "axial", "--position", "-12.5")
    person = ("--age", "75", "--sex", "F", "--count", "2")
    folders = []
    for number, source in enumerate((model, url)):
        folders.append(tmp_path / str(number))
        done = command(source, *asked, *person, "--out", folders[-1])
        assert done.exit_code == 0, done.output
    assert contents(folders[0]) == contents(folders[1])
    assert "phantom_conditional_nc50-mci50-ad0_0000001.png" in contents(
        folders[0]
    )


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ((), "expected a stage among NC, MCI, AD"),
        (("--stage", "XY"), "expected a stage among NC, MCI, AD"),
        (("--stage", "0.5,0.4,0"), "that sum to 1"),
        (("--stage", "a,b,c"), "three weights with commas"),
        (("--stage", "nan,0,1"), "that sum to 1"),
        (("--stage", "AD"), "expected a plane among axial, coronal"),
        (("--stage", "AD", "--plane", "up"), "axial, coronal, sagittal"),
        (("--stage", "AD", "--plane", "sagittal"), "among axial, coronal"),
        (
            ("--stage", "AD", "--plane", "axial", "--position", "60"),
            "-40 to 50",
        ),
        (("--stage", "AD", "--plane", "axial", "--position", "nan"), "number"),
        (("--stage", "AD", "--plane", "axial", "--age", "20"), "55 to 90"),
        (("--stage", "AD", "--plane", "axial", "--sex", "X"), "F, M"),
    ],
)
def test_wrong_options_are_one_line(model, out, words, part):
    done = command(model, "--count", 1, "--out", out, *words)
    assert done.exit_code == 2
    assert part in " ".join(done.output.split())
    assert "Traceback" not in done.output
    assert not out.exists()
