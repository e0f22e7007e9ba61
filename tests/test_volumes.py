import gzip
import itertools

import ida_tree
import nibabel as nib
import numpy as np
import pytest

from tfds_adni.volumes import unpacking
from tfds_adni.volumes.volume import VolumeError, examine, load_volume


def save(path, data, affine=None, dtype=np.float32):
    """Writes a file in the byte order of its type; nibabel likes its own."""
    affine = np.diag([2.0, 2.0, 2.0, 1.0]) if affine is None else affine
    order = ">" if np.dtype(dtype).byteorder == ">" else "<"
    header = nib.Nifti1Header(endianness=order)
    header.set_data_dtype(dtype)
    nib.save(nib.Nifti1Image(np.asarray(data, dtype), affine, header), path)
    return path


@pytest.fixture
def ramp():
    return np.arange(10 * 11 * 12, dtype=np.float32).reshape(10, 11, 12)


@pytest.mark.parametrize("order", itertools.permutations(range(3)))
@pytest.mark.parametrize("signs", itertools.product((1, -1), repeat=3))
def test_the_order_of_storage_does_not_matter(tmp_path, ramp, order, signs):
    """All 48 ways to store one volume give one volume, at one place."""
    affine = np.diag([2.0, 3.0, 4.0, 1.0])
    affine[:3, 3] = [-9, 7, 5]
    turns = np.stack([order, signs], axis=1)
    stored = nib.apply_orientation(ramp, turns)
    turned = affine @ nib.orientations.inv_ornt_aff(turns, ramp.shape)
    volume = load_volume([save(tmp_path / "a.nii", stored, turned)])
    np.testing.assert_array_equal(volume.data, ramp)
    assert volume.data.dtype == np.float32
    np.testing.assert_allclose(volume.affine, affine)
    assert volume.spacing == (2.0, 3.0, 4.0)
    assert volume.frames == 1


def test_flipped_storage_of_scaled_integers_is_the_same_to_the_bit(tmp_path):
    head = ida_tree.head()
    affine = np.diag([6.0, 6.0, 6.0, 1.0])
    volumes = []
    for sign in (1, -1):
        affine[0, 0] = 6.0 * sign
        image = nib.Nifti1Image(head[::sign] * 5000 + 700, affine)
        image.set_data_dtype(np.int16)
        image.header.set_slope_inter(0.37, 11.1)
        nib.save(image, tmp_path / "a.nii")
        volumes.append(load_volume([tmp_path / "a.nii"]).data)
    np.testing.assert_array_equal(*volumes)


@pytest.mark.parametrize(
    "dtype",
    [">f4", ">f8", "<i2", ">i2", ">u2", "<u2", "u1", "i1", "<i4", "<u4"],
)
@pytest.mark.parametrize("scaling", [(1, 0), (0.5, -3)])
def test_types_byte_orders_slope_and_intercept(tmp_path, dtype, scaling):
    stored = (np.arange(1000).reshape(10, 10, 10) % 120).astype(dtype)
    path = save(tmp_path / "a.nii", stored, dtype=dtype)
    assert nib.load(path).get_data_dtype() == np.dtype(dtype)
    content = bytearray(path.read_bytes())
    order = ">" if dtype[0] == ">" else "<"
    content[112:120] = np.array(scaling, f"{order}f4").tobytes()
    path.write_bytes(content)
    slope, intercept = scaling
    np.testing.assert_array_equal(
        load_volume([path]).data, slope * stored.astype(float) + intercept
    )


def test_values_beyond_float32_are_infinite(tmp_path, ramp):
    data = ramp.astype(np.float64)
    data[3, 3, 3] = 1e300
    path = save(tmp_path / "a.nii", data, dtype=np.float64)
    assert load_volume([path]).data[3, 3, 3] == np.inf


def test_frames_that_overflow_when_they_are_scaled(tmp_path, ramp):
    data = np.stack([ramp, ramp], axis=3).astype(np.float64)
    data[3, 3, 3] = 1e308
    path = save(tmp_path / "a.nii", data, dtype=np.float64)
    content = bytearray(path.read_bytes())
    content[112:116] = np.array(100, "<f4").tobytes()  # scl_slope
    path.write_bytes(content)
    assert load_volume([path]).data[3, 3, 3] == np.inf


