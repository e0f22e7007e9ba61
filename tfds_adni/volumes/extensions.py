"""The extensions that NIfTI allows between its header and the voxels.

Each begins with its size and its kind, two numbers of 32 bits; in a `.nii` they
end before the voxels, in a pair at the end of the `.hdr`.
<https://nifti.nimh.nih.gov/nifti-1/documentation/nifti1fields/nifti1fields_pages/extension.html>
They are never read here, but other programs read all of them into memory: a
file whose extensions are none is damaged or hostile.
"""

import struct
from pathlib import Path
from typing import BinaryIO

import nibabel as nib

from tfds_adni.volumes.orientation import VolumeError
from tfds_adni.volumes.packing import open_unpacked

# All of a file together; NIfTI itself sets no limit.
MAX_BYTES = 2**24
MAX_COUNT = 1000
_MARK_BYTES = 4  # behind the header; the first is 0 where there are none
_START_BYTES = 8


def require_bounded_extensions(
    path: Path, header: nib.spatialimages.SpatialHeader, start: bytes
) -> None:
    """Refuses a file whose extensions do not end where they must.

    Args:
        path: The file of the header.
        header: Of any format; only NIfTI has extensions.
        start: The first bytes of the file, unpacked.

    Raises:
        VolumeError: If one runs past the voxels or the end of the file, if
            its size is below 8, or if there are more than 1,000 of them or 16
            MiB.
    """
    begin = header.template_dtype.itemsize
    if not isinstance(header, nib.Nifti1Header) or not any(
        start[begin : begin + 1]
    ):
        return
    end = begin + MAX_BYTES
    if header.is_single:
        end = min(end, header.get_data_offset())
    with open_unpacked(path) as file:
        _walk(file, begin + _MARK_BYTES, end, f"{header.endianness}2i")


def _walk(file: BinaryIO, place: int, end: int, form: str) -> None:
    """Skips from one extension to the next.

    Args:
        file: Unpacked.
        place: Of the first extension.
        end: Where the last one ends at most.
        form: Of size and kind, as `struct` takes it.
    """
    count = 0
    while place + _START_BYTES <= end:
        file.seek(place)
        found = file.read(_START_BYTES)
        size = (
            struct.unpack(form, found)[0] if len(found) == _START_BYTES else 0
        )
        if size == 0:  # the end of a .hdr, or padding
            return
        count += 1
        if count > MAX_COUNT:
            raise _refusal(f"more than {MAX_COUNT}")
        if size < _START_BYTES or size > end - place:
            raise _refusal(
                f"one of {size} bytes where {end - place} may follow"
            )
        place += size
        file.seek(place - 1)
        if not file.read(1):
            raise _refusal(f"one of {size} bytes is cut short")


def _refusal(found: str) -> VolumeError:
    return VolumeError(
        f"unreadable header: damaged extensions ({found}); download it again, "
        "or save it anew without them"
    )
