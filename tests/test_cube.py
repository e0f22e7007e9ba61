"""Cubes of voxels: around a brain's centre, and on a template's grid."""

import ida_tree
import nibabel as nib
import numpy as np
import pytest

from tfds_adni.volumes.brain import BrainLocation, find_brain
from tfds_adni.volumes.cube import (
    around_centre,
    cut_cube,
    in_template,
    locate_in_cube,
)
from tfds_adni.volumes.normalisation import Brain, scale_to_suvr
from tfds_adni.volumes.templates import CENTRE_MM, grid_affine
from tfds_adni.volumes.volume import Volume


@pytest.fixture
def brain():
    """Every voxel is 10000 x + 100 y + z, the centre a whole voxel."""
    x, y, z = np.indices((20, 22, 24))
    values = (10000 * x + 100 * y + z).astype(np.float32)
    return Brain(values, (2.0, 2.0, 2.0), (10.0, 11.0, 12.0), divisor=3.0)


def cut(brain, size=8, spacing_mm=2.0):
    grid = {"size": size, "spacing_mm": spacing_mm}
    return cut_cube(brain, around_centre(brain, **grid), **grid)


def test_voxels_by_hand(brain):
    cube = cut(brain)
    assert cube.suvr.shape == (8, 8, 8)
    assert cube.suvr.dtype == np.float32
    # voxel 4 is the centre; x to the right, y to the front, z upwards
    assert cube.suvr[4, 4, 4] == 101112
    assert cube.suvr[5, 4, 4] == 111112
    assert cube.suvr[4, 3, 6] == 101014
    assert cube.suvr[0, 0, 0] == 60708
    assert (cube.spacing, cube.centre) == ((2.0,) * 3, (4.0,) * 3)
    assert cube.divisor == 3.0


def test_the_same_grid_is_moved_by_whole_voxels_only(brain):
    moved = Brain(brain.suvr, brain.spacing, (10.4, 10.6, 12.4))
    np.testing.assert_array_equal(cut(moved).suvr, cut(brain).suvr)


def test_the_exact_centre_is_voxel_four_of_another_grid(brain):
    moved = Brain(brain.suvr, brain.spacing, (10.25, 11.5, 12.0))
    grid = {"size": 8, "spacing_mm": 1.0}
    cube = cut_cube(moved, around_centre(moved, **grid), **grid).suvr
    assert cube[4, 4, 4] == pytest.approx(10.25e4 + 1150 + 12)
    # a millimetre is half a voxel
    assert cube[6, 4, 5] == pytest.approx(11.25e4 + 1150 + 12.5)


def test_outside_the_volume_is_zero(brain):
    cube = cut(brain, size=64).suvr
    assert cube[0, 0, 0] == 0
    assert cube[32, 32, 32] == 101112
    assert not cube[:, :, 60:].any()


def test_a_coarser_cube_is_smoothed_first():
    noise = np.random.default_rng(0).normal(1, 0.3, (40, 40, 40))
    brain = Brain(noise.astype(np.float32), (1.0,) * 3, (20.0,) * 3)
    cube = cut(brain, size=6, spacing_mm=4.0).suvr
    assert cube.mean() == pytest.approx(1, abs=0.03)
    assert cube.std() < 0.05


def test_a_cube_has_the_mean_and_the_sides_of_the_scan():
    volume = Volume(ida_tree.head(), (ida_tree.SPACING,) * 3)
    found = find_brain(volume)
    brain = scale_to_suvr(volume, found)
    grid = {"size": 32, "spacing_mm": 7.0}
    matrix = around_centre(brain, **grid)
    cube = cut_cube(brain, matrix, **grid)
    shown = locate_in_cube(found, cube, matrix)
    assert shown.mask.shape == (32, 32, 32)
    assert cube.suvr[shown.mask].mean() == pytest.approx(1, abs=0.06)
    volumes = [m.sum() * s for m, s in ((found.mask, 0), (shown.mask, 343))]
    steps = np.prod(np.array(found.steps) * ida_tree.SPACING)
    assert volumes[1] == pytest.approx(found.mask.sum() * steps, rel=0.1)
    # the head's bright spot: on the right, at the front, high up
    spot = np.unravel_index(cube.suvr.argmax(), cube.suvr.shape)
    expected = np.array([35, 40, 20]) / 7 + 16
    np.testing.assert_allclose(spot, expected, atol=1)


# --- in a template's space ----------------------------------------------------


def test_the_grid_of_a_template_by_hand():
    affine = grid_affine(64, 3.5)
    np.testing.assert_allclose(affine @ [32, 32, 32, 1], [*CENTRE_MM, 1])
    np.testing.assert_allclose(affine @ [0, 0, 0, 1], [-112, -129.5, -105, 1])
    np.testing.assert_allclose(affine[:3, :3], 3.5 * np.eye(3))


@pytest.mark.parametrize("turned", [False, True])
def test_a_place_of_the_template_is_the_same_voxel_in_every_scan(turned):
    """Whatever grid the scan has: a hot voxel at MNI (24.5, -52.5, 28)."""
    affine = nib.affines.from_matvec(np.diag([3.0, 2.0, 2.5]), [-90, -126, -72])
    if turned:
        a = np.deg2rad(10)
        turn = np.eye(4)
        turn[:2, :2] = [[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]
        affine = turn @ affine
    data = np.zeros((61, 91, 73), np.float32)
    at = np.linalg.inv(affine) @ [24.5, -52.5, 28, 1]
    grid = np.indices(data.shape).reshape(3, -1).T
    away = (grid - at[:3]) * [3.0, 2.0, 2.5]
    data[:] = np.exp(-((away**2).sum(1)) / 50).reshape(data.shape)
    brain = Brain(data, (3.0, 2.0, 2.5), (30.0, 40.0, 30.0))
    matrix = in_template(affine, size=64, spacing_mm=3.5)
    cube = cut_cube(brain, matrix, size=64, spacing_mm=3.5).suvr
    # 7 voxels right of the middle, 10 behind it, 6 above it
    assert np.unravel_index(cube.argmax(), cube.shape) == (39, 22, 38)
    assert cube.max() == pytest.approx(1, abs=0.1)


def test_a_mask_follows_its_scan_into_the_cube():
    mask = np.zeros((10, 12, 14), bool)
    mask[5, 6, 7] = True
    found = BrainLocation(
        data=np.zeros((20, 24, 28), np.float32),
        mean=1.0,
        centre=(10.0, 12.0, 14.0),
        mask=mask,
        steps=(2, 2, 2),
    )
    brain = Brain(found.data, (2.0,) * 3, found.centre)
    grid = {"size": 9, "spacing_mm": 4.0}
    matrix = around_centre(brain, **grid)
    shown = locate_in_cube(found, cut_cube(brain, matrix, **grid), matrix)
    assert np.argwhere(shown.mask).tolist() == [[4, 4, 4]]
    assert (shown.steps, shown.centre) == ((1, 1, 1), (4.0, 4.0, 4.0))
