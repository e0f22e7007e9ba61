import bz2
import gzip
import sys
import types
import zlib

import ida_tree
import nibabel as nib
import numpy as np
import pytest

from tfds_adni.volumes import unpacking
from tfds_adni.volumes.volume import VolumeError, examine, load_volume

AFFINE = np.array([[-2.0, 0, 0, 9], [0, 2, 0, -9], [0, 0, 2, -9], [0, 0, 0, 1]])
PACKERS = {".gz": gzip.compress, ".bz2": bz2.compress, "": bytes}
NAMES = ("a.nii", "a.nii.gz", "a.nii.bz2", "a.nii.zst", "a.NII.GZ", "a.mgz")


@pytest.fixture
def ramp():
    return np.arange(10 * 11 * 12, dtype=np.float32).reshape(10, 11, 12)


@pytest.fixture
def plain(ramp):
    return nib.Nifti1Image(ramp, AFFINE).to_bytes()


@pytest.mark.parametrize("seed", range(4))
def test_the_content_decides_how_a_file_is_unpacked(tmp_path, ramp, seed):
    """Up to two random layers under any name give the same voxels."""
    rng = np.random.default_rng(seed)
    for _ in range(12):
        kind = rng.choice([nib.Nifti1Image, nib.Nifti2Image, nib.MGHImage])
        data = kind(ramp, AFFINE).to_bytes()
        for packer in rng.choice(list(PACKERS), rng.integers(0, 3)):
            data = PACKERS[packer](data)
        path = tmp_path / rng.choice(NAMES)
        path.write_bytes(data)
        assert examine([path]).reason == ""
        volume = load_volume([path])
        np.testing.assert_array_equal(volume.data, ramp[::-1])
        assert volume.spacing == (2, 2, 2)
        np.testing.assert_allclose(volume.affine[:3, 3], [-9, -9, -9])


def test_a_pair_whose_halves_are_packed_in_two_ways(tmp_path, ramp):
    nib.save(nib.Nifti1Pair(ramp, AFFINE), tmp_path / "a.hdr")
    for half, packer in ((".hdr", ".bz2"), (".img", ".gz")):
        path = tmp_path / f"a{half}"
        path.with_name(f"a{half}{packer}").write_bytes(
            PACKERS[packer](path.read_bytes())
        )
        path.unlink()
    volume = load_volume([tmp_path / "a.hdr.bz2"])
    np.testing.assert_array_equal(volume.data, ramp[::-1])


def test_more_layers_than_two_are_no_mistake(tmp_path, plain):
    for _ in range(3):
        plain = gzip.compress(plain)
    (tmp_path / "a.nii.gz").write_bytes(plain)
    reason = examine([tmp_path / "a.nii.gz"]).reason
    assert reason == "unreadable header: packed again and again"


@pytest.mark.parametrize("packer", PACKERS)
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "an empty file"),
        (b"PK\x03\x04" + bytes(400), "a zip archive; unpack it"),
        (b"Rar!\x1a\x07" + bytes(400), "a rar archive; unpack it"),
        (b"\xfd7zXZ\0" + bytes(400), "packed with xz; unpack it"),
        (b"NRRD0004\n# http" + bytes(400), "NRRD under another name"),
        (b"\x89HDF\r\n" + bytes(400), "HDF5 under another name"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"/annex/objects/MD5E-s6--7.nii.gz\n", "datalad get"),
        (b'{"error": "not found"}', "a JSON text, not an image"),
        (bytes(257) + b"ustar\0" + bytes(300), "a tar archive"),
        (bytes(128) + b"DICM" + bytes(300), "DICOM under another name"),
        (b"words", "neither NIfTI, Analyze nor MGH"),
    ],
)
def test_what_is_no_image_is_named(tmp_path, packer, content, words):
    (tmp_path / "a.nii.gz").write_bytes(PACKERS[packer](content))
    reason = examine([tmp_path / "a.nii.gz"]).reason
    assert reason.startswith("unreadable header: ")
    assert words in reason


