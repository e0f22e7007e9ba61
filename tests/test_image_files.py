import gzip
import io
import multiprocessing
import os
import signal

import nibabel as nib
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from pet_dcgan.serving.image_files import (
    nifti_bytes,
    png_bytes,
    resumable_batch,
    slice_affine,
    suvr_of_png,
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
    # the middle of the image is the origin
    np.testing.assert_allclose(affine @ [2.5, 2.5, 0, 1], [0, 0, 0, 1])


def test_top_left_of_an_axial_slice_is_front_left():
    affine = slice_affine("axial", size=5, spacing_mm=2.0)
    # right, anterior, superior
    np.testing.assert_allclose(affine @ [0, 0, 0, 1], [-4, 4, 0, 1])


def test_nifti_is_what_nibabel_writes():
    data = np.asfortranarray(SUVR[..., None])
    image = nib.Nifti1Image(data, slice_affine("axial", size=6, spacing_mm=2.0))
    image.header["descrip"] = "x"
    image.header.set_xyzt_units("mm")
    found = nifti_bytes(SUVR, plane="axial", spacing_mm=2.0, description="x")
    assert gzip.decompress(found) == image.to_bytes()
    assert found[4:8] == bytes(4)  # no time


PIXELS = np.arange(0, 36 * 1500, 1500, dtype=np.uint16).reshape(6, 6, 1)


def test_png_keeps_its_pixels_and_carries_notes():
    notes = {"suvr_max": "2.5", "phantom": "true"}
    found = png_bytes(tf.io.encode_png(PIXELS).numpy(), notes)
    # pillow checks the sum of every chunk
    with Image.open(io.BytesIO(found)) as image:
        image.load()
        assert image.mode == "I;16"
        assert image.text == notes
        np.testing.assert_array_equal(np.asarray(image), PIXELS[..., 0])
    # what a model's PNG brings along is replaced
    assert png_bytes(found, notes) == found
    suvr = suvr_of_png(found, 2.5)
    assert suvr.dtype == np.float32
    np.testing.assert_allclose(suvr, PIXELS[..., 0] / 65535 * 2.5, rtol=1e-7)


def add_and_die(out):
    with resumable_batch(out) as batch:
        batch.begin({"seed": 3}, tf.io.encode_png(PIXELS).numpy())
        batch.add({"3.png": b"image"})
        (batch.images / "4.png").write_bytes(b"half")
        os.kill(os.getpid(), signal.SIGKILL)


def test_images_in_the_journal_outlive_a_kill(tmp_path):
    out = tmp_path / "synthetic"
    fork = multiprocessing.get_context("fork")
    child = fork.Process(target=add_and_die, args=(out,))
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL
    with resumable_batch(out) as batch:
        assert not batch.differences({"seed": 3})
        assert batch.keep({"3.png": 3, "4.png": 4}) == {3}
