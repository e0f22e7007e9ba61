import gzip
import itertools

import ida_tree
import nibabel as nib
import numpy as np
import pytest

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


def test_shape_spacing_and_values(tmp_path, ramp):
    affine = np.diag([2.0, 3.0, 4.0, 1.0])
    volume = load_volume([save(tmp_path / "a.nii.gz", ramp, affine)])
    assert volume.spacing == (2.0, 3.0, 4.0)
    assert volume.data.dtype == np.float32
    assert volume.frames == 1
    np.testing.assert_array_equal(volume.data, ramp)
    np.testing.assert_array_equal(volume.affine, affine)


ORDERS = list(itertools.permutations(range(3)))
SIGNS = list(itertools.product((1, -1), repeat=3))


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("signs", SIGNS)
def test_the_order_of_storage_does_not_matter(tmp_path, ramp, order, signs):
    """All 48 ways to store one volume give one volume, at one place."""
    affine = np.diag([2.0, 3.0, 4.0, 1.0])
    affine[:3, 3] = [-9, 7, 5]
    turns = np.stack([order, signs], axis=1)
    stored = nib.apply_orientation(ramp, turns)
    turned = affine @ nib.orientations.inv_ornt_aff(turns, ramp.shape)
    volume = load_volume([save(tmp_path / "a.nii", stored, turned)])
    np.testing.assert_array_equal(volume.data, ramp)
    np.testing.assert_allclose(volume.affine, affine)
    assert volume.spacing == (2.0, 3.0, 4.0)


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


def test_int16_with_a_slope_and_a_fourth_axis_of_one(tmp_path):
    head = ida_tree.head()
    ida_tree.save_las(head, tmp_path / "a.nii", scale=5000)
    volume = load_volume([tmp_path / "a.nii"])
    assert volume.data.shape == ida_tree.SHAPE
    np.testing.assert_allclose(volume.data / 5000, head, atol=1e-3)


@pytest.mark.parametrize(
    "dtype", [">f4", ">f8", ">i2", ">u2", "<u2", "u1", "i1", "<i4", "<u4"]
)
def test_byte_orders_and_types(tmp_path, dtype):
    data = np.arange(1000).reshape(10, 10, 10) % 120
    path = save(tmp_path / "a.nii", data, dtype=dtype)
    assert nib.load(path).get_data_dtype() == np.dtype(dtype)
    np.testing.assert_array_equal(load_volume([path]).data, data)


@pytest.mark.parametrize("dtype", ["u1", "<u2", ">u2", ">i2", "<i2"])
def test_a_slope_and_an_intercept(tmp_path, dtype):
    stored = (np.arange(1000).reshape(10, 10, 10) % 120).astype(dtype)
    path = save(tmp_path / "a.nii", stored, dtype=dtype)
    content = bytearray(path.read_bytes())
    order = ">" if dtype[0] == ">" else "<"
    content[112:120] = np.array([0.5, -3], f"{order}f4").tobytes()
    path.write_bytes(content)
    np.testing.assert_array_equal(load_volume([path]).data, 0.5 * stored - 3.0)


def test_values_beyond_float32_are_infinite(tmp_path, ramp):
    data = ramp.astype(np.float64)
    data[3, 3, 3] = 1e300
    path = save(tmp_path / "a.nii", data, dtype=np.float64)
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


def test_frames_of_different_shapes(tmp_path, ramp):
    paths = [save(tmp_path / "a.nii", ramp), save(tmp_path / "b.nii", ramp[1:])]
    assert examine(paths).reason.startswith("frames differ: shapes")
    with pytest.raises(VolumeError, match="frames differ: shapes"):
        load_volume(paths)


def test_frames_at_different_places(tmp_path, ramp):
    moved = np.diag([2.0, 2.0, 2.0, 1.0])
    moved[2, 3] = 3
    paths = [
        save(tmp_path / "a.nii", ramp),
        save(tmp_path / "b.nii", ramp, moved),
    ]
    assert examine(paths).reason == "frames differ: up to 3.0 mm apart"


def test_truncated_gzip(tmp_path):
    data = np.random.default_rng(0).normal(size=(20, 20, 20))
    path = save(tmp_path / "a.nii.gz", data)
    path.write_bytes(path.read_bytes()[:9000])
    assert examine([path]).reason == ""
    with pytest.raises(VolumeError, match="unreadable data"):
        load_volume([path])


def test_gzip_of_a_header_alone_tells_sizes_and_no_path(tmp_path, ramp):
    path = save(tmp_path / "a.nii", ramp)
    packed = tmp_path / "a.nii.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()[:352]))
    with pytest.raises(VolumeError, match=r"Expected \d+ bytes, got 0 bytes$"):
        load_volume([packed])


def test_gzip_with_a_wrong_check_sum(tmp_path, ramp):
    path = save(tmp_path / "a.nii.gz", ramp)
    content = bytearray(path.read_bytes())
    content[-6] ^= 1
    path.write_bytes(content)
    with pytest.raises(VolumeError, match="unreadable data: CRC check failed"):
        load_volume([path])


def test_what_follows_the_voxels_is_never_unpacked(tmp_path, ramp, monkeypatch):
    """A bomb behind a small volume: 64 MB of zeros in 64 kB."""
    path = save(tmp_path / "a.nii.gz", ramp)
    small = gzip.decompress(path.read_bytes())
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(small)
        for _ in range(64):
            file.write(bytes(2**20))
    unpacked = 0
    read = gzip._GzipReader.read

    def counted(self, size=-1):
        nonlocal unpacked
        data = read(self, size)
        unpacked += len(data)
        return data

    monkeypatch.setattr(gzip._GzipReader, "read", counted)
    np.testing.assert_array_equal(load_volume([path]).data, ramp)
    assert 0 < unpacked < 2**20


@pytest.mark.parametrize("seed", range(3))
def test_any_bytes_give_a_volume_or_a_reason(tmp_path, ramp, seed):
    """Headers with random bytes changed, whatever nibabel makes of them."""
    rng = np.random.default_rng(seed)
    sound = save(tmp_path / "a.nii", ramp.astype(np.int16)).read_bytes()
    refused = 0
    for _ in range(150):
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
    assert 20 < refused < 150
