import itertools

import nibabel as nib
import numpy as np
import pytest

from tfds_adni.volumes.orientation import (
    DEFAULT_SIZE,
    FLIPPED,
    NEGATIVE_SIZE,
    NO_POSITION,
    TWO_SIZES,
    UNORIENTED,
    WRONG_UNIT,
)
from tfds_adni.volumes.reading import Reading
from tfds_adni.volumes.volume import VolumeError, examine, load_volume

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


def sizes_of(affine):
    return tuple(nib.affines.voxel_sizes(affine))


def saved(kind, extension):
    def write(path, data, affine):
        path = path.with_name(path.name + extension)
        nib.save(kind(data, affine), path)
        return path

    return write


def with_form(form):
    def write(path, data, affine):
        path = path.with_name(path.name + ".nii.gz")
        forms = {form: affine} if form else {"sform": affine, "qform": affine}
        return nifti(path, data, zooms=sizes_of(affine), **forms)

    return write


WRITERS = {
    "sform": with_form("sform"),
    "qform": with_form("qform"),
    "both": with_form(""),
    "nifti2": saved(nib.Nifti2Image, ".nii.bz2"),
    "pair": saved(nib.Nifti1Pair, ".hdr"),
    "mgz": saved(nib.MGHImage, ".mgz"),
    "spm": saved(nib.Spm99AnalyzeImage, ".hdr"),
}


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
    assert reason(path) == "unreadable header: the qform holds no rotation"


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
        ({"qform": LAS}, 80, (2, 2, 0)),
        ({"sform": LAS}, 280, np.zeros(4)),
    ],
)
def test_no_voxel_size(tmp_path, ramp, form, place, values):
    path = nifti(tmp_path / "a.nii", ramp, **form)
    spoil(path, place, values)
    assert reason(path) == "voxel size missing from the header"


@pytest.mark.parametrize("zooms", [(2, 2, -1), (-2, 2, 2), (-2, -2, -2)])
def test_a_negative_voxel_size(tmp_path, ramp, zooms):
    """Programs differ in what it means; an sform says what is true."""
    size = " x ".join(map(str, zooms))
    words = f"negative voxel size in the header: {size}; write it as positive"
    for path in (
        nifti(tmp_path / "a.nii", ramp),
        nifti(tmp_path / "b.nii", ramp, qform=LAS),
        analyze(tmp_path / "c.hdr", ramp),
    ):
        spoil(path, 80, zooms)
        assert reason(path).startswith(words)
    path = nifti(tmp_path / "d.nii", ramp, qform=LAS, sform=LAS)
    spoil(path, 80, zooms)
    volume = load_volume([path])
    np.testing.assert_array_equal(volume.data, ramp[::-1])
    assert NEGATIVE_SIZE in volume.flags


@pytest.mark.parametrize("signs", itertools.product((1, -1), repeat=3))
@pytest.mark.parametrize("form", ["sform", "qform"])
def test_an_identity_affine_says_nothing(tmp_path, ramp, form, signs):
    """Nibabel's users write +1 thrice, ITK -1 for x and y."""
    path = nifti(
        tmp_path / "a.nii",
        ramp,
        zooms=(1, 1, 1),
        **{form: np.diag([*signs, 1.0])},
    )
    assert reason(path).startswith(
        "identity affine, as scripts write it (voxel size, left and right are "
        "not known): "
    )


def test_identity_affines_of_other_formats_and_what_is_none(tmp_path, ramp):
    for kind in (nib.Nifti1Image, nib.Nifti2Image, nib.MGHImage):
        path = tmp_path / ("a" + kind.files_types[0][1])
        nib.save(kind(ramp, np.eye(4)), path)
        assert reason(path).startswith("identity affine")
    moved = np.eye(4)
    moved[:3, 3] = [-90, -126, -72]
    volume = load_volume([nifti(tmp_path / "b.nii", ramp, sform=moved)])
    assert volume.spacing == (1, 1, 1)


def test_an_identity_gives_way_to_the_other_form(tmp_path, ramp):
    true = np.diag([1.2, 1.2, 1.2, 1.0])
    true[:3, 3] = [-60, -80, -50]
    path = nifti(
        tmp_path / "a.nii", ramp, sform=np.eye(4), qform=true, zooms=(1.2,) * 3
    )
    volume = load_volume([path])
    assert volume.spacing == pytest.approx((1.2, 1.2, 1.2))
    assert volume.flags == {TWO_SIZES}
    # the size beside an identity is no more certain
    path = nifti(tmp_path / "b.nii", ramp, sform=np.eye(4))
    spoil(path, 80, (1.2, 1.2, 1.2))
    assert reason(path).startswith("identity affine")


