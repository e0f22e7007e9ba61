"""One synthetic slice as a file: PNG, NPY or NIfTI."""

import gzip
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

import nibabel as nib
import numpy as np

# From (row, column, through the slice) to (right, anterior, superior), one
# column an axis, as a prepared slice is displayed with row 0 at the top: the
# patient's left is on the left, and a sagittal slice looks to the left.
_DIRECTIONS = {
    "axial": [[0, 1, 0], [-1, 0, 0], [0, 0, 1]],
    "coronal": [[0, 1, 0], [0, 0, 1], [-1, 0, 0]],
    "sagittal": [[0, 0, 1], [0, -1, 0], [-1, 0, 0]],
}
_SIGNATURE_AND_HEADER = 8 + 25  # bytes before the second chunk of any PNG


def slice_affine(plane: str, *, size: int, spacing_mm: float) -> np.ndarray:
    """Voxel to RAS+ millimetres for a slice stored as `[row, column, 0]`.

    The origin is the middle of the image; a synthetic slice has no place of
    its own along the third axis, so that stays 0.

    Args:
        plane: `"axial"`, `"coronal"` or `"sagittal"`.
        size: Height and width in pixels.
        spacing_mm: Millimetres a pixel.

    Returns:
        float64 `[4, 4]`.
    """
    affine = np.eye(4)
    affine[:3, :3] = np.array(_DIRECTIONS[plane]) * spacing_mm
    middle = np.array([(size - 1) / 2, (size - 1) / 2, 0])
    affine[:3, 3] = -affine[:3, :3] @ middle
    return affine


def write_nifti(
    path: str | Path,
    suvr: np.ndarray,
    *,
    plane: str,
    spacing_mm: float,
    description: str,
) -> None:
    """Writes `[size, size]` SUVR as float32 `[size, size, 1]` `.nii.gz`.

    Voxel `[row, column, 0]` is the pixel of the PNG at that row and column;
    the affine says where they lie in the patient. No time is stored: the
    same slice gives the same bytes.

    Args:
        path: File to write, ending in `.nii.gz`.
        suvr: float32 `[size, size]`.
        plane: `axial`, `coronal` or `sagittal`.
        spacing_mm: Side of a pixel.
        description: Text of the header's `descrip`, at most 79 letters.
    """
    data = np.asarray(suvr, np.float32)[..., None]
    affine = slice_affine(plane, size=len(data), spacing_mm=spacing_mm)
    image = nib.Nifti1Image(data, affine)
    image.header["descrip"] = description
    image.header.set_xyzt_units("mm")
    packed = gzip.compress(image.to_bytes(), compresslevel=1, mtime=0)
    Path(path).write_bytes(packed)


def write_npy(path: str | Path, suvr: np.ndarray) -> None:
    """Writes `[size, size]` SUVR as a float32 array.

    Args:
        path: File to write, ending in `.npy`.
        suvr: float32 `[size, size]`.
    """
    np.save(path, np.asarray(suvr, np.float32))


def write_png(
    path: str | Path, image_bytes: bytes, notes: Mapping[str, str]
) -> None:
    """Writes an encoded PNG with notes as text chunks after its header.

    The pixels are not touched. Text chunks: PNG specification, third
    edition, section 11.3.3.

    Args:
        path: File to write.
        image_bytes: The PNG.
        notes: Keyword (1 to 79 characters) to text, both Latin-1.
    """
    texts = [
        _chunk(b"tEXt", f"{key}\0{text}".encode("latin-1"))
        for key, text in notes.items()
    ]
    head = image_bytes[:_SIGNATURE_AND_HEADER]
    rest = image_bytes[_SIGNATURE_AND_HEADER:]
    Path(path).write_bytes(b"".join([head, *texts, rest]))


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum
