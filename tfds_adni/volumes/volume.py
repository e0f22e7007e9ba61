"""Image files to one canonical volume.

Real files are int16 with a slope, floats of either byte order, LAS, RAS or LPI,
3-D, 4-D with one frame (160x160x96x1) or with many; some are truncated, some
are web pages saved under an image's name.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import nibabel as nib
import numpy as np

from tfds_adni.sources.timing import FrameTiming
from tfds_adni.volumes.headers import Header, read_header, unreadable
from tfds_adni.volumes.orientation import VolumeError
from tfds_adni.volumes.reading import Reading

__all__ = ["Volume", "VolumeError", "examine", "load_volume"]

# Frames of one scan may lie this far apart, in voxels.
_MAX_SHIFT = 0.5


@dataclasses.dataclass(frozen=True)
class Volume:
    """A scan in RAS orientation.

    Attributes:
        data: float32 `(x, y, z)`: x to the right, y to the front, z upwards,
            in the file's own intensity units. May hold NaN and Inf. Oblique
            axes are not resampled.
        spacing: Voxel size in mm along x, y and z.
        frames: Number of frames that were averaged.
        affine: `(4, 4)`, voxel to mm; `None` where the file stores none, so
            that left and right are assumed.
    """

    data: np.ndarray
    spacing: tuple[float, float, float]
    frames: int = 1
    affine: np.ndarray | None = None


class Examined(NamedTuple):
    """The result of `examine`.

    Attributes:
        reason: What is wrong, in a few words; `""` where they are valid.
        oriented: Whether they define left and right.
    """

    reason: str
    oriented: bool = True


def examine(
    paths: Sequence[Path],
    *,
    reading: Reading | None = None,
    timing: FrameTiming | None = None,
) -> Examined:
    """Checks the headers of a scan.

    Args:
        paths: The files of one scan, of a pair the `.hdr`.
        reading: How they are read; the defaults where `None`.
        timing: Times of the frames, `None` where unknown.
    """
    try:
        headers = [read_header(path) for path in paths]
        _require_one_grid(headers)
    except VolumeError as error:
        return Examined(str(error))
    return Examined("", all(header.grid.stored for header in headers))


def load_volume(
    paths: Sequence[Path],
    *,
    reading: Reading | None = None,
    timing: FrameTiming | None = None,
) -> Volume:
    """Reads one scan; frames, in one file or in several, are averaged.

    Every frame counts alike, whatever its duration. The same voxels stored in
    another order of axes give the same volume.

    Args:
        paths: The files of one scan, all on one grid.
        reading: How they are read; the defaults where `None`.
        timing: Times of the frames, `None` where unknown.

    Raises:
        VolumeError: If a file cannot be read, is truncated, is not a volume,
            or the frames lie on different grids.
    """
    headers = [read_header(path) for path in paths]
    _require_one_grid(headers)
    affine = headers[0].grid.ras_affine(headers[0].shape)
    frames = sum(header.frames for header in headers)
    return Volume(
        data=_mean_frame(headers, frames),
        spacing=tuple(float(v) for v in nib.affines.voxel_sizes(affine)),
        frames=frames,
        affine=affine if all(h.grid.stored for h in headers) else None,
    )


def _require_one_grid(headers: Sequence[Header]) -> None:
    """Refuses frames that lie on different grids."""
    for header in headers[1:]:
        if header.ras_shape != headers[0].ras_shape:
            raise VolumeError(
                f"frames differ: shapes {headers[0].shape} and {header.shape}"
            )
        size = nib.affines.voxel_sizes(header.grid.affine).min()
        apart = np.abs(_corners(header) - _corners(headers[0])).max()
        if apart > _MAX_SHIFT * size:
            raise VolumeError(f"frames differ: up to {apart:.1f} mm apart")


def _corners(header: Header) -> np.ndarray:
    """Returns the first and the last voxel of the RAS volume, in mm."""
    last = np.array(header.ras_shape) - 1
    affine = header.grid.ras_affine(header.shape)
    return nib.affines.apply_affine(affine, [np.zeros(3), last])


def _mean_frame(headers: Sequence[Header], count: int) -> np.ndarray:
    """Averages frames one at a time, to bound the memory of a long series."""
    frames = (frame for header in headers for frame in _frames(header))
    if count == 1:
        (only,) = frames
        return only
    total = np.zeros(headers[0].ras_shape)
    for frame in frames:
        total += frame
    return (total / count).astype(np.float32)


def _frames(header: Header) -> Iterator[np.ndarray]:
    """Reads the frames of one file in order, as float32 in RAS orientation."""
    source = header.image.dataobj
    layout = (source.shape, source.dtype, source.offset)
    try:
        with header.image.file_map["image"].get_prepare_fileobj("rb") as file:
            proxy = nib.arrayproxy.ArrayProxy(
                file, (*layout, source.slope, source.inter), mmap=False
            )
            for number in range(header.frames):
                # Values beyond float32 become Inf and are treated as such.
                with np.errstate(over="ignore", invalid="ignore"):
                    frame = proxy
                    if header.frames > 1:
                        frame = proxy[:, :, :, number]
                    frame = np.asarray(frame, dtype=np.float32)
                frame = frame.reshape(header.shape, order="F")
                yield header.grid.to_ras(frame)
            # One byte more verifies gzip's check sum at the end of the file;
            # anything that follows the voxels is not unpacked.
            file.read(1)
    # As with headers: any bytes, any error.
    except Exception as error:
        raise unreadable("data", error) from None
