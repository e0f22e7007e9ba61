"""Images that unpack to far more than they hold, and headers that lie."""

import bz2
import contextlib
import gzip
import io
import struct
import subprocess
import sys
import zlib

import nibabel as nib
import numpy as np
import pytest
import scipy.io

from tfds_adni.volumes import unpacking
from tfds_adni.volumes.spm_matrix import affine_beside
from tfds_adni.volumes.volume import VolumeError, examine, load_volume

AFFINE = np.diag([2.0, 2.0, 2.0, 1.0])
VOXELS = bytes(2000)
EMPTY = gzip.compress(b"")
NAMED = b"\x1f\x8b\x08\x08" + bytes(6)  # gzip with a name, which never ends
KINDS = {
    "nifti1": nib.Nifti1Header,
    "nifti2": nib.Nifti2Header,
    "pair": nib.nifti1.Nifti1PairHeader,
}


def block(kind="nifti1", shape=(10, 10, 10), *, extensions=b"", **fields):
    """A header of int16, the mark behind it, and extensions."""
    header = KINDS[kind]()
    header.set_data_shape(shape)
    header.set_data_dtype("i2")
    header.set_sform(AFFINE, code=1)
    size = len(header.binaryblock) + 4 + len(extensions)
    header["vox_offset"] = 0 if kind == "pair" else size
    for name, value in fields.items():
        header[name] = value
    mark = bytes([bool(extensions), 0, 0, 0])
    return header.binaryblock + mark + extensions


def extension(size, content=b""):
    return struct.pack("<2i", size, 6) + content


