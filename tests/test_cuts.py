"""Cuts through volumes: left stays left, as in slices of a prepared set."""

import numpy as np
import pytest

from pet_dcgan.metrics.cuts import (
    central_offsets,
    cut,
    orthogonal_cuts,
    three_plane,
)
from tfds_adni.volumes.normalisation import Brain
from tfds_adni.volumes.slices import cut_slices

PLANES = ("axial", "coronal", "sagittal")


def volume(size=8):
    """One volume of numbers that are all different, `[1, x, y, z]`."""
    return np.arange(size**3, dtype=np.float32).reshape(1, size, size, size)


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize("offset", [-3, 0, 2])
def test_a_cut_is_the_slice_of_a_prepared_set(plane, offset):
    brain = Brain(volume()[0], (1.0,) * 3, (4.0, 4.0, 4.0))
    (expected,) = cut_slices(
        brain, plane, size=8, band_mm=(offset, offset + 0.5)
    )
    np.testing.assert_array_equal(
        cut(volume(), plane, offset)[0], expected.image
    )


@pytest.mark.parametrize(
    ("plane", "row", "column"),
    # of a mark at the left, at the front and at the top
    [("axial", "first", "first"), ("coronal", "first", "first")],
)
def test_left_is_left_and_up_is_up(plane, row, column):
    marked = np.zeros([1, 8, 8, 8])
    marked[0, 0, 7, 7] = 1  # left, front, top
    offset = 3  # the last voxel of y and z
    where = np.argwhere(cut(marked, plane, offset)[0])
    np.testing.assert_array_equal(where, [[0, 0]])


def test_a_sagittal_cut_has_the_front_at_its_left():
    marked = np.zeros([1, 8, 8, 8])
    marked[0, 0, 7, 0] = 1  # left, front, bottom
    where = np.argwhere(cut(marked, "sagittal", -4)[0])
    np.testing.assert_array_equal(where, [[7, 0]])


def test_cuts_lie_inside_the_bands_of_slices():
    # 18 mm, -36 mm and -24 mm in voxels of 3.5 mm
    assert central_offsets(64) == {"axial": 5, "coronal": -10, "sagittal": -7}
    assert central_offsets(32) == {"axial": 3, "coronal": -5, "sagittal": -3}


def test_three_cuts_are_the_single_ones():
    volumes = np.concatenate([volume(), 2 * volume()])
    cuts = orthogonal_cuts(volumes, offsets=dict.fromkeys(PLANES, 1))
    assert cuts.shape == (2, 3, 8, 8)
    assert cuts.dtype == np.float32
    for index, plane in enumerate(PLANES):
        np.testing.assert_array_equal(cuts[:, index], cut(volumes, plane, 1))


def test_a_sheet_has_the_cuts_side_by_side():
    sheet = three_plane(volume())
    assert sheet.shape == (1, 8, 24)
    cuts = orthogonal_cuts(volume())[0]
    np.testing.assert_array_equal(sheet[0], np.concatenate(cuts, axis=1))


def test_stored_volumes_are_cut_without_a_copy():
    stored = volume().astype(np.uint16)
    assert np.shares_memory(cut(stored, "coronal", 0), stored)


@pytest.mark.parametrize("shape", [(2, 8, 8), (1, 8, 8, 4), (0, 8, 8, 8)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match="expected volumes"):
        orthogonal_cuts(np.zeros(shape))


def test_other_planes_and_places_are_refused():
    with pytest.raises(ValueError, match="expected a plane of axial"):
        cut(volume(), "oblique", 0)
    with pytest.raises(ValueError, match=r"from -4 to 3 voxels.*found 4"):
        cut(volume(), "axial", 4)


def test_what_is_not_finite_is_refused():
    broken = volume()
    broken[0, :, :, 5] = np.nan
    with pytest.raises(ValueError, match="finite"):
        orthogonal_cuts(broken)
