import io

import ida_tree
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfds_adni.volumes.brain import find_brain
from tfds_adni.volumes.normalisation import Brain, scale_to_suvr
from tfds_adni.volumes.slices import (
    BANDS_MM,
    PLANES,
    cut_slices,
    encode_png,
    resample,
)
from tfds_adni.volumes.volume import Volume


@pytest.fixture
def brain():
    """Every voxel is 10000 x + 100 y + z, the centre a whole voxel."""
    x, y, z = np.indices((20, 22, 24))
    values = (10000 * x + 100 * y + z).astype(np.float32)
    return Brain(values, (2.0, 2.0, 2.0), (10.0, 11.0, 12.0))


def cut(brain, plane, band=(0.0, 2.0), size=8):
    return list(cut_slices(brain, plane, size=size, band_mm=band))


@pytest.mark.parametrize(
    ("plane", "corners"),
    [
        # rows front to back, columns left to right
        ("axial", [61412, 131412, 60712, 130712]),
        # rows downwards, columns left to right
        ("coronal", [61115, 131115, 61108, 131108]),
        # rows downwards, columns front to back
        ("sagittal", [101415, 100715, 101408, 100708]),
    ],
)
def test_rows_and_columns_by_hand(brain, plane, corners):
    (piece,) = cut(brain, plane)
    assert piece.image[[0, 0, -1, -1], [0, -1, 0, -1]].tolist() == corners
    assert piece.image.flags.c_contiguous


def test_positions_in_mm_and_indices(brain):
    pieces = cut(brain, "axial", band=(-4.0, 4.0))
    assert [p.position_mm for p in pieces] == [-4.0, -2.0, 0.0, 2.0]
    assert [p.index for p in pieces] == [0, 1, 2, 3]


def test_position_is_exact_where_the_centre_lies_between_voxels(brain):
    moved = Brain(brain.suvr, brain.spacing, (10.0, 11.0, 12.25))
    (piece,) = cut(moved, "axial")
    assert piece.position_mm == -0.5


@pytest.mark.parametrize("plane", PLANES)
def test_outside_the_volume_is_zero(brain, plane):
    (inside,) = cut(brain, plane, size=32)
    assert inside.image[0, 0] == 0
    (outside,) = cut(brain, plane, band=(100.0, 102.0))
    assert not outside.image.any()


def test_every_scan_gives_as_many_slices(brain):
    for fraction in (0.0, 0.3, 0.49, 0.5, 0.9):
        centre = (10.0, 11.0, 12.0 + fraction)
        moved = Brain(brain.suvr, brain.spacing, centre)
        assert len(cut(moved, "axial", band=(0.0, 9.0))) == 5


def test_same_grid_is_not_interpolated(brain):
    assert resample(brain, 2.0) is brain


def test_resampling_keeps_positions_and_values():
    volume = Volume(ida_tree.head(), (ida_tree.SPACING,) * 3)
    brain = scale_to_suvr(volume, find_brain(volume))
    fine = resample(brain, 3.0)
    assert fine.spacing == (3.0, 3.0, 3.0)
    assert fine.suvr.shape == (80, 80, 48)
    np.testing.assert_allclose(fine.suvr[::2, ::2, ::2], brain.suvr, atol=1e-5)
    np.testing.assert_allclose(fine.centre, np.multiply(brain.centre, 2))
    coarse = resample(brain, 12.0)
    assert coarse.suvr.shape == (20, 20, 12)
    assert coarse.suvr.mean() == pytest.approx(brain.suvr.mean(), rel=0.05)


def test_bands_hold_posterior_cingulate_and_lateral_parietal_cortex():
    # MNI coordinates less the centre of the MNI brain, (0, -22, 10).
    for place in [(-3, -28, 18), (-46, -40, 26)]:
        for axis, plane in enumerate(("sagittal", "coronal", "axial")):
            low, high = BANDS_MM[plane]
            assert low <= place[axis] < high


def test_bad_planes_and_bands(brain):
    with pytest.raises(ValueError, match="axial, coronal, sagittal"):
        cut(brain, "oblique")
    with pytest.raises(ValueError, match="from low to high"):
        cut(brain, "axial", band=(3.0, 3.0))


# --- PNG ----------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (7, 300)])
@pytest.mark.parametrize("kind", ["noise", "full", "ramp"])
def test_tensorflow_and_pillow_read_the_pixels_of_a_png(shape, kind):
    size = np.prod(shape)
    pixels = {
        "noise": np.random.default_rng(0).integers(0, 65536, size),
        "full": np.full(size, 65535),
        "ramp": np.arange(size) % 65536,
    }[kind]
    image = pixels.reshape(shape).astype(np.uint16)
    file = encode_png(image)
    by_tensorflow = tf.io.decode_png(file, channels=1, dtype=tf.uint16)
    np.testing.assert_array_equal(by_tensorflow[..., 0], image)
    np.testing.assert_array_equal(Image.open(io.BytesIO(file)), image)
    assert encode_png(np.asfortranarray(image)) == file


def test_png_of_empty_surroundings_is_small():
    assert len(encode_png(np.zeros((128, 128), np.uint16))) < 500
