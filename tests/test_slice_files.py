import nibabel as nib
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from pet_dcgan.serving.slice_files import (
    slice_affine,
    write_nifti,
    write_npy,
    write_png,
)

SUVR = np.random.default_rng(0).random((6, 6), np.float32)


@pytest.mark.parametrize(
    ("plane", "codes"),
    [
        # where rows, columns and the third axis go
        ("axial", ("P", "R", "S")),
        ("coronal", ("I", "R", "A")),
        ("sagittal", ("I", "P", "R")),
    ],
)
def test_orientation_is_that_of_a_prepared_slice(plane, codes):
    affine = slice_affine(plane, size=6, spacing_mm=1.5)
    assert nib.aff2axcodes(affine) == codes
    np.testing.assert_allclose(nib.affines.voxel_sizes(affine), 1.5)


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
def test_middle_of_the_image_is_the_origin(plane):
    affine = slice_affine(plane, size=6, spacing_mm=1.5)
    np.testing.assert_allclose(affine @ [2.5, 2.5, 0, 1], [0, 0, 0, 1])


def test_top_left_of_an_axial_slice_is_front_left():
    affine = slice_affine("axial", size=5, spacing_mm=2.0)
    # right, anterior, superior
    np.testing.assert_allclose(affine @ [0, 0, 0, 1], [-4, 4, 0, 1])


def write_twice(tmp_path):
    for name in ("a.nii.gz", "b.nii.gz"):
        write_nifti(
            tmp_path / name,
            SUVR,
            plane="coronal",
            spacing_mm=1.5,
            description="synthetic phantom",
        )
        yield tmp_path / name


def test_nifti_holds_suvr_and_says_what_it_is(tmp_path):
    first, second = write_twice(tmp_path)
    image = nib.load(first)
    assert image.shape == (6, 6, 1)
    assert image.get_data_dtype() == np.float32
    np.testing.assert_array_equal(image.get_fdata()[..., 0], SUVR)
    np.testing.assert_allclose(image.header.get_zooms(), 1.5)
    assert image.header["descrip"].item() == b"synthetic phantom"
    assert image.header.get_xyzt_units()[0] == "mm"
    assert nib.aff2axcodes(image.affine) == ("I", "R", "A")
    assert first.read_bytes() == second.read_bytes()


def test_npy_holds_suvr(tmp_path):
    write_npy(tmp_path / "a.npy", SUVR.astype(np.float64))
    found = np.load(tmp_path / "a.npy")
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, SUVR)


def test_png_keeps_its_pixels_and_carries_notes(tmp_path):
    pixels = np.arange(0, 36 * 1500, 1500, dtype=np.uint16).reshape(6, 6, 1)
    encoded = tf.io.encode_png(pixels).numpy()
    notes = {"suvr_max": "2.5", "phantom": "true"}
    write_png(tmp_path / "a.png", encoded, notes)
    # pillow checks the sum of every chunk
    with Image.open(tmp_path / "a.png") as image:
        image.load()
        assert image.mode == "I;16"
        assert image.text == notes
        np.testing.assert_array_equal(np.asarray(image), pixels[..., 0])
    again = tf.io.decode_png((tmp_path / "a.png").read_bytes(), dtype="uint16")
    np.testing.assert_array_equal(again, pixels)
