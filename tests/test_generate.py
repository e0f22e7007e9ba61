import csv
import dataclasses
import functools
import os
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from pet_dcgan.models.model_info import ModelInfo
from pet_dcgan.models.sampling import synthetic_slices
from pet_dcgan.models.saved_model import save_model
from pet_dcgan.runs.run import Run
from pet_dcgan.serving.exported_model import ExportedModel
from pet_dcgan.serving.generate import generate
from tfds_adni.parallel.lock_file import held

# by path: a model stays as it is
LOAD = functools.cache(tf.saved_model.load)


@pytest.fixture(scope="module")
def model(toy_models):
    return toy_models / "ad"


@pytest.fixture(autouse=True)
def loaded_once(monkeypatch):
    monkeypatch.setattr(tf.saved_model, "load", LOAD)


@pytest.fixture
def out(tmp_path):
    return tmp_path / "synthetic"


@pytest.fixture(scope="module")
def live(toy_models):
    """Slices of seeds 3 to 7."""
    run = Run.open(toy_models.parent / "runs" / "AD")
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


def test_table_traces_every_image(model, out):
    table = rows(generate(model / "2", count=2, seed=12, out=out))
    assert table[0] == {
        "file": "phantom_ad_0000012.png",
        "stage": "AD",
        "seed": "12",
        "model_version": "2",
        "suvr_max": "2.5",
        "spacing_mm": "6.0",
        "plane": "axial",
        "phantom": "true",
    }
    # in this order, for who reads it by the place of a column
    assert list(table[0]) == [
        *("file", "stage", "seed", "model_version"),
        *("suvr_max", "spacing_mm", "plane", "phantom"),
    ]
    assert [row["seed"] for row in table] == ["12", "13"]
    assert sorted(p.name for p in out.iterdir()) == [
        "images.csv",
        "phantom_ad_0000012.png",
        "phantom_ad_0000013.png",
    ]


def exported(model, folder, **changes):
    """A model whose facts differ from the toy's."""
    facts = dataclasses.replace(ModelInfo.read(model / "2"), **changes)
    run = Run.open(model.parent.parent / "runs" / "AD")
    save_model(run.load_generator(), folder, facts)
    facts.write(folder)
    return folder


def test_patients_model_is_not_called_a_phantom(model, tmp_path, out):
    version = exported(
        model, tmp_path / "2", phantom=False, stage="NC", plane="sagittal"
    )
    row = rows(generate(version, count=1, out=out))[0]
    assert row["file"] == "synthetic_nc_sagittal_0000000.png"
    assert row["phantom"] == "false"
    with Image.open(out / row["file"]) as image:
        assert "phantom" not in image.text["Description"]


def test_same_seed_same_bytes_in_any_batch(model, tmp_path):
    # three at once are computed otherwise than one or many, in their last bits
    alone, first = tmp_path / "alone", tmp_path / "first"
    generate(model, count=1, seed=4, out=alone)
    generate(model, count=3, seed=2, out=first)
    (name,) = (name for name in os.listdir(alone) if "0000004" in name)
    assert (alone / name).read_bytes() == (first / name).read_bytes()


def test_all_formats_hold_the_same_suvr(model, tmp_path):
    for format_ in ("png", "npy", "nifti"):
        generate(model, count=1, out=tmp_path / format_, format=format_)
    (png,) = (tmp_path / "png").glob("*.png")
    (npy,) = (tmp_path / "npy").glob("*.npy")
    (nifti,) = (tmp_path / "nifti").glob("*.nii.gz")
    with Image.open(png) as image:
        suvr = (np.asarray(image) * (2.5 / 65535)).astype(np.float32)
    np.testing.assert_array_equal(np.load(npy), suvr)
    image = nib.load(nifti)
    np.testing.assert_array_equal(image.get_fdata()[..., 0], suvr)
    np.testing.assert_allclose(image.header.get_zooms(), 6)
    assert nib.aff2axcodes(image.affine) == ("P", "R", "S")
    assert b"synthetic phantom" in image.header["descrip"].item()


def small_requests(monkeypatch):
    """The model answers two images at most."""
    check = ModelInfo.__post_init__

    def fewer(self):
        check(self)
        object.__setattr__(self, "max_rows", 2)

    monkeypatch.setattr(ModelInfo, "__post_init__", fewer)


def drawn_by(monkeypatch):
    """Collects the seeds of each request from now on."""
    drawn, draw = [], ExportedModel.draw

    def note(self, seeds):
        drawn.append(list(seeds))
        return draw(self, seeds)

    monkeypatch.setattr(ExportedModel, "draw", note)
    return drawn


