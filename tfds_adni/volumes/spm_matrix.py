"""The affine that SPM keeps in a `.mat` beside an Analyze pair.

Only two variables are read, of the two formats that SPM has written: version 4
and version 5 (MATLAB 5 to 7) of MAT-files, as in
<https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf>. A general
reader builds every object in a file, at any depth, and unpacks without bound.
"""

import itertools
import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tfds_adni.volumes.orientation import VolumeError

# It holds two 4 x 4 matrices.
MAX_BYTES = 2**16
# `mat` goes before `M`, which does not say that x is flipped, as in SPM.
_NAMES = ("mat", "M")
_MOST_VALUES = 2**10  # `mat` may hold one matrix for each frame
_HEADER_BYTES = 128  # of version 5
_MATRIX, _PACKED = 14, 15
_DOUBLE_CLASSES = (6, 7)  # double and single
# Types of data elements in version 5.
_TYPES = dict(
    zip(
        (1, 2, 3, 4, 5, 6, 7, 9, 12, 13),
        ("i1", "u1", "i2", "u2", "i4", "u4", "f4", "f8", "i8", "u8"),
        strict=True,
    )
)
# Types in version 4, the third digit of the first number.
_OLD_TYPES = ("f8", "f4", "i4", "i2", "u2", "u1")
_Variable = tuple[str, np.ndarray]


def affine_beside(header: Path) -> np.ndarray | None:
    """Reads the affine of the `.mat` beside the `.hdr` of a pair.

    Args:
        header: The `.hdr`.

    Returns:
        `(4, 4)`, voxel from 0 to mm; `None` where there is no `.mat`, or an
        empty one.

    Raises:
        VolumeError: If it is too large or holds no such matrix.
    """
    stem = re.sub(r"(?i)\.hdr(\.\w+)*$", "", header.name)
    names = (header.with_name(stem + end) for end in (".mat", ".MAT"))
    path = next(filter(Path.is_file, names), None)
    if path is None:
        return None
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise VolumeError(f"unreadable header: {path.name} is too large")
    if not data:
        return None
    try:
        found = dict(_variables(data))
    except (struct.error, zlib.error, ValueError):
        found = {}
    matrix = next((found[name] for name in _NAMES if name in found), None)
    if matrix is None:
        raise VolumeError(
            f"unreadable header: {path.name} holds no affine of SPM; save it "
            "again from SPM, or convert the pair to NIfTI"
        )
    # SPM counts voxels from 1.
    affine = matrix.copy()
    affine[:, 3] += matrix[:, :3].sum(axis=1)
    if "mat" not in found:
        affine[0] *= -1
    return affine


def _variables(data: bytes) -> Iterator[_Variable]:
    """Yields the affines of a file, `(4, 4)`, by name."""
    # Version 4 begins with a number below 5000, 0 in one of its bytes;
    # version 5 with text.
    read = _old_variables if 0 in data[:4] else _new_variables
    for name, matrix in read(data):
        if name in _NAMES and matrix.shape[:2] == (4, 4):
            yield name, matrix.reshape((4, 4, -1), order="F")[:, :, 0]


def _old_variables(data: bytes) -> Iterator[_Variable]:
    """Yields the matrices of numbers in a file of version 4."""
    place = 0
    while place < len(data):
        little = struct.unpack_from("<i", data, place)[0] < 5000
        order = "<" if little else ">"
        kind, rows, columns, imaginary, length = struct.unpack_from(
            f"{order}5i", data, place
        )
        dtype = np.dtype(order + _old_type(kind))
        count = rows * columns * (2 if imaginary else 1)
        if min(rows, columns, length) < 0 or max(count, length) > len(data):
            raise ValueError("sizes beyond the file")
        begin = place + 20 + length
        name = data[place + 20 : begin].split(b"\0")[0].decode("latin-1")
        place = begin + count * dtype.itemsize
        values = np.frombuffer(data, dtype, rows * columns, begin)
        if kind % 10 == 0:  # neither text nor sparse
            yield name, values.reshape((rows, columns), order="F").astype(float)


def _old_type(kind: int) -> str:
    """Returns the type of numbers in version 4."""
    place = kind // 10 % 10
    if not 0 <= kind < 5000 or place >= len(_OLD_TYPES):
        raise ValueError("an unknown type")
    return _OLD_TYPES[place]


def _new_variables(data: bytes) -> Iterator[_Variable]:
    """Yields the matrices of numbers in a file of version 5."""
    order = {b"IM": "<", b"MI": ">"}.get(data[126:128])
    if order is None:
        raise ValueError("no mark of the order of bytes")
    for kind, content in _elements(data[_HEADER_BYTES:], order):
        if kind == _PACKED:
            unpacker = zlib.decompressobj()
            unpacked = unpacker.decompress(content, MAX_BYTES)
            kind, content = next(_elements(unpacked, order), (0, b""))
        if kind == _MATRIX and (found := _new_matrix(content, order)):
            yield found


def _elements(data: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """Yields type and content of the elements of version 5."""
    place = 0
    while place + 8 <= len(data):
        kind, size = struct.unpack_from(f"{order}2I", data, place)
        begin = place + 8
        if kind >> 16:  # up to four bytes share the place of the size
            kind, size, begin = kind & 0xFFFF, kind >> 16, place + 4
        yield kind, data[begin : begin + size]
        # Packed elements alone are not filled up to 8 bytes.
        filled = size if kind == _PACKED else -(-size // 8) * 8
        place = place + 8 if begin == place + 4 else begin + filled


def _new_matrix(content: bytes, order: str) -> _Variable | None:
    """Returns a matrix of version 5, `None` where it is of something else."""
    parts = [*itertools.islice(_elements(content, order), 4)]
    if len(parts) < 4:
        return None
    (_, flags), (_, sizes), (_, name), (kind, numbers) = parts
    shape = np.frombuffer(sizes, f"{order}i4").astype(int).tolist()
    is_number = flags[:4] and (
        struct.unpack(f"{order}I", flags[:4])[0] & 0xFF in _DOUBLE_CLASSES
    )
    if not is_number or kind not in _TYPES or min(shape, default=-1) < 0:
        return None
    values = np.frombuffer(numbers, order + _TYPES[kind])
    if len(values) > _MOST_VALUES or np.prod(shape, dtype=float) != len(values):
        return None
    return name.decode("latin-1"), values.reshape(shape, order="F").astype(
        float
    )
