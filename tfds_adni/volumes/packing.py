"""Packed files: opened by their content, whatever their names say.

Plain NIfTI is found under names that end in `.gz`, gzip under names that do
not, and gzip inside gzip: the first bytes of each layer say what it is.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from tfds_adni.volumes import unpacking
from tfds_adni.volumes.orientation import VolumeError

# Layers; some download tools pack what is packed already.
_MOST_LAYERS = 2
_FIRST_BYTES = 544  # the longest header, NIfTI-2, and the mark behind it
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
        keeping them; each is unpacked when it is asked for.

    Raises:
        VolumeError: If zstd needs a package that is not there, if there are
            more than two layers, or packed bytes without content.
        OSError: If the file cannot be opened.
        EOFError, OSError: If a layer is damaged.
    """
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(path.open("rb"))
        layers = 0
        while (inside := unpacking.opened(file)) is not None:
            layers += 1
            if layers > _MOST_LAYERS:
                raise VolumeError("unreadable header: packed again and again")
            file = stack.enter_context(inside)
        yield file


def first_bytes(path: Path) -> bytes:
    """Reads the first bytes of an image, unpacked.

    Args:
        path: A file.

    Returns:
        At most 544 bytes: any header of NIfTI, Analyze or MGH.

    Raises:
        VolumeError: If it is no regular file, or its content shows that it
            is no image; the reason says what it is.
        EOFError, OSError: As `open_unpacked`.
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
        return unpacking.opened(file) is not None


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
