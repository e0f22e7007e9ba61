"""Where the voxels of a volume lie."""

import nibabel as nib
import numpy as np
import pytest

from pet_dcgan.metrics.atlas import CENTRE_MM
from pet_dcgan.references import SPACES
from pet_dcgan.utils.volume_grid import affine_of, is_mni
from tfds_adni.volumes.templates import TEMPLATES, grid_affine


def test_the_centre_of_a_native_brain_is_the_origin():
    affine = affine_of(64, 3.5)
    assert affine.dtype == np.float64
    np.testing.assert_array_equal(affine @ [32, 32, 32, 1], [0, 0, 0, 1])
    # 32 voxels of 3.5 mm to the left, to the back and below
    np.testing.assert_array_equal(affine @ [0, 0, 0, 1], [-112, -112, -112, 1])


@pytest.mark.parametrize("space", SPACES)
def test_axes_go_right_front_and_up(space):
    affine = affine_of(32, 7.0, space)
    assert nib.aff2axcodes(affine) == ("R", "A", "S")
    np.testing.assert_array_equal(nib.affines.voxel_sizes(affine), 7.0)


def test_the_grid_of_a_template_holds_its_whole_brain():
    affine = affine_of(64, 3.5, "MNI152NLin6Asym")
    np.testing.assert_array_equal(affine @ [32, 32, 32, 1], [0, -17.5, 7, 1])
    first, last = affine @ [0, 0, 0, 1], affine @ [63, 63, 63, 1]
    # of the brain of MNI152, from its mask
    assert (first[:3] < [-72, -107, -71]).all()
    assert (last[:3] > [72, 73, 81]).all()


@pytest.mark.parametrize("space", TEMPLATES)
def test_the_grid_of_a_template_is_that_of_prepared_sets(space):
    expected = grid_affine(64, 3.5)
    np.testing.assert_array_equal(affine_of(64, 3.5, space), expected)
    np.testing.assert_array_equal(expected @ [32, 32, 32, 1], [*CENTRE_MM, 1])


def test_mni_is_mni_alone():
    named = {space for space in SPACES if is_mni(space)}
    assert named == set(SPACES) - {"native", "IXI549Space"}


def test_a_grid_that_is_none_is_refused():
    with pytest.raises(ValueError, match="expected a space among native, MNI"):
        affine_of(64, 3.5, "MNI")
    for size, spacing in ((0, 3.5), (64, 0.0), (64, np.nan), (64, np.inf)):
        with pytest.raises(ValueError, match="expected a size and a spacing"):
            affine_of(size, spacing)
