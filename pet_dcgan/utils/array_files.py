"""Arrays in the archives that `np.savez` writes, checked before they are read.

Such archives are not compressed, so that nothing in them is larger than the
file. An array of objects would be a pickle, which is code; none is read.
"""

import math
import os
import re
import zipfile
import zlib
from pathlib import Path

import numpy as np

from pet_dcgan.utils.foreign_files import require_regular
from pet_dcgan.utils.foreign_text import fault

_PREFIX = b"\x93NUMPY\x01\x00"
_HEADER = re.compile(
    rb"\{'descr': '([<|=][biufU]\d+)', 'fortran_order': (True|False), "
    rb"'shape': \(((?:\d{1,12},? ?){0,8})\), \} *\n"
)
_MOST_ARRAYS = 10_000
_END = 22  # bytes of the record that ends a zip
# of an archive's own lists and of the headers of its arrays
_OVERHEAD = 2**20
# what reading a damaged archive raises
_DAMAGED = (
    ValueError,
    OSError,
    EOFError,
    RuntimeError,
    TypeError,
    OverflowError,
    zipfile.BadZipFile,
    zlib.error,
)


def read_arrays(path: Path, *, most: int) -> dict[str, np.ndarray]:
    """Reads every array of an archive, of numbers or text.

    Args:
        path: From `np.savez`.
        most: Bytes that the arrays may have together.

    Returns:
        Arrays by name. Floats may be NaN.

    Raises:
        FileNotFoundError: If it is missing.
        ValueError: If it is damaged or larger; in one line that ends without
            a remedy.
    """
    try:
        require_regular(path, path.stat(), most=most + _OVERHEAD)
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            _require_plain(members, path.stat().st_size)
            _require_all(members, path)
            return {
                member.filename.removesuffix(".npy"): _array(
                    # verifies the checksum
                    archive.read(member)
                )
                for member in members
            }
    except FileNotFoundError:
        raise
    except _DAMAGED as error:
        raise ValueError(
            f"expected whole arrays in {path}, found a fault: {fault(error)}"
        ) from None


def _require_plain(members: list[zipfile.ZipInfo], size: int) -> None:
    """Refuses members that unpack to more than the file's own bytes."""
    names = {member.filename for member in members}
    if not len(names) == len(members) <= _MOST_ARRAYS:
        raise ValueError("too many arrays, or two of one name")
    packed = any(m.compress_type != zipfile.ZIP_STORED for m in members)
    if packed or sum(member.file_size for member in members) > size:
        raise ValueError("an array that is larger than its file")


def _require_all(members: list[zipfile.ZipInfo], path: Path) -> None:
    """Refuses a list of members that was cut; `zipfile` does not count."""
    with path.open("rb") as file:
        file.seek(-_END, os.SEEK_END)
        end = file.read()
    if int.from_bytes(end[10:12], "little") != len(members):
        raise ValueError("fewer arrays than it says")


def _array(content: bytes) -> np.ndarray:
    """One array; its header is compared with what is there."""
    start = len(_PREFIX) + 2
    length = int.from_bytes(content[len(_PREFIX) : start], "little")
    header = _HEADER.fullmatch(content[start : start + length])
    if not content.startswith(_PREFIX) or not header:
        raise ValueError("something else than an array of numbers or text")
    dtype = np.dtype(header[1].decode())
    shape = tuple(int(side) for side in re.findall(rb"\d+", header[3]))
    values = memoryview(content)[start + length :]
    if math.prod(shape) * dtype.itemsize != len(values):
        raise ValueError("an array of another length than its shape")
    flat = np.frombuffer(values, dtype).copy()
    return flat.reshape(shape, order="F" if header[2] == b"True" else "C")