@pytest.mark.parametrize(
    ("forms", "flags"),
    [
        ({"sform": LAS}, set()),
        ({"sform": np.diag([2.0, 2, 2, 1])}, {NO_POSITION}),
        ({"sform": np.diag([-2.0, -2, 2, 1])}, {NO_POSITION}),
        ({"sform": LAS, "qform": LAS * 1.0}, set()),
        ({"sform": LAS * [[1.1], [1], [1], [1]], "qform": LAS}, {TWO_SIZES}),
        ({"sform": LAS * [[1.01], [1], [1], [1]], "qform": LAS}, set()),
        ({}, {UNORIENTED}),
        ({"zooms": (1, 1, 1)}, {UNORIENTED, DEFAULT_SIZE}),
        ({"sform": LAS, "unit": "meter"}, {WRONG_UNIT}),
        ({"sform": LAS, "unit": "micron"}, {WRONG_UNIT}),
        ({"unit": "meter"}, {UNORIENTED, WRONG_UNIT}),
    ],
)
def test_flags_of_headers_that_are_odd(tmp_path, ramp, forms, flags):
    path = nifti(tmp_path / "a.nii", ramp, **forms)
    volume = load_volume([path])
    assert volume.flags == examine([path]).flags == flags
    size = forms.get("zooms", (2, 2, 2))[1]
    assert volume.spacing[1] == pytest.approx(size)


def test_a_unit_that_no_size_fits(tmp_path, ramp):
    for unit, size in (("meter", 50), ("micron", 0.1), ("mm", 0.002)):
        path = nifti(
            tmp_path / "a.nii", ramp, sform=LAS * (size / 2), unit=unit
        )
        assert reason(path).startswith("no brain scan's voxel size: ")


@pytest.mark.parametrize(("degrees", "refused"), [(5, False), (25, True)])
def test_axes_that_are_not_at_right_angles(tmp_path, ramp, degrees, refused):
    sheared = LAS.copy()
    sheared[1, 2] = 2 * np.tan(np.deg2rad(degrees))
    path = nifti(tmp_path / "a.nii", ramp, sform=sheared)
    if refused:
        assert reason(path).startswith(
            "axes in the header are not at right angles: 25 degrees off"
        )
    else:
        assert load_volume([path]).data.shape == ramp.shape


@pytest.mark.parametrize("seed", range(6))
def test_any_affine_in_any_format_gives_one_volume(tmp_path, ramp, seed):
    """Random axes, signs, sizes, offsets and rotations up to 20 degrees."""
    rng = np.random.default_rng(seed)
    for number in range(8):
        turn = nib.eulerangles.euler2mat(*rng.uniform(-0.2, 0.2, 3))
        ras = np.eye(4)
        ras[:3, :3] = turn * rng.uniform(0.8, 4, 3)
        ras[:3, 3] = rng.uniform(-150, 150, 3)
        storage = np.stack([rng.permutation(3), rng.choice([-1, 1], 3)], axis=1)
        data = nib.apply_orientation(ramp, storage)
        affine = ras @ nib.orientations.inv_ornt_aff(storage, ramp.shape)
        write = WRITERS[rng.choice(list(WRITERS))]
        volume = load_volume([write(tmp_path / f"{number}", data, affine)])
        np.testing.assert_array_equal(volume.data, ramp)
        np.testing.assert_allclose(volume.affine, ras, atol=1e-3)
        assert volume.flags == frozenset()
        # the option is for files that do not say where left is
        flipped = Reading(flip_left_right=True)
        paths = sorted(tmp_path.glob(f"{number}.*"))[:1]
        again = load_volume(paths, reading=flipped)
        np.testing.assert_array_equal(again.data, ramp)


def test_left_to_right_where_the_user_says_so(tmp_path, ramp):
    flipped = Reading(flip_left_right=True)
    for path in (
        analyze(tmp_path / "a.hdr", ramp, (2, 2, 2)),
        nifti(tmp_path / "b.nii", ramp),
    ):
        volume = load_volume([path], reading=flipped)
        np.testing.assert_array_equal(volume.data, ramp)
        assert volume.flags == {FLIPPED}
        assert volume.affine is None
        np.testing.assert_array_equal(load_volume([path]).data, ramp[::-1])


def test_mgh_without_directions_has_no_size(tmp_path, ramp):
    nib.save(nib.MGHImage(ramp, LAS), tmp_path / "a.mgh")
    spoil(tmp_path / "a.mgh", 28, [0])
    assert reason(tmp_path / "a.mgh") == "voxel size missing from the header"


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
