"""Headers of image files, checked before any voxel is read.

The header alone bounds the memory that a hostile or broken file can take,
before anything is unpacked: see `MAX_FRAME_VOXELS` and `MAX_BYTES`. Its format
is known by the content, not by the file's name.
"""

import contextlib
import dataclasses
import itertools
import logging
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import nibabel as nib
import numpy as np

from tfds_adni.sources.images import voxels_of
from tfds_adni.volumes.extensions import require_bounded_extensions
from tfds_adni.volumes.grids import grid_of
from tfds_adni.volumes.orientation import VolumeError, VoxelGrid
from tfds_adni.volumes.packing import first_bytes, is_packed
from tfds_adni.volumes.spm_matrix import affine_beside

# 440 x 440 x 159 and 256 x 256 x 207 are the largest of common brain scanners.
MAX_FRAME_VOXELS = 2**25
# All frames of one file, unpacked.
MAX_BYTES = 2**32
# Voxels are read so many at once, whatever type they are stored in.
_SLAB_BYTES = 2**24
_MIN_SIDE = 8
# NIfTI allows any amount of text between header and voxels.
_MAX_HEADER_BYTES = 2**24
_KINDS = (nib.Nifti1Header, nib.Nifti2Header)
_PAIRED_KINDS = (
    nib.nifti1.Nifti1PairHeader,
    nib.nifti2.Nifti2PairHeader,
    nib.spm2analyze.Spm2AnalyzeHeader,
)
_MGH = nib.freesurfer.mghformat.MGHHeader
_MGH_VERSION = b"\0\0\0\1"
# Intent codes of NIfTI; 1007, vectors, are frames where ITK writes them.
_NOT_FRAMES = {1004: "matrices", 1005: "tensors", 1006: "displacements"}


