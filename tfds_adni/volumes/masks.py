"""Mask files: the one that belongs to a scan, and the mean inside it."""

import functools
import os
import re
from pathlib import Path

import numpy as np
from scipy import ndimage

from tfds_adni.sources import ScanRecord
from tfds_adni.sources.images import split_name
from tfds_adni.volumes.orientation import FLIPPED
from tfds_adni.volumes.reading import Reading
from tfds_adni.volumes.volume import Volume, VolumeError, load_volume

_IMAGE_ID = re.compile(r"(?<![0-9A-Za-z])I(\d+)(?![0-9A-Za-z])")
_ENTITY = re.compile(r"(?:^|_)([A-Za-z]+)-([A-Za-z0-9]+)(?=_|$)")
# Entities that a mask has from its scan; `desc` and others are its own.
_OF_A_SCAN = {"sub", "ses", "task", "acq", "trc", "rec", "run", "space"}
# Grids that differ by less than this, in mm and over the whole volume, are one.
_SAME_MM = 0.01
_MIN_ML = 0.5
# Share of a mask that may lie outside the volume.
_MAX_LOST = 0.1


class Masks:
    """One mask for all scans, or a folder with one for each, at any depth.

    In a folder a mask belongs to a scan if its name contains the scan's image
    id (`I900015`) or file name or, in BIDS, has the same entities: `sub`, `ses`
    where the scan has one, and those of `task`, `acq`, `trc`, `rec`, `run` and
    `space` that both names have.

    Args:
        path: An image in the space that all scans share, or a folder.

    Raises:
        FileNotFoundError: If there is no such folder, or no image in it.
    """

    def __init__(self, path: Path) -> None:
        self._file = path if path.is_file() else None
        files = (
            Path(where, name)
            for where, _, names in os.walk(path)
            for name in names
            if _is_mask(name)
        )
        self._names = {file: _stem(file) for file in sorted(files)}
        if not self._file and not self._names:
            raise FileNotFoundError(
                f"expected mask images (.nii, .mgz, .hdr) in {path}, "
                "found none; give --masks a mask file or a folder of them"
            )

    def of(self, record: ScanRecord) -> Path:
        """Returns the mask of a scan.

        Args:
            record: The scan.

        Raises:
            VolumeError: If there is none, or more than one.
        """
        if self._file:
            return self._file
        stems = [_stem(path) for path in record.paths]
        rules = (
            lambda name: record.image_id in _IMAGE_ID.findall(name),
            lambda name: any(stem in name for stem in stems),
            lambda name: _same_entities(name, stems[0]),
        )
        for belongs in rules:
            found = [p for p, name in self._names.items() if belongs(name)]
            if len(found) > 1:
                names = ", ".join(path.name for path in found[:3])
                raise VolumeError(f"several masks for this scan: {names}")
            if found:
                return found[0]
        raise VolumeError("no mask for this scan")


def mask_mean(mask: Path, volume: Volume, data: np.ndarray) -> float:
    """Returns the mean of a volume inside a mask.

    A mask on another grid is brought to the volume's by the positions in mm
    that both headers give. Where neither says where left is, the mask is
    flipped if the volume was.

    Args:
        mask: A file of zeros and ones, or of probabilities (cut at 0.5).
        volume: The scan.
        data: Its voxels `(x, y, z)`, made finite.

    Raises:
        VolumeError: If the mask cannot be read or is none, lies outside the
            volume, or covers NaN, Inf or nothing above zero.
    """
    try:
        changed = mask.stat().st_mtime_ns if mask.exists() else 0
        flip = FLIPPED in volume.flags
        inside = _on_grid(_read_mask(mask, changed, flip), volume)
    except VolumeError as error:
        reason = f"the mask cannot be used: {error} ({mask.name})"
        raise VolumeError(reason) from None
    repaired = data[inside] != 0
    if not np.all(np.isfinite(volume.data[inside]) | repaired):
        raise VolumeError("NaN or Inf inside the mask")
    mean = float(data[inside].mean(dtype=np.float64))
    if mean <= 0:
        raise VolumeError(f"nothing above zero inside the mask: mean {mean:g}")
    return mean


# One file for all is read once in a process, and again if it has changed.
@functools.lru_cache(maxsize=1)
def _read_mask(path: Path, changed: int, flip_left_right: bool) -> Volume:
    """Reads a mask; its data are 0 to 1."""
    reading = Reading(flip_left_right=flip_left_right)
    mask = load_volume([path], reading=reading)
    values = np.unique(mask.data)
    if not values.any():
        raise VolumeError("expected zeros and ones, found zeros alone")
    if not np.isfinite(values).all() or values[0] < 0 or values[-1] <= 0:
        raise VolumeError("expected zeros and ones, found other values")
    if values[-1] > 1 and len(values) > 2:
        raise VolumeError(
            f"expected zeros and ones or probabilities, found {len(values)} "
            f"values up to {values[-1]:g}"
        )
    return Volume(
        mask.data / values[-1] if len(values) <= 2 else mask.data,
        mask.spacing,
        affine=mask.affine,
    )


def _on_grid(mask: Volume, volume: Volume) -> np.ndarray:
    """Returns the voxels of the volume that the mask covers."""
    shape = volume.data.shape
    if _same_grid(mask, volume):
        inside = mask.data > 0.5
    elif mask.affine is None or volume.affine is None:
        raise VolumeError(
            f"shape {mask.data.shape} for a scan of {shape}, and not both "
            "headers say where they lie"
        )
    else:
        to_mask = np.linalg.inv(mask.affine) @ volume.affine
        moved = ndimage.affine_transform(
            mask.data, to_mask, output_shape=shape, order=1
        )
        inside = moved > 0.5
    whole = np.count_nonzero(mask.data > 0.5) * np.prod(mask.spacing) / 1000
    found = np.count_nonzero(inside) * np.prod(volume.spacing) / 1000
    if found < _MIN_ML or found < (1 - _MAX_LOST) * whole:
        raise VolumeError(
            f"{found:.1f} of {whole:.1f} ml lie inside the scan; expected a "
            "mask in the scan's own space"
        )
    return inside


def _same_grid(mask: Volume, volume: Volume) -> bool:
    """Whether voxels of both are at the same places."""
    if mask.data.shape != volume.data.shape:
        return False
    if mask.affine is None or volume.affine is None:
        # Both are assumed in the same way, or one is not comparable.
        neither = mask.affine is None and volume.affine is None
        return neither and np.allclose(mask.spacing, volume.spacing, rtol=0.01)
    reach = np.array([*volume.data.shape, 1])
    return bool(np.all(np.abs(mask.affine - volume.affine) * reach < _SAME_MM))


def _is_mask(name: str) -> bool:
    """Whether a name is that of a mask; the `.hdr` stands for a pair."""
    parts = split_name(name)
    return parts is not None and not parts[1].startswith(".img")


def _stem(path: Path) -> str:
    """Returns a file's name without its extension."""
    parts = split_name(path.name)
    return parts[0] if parts else path.name


def _same_entities(mask_name: str, scan_name: str) -> bool:
    """Whether a mask's BIDS entities match the scan's."""
    scan = dict(_ENTITY.findall(scan_name))
    mask = dict(_ENTITY.findall(mask_name))
    needed = {"sub", "ses"} & scan.keys()
    shared = _OF_A_SCAN & scan.keys() & mask.keys()
    return (
        "sub" in needed
        and needed <= shared
        and all(scan[key] == mask[key] for key in shared)
    )