@pytest.mark.parametrize("name", ["a.nii.bz2", "a.nii.gz"])
def test_damage_of_packed_files_is_found(tmp_path, name):
    data = np.random.default_rng(0).normal(size=(20, 20, 20))
    nib.save(nib.Nifti1Image(data, AFFINE), tmp_path / name)
    whole = (tmp_path / name).read_bytes()
    for damaged in (whole[:-9], whole[: len(whole) // 2]):
        (tmp_path / name).write_bytes(damaged)
        with pytest.raises(VolumeError, match=r"^unreadable (data|header): "):
            load_volume([tmp_path / name])


def test_zstd_is_read_by_any_package_that_can(tmp_path, monkeypatch, plain):
    path = tmp_path / "a.nii.zst"
    packed = zlib.compress(plain)
    path.write_bytes(b"\x28\xb5\x2f\xfd" + packed)
    monkeypatch.setattr(unpacking, "_ZSTD", ("no.such.package",))
    reason = examine([path]).reason
    assert reason.startswith("packed with zstd: ")
    assert "pip install backports.zstd" in reason
    package = types.SimpleNamespace(ZstdDecompressor=_BehindMark)
    monkeypatch.setitem(sys.modules, "some_zstd", package)
    monkeypatch.setattr(unpacking, "_ZSTD", ("no.such.package", "some_zstd"))
    assert load_volume([path]).data.shape == (10, 11, 12)
    # frames without content stand between, as pzstd and seekable files have
    path.write_bytes(path.read_bytes() + b"\x5e\x2a\x4d\x18" + packed[:0])
    with pytest.raises(VolumeError):  # cut short
        load_volume([path])


class _BehindMark:
    """A stand-in for what unpacks zstd: zlib behind four bytes."""

    def __init__(self):
        self._inner = zlib.decompressobj()
        self._mark = 4

    def __getattr__(self, name):
        return getattr(self._inner, name)

    def decompress(self, data, most):
        behind = data[self._mark :]
        self._mark -= min(self._mark, len(data))
        return self._inner.decompress(behind, most)


def test_frames_that_no_header_counts(tmp_path, plain, ramp):
    (tmp_path / "a.nii").write_bytes(plain + ramp.tobytes())
    assert examine([tmp_path / "a.nii"]).reason == (
        "more voxels than the header says: 10912 bytes, expected 5632; repair "
        "the number of frames in the header"
    )
    # less than a frame is padding
    (tmp_path / "a.nii").write_bytes(plain + bytes(5000))
    assert examine([tmp_path / "a.nii"]).reason == ""


@pytest.mark.parametrize("packer", [".gz", ".bz2"])
def test_packed_frames_that_no_header_counts(tmp_path, plain, ramp, packer):
    path = tmp_path / f"a.nii{packer}"
    pack = PACKERS[packer]
    for content in (
        pack(plain + ramp.tobytes()),
        pack(plain) + pack(ramp.tobytes()),  # gzip and bzip2 join them
        pack(pack(plain + ramp.tobytes())),
    ):
        path.write_bytes(content)
        with pytest.raises(VolumeError) as error:
            load_volume([path])
        assert str(error.value) == (
            "more voxels than the header says: it unpacks to at least 10912 "
            "bytes, expected 5632; download it again, or repair the number of "
            "frames in the header"
        )
    both = nib.Nifti1Image(np.stack([ramp, ramp], axis=3), AFFINE).to_bytes()
    path.write_bytes(pack(both + ramp.tobytes()))
    with pytest.raises(VolumeError, match="at least 16192 bytes, expected 109"):
        load_volume([path])
    # less than a frame is padding
    path.write_bytes(pack(plain + ramp.tobytes()[1:]))
    np.testing.assert_array_equal(load_volume([path]).data, ramp[::-1])


@pytest.mark.parametrize("layers", [1, 2])
def test_a_flipped_bit_gives_the_same_voxels_or_a_reason(tmp_path, layers):
    """Damage may make a file unpack to more than its header says."""
    data = ida_tree.head()
    data = data * 3000 + 50 * np.sin(np.arange(data.size)).reshape(data.shape)
    image = nib.Nifti1Image(data.astype(np.int16), AFFINE)
    packed = image.to_bytes()
    for _ in range(layers):
        packed = gzip.compress(packed)
    path = tmp_path / "a.nii.gz"
    path.write_bytes(packed)
    sound = load_volume([path]).data
    rng = np.random.default_rng(layers)
    refused = 0
    for place in rng.integers(0, 8 * len(packed), 150):
        content = bytearray(packed)
        content[place // 8] ^= 1 << (place % 8)
        path.write_bytes(content)
        try:
            found = load_volume([path]).data
        except VolumeError:
            refused += 1
        else:  # the time of packing, which is in no check sum
            np.testing.assert_array_equal(found, sound)
    assert refused > 140