def zeros(megabytes, *before, layers=1):
    """Packed zeros behind some bytes: a thousandth of their size."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    parts = [packer.compress(part) for part in before]
    parts += [packer.compress(bytes(2**20)) for _ in range(megabytes)]
    packed = b"".join([*parts, packer.flush()])
    return packed if layers == 1 else gzip.compress(packed)


@pytest.fixture
def unpacked(monkeypatch):
    """Counts the bytes that are really unpacked, of all layers."""
    count = [0]
    unpack = unpacking._Unpacked._unpack

    def counted(self, most):
        found = unpack(self, most)
        count[0] += len(found)
        return found

    monkeypatch.setattr(unpacking._Unpacked, "_unpack", counted)
    return count


def refused(path, *, loading=False):
    """The reason that a file is not read, one line without its folder."""
    if loading:
        with pytest.raises(VolumeError) as error:
            load_volume([path])
        reason = str(error.value)
    else:
        reason = examine([path]).reason
    assert reason
    assert len(reason.splitlines()) == 1
    assert str(path.parent) not in reason
    return reason


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("extensions", "words"),
    [
        (extension(2**31 - 16, bytes(64)), "one of 2147483632 bytes where"),
        (extension(-16, bytes(64)), "one of -16 bytes where"),
        (extension(4, bytes(64)), "one of 4 bytes where"),
        (extension(16, bytes(8)) * 1001, "more than 1000"),
    ],
)
@pytest.mark.parametrize("packer", [bytes, gzip.compress, bz2.compress])
def test_extensions_that_are_none(tmp_path, kind, extensions, words, packer):
    end = {bytes: "", gzip.compress: ".gz", bz2.compress: ".bz2"}[packer]
    head = packer(block(kind, extensions=extensions))
    if kind == "pair":
        path = tmp_path / f"a.hdr{end}"
        (tmp_path / f"a.img{end}").write_bytes(packer(VOXELS))
    else:
        path = tmp_path / f"a.nii{end}"
        head = packer(block(kind, extensions=extensions) + VOXELS)
    path.write_bytes(head)
    reason = refused(path)
    assert reason.startswith("unreadable header: damaged extensions (")
    assert words in reason


@pytest.mark.parametrize("kind", KINDS)
def test_sound_extensions_are_skipped(tmp_path, kind):
    extensions = extension(32, bytes(24)) + extension(16, bytes(8))
    head = block(kind, extensions=extensions)
    path = tmp_path / "a.nii.gz"
    if kind == "pair":
        path = tmp_path / "a.hdr.gz"
        (tmp_path / "a.img").write_bytes(VOXELS)
        path.write_bytes(gzip.compress(head))
    else:
        path.write_bytes(gzip.compress(head + VOXELS))
    assert load_volume([path]).data.shape == (10, 10, 10)


def test_a_chain_of_extensions_of_a_pair_is_bounded(tmp_path, unpacked):
    """136 MB of extensions in 130 kB."""
    one = extension(2**20, bytes(2**20 - 8))
    packed = zeros(0, block("pair", extensions=one), *[one] * 129)
    (tmp_path / "a.hdr.gz").write_bytes(packed)
    (tmp_path / "a.img").write_bytes(VOXELS)
    assert "damaged extensions" in refused(tmp_path / "a.hdr.gz")
    assert unpacked[0] < 2**25


@pytest.mark.parametrize(
    ("offset", "kind"),
    [
        *((offset, "nifti1") for offset in (2**25, np.nan, np.inf, -1)),
        *((offset, "nifti2") for offset in (2**62, -(2**40), 2**24 + 1)),
    ],
)
def test_voxels_far_behind_the_header(tmp_path, unpacked, offset, kind):
    path = tmp_path / "a.nii.gz"
    path.write_bytes(zeros(16, block(kind, vox_offset=offset)))
    assert refused(path).startswith("unreadable header: of ")
    assert unpacked[0] < 2**20


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("offset", [0, 100, 347])
def test_voxels_within_the_header(tmp_path, kind, offset):
    """Programs begin them at 0, 348 or 352: of which none is sure."""
    path = tmp_path / "a.nii"
    path.write_bytes(block(kind, vox_offset=offset) + VOXELS)
    assert "voxels begin within it" in refused(path)


@pytest.mark.parametrize(
    "packed",
    [
        NAMED + b"a" * 2**23,
        b"\x1f\x8b\x08\x10" + bytes(6) + b"a" * 2**23,
        gzip.compress(NAMED + b"a" * 2**25),
        EMPTY * 5000,
        gzip.compress(EMPTY * 50_000),
        bz2.compress(b"") * 5000,
        gzip.compress(bz2.compress(b"") * 50_000),
    ],
    ids=["name", "comment", "name within", *("empty members",) * 4],
)
def test_packed_bytes_without_content(tmp_path, unpacked, packed):
    path = tmp_path / "a.nii.gz"
    path.write_bytes(packed)
    assert refused(path).startswith("packed without content: ")
    assert unpacked[0] < 2**23


@pytest.mark.parametrize(
    "behind", [bytes(2**23), EMPTY * 5000, NAMED + b"a" * 2**23]
)
def test_packed_bytes_without_content_behind_an_image(tmp_path, behind):
    path = tmp_path / "a.nii.gz"
    path.write_bytes(gzip.compress(block() + VOXELS) + behind)
    assert examine([path]).reason == ""
    reason = refused(path, loading=True)
    assert reason.startswith("packed without content: ")


@pytest.mark.parametrize("layers", [1, 2])
def test_a_bomb_is_unpacked_a_frame_far(tmp_path, unpacked, layers):
    path = tmp_path / "a.nii.gz"
    path.write_bytes(zeros(64, block(), layers=layers))
    assert examine([path]).reason == ""
    assert unpacked[0] < 2**19
    reason = refused(path, loading=True)
    assert reason.startswith("more voxels than the header says")
    assert unpacked[0] < 2**20


def test_blocked_gzip_and_padding_are_no_bombs(tmp_path):
    """As bgzip writes it: members of 64 KiB, an empty one, zeros."""
    voxels = np.random.default_rng(0).integers(0, 99, 60**3, "i2").tobytes()
    whole = block(shape=(60, 60, 60)) + voxels
    parts = (whole[n : n + 2**16] for n in range(0, len(whole), 2**16))
    path = tmp_path / "a.nii.gz"
    path.write_bytes(b"".join(map(gzip.compress, parts)) + EMPTY + bytes(999))
    assert load_volume([path]).data.any()


_MEASURE = """
import resource, sys
from pathlib import Path
from tfds_adni.volumes.volume import VolumeError, examine, load_volume
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
load_volume([Path(sys.argv[1])])  # libraries
before = peak()
examine([Path(sys.argv[2])])
header = peak() - before
try:
    load_volume([Path(sys.argv[2])])