def test_every_request_is_for_a_whole_block(model, live, out, monkeypatch):
    small_requests(monkeypatch)
    drawn, seen = drawn_by(monkeypatch), []
    table = generate(
        model,
        count=5,
        seed=3,
        out=out,
        format="npy",
        progress=lambda done, total: seen.append((done, total)),
    )
    assert sorted(drawn) == [[2, 3], [4, 5], [6, 7]]
    assert seen == [(1, 5), (3, 5), (5, 5)]
    found = [np.load(out / row["file"]) for row in rows(table)]
    np.testing.assert_allclose(found, live, atol=3e-5)


def test_largest_seed_into_an_empty_folder(model, out):
    out.mkdir()
    table = generate(model, count=1, seed=2**63 - 1, out=out)
    assert rows(table)[0]["seed"] == str(2**63 - 1)


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
        ({"format": "jpeg"}, "among png, npy, nifti, nii, found 'jpeg'"),
    ],
)
def test_bad_options_are_refused(out, options, message):
    with pytest.raises(ValueError, match=message):
        generate("nowhere", out=out, **{"count": 1, **options})
    assert not out.exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("saved_model.pb", b"not a graph"),
        ("variables/variables.index", None),
        ("variables/variables.data-00000-of-00001", b""),
        ("variables/variables.data-00000-of-00001", b"half" * 1000),
    ],
)
def test_damaged_model_is_refused(model, tmp_path, out, name, content):
    damaged = shutil.copytree(model / "2", tmp_path / "2")
    path = damaged / name
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match="export the run again") as caught:
        generate(damaged, count=1, out=out)
    assert "\n" not in str(caught.value)
    assert not out.exists()


def test_model_without_the_signature_is_refused(model, tmp_path, out):
    facts = ModelInfo.read(model / "2")
    folder = tmp_path / "foreign" / "1"
    tf.saved_model.save(tf.Module(), str(folder))
    facts.write(folder)
    with pytest.raises(ValueError, match="signature generate_png in"):
        generate(folder, count=1, out=out)


@pytest.mark.parametrize(
    "changes",
    [
        {"size": 64},
        {"max_rows": 3},
        {"phantom": False},
        {"made_by": "pet-dcgan 9"},
        {"latent_dim": 7},
    ],
)
def test_facts_of_another_model_are_refused(model, tmp_path, out, changes):
    version = shutil.copytree(model / "2", tmp_path / "2")
    facts = ModelInfo.read(version)
    dataclasses.replace(facts, **changes).write(version)
    with pytest.raises(ValueError, match=r"another in .*model\.json: export"):
        generate(version, count=1, out=out)
    assert not out.exists()


def test_a_model_that_draws_another_size_is_refused(
    model, tmp_path, out, monkeypatch
):
    # its facts agree with each other, but not with its network
    version = exported(model, tmp_path / "2", size=64)
    with pytest.raises(ValueError, match="of 64 x 64, found one of 32 x 32"):
        generate(version, count=1, out=out)
    assert not out.exists()


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def whole(model, tmp_path_factory):
    """What a call makes of seeds 3 to 9 in blocks of two, uninterrupted."""
    out = tmp_path_factory.mktemp("whole") / "synthetic"
    with pytest.MonkeyPatch.context() as patch:
        small_requests(patch)
        return contents(generate(model, count=7, seed=3, out=out).parent)


@pytest.fixture
def interrupted(model, out, monkeypatch):
    """Stops with an error in the last of four requests; gives the rest.

    From then on the model answers two images at most, so that a block of its
    seeds is partly there.
    """

    def stop(error=None, **options):
        error = error or KeyboardInterrupt()
        small_requests(monkeypatch)
        with monkeypatch.context() as patch:
            write, written = Path.write_bytes, []

            def fail(path, content):
                if path.parent.name == "images":
                    written.append(path)
                    if len(written) == 6:
                        write(path, content[:20])
                        raise error
                return write(path, content)

            patch.setattr(Path, "write_bytes", fail)
            with pytest.raises(type(error)):
                generate(model, **{"count": 7, "seed": 3, "out": out} | options)
        assert not out.exists()
        return out.with_name(".synthetic.unfinished")

    return stop


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), KeyboardInterrupt()]
)
def test_the_same_call_goes_on(
    model, whole, interrupted, out, monkeypatch, error
):
    folder = interrupted(error)
    assert len(list((folder / "images").iterdir())) == 6
    drawn, seen = drawn_by(monkeypatch), []
    generate(
        model, count=7, seed=3, out=out, progress=lambda *x: seen.append(x)
    )
    assert contents(out) == whole
    # the first once more, to see that the model is the same
    assert drawn == [[2, 3], [8, 9]]
    assert seen == [(7, 7)]
    assert os.listdir(out.parent) == ["synthetic"]


