"""Packed files: opened by their content, whatever their names say.

Plain NIfTI is found under names that end in `.gz`, gzip under names that do
not, and gzip inside gzip: the first bytes of each layer say what it is.
"""

import bz2
import contextlib
import gzip
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from tfds_adni.volumes.orientation import VolumeError

# Layers; some download tools pack what is packed already.
_MOST_LAYERS = 2
_FIRST_BYTES = 540  # the longest header, NIfTI-2
# Python 3.14 has the first; the others read the same format.
_ZSTD = ("compression.zstd", "backports.zstd", "pyzstd")
_UNPACK = "; unpack it"
_AGAIN = "not an image; download it again"
# What is no image, by its first bytes.
_DISGUISES = (
    (b"PK\x03\x04", f"a zip archive{_UNPACK}"),
    (b"7z\xbc\xaf\x27\x1c", f"a 7z archive{_UNPACK}"),
    (b"Rar!\x1a", f"a rar archive{_UNPACK}"),
    (b"\xfd7zXZ\0", f"packed with xz{_UNPACK}"),
    (b"NRRD00", "NRRD under another name; convert it to NIfTI with 3D Slicer"),
    (b"\x89HDF", "HDF5 under another name, such as MINC; convert it to NIfTI"),
    (b"CDF\x01", "MINC under another name; convert it with mnc2nii"),
    (b"MATRIX7", "ECAT under another name; convert it with pypet2bids"),
    (b"version https://git-lfs", "a pointer of git-lfs; run git lfs pull"),
    (b"/annex/objects", "a pointer of git-annex; run datalad get"),
    (b"../.git/annex", "a pointer of git-annex; run datalad get"),
    (b"<", f"a web page, {_AGAIN}"),
    (b"{", f"a JSON text, {_AGAIN}"),
)
# Kinds whose mark is not at the beginning.
_DISGUISES_WITHIN = (
    (128, b"DICM", "DICOM under another name; convert it with dcm2niix"),
    (257, b"ustar", f"a tar archive{_UNPACK}"),
)


@contextlib.contextmanager
def open_unpacked(path: Path) -> Iterator[BinaryIO]:
    """Opens a file for reading, unpacked if it is packed.

    Args:
        path: A file; gzip, bzip2, zstd, or any other.

    Yields:
        The unpacked bytes, which can be read and skipped forward without
        keeping them.

    Raises:
        VolumeError: If zstd needs a package that is not there, or if there
            are more than two layers.
        OSError: If the file cannot be opened, or a layer is damaged.
    """
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(path.open("rb"))
        layers = 0
        while opener := _opener(file):
            layers += 1
            if layers > _MOST_LAYERS:
                raise VolumeError("unreadable header: packed again and again")
            file = stack.enter_context(opener(file))
        yield file


def first_bytes(path: Path) -> bytes:
    """Reads the first bytes of an image, unpacked.

    Args:
        path: A file.

    Returns:
        At most 540 bytes: any header of NIfTI, Analyze or MGH.

    Raises:
        VolumeError: If it is no regular file, or its content shows that it
            is no image; the reason says what it is.
        OSError: As `open_unpacked`.
    """
    # A pipe or a device under an image's name would block.
    if not path.is_file():
        gone = "the link leads nowhere" if path.is_symlink() else "not a file"
        raise VolumeError(f"unreadable header: {gone}")
    with open_unpacked(path) as file:
        start = file.read(_FIRST_BYTES)
    if fault := _disguise(start):
        raise VolumeError(f"unreadable header: {fault}")
    return start


def is_packed(path: Path) -> bool:
    """Whether a file's size says nothing of what is in it."""
    with path.open("rb") as file:
        return _opener(file) is not None


def _opener(file: BinaryIO):
    """Returns what opens the next layer of a file, `None` where there is none.

    The file stays at its beginning.
    """
    start = file.read(4)
    file.seek(0)
    if start.startswith(b"\x1f\x8b"):
        return lambda packed: gzip.GzipFile(fileobj=packed, mode="rb")
    if start.startswith(b"BZh"):
        return bz2.BZ2File
    if start == b"\x28\xb5\x2f\xfd":
        return _zstd_file()
    return None


def _zstd_file() -> type:
    """Returns the class that reads zstd, from whichever package has it."""
    for name in _ZSTD:
        with contextlib.suppress(ImportError):
            return importlib.import_module(name).ZstdFile
    raise VolumeError(
        "packed with zstd: reading it takes another package; pip install "
        "backports.zstd, or unpack it with unzstd"
    )


def _disguise(start: bytes) -> str:
    """Returns what a file is if it is no image, `""` otherwise."""
    if len(start) < 2:
        return "a file of one byte" if start else "an empty file"
    for mark, kind in _DISGUISES:
        if start.lstrip().startswith(mark):
            return kind
    for place, mark, kind in _DISGUISES_WITHIN:
        if start[place:].startswith(mark):
            return kind
    return ""