except VolumeError:
    pass
print(header, peak() - before)
"""


def test_memory_of_a_bomb(tmp_path):
    """300 MB of zeros in 300 kB, for a volume of 33 million voxels."""
    sound = tmp_path / "sound.nii"
    sound.write_bytes(block() + VOXELS)
    bomb = tmp_path / "bomb.nii.gz"
    head = block(shape=(320, 320, 320), datatype=64, bitpix=64)
    bomb.write_bytes(zeros(300, head))
    words = [sys.executable, "-c", _MEASURE, str(sound), str(bomb)]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    header, whole = map(int, done.stdout.split())
    assert header <= 20  # MiB
    assert whole <= 250  # 125 of float32 voxels, and a part of 16 as stored


def write_matrix(folder, variables, form, packed=False):
    file = io.BytesIO()
    scipy.io.savemat(file, variables, format=form, do_compression=packed)
    (folder / "a.mat").write_bytes(file.getvalue())


@pytest.mark.parametrize("seed", range(20))
def test_matrices_of_spm_are_read_as_scipy_reads_them(tmp_path, seed):
    rng = np.random.default_rng(seed)
    matrix = np.eye(4)
    matrix[:3] = rng.normal(size=(3, 4)) if seed % 2 else rng.integers(9)
    form, packed = [("4", False), ("5", False), ("5", True)][seed % 3]
    variables = {"other": np.arange(9.0), "M": 2 * matrix}
    expected = np.diag([-1, 1, 1, 1]) @ (2 * matrix)
    if seed % 5:
        frames = np.stack([matrix, matrix + 1], axis=2)
        variables["mat"] = frames if form == "5" and seed % 4 else matrix
        expected = matrix
    write_matrix(tmp_path, variables, form, packed)
    expected = expected @ (np.eye(4) + np.outer([1, 1, 1, 0], [0, 0, 0, 1]))
    np.testing.assert_allclose(affine_beside(tmp_path / "a.hdr"), expected)


def nested(depth):
    """A cell within a cell, so deep that a general reader crashes."""
    content = b""
    for _ in range(depth):
        start = struct.pack("<4I", 6, 8, 1, 0) + struct.pack("<4I", 5, 8, 1, 1)
        content = start + struct.pack("<2I", 1, 0) + content
        content = struct.pack("<2I", 14, len(content)) + content
    return content


@pytest.mark.parametrize(
    "data",
    [
        struct.pack("<5i", 0, 2**20, 2**10, 0, 2) + b"M\0",
        struct.pack("<5i", 0, -4, -4, 0, 2) + b"M\0" + bytes(128),
        struct.pack("<5i", 0, 4, 4, 0, 2**30) + b"M\0",
        bytes(3),
        bytes(100),
        b"MATLAB 5.0".ljust(126) + b"IM" + nested(500),
        b"MATLAB 5.0".ljust(126)
        + b"IM"
        + struct.pack("<2I", 15, 2**31)
        + zlib.compress(bytes(2**24)),
        b"MATLAB 5.0".ljust(128) + bytes(64),
    ],
)
def test_hostile_matrices(tmp_path, data):
    (tmp_path / "a.mat").write_bytes(data)
    with pytest.raises(VolumeError, match=r"^unreadable header: a\.mat holds"):
        affine_beside(tmp_path / "a.hdr")


@pytest.mark.parametrize("seed", range(3))
def test_damaged_matrices_give_a_reason_or_a_matrix(tmp_path, seed):
    rng = np.random.default_rng(seed)
    write_matrix(tmp_path, {"mat": AFFINE, "M": AFFINE}, "45"[seed % 2])
    sound = (tmp_path / "a.mat").read_bytes()
    for _ in range(300):
        data = bytearray(sound)
        for place in rng.integers(0, len(data), 3):
            data[place] = rng.integers(256)
        (tmp_path / "a.mat").write_bytes(data)
        with contextlib.suppress(VolumeError):  # and nothing else
            assert affine_beside(tmp_path / "a.hdr").shape == (4, 4)
