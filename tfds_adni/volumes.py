"""Image files to one canonical volume.

Real files are int16 with a slope, floats of either byte order, LAS, RAS or LPI,
3-D, 4-D with one frame (160x160x96x1) or with many; some are truncated, some
are web pages saved under an image's name.
"""

import dataclasses
import zlib
from collections.abc import Sequence
from pathlib import Path

import nibabel as nib
import numpy as np

# What nibabel and gzip raise on files that are not what their name says.
_UNREADABLE = (
    OSError,
    EOFError,
    ValueError,
    zlib.error,
    nib.filebasedimages.ImageFileError,
    nib.spatialimages.HeaderDataError,
    nib.wrapstruct.WrapStructError,
)


class VolumeError(ValueError):
    """A scan that cannot be used; the text says why, in one line."""


@dataclasses.dataclass(frozen=True)
class Volume:
    """A scan in RAS orientation.

    Attributes:
        data: float32 `(x, y, z)`: x to the right, y to the front, z upwards,
            in the file's own intensity units. May hold NaN.
        spacing: Voxel size in mm along x, y and z.
    """

    data: np.ndarray
    spacing: tuple[float, float, float]


def check_header(paths: Sequence[Path]) -> str:
    """Says what is wrong with a scan as far as its headers tell.

    Args:
        paths: The files of one scan.

    Returns:
        A reason in a few words, `""` where the headers are sound.
    """
    try:
        for path in paths:
            _require_geometry(_open(path))
    except VolumeError as error:
        return str(error)
    return ""


def load_volume(paths: Sequence[Path]) -> Volume:
    """Reads one scan; frames, in one file or in several, are averaged.

    Args:
        paths: The files of one scan, all on one grid.

    Returns:
        The volume in closest canonical (RAS) orientation. Oblique axes are
        not resampled.

    Raises:
        VolumeError: If a file cannot be read, is truncated, is not a volume,
            or the frames differ in shape.
    """
    frames = [_read(path) for path in paths]
    first = frames[0]
    for frame in frames[1:]:
        if frame.data.shape != first.data.shape:
            raise VolumeError(
                f"frames of shapes {first.data.shape} and {frame.data.shape}"
            )
    data = np.mean([frame.data for frame in frames], axis=0, dtype=np.float32)
    return Volume(data, first.spacing)


def _open(path: Path) -> nib.spatialimages.SpatialImage:
    """Opens a header."""
    try:
        return nib.load(path)
    except _UNREADABLE as error:
        raise VolumeError(f"unreadable header ({_first_line(error)})") from None


def _require_geometry(image: nib.spatialimages.SpatialImage) -> None:
    """Refuses what is not a volume with voxels of a known size."""
    shape = image.shape
    spatial = shape[:3]
    if len(shape) not in (3, 4) or min(shape, default=0) < 1:
        raise VolumeError(f"shape {shape} is no volume")
    if min(spatial) < 8:
        raise VolumeError(f"shape {shape} is too small for a brain")
    zooms = nib.affines.voxel_sizes(image.affine)
    if not np.all(np.isfinite(zooms)) or min(zooms) <= 0:
        raise VolumeError("voxel size missing from the header")


def _read(path: Path) -> Volume:
    """Reads one file, its frames averaged."""
    image = _open(path)
    _require_geometry(image)
    try:
        image = nib.as_closest_canonical(image)
        data = np.asarray(image.dataobj, dtype=np.float32)
    except _UNREADABLE as error:
        raise VolumeError(f"unreadable data ({_first_line(error)})") from None
    if data.ndim == 4:
        data = data.mean(axis=3)
    spacing = tuple(float(v) for v in nib.affines.voxel_sizes(image.affine))
    return Volume(np.ascontiguousarray(data), spacing)


def _first_line(error: BaseException) -> str:
    """Gives an error's first line without the path, which others print."""
    line = (str(error) or type(error).__name__).splitlines()[0]
    return line if len(line) <= 80 and "/" not in line else type(error).__name__
