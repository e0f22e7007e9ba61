import nibabel as nib
import numpy as np
import pytest

from tfds_adni.volumes.volume import VolumeError, load_volume

LAS = np.array([[-2.0, 0, 0, 20], [0, 2, 0, -30], [0, 0, 2, -40], [0, 0, 0, 1]])


@pytest.fixture
def ramp():
    return np.arange(1320, dtype=np.float32).reshape(10, 11, 12)


def nifti(path, data, *, sform=None, qform=None, unit="mm", zooms=(2, 2, 2)):
    """A file with exactly these forms; codes are 0 where one is None."""
    image = nib.Nifti1Image(data, None)
    image.header.set_zooms((*zooms, 1)[: data.ndim])
    image.header.set_xyzt_units(unit)
    image.header.set_qform(qform, int(qform is not None), strip_shears=True)
    image.header.set_sform(sform, int(sform is not None))
    nib.save(image, path)
    return path


def spoil(path, at, values):
    content = bytearray(path.read_bytes())
    new = np.asarray(values, np.float32).tobytes()
    content[at : at + len(new)] = new
    path.write_bytes(content)


def reason(path):
    with pytest.raises(VolumeError) as error:
        load_volume([path])
    return str(error.value)


def test_qform_alone_and_beside_an_sform(tmp_path, ramp):
    volume = load_volume([nifti(tmp_path / "a.nii", ramp, qform=LAS)])
    np.testing.assert_array_equal(volume.data, ramp[::-1])
    np.testing.assert_allclose(volume.affine[:3, 3], [2, -30, -40])
    moved = LAS + np.eye(4)[3] * [[5], [0], [0], [0]]
    path = nifti(tmp_path / "b.nii", ramp, sform=moved, qform=LAS)
    assert load_volume([path]).affine[0, 3] == pytest.approx(7)


@pytest.mark.parametrize(
    ("place", "values"), [(280, np.zeros(12)), (256, [3, 3, 3])]
)
def test_one_broken_form_leaves_the_other(tmp_path, ramp, place, values):
    path = nifti(tmp_path / "a.nii", ramp, sform=LAS, qform=LAS)
    spoil(path, place, values)
    np.testing.assert_array_equal(load_volume([path]).data, ramp[::-1])


def test_a_quaternion_that_is_none(tmp_path, ramp):
    path = nifti(tmp_path / "a.nii", ramp, qform=LAS)
    spoil(path, 256, [3, 3, 3])
    assert reason(path).startswith("unreadable header: ")


def test_forms_that_disagree_about_left_and_right(tmp_path, ramp):
    mirrored = LAS * [[-1], [1], [1], [1]]
    path = nifti(tmp_path / "a.nii", ramp, sform=mirrored, qform=LAS)
    assert reason(path) == "sform and qform disagree about left and right"


def test_no_form_at_all_is_read_from_right_to_left(tmp_path, ramp):
    path = nifti(tmp_path / "a.nii", ramp, zooms=(2, 3, 4))
    volume = load_volume([path])
    np.testing.assert_array_equal(volume.data, ramp[::-1])
    assert volume.spacing == (2, 3, 4)
    assert volume.affine is None


@pytest.mark.parametrize(
    ("form", "place", "values"),
    [
        ({}, 80, (0, 2, 2)),
        ({}, 80, (2, np.nan, 2)),
        ({}, 80, (2, 2, -1)),
        ({"sform": LAS}, 280, np.zeros(4)),
    ],
)
def test_no_voxel_size(tmp_path, ramp, form, place, values):
    path = nifti(tmp_path / "a.nii", ramp, **form)
    spoil(path, place, values)
    assert reason(path) == "voxel size missing from the header"


@pytest.mark.parametrize("fourth", [0, -1, 330000, np.nan])
def test_zooms_do_not_matter_beside_an_sform(tmp_path, ramp, fourth):
    series = np.stack([ramp, ramp], axis=3)
    path = nifti(tmp_path / "a.nii", series, sform=LAS)
    spoil(path, 80, [7, 7, 7, fourth])
    assert load_volume([path]).spacing == (2, 2, 2)


@pytest.mark.parametrize(
    ("unit", "factor"), [("meter", 0.001), ("micron", 1000), ("unknown", 1)]
)
def test_units_of_the_header(tmp_path, ramp, unit, factor):
    affine = LAS * [[factor], [factor], [factor], [1]]
    for forms in ({"sform": affine}, {}):
        path = nifti(
            tmp_path / "a.nii",
            ramp,
            unit=unit,
            zooms=(2 * factor,) * 3,
            **forms,
        )
        assert load_volume([path]).spacing == pytest.approx((2, 2, 2))


def test_a_unit_that_the_standard_does_not_have(tmp_path, ramp):
    image = nib.load(nifti(tmp_path / "a.nii", ramp, sform=LAS))
    image.header["xyzt_units"] = 7
    nib.save(image, tmp_path / "b.nii")
    assert load_volume([tmp_path / "b.nii"]).spacing == (2, 2, 2)


def test_affines_of_no_brain_scan(tmp_path, ramp):
    for size in (0.01, 50):
        sform = np.diag([2, 2, size, 1])
        found = reason(nifti(tmp_path / "a.nii", ramp, sform=sform))
        assert found == f"no brain scan's voxel size: 2 x 2 x {size} mm"
    flat = LAS.copy()
    flat[:3, 2] = flat[:3, 1]
    assert "span space" in reason(nifti(tmp_path / "a.nii", ramp, sform=flat))


def test_oblique_axes_are_reordered_and_not_resampled(tmp_path, ramp):
    sine, cosine = np.sin(np.deg2rad(20)), np.cos(np.deg2rad(20))
    turn = np.eye(4)
    turn[:2, :2] = [[cosine, -sine], [sine, cosine]]
    volume = load_volume([nifti(tmp_path / "a.nii", ramp, sform=turn @ LAS)])
    np.testing.assert_array_equal(volume.data, ramp[::-1])
    assert volume.spacing == pytest.approx((2, 2, 2))


def analyze(path, data, zooms=(2, 3, 4)):
    image = nib.AnalyzeImage(data, None)
    image.header.set_zooms((*zooms, 0)[: data.ndim])
    nib.save(image, path)
    return path


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<i2", ">i2", "u1"])
def test_analyze_has_zooms_and_no_orientation(tmp_path, ramp, dtype):
    data = (ramp % 200).astype(dtype)[..., None]
    volume = load_volume([analyze(tmp_path / "a.hdr", data)])
    np.testing.assert_array_equal(volume.data, data[::-1, :, :, 0])
    assert volume.spacing == (2, 3, 4)
    assert volume.affine is None


def test_analyze_with_spms_matrix_has_an_orientation(tmp_path, ramp):
    ras = np.diag([2.0, 2.0, 2.0, 1.0])
    nib.save(nib.Spm99AnalyzeImage(ramp, ras), tmp_path / "a.hdr")
    assert (tmp_path / "a.mat").exists()
    volume = load_volume([tmp_path / "a.hdr"])
    np.testing.assert_array_equal(volume.data, ramp)
    assert volume.affine is not None


def test_analyze_that_is_refused(tmp_path, ramp):
    path = analyze(tmp_path / "a.hdr", ramp)
    spoil(path, 80, [0, 0, 0])
    assert reason(path) == "voxel size missing from the header"
    path = analyze(tmp_path / "b.hdr", ramp)
    content = bytearray(path.read_bytes())
    content[252] = 2
    path.write_bytes(content)
    assert "not transverse: sagittal" in reason(path)