def test_what_the_journal_does_not_list_is_drawn_again(
    model, whole, interrupted, out, monkeypatch
):
    folder = interrupted()
    images = sorted((folder / "images").iterdir())
    images[1].write_bytes(images[1].read_bytes()[:-1])
    images[2].unlink()
    journal = folder / "journal.txt"
    journal.write_text(journal.read_text()[:-4])
    drawn = drawn_by(monkeypatch)
    generate(model, count=7, seed=3, out=out)
    # the first block once more, to see that the model is the same
    assert sorted(drawn) == [[2, 3], [4, 5], [6, 7], [8, 9]]
    assert contents(out) == whole


def test_without_its_first_image_a_batch_begins_anew(
    model, whole, interrupted, out, monkeypatch
):
    (interrupted() / "first.png").unlink()
    drawn = drawn_by(monkeypatch)
    generate(model, count=7, seed=3, out=out)
    assert sorted(drawn) == [[2, 3], [4, 5], [6, 7], [8, 9]]
    assert contents(out) == whole


def test_a_damaged_first_image_begins_a_batch_anew(
    model, whole, interrupted, out
):
    first = interrupted() / "first.png"
    image = bytearray(first.read_bytes())
    image[60] ^= 1
    first.write_bytes(image)
    generate(model, count=7, seed=3, out=out)
    assert contents(out) == whole


@pytest.mark.parametrize("text", ["[]", "[" * 10**5, "\xff", "1", "{}"])
def test_a_damaged_request_does_not_stop_a_batch(
    model, whole, interrupted, out, text
):
    (interrupted() / "request.json").write_text(text, encoding="latin-1")
    if text == "{}":
        with pytest.raises(FileExistsError, match="begun with another"):
            generate(model, count=7, seed=3, out=out)
        return
    generate(model, count=7, seed=3, out=out)
    assert contents(out) == whole


def test_another_count_may_be_asked_for(model, whole, interrupted, out):
    interrupted()
    generate(model, count=2, seed=3, out=out)
    names = {name for name in whole if name[-11:-4] in ("0000003", "0000004")}
    assert len(names) == 2
    assert set(contents(out)) == names | {"images.csv"}
    assert all(contents(out)[name] == whole[name] for name in names)


@pytest.mark.parametrize(
    ("options", "words"), [({"seed": 4}, "seed 3"), ({"format": "npy"}, "png")]
)
def test_another_request_is_refused(
    model, whole, interrupted, out, options, words
):
    interrupted()
    asked = {"count": 7, "seed": 3, "out": out}
    with pytest.raises(
        FileExistsError, match=rf"\(.*{words}\).*remove"
    ) as error:
        generate(model, **asked | options)
    assert "\n" not in str(error.value)
    generate(model, **asked)
    assert contents(out) == whole


def test_another_model_of_the_same_name_is_refused(
    model, interrupted, out, monkeypatch
):
    interrupted()
    draw = ExportedModel.draw
    monkeypatch.setattr(
        ExportedModel, "draw", lambda self, s: draw(self, [x + 1 for x in s])
    )
    with pytest.raises(FileExistsError, match="draws others now"):
        generate(model, count=7, seed=3, out=out)


def test_two_processes_do_not_make_one_folder(model, out):
    with (
        held(out.with_name(".synthetic.lock"), "generate", place=out),
        pytest.raises(BlockingIOError, match="another pet-dcgan generate"),
    ):
        generate(model, count=1, out=out)
    assert not out.exists()


@pytest.mark.parametrize("target", ["elsewhere", "nowhere"])
def test_a_link_is_refused_before_the_work(model, tmp_path, target):
    """It cannot be replaced by a folder."""
    (tmp_path / "elsewhere").mkdir()
    before = sorted(tmp_path.iterdir())
    link = tmp_path / "link"
    link.symlink_to(tmp_path / target)
    with pytest.raises(FileExistsError, match="is a link: choose another"):
        generate(model, count=1, out=link)
    assert sorted(tmp_path.iterdir()) == [*before, link]


def test_a_mount_point_is_refused(model, out, monkeypatch):
    monkeypatch.setattr(os.path, "ismount", lambda path: path == out)
    with pytest.raises(FileExistsError, match=f"--out {out}/images"):
        generate(model, count=1, out=out)


def test_nothing_is_left_where_nothing_was_drawn(model, out, monkeypatch):
    def fail(self, seeds):
        raise ValueError("no")

    monkeypatch.setattr(ExportedModel, "draw", fail)
    with pytest.raises(ValueError, match="no"):
        generate(model, count=1, out=out)
    assert not os.listdir(out.parent)
