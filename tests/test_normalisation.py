from pathlib import Path

import ida_tree
import nibabel as nib
import numpy as np
import pytest

from tfds_adni.volumes import normalisation
from tfds_adni.volumes.brain import find_brain
from tfds_adni.volumes.normalisation import Normalisation
from tfds_adni.volumes.volume import Volume, VolumeError

SPACING = (ida_tree.SPACING,) * 3
AFFINE = np.diag([*SPACING, 1.0])


def volume(data):
    return Volume(data.astype(np.float32), SPACING, affine=AFFINE)


def scale_to_suvr(scan, **options):
    return normalisation.scale_to_suvr(scan, find_brain(scan), **options)


@pytest.fixture
def inner(tmp_path):
    """A mask of the dim middle of the head, where its value is 0.7."""
    mask = np.zeros(ida_tree.SHAPE, np.uint8)
    mask[17:23, 17:23, 10:14] = 1
    path = tmp_path / "inner.nii.gz"
    nib.save(nib.Nifti1Image(mask, AFFINE), path)
    return path


def test_mean_inside_the_brain_is_one():
    brain = scale_to_suvr(volume(ida_tree.head() * 7000))
    mask = find_brain(volume(ida_tree.head())).mask
    assert brain.suvr[mask].mean() == pytest.approx(1, abs=1e-5)
    assert brain.suvr.dtype == np.float32


@pytest.mark.parametrize("method", ["brain", "mask"])
@pytest.mark.parametrize("dose", [0.01, 3.0, 40000.0])
def test_dose_does_not_matter(method, dose, inner):
    mask = inner if method == "mask" else None
    np.testing.assert_allclose(
        scale_to_suvr(
            volume(ida_tree.head() * dose), method=method, mask=mask
        ).suvr,
        scale_to_suvr(volume(ida_tree.head()), method=method, mask=mask).suvr,
        rtol=1e-4,
    )


def test_mean_inside_a_mask_file_is_one(inner):
    data = ida_tree.head() * 7000
    brain = scale_to_suvr(volume(data), method="mask", mask=inner)
    assert brain.suvr[17:23, 17:23, 10:14].mean() == pytest.approx(1, abs=1e-5)
    by_brain = scale_to_suvr(volume(data))
    assert brain.suvr.max() > 1.3 * by_brain.suvr.max()
    assert brain.centre == by_brain.centre


def test_none_keeps_the_values():
    data = ida_tree.head() * 1.2
    brain = scale_to_suvr(volume(data), method="none")
    np.testing.assert_array_equal(brain.suvr, data.astype(np.float32))
    assert brain.centre == scale_to_suvr(volume(data)).centre


@pytest.mark.parametrize("scale", [1e-3, 0.2, 7.0, 7000.0])
def test_none_refuses_what_is_no_suvr(scale):
    with pytest.raises(VolumeError, match=r"not SUVR: mean inside the brain"):
        scale_to_suvr(volume(ida_tree.head() * scale), method="none")


def test_a_mask_that_is_not_on_the_brain(tmp_path):
    data = ida_tree.head()
    data[:3, :3, :3] = 0.01
    mask = np.zeros(ida_tree.SHAPE, np.uint8)
    mask[:3, :3, :3] = 1
    nib.save(nib.Nifti1Image(mask, AFFINE), tmp_path / "corner.nii")
    with pytest.raises(VolumeError, match="the mask does not fit: the brain's"):
        scale_to_suvr(volume(data), method="mask", mask=tmp_path / "corner.nii")


def test_facts_name_no_folder(inner):
    assert Normalisation().facts() == {"method": "brain"}
    for masks, name in (
        (inner, inner.name),
        (inner.parent, "one for each scan"),
    ):
        facts = Normalisation(method="mask", masks=masks).facts()
        assert facts == {"method": "mask", "masks": name}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "pons"}, "brain, mask, none, found 'pons'"),
        ({"method": "mask"}, "expected --masks with"),
        ({"masks": Path("x.nii")}, "expected --masks with"),
        ({"method": "none", "masks": Path("x.nii")}, "expected --masks with"),
    ],
)
def test_options_that_do_not_go_together(options, words):
    with pytest.raises(ValueError, match=words):
        Normalisation(**options)


def test_masks_that_are_not_there(tmp_path):
    lost = Normalisation(method="mask", masks=tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="found none; give --masks"):
        lost.masks_by_scan()
    assert Normalisation().masks_by_scan() is None
