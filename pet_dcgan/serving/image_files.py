"""One synthetic slice as the bytes of a file: PNG, NPY or NIfTI."""

import functools
import io
import struct
import zlib
from collections.abc import Mapping

import nibabel as nib
import numpy as np
from PIL import Image

from pet_dcgan.data.suvr import suvr_from_png

# From (row, column, through the slice) to (right, anterior, superior), one
# column an axis, as a prepared slice is displayed with row 0 at the top: the
# patient's left is on the left, and a sagittal slice looks to the left.
_DIRECTIONS = {
    "axial": [[0, 1, 0], [-1, 0, 0], [0, 0, 1]],
    "coronal": [[0, 1, 0], [0, 0, 1], [-1, 0, 0]],
    "sagittal": [[0, 0, 1], [0, -1, 0], [-1, 0, 0]],
}
_GZIP = 31  # of zlib, for its largest window; no time, no file name
_SIGNATURE_AND_HEADER = 8 + 25  # bytes before the second chunk of any PNG


def slice_affine(plane: str, *, size: int, spacing_mm: float) -> np.ndarray:
    """Voxel to RAS+ millimetres for a slice stored as `[row, column, 0]`.

    The origin is the middle of the image; a synthetic slice has no place of
    its own along the third axis, so that stays 0.

    Args:
        plane: `"axial"`, `"coronal"` or `"sagittal"`.
        size: Height and width in pixels.
        spacing_mm: Millimetres per pixel.

    Returns:
        float64 `[4, 4]`.
    """
    affine = np.eye(4)
    affine[:3, :3] = np.array(_DIRECTIONS[plane]) * spacing_mm
    middle = np.array([(size - 1) / 2, (size - 1) / 2, 0])
    affine[:3, 3] = -affine[:3, :3] @ middle
    return affine


def nifti_bytes(
    suvr: np.ndarray, *, plane: str, spacing_mm: float, description: str
) -> bytes:
    """`[size, size]` SUVR as a float32 `[size, size, 1]` `.nii.gz`.

    Voxel `[row, column, 0]` is the pixel of the PNG at that row and column;
    the affine says where they lie in the patient. No time is stored: the
    same slice gives the same bytes.

    Args:
        suvr: float32 `[size, size]`.
        plane: `axial`, `coronal` or `sagittal`.
        spacing_mm: Side of a pixel.
        description: Text of the header's `descrip`, at most 79 letters.
    """
    data = np.asarray(suvr, np.float32)
    head = _nifti_head(len(data), plane, spacing_mm, description)
    # run lengths alone: half the time of a search for repetitions, 2 % larger
    packer = zlib.compressobj(6, wbits=_GZIP, strategy=zlib.Z_RLE)
    # voxels are stored with the first index running fastest
    return packer.compress(head + data.tobytes(order="F")) + packer.flush()


@functools.cache
def _nifti_head(
    size: int, plane: str, spacing_mm: float, description: str
) -> bytes:
    """What comes before the voxels, the same for all slices of a model."""
    data = np.zeros([size, size, 1], np.float32)
    affine = slice_affine(plane, size=size, spacing_mm=spacing_mm)
    image = nib.Nifti1Image(data, affine)
    image.header["descrip"] = description
    image.header.set_xyzt_units("mm")
    return image.to_bytes()[: -data.nbytes]


def npy_bytes(suvr: np.ndarray) -> bytes:
    """`[size, size]` SUVR as a float32 `.npy`."""
    file = io.BytesIO()
    np.save(file, np.asarray(suvr, np.float32))
    return file.getvalue()


def png_bytes(image_bytes: bytes, notes: Mapping[str, str]) -> bytes:
    """A PNG with notes as text chunks after its header.

    The pixels are not touched. Text chunks: PNG specification, third
    edition, section 11.3.3.

    Args:
        image_bytes: The PNG.
        notes: Keyword (1 to 79 characters) to text, both Latin-1.
    """
    texts = [
        _chunk(b"tEXt", f"{key}\0{text}".encode("latin-1"))
        for key, text in notes.items()
    ]
    head = image_bytes[:_SIGNATURE_AND_HEADER]
    rest = image_bytes[_SIGNATURE_AND_HEADER:]
    return b"".join([head, *texts, rest])


def suvr_of_png(image_bytes: bytes, suvr_max: float) -> np.ndarray:
    """The SUVR that a grey 16-bit PNG stores, float32 `[size, size]`.

    Args:
        image_bytes: The whole file.
        suvr_max: SUVR that 65535 stands for.

    Raises:
        ValueError: If it is not such a PNG, or a damaged one.
    """
    try:
        with Image.open(io.BytesIO(image_bytes), formats=["PNG"]) as image:
            stored = np.asarray(image)
    # pillow reports a damaged file as any of these
    except (OSError, SyntaxError, ValueError) as error:
        raise ValueError(
            f"expected a whole 16-bit PNG, found a damaged one ({error})"
        ) from error
    return suvr_from_png(stored, suvr_max)


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum
