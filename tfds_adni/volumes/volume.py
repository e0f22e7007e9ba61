"""Image files to one canonical volume.

Real files are int16 with a slope, floats of either byte order, LAS, RAS or LPI,
3-D, 4-D with one frame (160x160x96x1) or with many; some are truncated, some
are web pages saved under an image's name.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

import nibabel as nib
import numpy as np

from tfds_adni.sources.timing import FrameTiming
from tfds_adni.volumes.frames import weigh_frames
from tfds_adni.volumes.headers import (
    Header,
    Layout,
    one_line_errors,
    read_header,
)
from tfds_adni.volumes.orientation import VolumeError
from tfds_adni.volumes.packing import open_unpacked
from tfds_adni.volumes.reading import Reading

__all__ = ["Volume", "VolumeError", "examine", "load_volume"]

# Frames of one scan may lie this far apart, in voxels.
_MAX_SHIFT = 0.5
_BLOCK = 1 << 16


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
        flags: What to know of it: constants of `orientation` and `frames`.
    """

    data: np.ndarray
    spacing: tuple[float, float, float]
    frames: int = 1
    affine: np.ndarray | None = None
    flags: frozenset[str] = frozenset()


class Examined(NamedTuple):
    """The result of `examine`.

    Attributes:
        reason: What is wrong, in a few words; `""` where they are valid.
        flags: As in `Volume`.
    """

    reason: str
    flags: frozenset[str] = frozenset()


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
        _, _, flags = _open(paths, reading or Reading(), timing)
    except VolumeError as error:
        return Examined(str(error))
    return Examined("", flags)


def load_volume(
    paths: Sequence[Path],
    *,
    reading: Reading | None = None,
    timing: FrameTiming | None = None,
) -> Volume:
    """Reads one scan; frames, in one file or in several, are averaged.

    Frames count as in `frames`: by their durations where their times are known,
    else alike. The same voxels stored in another order of axes give the same
    volume.

    Args:
        paths: The files of one scan, all on one grid.
        reading: How they are read; the defaults where `None`.
        timing: Times of the frames, `None` where unknown.

    Raises:
        VolumeError: If a file cannot be read, is truncated, is not a volume,
            the frames lie on different grids, or their times do not suit.
    """
    headers, weights, flags = _open(paths, reading or Reading(), timing)
    affine = headers[0].grid.ras_affine(headers[0].shape)
    return Volume(
        data=_mean_frame(headers, weights),
        spacing=tuple(float(v) for v in nib.affines.voxel_sizes(affine)),
        frames=int(np.count_nonzero(weights)),
        affine=affine if all(h.grid.stored for h in headers) else None,
        flags=flags,
    )


def _open(
    paths: Sequence[Path], reading: Reading, timing: FrameTiming | None
) -> tuple[list[Header], np.ndarray, frozenset[str]]:
    """Reads the headers of a scan.

    Returns:
        Headers, the weight of each frame of all files, and flags.
    """
    headers = [
        read_header(path, flip_left_right=reading.flip_left_right)
        for path in paths
    ]
    _require_one_grid(headers)
    count = sum(header.frames for header in headers)
    weights, flags = weigh_frames(count, timing, reading.window)
    return headers, weights, flags.union(*(h.grid.flags for h in headers))


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


def _mean_frame(headers: Sequence[Header], weights: np.ndarray) -> np.ndarray:
    """Averages frames one at a time, to bound the memory of a long series."""
    ends = np.cumsum([header.frames for header in headers])[:-1]
    of_each = zip(headers, np.split(weights, ends), strict=True)
    frames = (
        frame for header, own in of_each for frame in _frames(header, own)
    )
    if len(weights) > 1:
        frames = _with_content(frames, np.flatnonzero(weights) + 1)
    counted = weights[weights > 0]
    if len(counted) == 1:
        (only,) = frames
        return only
    total = np.zeros(headers[0].ras_shape)
    for weight, frame in zip(counted, frames, strict=True):
        total += frame if weight == 1 else frame * np.float32(weight)
    return (total / counted.sum()).astype(np.float32)


def _frames(header: Header, weights: Iterable[float]) -> Iterator[np.ndarray]:
    """Reads the frames of one file that count, float32 in RAS orientation."""
    with one_line_errors("data"), open_unpacked(header.voxels) as file:
        for number in np.flatnonzero(weights).tolist():
            frame = np.empty(header.shape, np.float32, order="F")
            for planes, stored in header.layout.slabs(number):
                proxy = nib.arrayproxy.ArrayProxy(file, stored, mmap=False)
                # Values beyond float32 become Inf and are treated as such.
                with np.errstate(over="ignore", invalid="ignore"):
                    frame[:, :, planes] = np.asarray(proxy, np.float32)
            yield header.grid.to_ras(frame)
        _require_end(file, header.layout)


def _with_content(
    frames: Iterable[np.ndarray], numbers: Iterable[int]
) -> Iterator[np.ndarray]:
    """Yields frames; refuses those that would spoil the mean of several.

    The first ones may be 0: no tracer has arrived yet.
    """
    arrived = False
    for number, frame in zip(numbers, frames, strict=True):
        if not np.isfinite(frame).any():
            raise VolumeError(
                f"no finite voxel: all NaN or Inf in frame {number}"
            )
        low = float(np.fmin.reduce(frame, axis=None))  # NaN aside
        constant = low == np.fmax.reduce(frame, axis=None)
        if constant and (arrived or low):
            raise VolumeError(
                f"a constant frame: all voxels of frame {number} are "
                f"{low:.3g}; repair the file, or leave the frame out with "
                "--window"
            )
        arrived = arrived or not constant
        yield frame


def _require_end(file: BinaryIO, layout: Layout) -> None:
    """Reads on to the end, where a packed file's check sum is verified.

    No more than a frame is unpacked, in blocks: so much is a frame that the
    header does not count, or a damaged file.
    """
    file.seek(layout.end)
    left = layout.frame_bytes
    while left > 0 and (block := file.read(min(left, _BLOCK))):
        left -= len(block)
    if left <= 0:
        raise VolumeError(
            "more voxels than the header says: it unpacks to at least "
            f"{layout.end + layout.frame_bytes} bytes, expected {layout.end}; "
            "download it again, or repair the number of frames in the header"
        )
