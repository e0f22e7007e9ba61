from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from tfds_adni.sources import ScanRecord
from tfds_adni.volumes.masks import Masks, mask_mean
from tfds_adni.volumes.volume import Volume, VolumeError

AFFINE = np.diag([4.0, 4.0, 4.0, 1.0])
SHAPE = (12, 13, 14)


def record(name, image_id):
    return ScanRecord(
        paths=(Path("/scans") / name,), subject="999_S_9001", image_id=image_id
    )


IDA = record("ADNI_999_S_9001_PT_Coreg_Br_1_8_S1_I900015.nii", "900015")
BIDS = record("sub-01_ses-M00_trc-18FFDG_pet.nii.gz", "sub-01_ses-M00_pet")


def folder(tmp_path, *names):
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return Masks(tmp_path)


@pytest.mark.parametrize(
    ("scan", "name"),
    [
        (IDA, "I900015.nii"),
        (IDA, "pons_I900015.nii.gz"),
        (IDA, "deep/er/mask-I900015-v2.hdr"),
        (IDA, "mask_ADNI_999_S_9001_PT_Coreg_Br_1_8_S1_I900015.nii"),
        (BIDS, "sub-01_ses-M00_trc-18FFDG_pet_mask.nii"),
        (BIDS, "sub-01/ses-M00/sub-01_ses-M00_label-pons_mask.nii.gz"),
        (BIDS, "sub-01_ses-M00_trc-18FFDG_space-PET_desc-brain_mask.nii"),
    ],
)
def test_a_mask_that_belongs_to_a_scan(tmp_path, scan, name):
    others = ("I9000151.nii", "sub-01_ses-M06_mask.nii", "sub-010_mask.nii")
    masks = folder(tmp_path, name, *others)
    assert masks.of(scan) == tmp_path / name


@pytest.mark.parametrize(
    ("scan", "name"),
    [
        (IDA, "900015.nii"),
        (IDA, "PHI900015.nii"),
        (IDA, "I900015b.nii"),
        (IDA, "I900015.txt"),
        (IDA, "999_S_9001_mask.nii"),
        (BIDS, "sub-01_mask.nii"),
        (BIDS, "sub-01_ses-M00_trc-18FAV45_mask.nii"),
        (BIDS, "sub-02_ses-M00_mask.nii"),
    ],
)
def test_a_mask_that_does_not(tmp_path, scan, name):
    masks = folder(tmp_path, name, "other.nii")
    with pytest.raises(VolumeError, match="no mask for this scan"):
        masks.of(scan)


def test_several_masks_none_and_one_for_all(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(FileNotFoundError, match="expected mask images"):
        Masks(tmp_path)
    masks = folder(tmp_path, "I900015.nii", "I900015_pons.nii")
    with pytest.raises(VolumeError, match="several masks for this scan: I9000"):
        masks.of(IDA)
    masks = Masks(tmp_path / "I900015.nii")
    assert masks.of(IDA) == masks.of(BIDS) == tmp_path / "I900015.nii"


@pytest.fixture
def volume():
    x = np.arange(SHAPE[0], dtype=np.float32)
    data = np.broadcast_to(x[:, None, None], SHAPE)
    return Volume(data, (4.0, 4.0, 4.0), affine=AFFINE)


def save(path, mask, affine=AFFINE):
    nib.save(nib.Nifti1Image(np.asarray(mask), affine), path)
    return path


def box(value=1, dtype=np.uint8):
    mask = np.zeros(SHAPE, dtype)
    mask[5:8, 4:9, 4:9] = value
    return mask


@pytest.mark.parametrize(
    "mask", [box(), box(255), box(0.8, np.float32) + 0.3 * (box() == 0)]
)
def test_mean_on_the_same_grid(tmp_path, volume, mask):
    path = save(tmp_path / "m.nii", mask.astype(np.float32))
    assert mask_mean(path, volume, volume.data) == 6


def test_left_and_right_of_the_mask_are_its_own(tmp_path, volume):
    affine = AFFINE.copy()
    affine[0] = [-4, 0, 0, 4 * (SHAPE[0] - 1)]
    path = save(tmp_path / "m.nii", box()[::-1], affine)
    assert mask_mean(path, volume, volume.data) == 6


def test_a_mask_on_a_finer_grid_at_the_same_place(tmp_path, volume):
    fine = np.zeros([2 * n for n in SHAPE], np.uint8)
    fine[10:16, 8:18, 8:18] = 1
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    affine[:3, 3] = -1  # voxel 0 of the volume is voxels 0 and 1 of the mask
    path = save(tmp_path / "m.nii", fine, affine)
    assert mask_mean(path, volume, volume.data) == pytest.approx(6, abs=0.01)


@pytest.mark.parametrize(
    ("mask", "affine", "words"),
    [
        (box(0), AFFINE, "zeros alone"),
        (box(-1, np.int16), AFFINE, "other values"),
        (np.arange(2184).reshape(SHAPE) % 5, AFFINE, "5 values up to 4"),
        (box(), AFFINE + np.eye(4)[3] * 500, "lie inside the scan"),
        (box()[:, :, :7], np.diag([2.0, 2, 2, 1]), "no brain scan|too small"),
    ],
)
def test_masks_that_do_not_fit(tmp_path, volume, mask, affine, words):
    affine = affine.copy()
    affine[3] = [0, 0, 0, 1]
    path = save(tmp_path / "bad.nii", mask.astype(np.int16), affine)
    with pytest.raises(VolumeError, match=rf"cannot be used: .*({words}).*bad"):
        mask_mean(path, volume, volume.data)


def test_half_a_mask_outside_the_scan_and_no_mask_at_all(tmp_path, volume):
    moved = AFFINE.copy()
    moved[1, 3] = -30
    path = save(tmp_path / "m.nii", box(), moved)
    with pytest.raises(VolumeError, match=r"of 4.8 ml lie inside the scan"):
        mask_mean(path, volume, volume.data)
    path.write_bytes(b"<html>")
    with pytest.raises(VolumeError, match="cannot be used: unreadable header"):
        mask_mean(path, volume, volume.data)


def test_no_orientation_needs_the_same_shape(tmp_path):
    data = np.ones(SHAPE, np.float32)
    lost = Volume(data, (4.0, 4.0, 4.0))
    image = nib.Nifti1Image(box(), None)
    image.header.set_zooms((4, 4, 4))
    nib.save(image, tmp_path / "m.nii")
    assert mask_mean(tmp_path / "m.nii", lost, data) == 1
    placed = save(tmp_path / "p.nii", box())
    with pytest.raises(VolumeError, match="not both headers"):
        mask_mean(placed, lost, data)


def test_no_number_and_nothing_inside_the_mask(tmp_path):
    path = save(tmp_path / "m.nii", box())
    data = np.ones(SHAPE, np.float32)
    data[6, 6, 6] = np.nan
    data[6, 6, 7] = np.inf
    spoilt = Volume(data, (4.0, 4.0, 4.0), affine=AFFINE)
    with pytest.raises(VolumeError, match="NaN or Inf inside the mask"):
        mask_mean(path, spoilt, np.where(np.isfinite(data), data, 0))
    repaired = np.where(np.isfinite(data), data, 1)
    assert mask_mean(path, spoilt, repaired) == 1
    whole = Volume(repaired, (4.0, 4.0, 4.0), affine=AFFINE)
    with pytest.raises(VolumeError, match="nothing above zero inside the mask"):
        mask_mean(path, whole, np.zeros(SHAPE, np.float32))
