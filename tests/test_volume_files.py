"""Volumes drawn from a folder, a server and a network, as files."""

import csv
import dataclasses
import gzip
import json
from types import SimpleNamespace

import nibabel as nib
import numpy as np
import pytest
import stub_server
import tensorflow as tf
from toy_volume_models import SIZE, TEMPLATE, right_sided, volume_facts

import pet_dcgan
from pet_dcgan.metrics.cuts import three_plane
from pet_dcgan.models.model_info import ModelInfo
from pet_dcgan.serving.image_request import ImageRequest
from pet_dcgan.serving.nifti import ALIGNED, MNI, UNKNOWN, nifti_bytes
from pet_dcgan.serving.wanted import Wanted
from pet_dcgan.utils.volume_grid import affine_of

SPOT = [24, 26, 10, 1]  # where the volume of `right_sided` is brightest


@pytest.fixture(scope="module")
def generated(volume_models, tmp_path_factory):
    """`generated(name, format, count=2, ...)`: the folder of a batch."""
    parent = tmp_path_factory.mktemp("generated")

    def make(name, format_, *, count=2, **options):
        out = parent / str(len(list(parent.iterdir())))
        folder = volume_models / name
        pet_dcgan.generate(
            folder, count=count, out=out, format=format_, **options
        )
        return out

    return make


def rows(folder):
    with (folder / "images.csv").open() as table:
        return list(csv.DictReader(table))


def contents(folder):
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir())}


# --- one file -----------------------------------------------------------------


@pytest.mark.parametrize("code", [ALIGNED, MNI])
def test_a_file_has_a_true_affine_and_nothing_that_changes(code):
    voxels = np.random.default_rng(0).random((4, 5, 6), np.float32)
    affine = affine_of(4, 3.5)
    options = {"affine": affine, "description": "x", "sform": code}
    content = nifti_bytes(voxels, **options, qform=code)
    assert content == nifti_bytes(voxels, **options, qform=code)
    # of gzip: no flags, so no name; no time
    assert content[:8] == b"\x1f\x8b\x08" + bytes(5)
    image = nib.Nifti1Image.from_bytes(gzip.decompress(content))
    np.testing.assert_array_equal(image.get_fdata(), voxels)
    assert image.get_data_dtype() == np.float32
    for found, number in (image.get_sform(True), image.get_qform(True)):
        np.testing.assert_array_equal(found, affine)
        assert number == code
    assert image.header.get_xyzt_units()[0] == "mm"
    # of the file itself: voxels are not scaled
    assert np.frombuffer(gzip.decompress(content)[112:120], "<f4").tolist() in (
        [1.0, 0.0],
        [0.0, 0.0],
    )


def test_a_qform_may_stay_unknown():
    content = nifti_bytes(
        np.zeros((2, 2, 1)), affine=np.eye(4), description="x", qform=UNKNOWN
    )
    image = nib.Nifti1Image.from_bytes(gzip.decompress(content))
    assert image.header["qform_code"] == UNKNOWN
    assert image.header["sform_code"] == ALIGNED


# --- batches ------------------------------------------------------------------


def test_right_is_right_and_the_front_is_in_front(generated):
    folder = generated("ad_volume", "nifti", count=1)
    image = nib.load(folder / "phantom_ad_volume_0000000.nii.gz")
    suvr = image.get_fdata()
    assert suvr.shape == (SIZE, SIZE, SIZE)
    assert suvr[*SPOT[:3]] == pytest.approx(2.0, abs=1e-3)
    brightest = np.unravel_index(suvr.argmax(), suvr.shape)
    right, front, up = (image.affine @ [*brightest, 1])[:3]
    # 7 to 9 voxels to the right, 9 to 11 to the front, 5 to 7 below
    assert 49 <= right <= 63
    assert 63 <= front <= 77
    assert -49 <= up <= -35
    np.testing.assert_array_equal(image.affine, affine_of(SIZE, 7.0))
    assert image.header["descrip"].item().startswith(b"synthetic phantom PET")


def test_a_volume_of_a_template_says_so(generated):
    folder = generated("nc_volume", "nifti", count=1)
    image = nib.load(next(folder.glob("*.nii.gz")))
    np.testing.assert_array_equal(image.affine, affine_of(SIZE, 7.0, TEMPLATE))
    codes = image.header["sform_code"], image.header["qform_code"]
    assert [int(code) for code in codes] == [MNI, MNI]
    assert rows(folder)[0]["space"] == TEMPLATE