class Layout(NamedTuple):
    """How voxels are stored.

    Attributes:
        shape: `(i, j, k, frames)`.
        dtype: Type and byte order.
        offset: Bytes before the first voxel.
        slope: What the stored numbers are multiplied by.
        inter: What is added to them then.
    """

    shape: tuple[int, int, int, int]
    dtype: np.dtype
    offset: int
    slope: float
    inter: float

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame."""
        return math.prod(self.shape[:3]) * self.dtype.itemsize

    @property
    def end(self) -> int:
        """Bytes up to the end of the last voxel."""
        return self.offset + self.shape[3] * self.frame_bytes

    def slabs(self, number: int) -> Iterator[tuple[slice, tuple]]:
        """Yields how the parts of a frame are stored, of about 16 MiB each.

        Args:
            number: Of the frame, from 0.

        Yields:
            The planes, and the part as nibabel's `ArrayProxy` takes it.
        """
        rows, columns, planes = self.shape[:3]
        plane = rows * columns * self.dtype.itemsize
        begin = self.offset + number * self.frame_bytes
        step = max(1, _SLAB_BYTES // plane)
        edges = [*range(0, planes, step), planes]
        for first, last in itertools.pairwise(edges):
            shape = rows, columns, last - first
            place = begin + first * plane
            spec = shape, self.dtype, place, self.slope, self.inter
            yield slice(first, last), spec


@dataclasses.dataclass(frozen=True)
class Header:
    """The valid header of an image file.

    Attributes:
        voxels: The file that holds the voxels, of a pair the `.img`.
        layout: How they are stored in it.
        grid: Where they lie.
    """

    voxels: Path
    layout: Layout
    grid: VoxelGrid

    @property
    def shape(self) -> tuple[int, int, int]:
        """The three axes of space, as stored."""
        return self.layout.shape[:3]

    @property
    def frames(self) -> int:
        """Length of the axis of time, 1 where there is none."""
        return self.layout.shape[3]

    @property
    def ras_shape(self) -> tuple[int, int, int]:
        """The axes in the order right, front, top."""
        axes = self.grid.orientation[:, 0].astype(int).tolist()
        return tuple(self.shape[axes.index(axis)] for axis in range(3))


def read_header(path: Path, *, flip_left_right: bool = False) -> Header:
    """Reads the header of one image file.

    Args:
        path: NIfTI or MGH, packed or not, or the `.hdr` of a pair.
        flip_left_right: As in `Reading`.

    Raises:
        VolumeError: If it is no image file, holds no volume, has no voxel
            size, is over the limits, or is truncated.
    """
    paired = re.search(r"(?i)\.hdr(\.\w+)*$", path.name) is not None
    with one_line_errors("header"), np.errstate(all="ignore"):
        start = first_bytes(path)
        header = _parse(start, paired=paired)
        layout = _layout(header)
        require_bounded_extensions(path, header, start)
        # NIfTI says itself where its voxels are.
        analyze = type(header) is nib.spm2analyze.Spm2AnalyzeHeader
        grid = grid_of(
            header,
            start,
            matrix=affine_beside(path) if analyze else None,
            flip_left_right=flip_left_right,
        )
        voxels = voxels_of(path) if paired else path
        _require_whole(voxels, layout)
    return Header(voxels, layout, grid)


@contextlib.contextmanager
def one_line_errors(what: str) -> Iterator[None]:
    """Turns whatever a library raises on broken bytes into `VolumeError`.

    Args:
        what: What was read, `"header"` or `"data"`. The library's first line
            is kept if it is short and names no path, which the account of the
            scans gives anyway.
    """
    # nibabel's warnings on odd headers stay off the user's terminal.
    logger = logging.getLogger("nibabel.global")
    before, logger.disabled = logger.disabled, True
    try:
        yield
    except VolumeError:
        raise
    # Arbitrary bytes make nibabel raise nearly anything: OverflowError,
    # KeyError, struct.error, MemoryError among others.
    except Exception as error:
        text = getattr(error, "strerror", None) or str(error)
        # nibabel: `Expected 64 bytes, got 0 bytes from <path>`
        text = text.partition(" from ")[0]
        line = (text or type(error).__name__).splitlines()[0]
        if len(line) > 80 or "/" in line or "\\" in line:
            line = type(error).__name__
        raise VolumeError(f"unreadable {what}: {line}") from None
    finally:
        logger.disabled = before


def _parse(start: bytes, *, paired: bool) -> nib.spatialimages.SpatialHeader:
    """Reads a header of any known format."""
    kinds = _PAIRED_KINDS if paired else _KINDS
    kind = next((k for k in kinds if k.may_contain_header(start)), None)
    if not paired and start.startswith(_MGH_VERSION):
        kind = _MGH
    if not kind:
        raise VolumeError("unreadable header: neither NIfTI, Analyze nor MGH")
    block = start[: kind.template_dtype.itemsize]
    if kind is not _MGH:
        offset = float(kind(block, check=False)["vox_offset"])
        if not 0 <= offset <= _MAX_HEADER_BYTES:
            raise VolumeError(f"unreadable header: of {offset:g} bytes")
        # Of a .nii whose voxels begin within its header FSL, AFNI and nibabel
        # read three different images.
        if not paired and offset < (least := kind.single_vox_offset):
            raise VolumeError(
                f"unreadable header: voxels begin within it, at {offset:g}; "
                f"expected {least} or more: repair vox_offset in the header"
            )
    return kind(block)


def _layout(header: nib.spatialimages.SpatialHeader) -> Layout:
    """Returns how the voxels of a volume of bearable size are stored."""
    shape = tuple(int(n) for n in header.get_data_shape())
    dtype = header.get_data_dtype()
    _require_volume(header, shape, dtype)
    slope, inter = _scaling(header)
    shape = (*shape[:3], math.prod(max(n, 1) for n in shape[3:]))
    return Layout(shape, dtype, int(header.get_data_offset()), slope, inter)


def _scaling(header: nib.spatialimages.SpatialHeader) -> tuple[float, float]:
    """Returns slope and intercept; a slope that is 0 or none does not scale.

    NIfTI says what a slope of 0 is, and nibabel takes NaN and Inf for it; of
    an intercept that is no number beside a valid slope nobody says anything.
    """
    try:
        scaling = getattr(header, "get_slope_inter", lambda: (None, None))()
    except nib.spatialimages.HeaderDataError:
        raise VolumeError(
            f"no valid intensities: slope {header['scl_slope']:g}, intercept "
            f"{header['scl_inter']:g}; expected a finite intercept, often 0: "
            "repair scl_inter in the header"
        ) from None
    slope, inter = scaling
    return (
        1.0 if slope is None else float(slope),
        0.0 if inter is None else float(inter),
    )


def _require_volume(
    header: nib.spatialimages.SpatialHeader,
    shape: tuple[int, ...],
    dtype: np.dtype,
) -> None:
    """Refuses an image that is no volume, and one that is too large."""
    # Some write a length of 0 where there is no such axis.
    frames = [n for n in shape[3:] if n > 1]
    if len(shape) < 3 or min(shape[:3]) < 1 or min(shape) < 0:
        raise VolumeError(f"no volume: shape {shape}")
    if len(frames) > 1:
        raise VolumeError(
            f"no volume: shape {shape}, with two axes besides those of space"
        )
    intent = int(header["intent_code"]) if "intent_code" in header else 0
    if frames and intent in _NOT_FRAMES:
        raise VolumeError(f"no intensities: {_NOT_FRAMES[intent]}")
    if min(shape[:3]) < _MIN_SIDE:
        raise VolumeError(f"too small for a brain: shape {shape}")
    if dtype.kind not in "iuf":  # colours and complex numbers
        raise VolumeError(f"no intensities: voxels of type {dtype.name}")
    if math.prod(shape[:3]) > MAX_FRAME_VOXELS:
        raise VolumeError(
            f"over the size limit: shape {shape}, at most "
            f"{MAX_FRAME_VOXELS / 1e6:.0f} million voxels a frame"
        )
    size = math.prod([*shape[:3], *frames]) * dtype.itemsize
    if size > MAX_BYTES:
        raise VolumeError(
            f"over the size limit: {size / 2**30:.1f} GiB of voxels, at most "
            f"{MAX_BYTES / 2**30:.0f} GiB a file"
        )


def _require_whole(voxels: Path | None, layout: Layout) -> None:
    """Refuses a truncated file, and one with frames that no header counts."""
    if voxels is None or not voxels.is_file():
        raise VolumeError("voxels missing: no .img beside the .hdr")
    if is_packed(voxels):
        return
    found = voxels.stat().st_size
    if found < layout.end:
        raise VolumeError(
            f"truncated: {found} bytes of the {layout.end} the header says"
        )
    if found >= layout.end + layout.frame_bytes:
        raise VolumeError(
            f"more voxels than the header says: {found} bytes, expected "
            f"{layout.end}; repair the number of frames in the header"
        )
