"""Headers of image files, checked before any voxel is read.

The header alone bounds the memory that a hostile or broken file can take,
before anything is unpacked: see `MAX_FRAME_VOXELS` and `MAX_BYTES`.
"""

import dataclasses
import logging
import math
from pathlib import Path

import nibabel as nib
import numpy as np

from tfds_adni.volumes.orientation import (
    VolumeError,
    VoxelGrid,
    voxel_grid_of,
)

# 440 x 440 x 159 and 256 x 256 x 207 are the largest of common brain scanners.
MAX_FRAME_VOXELS = 2**25
# All frames of one file, unpacked.
MAX_BYTES = 2**32
_MIN_SIDE = 8
# NIfTI allows any amount of text between header and voxels.
_MAX_HEADER_BYTES = 2**24
# An SPM `.mat` beside an Analyze pair holds two 4 x 4 matrices.
_MAX_MAT_BYTES = 2**16
_FIRST_BYTES = 540

# Kinds of files that are no images, by their first bytes.
_DISGUISES = (
    (b"\x1f\x8b", "gzip data, but the name does not end in .gz"),
    (b"PK\x03\x04", "a zip archive; unpack it"),
    (b"<", "a web page, not an image; download it again"),
)


@dataclasses.dataclass(frozen=True)
class Header:
    """The valid header of an image file.

    Attributes:
        image: Opened by nibabel; its voxels are not read yet.
        shape: The three axes of space, as stored.
        frames: Length of the axis of time, 1 where there is none.
        grid: Where its voxels lie.
    """

    image: nib.spatialimages.SpatialImage
    shape: tuple[int, int, int]
    frames: int
    grid: VoxelGrid

    @property
    def ras_shape(self) -> tuple[int, int, int]:
        """The axes in the order right, front, top."""
        axes = self.grid.orientation[:, 0].astype(int).tolist()
        return tuple(self.shape[axes.index(axis)] for axis in range(3))


def read_header(path: Path) -> Header:
    """Opens one image file.

    Args:
        path: A `.nii`, a `.nii.gz` or the `.hdr` of a pair.

    Raises:
        VolumeError: If it is no image file, holds no volume, has no voxel
            size, is over the limits, or is truncated.
    """
    image = _open(path)
    shape = tuple(int(n) for n in image.shape)
    size = math.prod(shape) * np.dtype(image.dataobj.dtype).itemsize
    _require_volume(image, shape, size)
    with np.errstate(all="ignore"):
        grid = voxel_grid_of(image)
    _require_whole(image, size)
    return Header(image, shape[:3], math.prod(shape[3:]), grid)


def _open(path: Path) -> nib.spatialimages.SpatialImage:
    """Opens an image with nibabel once its header is known to be small."""
    # nibabel's warnings on odd headers stay off the user's terminal.
    logger = logging.getLogger("nibabel.global")
    before, logger.disabled = logger.disabled, True
    try:
        start = _first_bytes(path)
        _require_short_header(path, start)
        single = start[344:348] == b"n+1\0" and len(start) > 348
        # nib.load would try one kind after another.
        opener = nib.Nifti1Image.from_filename if single else nib.load
        return opener(path, mmap=False)
    except VolumeError:
        raise
    # Arbitrary bytes make nibabel raise nearly anything: OverflowError,
    # KeyError, struct.error, MemoryError among others.
    except Exception as error:
        raise unreadable("header", error) from None
    finally:
        logger.disabled = before


def _first_bytes(path: Path) -> bytes:
    """Reads the start of a file, unpacked; refuses files that are no images."""
    # A pipe or a device under an image's name would block.
    if not path.is_file():
        gone = "the link leads nowhere" if path.is_symlink() else "not a file"
        raise VolumeError(f"unreadable header: {gone}")
    with path.open("rb") as file:
        start = file.read(_FIRST_BYTES)
    packed = path.suffix.lower() == ".gz"
    if fault := _disguise(start, packed):
        raise VolumeError(f"unreadable header: {fault}")
    if not packed:
        return start
    with nib.openers.ImageOpener(path, "rb") as file:
        return file.read(_FIRST_BYTES)


def _disguise(start: bytes, packed: bool) -> str:
    """Returns what a file is if it is no image, `""` otherwise."""
    if len(start) < 2:
        return "a file of one byte" if start else "an empty file"
    for mark, kind in _DISGUISES[packed:]:
        if start.lstrip().startswith(mark):
            return kind
    if start[128:132] == b"DICM":
        return "DICOM under another name; convert it with dcm2niix"
    return ""


def _require_short_header(path: Path, start: bytes) -> None:
    """Refuses an oversized NIfTI header or SPM matrix."""
    for kind in (nib.Nifti1Header, nib.Nifti2Header):
        size = kind.template_dtype.itemsize
        if len(start) >= size and kind.may_contain_header(start):
            offset = float(kind(start[:size], check=False)["vox_offset"])
            if not 0 <= offset <= _MAX_HEADER_BYTES:
                raise VolumeError(f"unreadable header: of {offset:g} bytes")
    matrix = path.with_suffix(".mat")
    has_matrix = path.suffix.lower() == ".hdr" and matrix.is_file()
    if has_matrix and matrix.stat().st_size > _MAX_MAT_BYTES:
        raise VolumeError(f"unreadable header: {matrix.name} is too large")


def _require_volume(
    image: nib.spatialimages.SpatialImage, shape: tuple[int, ...], size: int
) -> None:
    """Refuses an image that is no volume, and one that is too large."""
    if len(shape) < 3 or min(shape) < 1 or any(n > 1 for n in shape[4:]):
        raise VolumeError(f"no volume: shape {shape}")
    if min(shape[:3]) < _MIN_SIDE:
        raise VolumeError(f"too small for a brain: shape {shape}")
    dtype = image.get_data_dtype()
    if dtype.kind not in "iuf":  # colours and complex numbers
        raise VolumeError(f"no intensities: voxels of type {dtype.name}")
    if math.prod(shape[:3]) > MAX_FRAME_VOXELS:
        raise VolumeError(
            f"over the size limit: shape {shape}, at most "
            f"{MAX_FRAME_VOXELS / 1e6:.0f} million voxels a frame"
        )
    if size > MAX_BYTES:
        raise VolumeError(
            f"over the size limit: {size / 2**30:.1f} GiB of voxels, at most "
            f"{MAX_BYTES / 2**30:.0f} GiB a file"
        )


def _require_whole(image: nib.spatialimages.SpatialImage, size: int) -> None:
    """Refuses a truncated file."""
    path = Path(image.file_map["image"].filename)
    if not path.is_file():
        raise VolumeError(f"voxels missing: no {path.suffix} beside the .hdr")
    if path.suffix.lower() in (".gz", ".bz2", ".zst"):
        return
    expected, found = int(image.dataobj.offset) + size, path.stat().st_size
    if found < expected:
        raise VolumeError(
            f"truncated: {found} bytes of the {expected} the header says"
        )


def unreadable(what: str, error: BaseException) -> VolumeError:
    """Makes a `VolumeError` of a library's error on a broken file.

    Args:
        what: `"header"` or `"data"`.
        error: The library's; its first line is kept if it is short and names
            no path, which the account of the scans gives anyway.
    """
    text = getattr(error, "strerror", None) or str(error)
    # nibabel: `Expected 64 bytes, got 0 bytes from <path>`
    text = text.partition(" from ")[0]
    line = (text or type(error).__name__).splitlines()[0]
    if len(line) > 80 or "/" in line or "\\" in line:
        line = type(error).__name__
    return VolumeError(f"unreadable {what}: {line}")