def test_the_space_of_spm_is_not_called_mni(volume_models):
    facts = ModelInfo.read(volume_models / "nc_volume" / "1")
    drawn = tf.io.encode_png(np.zeros([SIZE**2, SIZE, 1], np.uint16)).numpy()
    codes = []
    for space in (TEMPLATE, "IXI549Space", "native"):
        model = SimpleNamespace(facts=dataclasses.replace(facts, space=space))
        request = ImageRequest(model, range(1), "nifti", Wanted())
        content = gzip.decompress(request.file_content(0, drawn))
        image = nib.Nifti1Image.from_bytes(content)
        codes.append(int(image.header["sform_code"]))
    assert codes == [MNI, ALIGNED, ALIGNED]


def test_all_formats_hold_the_same_voxels(generated):
    asked = {"stage": "AD", "seed": 5, "count": 4}
    folders = {
        format_: generated("conditional_volume", format_, **asked)
        for format_ in ("png", "npy", "nifti", "nii")
    }
    name = "phantom_conditional_volume_ad_0000008"
    voxels = np.load(folders["npy"] / f"{name}.npy")
    assert (voxels.shape, voxels.dtype) == ((SIZE,) * 3, np.float32)
    image = nib.load(folders["nifti"] / f"{name}.nii.gz")
    plain = nib.load(folders["nii"] / f"{name}.nii")
    np.testing.assert_array_equal(plain.affine, image.affine)
    np.testing.assert_array_equal(plain.get_fdata(), image.get_fdata())
    np.testing.assert_array_equal(image.get_fdata(), voxels)
    png = (folders["png"] / f"{name}.png").read_bytes()
    sheet = tf.io.decode_png(png, dtype=tf.uint16).numpy()[..., 0]
    expected = three_plane(voxels[np.newaxis])[0]
    np.testing.assert_allclose(sheet / 65535 * 2.5, expected, atol=1e-6)
    assert b"space\0native" in png
    (_, _, _, last) = rows(folders["nifti"])
    assert (last["file"], last["seed"]) == (f"{name}.nii.gz", "8")
    assert (last["stage"], last["plane"]) == ("AD", "volume")
    assert (last["space"], last["position_mm"]) == ("native", "")


def test_the_seed_and_the_stage_decide_alone(generated):
    name = "conditional_volume"
    many = contents(generated(name, "nifti", stage="NC", count=5))
    few = contents(generated(name, "nifti", stage="NC", seed=3, count=1))
    (file,) = set(few) - {"images.csv"}
    assert few[file] == many[file]
    other = contents(generated(name, "nifti", stage="AD", seed=3, count=1))
    assert few[file] not in other.values()


def test_a_server_and_a_network_give_the_bytes_of_the_folder(
    volume_models, generated, tmp_path
):
    folder = contents(generated("ad_volume", "nifti", count=4))
    with stub_server.serve(volume_models) as stub:
        pet_dcgan.generate(
            f"{stub.url}/v1/models/ad_volume",
            count=4,
            out=tmp_path / "url",
            format="nifti",
        )
        asked = [json.loads(body) for _, body in stub.requests]
    assert contents(tmp_path / "url") == folder
    voxels = [b for b in asked if b["signature_name"] == "generate_voxels"]
    assert [len(each["inputs"]["seed"]) for each in voxels] == [3, 3]
    pet_dcgan.generate(
        right_sided(),
        facts=volume_facts(stage="AD"),
        count=4,
        out=tmp_path / "live",
        format="nifti",
    )
    live = contents(tmp_path / "live")
    images = {name: folder[name] for name in folder if name != "images.csv"}
    assert {name: live[name] for name in images} == images


def test_a_plane_is_not_asked_of_volumes(volume_models, tmp_path):
    model = volume_models / "conditional_volume"
    asked = {"count": 1, "out": tmp_path / "out", "stage": "AD"}
    with pytest.raises(ValueError, match="expected a plane among volume"):
        pet_dcgan.generate(model, **asked, plane="axial")
    with pytest.raises(ValueError, match="expected no position"):
        pet_dcgan.generate(model, **asked, position_mm=3.0)
    with pytest.raises(ValueError, match="expected a stage among NC, MCI, AD"):
        pet_dcgan.generate(model, count=1, out=tmp_path / "out")