def test_several_files_of_several_frames_count_each_frame(tmp_path, ramp):
    paths = [
        save(tmp_path / "a.nii.gz", np.stack([ramp - 1, ramp + 1], axis=3)),
        save(tmp_path / "b.nii", ramp + 3),
    ]
    volume = load_volume(paths)
    np.testing.assert_allclose(volume.data, ramp + 1)
    assert volume.frames == 3


def test_frames_stored_in_different_orders(tmp_path, ramp):
    flipped = np.diag([-2.0, 2.0, 2.0, 1.0])
    flipped[0, 3] = 18
    paths = [
        save(tmp_path / "a.nii", ramp),
        save(tmp_path / "b.nii", ramp[::-1], flipped),
    ]
    np.testing.assert_allclose(load_volume(paths).data, ramp)


@pytest.mark.parametrize("extra", [(1,), (1, 1), (1, 1, 1)])
def test_singleton_axes(tmp_path, ramp, extra):
    path = save(tmp_path / "a.nii", ramp.reshape(*ramp.shape, *extra))
    volume = load_volume([path])
    np.testing.assert_array_equal(volume.data, ramp)
    assert volume.frames == 1


def test_frames_on_different_grids(tmp_path, ramp):
    moved = np.diag([2.0, 2.0, 2.0, 1.0])
    moved[2, 3] = 3
    first = save(tmp_path / "a.nii", ramp)
    shorter = save(tmp_path / "b.nii", ramp[1:])
    higher = save(tmp_path / "c.nii", ramp, moved)
    assert examine([first, shorter]).reason.startswith("frames differ: shapes")
    with pytest.raises(VolumeError, match="frames differ: shapes"):
        load_volume([first, shorter])
    reason = examine([first, higher]).reason
    assert reason == "frames differ: up to 3.0 mm apart"


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (lambda whole: gzip.compress(gzip.decompress(whole)[:352]), "0 bytes$"),
        (lambda whole: whole[: len(whole) // 2], "ends before its content"),
        (
            lambda whole: whole[:-6] + bytes([whole[-6] ^ 1]) + whole[-5:],
            "incorrect data check",
        ),
    ],
    ids=["a header alone", "truncated", "a wrong check sum"],
)
def test_damaged_gzip(tmp_path, end, words):
    data = np.random.default_rng(0).normal(size=(20, 20, 20))
    path = save(tmp_path / "a.nii.gz", data)
    path.write_bytes(end(path.read_bytes()))
    assert examine([path]).reason == ""
    with pytest.raises(VolumeError, match=f"^unreadable data: .*{words}"):
        load_volume([path])


def test_what_follows_the_voxels_is_unpacked_a_frame_far(
    tmp_path, ramp, monkeypatch
):
    """A bomb behind a small volume: 64 MB of zeros in 64 kB."""
    path = save(tmp_path / "a.nii.gz", ramp)
    small = gzip.decompress(path.read_bytes())
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(small)
        for _ in range(64):
            file.write(bytes(2**20))
    unpacked = 0
    unpack = unpacking._Unpacked._unpack

    def counted(self, most):
        nonlocal unpacked
        data = unpack(self, most)
        unpacked += len(data)
        return data

    monkeypatch.setattr(unpacking._Unpacked, "_unpack", counted)
    with pytest.raises(VolumeError, match=r"^more voxels than the header says"):
        load_volume([path])
    assert 0 < unpacked < 2**20


@pytest.mark.parametrize("seed", range(2))
def test_any_bytes_give_a_volume_or_a_reason(tmp_path, ramp, seed):
    """Headers with random bytes changed, whatever nibabel makes of them."""
    rng = np.random.default_rng(seed)
    sound = save(tmp_path / "a.nii", ramp.astype(np.int16)).read_bytes()
    refused = 0
    for _ in range(75):
        content = bytearray(sound[: rng.integers(300, len(sound))])
        if rng.random() < 0.7:
            content = bytearray(sound)
        for place in rng.integers(0, 352, size=rng.integers(1, 6)):
            content[place] = rng.integers(0, 256)
        path = tmp_path / "b.nii"
        path.write_bytes(content)
        reason = examine([path]).reason
        try:
            volume, error = load_volume([path]), ""
        except VolumeError as fault:
            volume, error = None, str(fault)
            refused += 1
        assert "\n" not in error
        assert reason in ("", error)
        assert volume is None or volume.data.ndim == 3
    assert 10 < refused < 75
