import ida_tree
import nibabel as nib
import numpy as np
import pytest

from tfds_adni.volumes import VolumeError, check_header, load_volume


def save(path, data, affine=None, dtype=np.float32):
    affine = np.diag([2.0, 2.0, 2.0, 1.0]) if affine is None else affine
    nib.save(nib.Nifti1Image(np.asarray(data, dtype), affine), path)
    return path


@pytest.fixture
def ramp():
    return np.arange(10 * 11 * 12, dtype=np.float32).reshape(10, 11, 12)


def test_shape_spacing_and_values(tmp_path, ramp):
    affine = np.diag([2.0, 3.0, 4.0, 1.0])
    volume = load_volume([save(tmp_path / "a.nii.gz", ramp, affine)])
    assert volume.spacing == (2.0, 3.0, 4.0)
    assert volume.data.dtype == np.float32
    np.testing.assert_array_equal(volume.data, ramp)


@pytest.mark.parametrize("signs", [(-1, 1, 1), (-1, -1, 1), (1, 1, -1)])
def test_left_stays_left_whatever_the_orientation(tmp_path, ramp, signs):
    flipped = ramp[tuple(slice(None, None, s) for s in signs)]
    affine = np.diag([2.0 * signs[0], 2.0 * signs[1], 2.0 * signs[2], 1.0])
    volume = load_volume([save(tmp_path / "a.nii", flipped, affine)])
    np.testing.assert_array_equal(volume.data, ramp)


def test_permuted_axes(tmp_path, ramp):
    affine = np.eye(4)[[2, 0, 1, 3]]
    volume = load_volume([save(tmp_path / "a.nii", ramp, affine)])
    np.testing.assert_array_equal(volume.data, np.moveaxis(ramp, 2, 0))


def test_int16_with_a_slope_and_a_fourth_axis_of_one(tmp_path):
    head = ida_tree.head()
    ida_tree.save_las(head, tmp_path / "a.nii", scale=5000)
    volume = load_volume([tmp_path / "a.nii"])
    assert volume.data.shape == ida_tree.SHAPE
    np.testing.assert_allclose(volume.data / 5000, head, atol=1e-3)


def test_big_endian(tmp_path, ramp):
    path = save(tmp_path / "a.nii", ramp, dtype=">f4")
    np.testing.assert_array_equal(load_volume([path]).data, ramp)


def test_frames_in_one_file_are_averaged(tmp_path, ramp):
    path = save(tmp_path / "a.nii", np.stack([ramp, ramp + 2], axis=3))
    np.testing.assert_allclose(load_volume([path]).data, ramp + 1)


def test_frames_in_several_files_are_averaged(tmp_path, ramp):
    paths = [save(tmp_path / f"{n}.nii", ramp + n) for n in range(3)]
    np.testing.assert_allclose(load_volume(paths).data, ramp + 1)


def test_frames_of_different_shapes(tmp_path, ramp):
    paths = [save(tmp_path / "a.nii", ramp), save(tmp_path / "b.nii", ramp[1:])]
    with pytest.raises(VolumeError, match="frames of shapes"):
        load_volume(paths)


@pytest.mark.parametrize("content", [b"", b"x", b"<html>gone</html>" * 40])
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_files_that_are_no_images(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    assert check_header([path]).startswith("unreadable header")


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_truncated_file(tmp_path, name):
    data = np.random.default_rng(0).normal(size=(20, 20, 20))
    path = save(tmp_path / name, data)
    path.write_bytes(path.read_bytes()[:9000])
    assert check_header([path]) == ""
    with pytest.raises(VolumeError, match="unreadable data"):
        load_volume([path])


@pytest.mark.parametrize(
    ("shape", "reason"),
    [((10, 10), "is no volume"), ((10, 10, 3), "too small")],
)
def test_shapes_that_are_no_brain(tmp_path, shape, reason):
    path = save(tmp_path / "a.nii", np.ones(shape))
    assert reason in check_header([path])


def test_voxel_size_missing(tmp_path, ramp):
    path = save(tmp_path / "a.nii", ramp)
    header = bytearray(path.read_bytes())
    header[280:296] = bytes(16)  # srow_x of NIfTI-1
    path.write_bytes(header)
    assert "voxel size" in check_header([path])


def test_a_sound_header(tmp_path, ramp):
    assert check_header([save(tmp_path / "a.nii", ramp)]) == ""
