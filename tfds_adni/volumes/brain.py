"""The brain in a volume: its mask, its centre, its mean.

Slices are cut from the centre of the mask, and intensities are put on a common
scale by a mean (see `normalisation`): one number per volume, never per slice.
A few NaN or infinite voxels inside a brain are repaired, many are refused.
"""

import dataclasses

import numpy as np
from scipy import ndimage

from tfds_adni.volumes.volume import Volume, VolumeError

# A coarse grid is enough for the mask's mean and centre; morphology on the full
# grid costs a second per scan.
_MASK_SPACING_MM = 3.0
# White matter has about a quarter of the brightest grey matter's uptake before
# blur and half of it after; a third cuts below it and above the scalp.
_THRESHOLD = 0.35
_OPENING_MM = 6.0
_MIN_ML, _MAX_ML = 500.0, 2500.0
# Intensities are counts or Bq/ml; anything beyond this is no measurement.
_HUGE = 1e30
# An adult's brain is some 140 x 170 x 120 mm.
_MIN_EXTENT_MM = (90.0, 110.0, 70.0)
# Share of the largest section that the mask's last section may have. A whole
# brain tapers off (0.13 at most on phantoms and on a mean of 116 scans); above
# 0.5 the part cut off moves the centre, and so all slices, by a centimetre.
_MAX_END = 0.5
_ENDS = (("left", "right"), ("back", "front"), ("bottom", "top"))
# Of the voxels of the brain: 0.1 % are some 1.4 ml, spread over it.
MAX_SHARE = 0.001


@dataclasses.dataclass(frozen=True)
class BrainLocation:
    """The brain in a volume that is not scaled yet.

    Attributes:
        data: float32 `(x, y, z)`, finite, in the file's own units.
        mean: Mean of `data` inside the mask.
        centre: Centre of mass of the mask, in voxels of `data`.
        mask: Boolean, the brain on a coarse grid: its voxel `(i, j, k)` lies
            at voxel `(i, j, k) * steps` of `data`.
        steps: Voxels of `data` from one of the mask to the next.
        repaired: Voxels inside the mask that were NaN or Inf.
    """

    data: np.ndarray
    mean: float
    centre: tuple[float, float, float]
    mask: np.ndarray
    steps: tuple[int, int, int]
    repaired: int = 0


def find_brain(volume: Volume) -> BrainLocation:
    """Finds the brain and makes the volume finite.

    NaN and Inf around the brain count as 0; a few inside it are repaired, see
    `repair`.

    Args:
        volume: A scan in RAS, with or without a scalp.

    Raises:
        VolumeError: If the volume is constant, has no finite voxel, holds
            nothing of a brain's size or only a part of one, or if too many
            voxels inside the brain are NaN or Inf.
    """
    data, bad = _finite(volume.data)
    steps = [max(1, round(_MASK_SPACING_MM / v)) for v in volume.spacing]
    sparse = tuple(slice(None, None, step) for step in steps)
    spacing = tuple(v * s for v, s in zip(volume.spacing, steps, strict=True))
    mask = brain_mask(data[sparse], spacing)
    _require_whole_brain(mask, spacing)
    repaired = 0
    if bad is not None:
        pairs = zip(data.shape, steps, strict=True)
        voxels = np.ix_(*(np.arange(n) // step for n, step in pairs))
        data, repaired = repair(data, bad, mask[voxels])
    centre = ndimage.center_of_mass(mask)
    return BrainLocation(
        data=data,
        mean=float(data[sparse][mask].mean()),
        centre=tuple(float(c * s) for c, s in zip(centre, steps, strict=True)),
        mask=mask,
        steps=tuple(steps),
        repaired=repaired,
    )


def brain_mask(
    data: np.ndarray, spacing: tuple[float, float, float]
) -> np.ndarray:
    """Finds the brain in an FDG volume.

    The largest connected part above 35 % of the 95th percentile of the voxels
    that are not air, thin bridges to the scalp opened, holes (ventricles)
    filled.

    Args:
        data: `(x, y, z)`, finite.
        spacing: Voxel size in mm.

    Returns:
        Boolean array of the shape of `data`.

    Raises:
        VolumeError: If that part is not of a brain's size (500 to 2500 ml).
    """
    highest = data.max()
    if highest <= 0:
        raise VolumeError("no voxel above zero")
    tissue = data[data > 0.05 * highest]
    bright = data > _THRESHOLD * np.percentile(tissue, 95)
    box = _bounds(bright)
    opened = _open_by_ball(bright[box], spacing, _OPENING_MM)
    labels, count = ndimage.label(opened)
    sizes = np.bincount(labels.ravel())[1:] if count else np.zeros(1)
    millilitres = float(sizes.max()) * float(np.prod(spacing)) / 1000
    if not _MIN_ML <= millilitres <= _MAX_ML:
        raise VolumeError(
            f"no brain found: largest bright part {millilitres:.0f} ml, "
            f"expected {_MIN_ML:.0f} to {_MAX_ML:.0f}"
        )
    largest = labels == 1 + int(sizes.argmax())
    mask = np.zeros(data.shape, bool)
    mask[box] = largest | _enclosed(~largest)
    return mask


def repair(
    data: np.ndarray, bad: np.ndarray, inside: np.ndarray
) -> tuple[np.ndarray, int]:
    """Replaces bad voxels inside the brain by the mean of good neighbours.

    Bad voxels that are connected to the border of the volume are background
    (SPM writes NaN there) and stay 0, as do those outside the brain.

    Args:
        data: `(x, y, z)`, 0 where it is bad.
        bad: Boolean, where it was NaN or Inf.
        inside: Boolean, the brain.

    Returns:
        The data, a copy where anything was repaired, and the number of voxels
        repaired. Each is the mean of the good ones among its 26 neighbours.

    Raises:
        VolumeError: If more than 0.1 % of the brain's voxels are bad, or one
            has no good neighbour.
    """
    holes = np.argwhere(_enclosed(bad) & inside)
    if len(holes) == 0:
        return data, 0
    share = len(holes) / np.count_nonzero(inside)
    if share > MAX_SHARE:
        raise VolumeError(
            f"NaN or Inf inside the brain: {len(holes)} voxels, "
            f"{100 * share:.2g} %; up to {100 * MAX_SHARE:g} % are repaired"
        )
    repaired = data.copy()
    for hole in holes:
        around = tuple(slice(max(i - 1, 0), i + 2) for i in hole)
        good = data[around][~bad[around]]
        if good.size == 0:
            raise VolumeError(
                "NaN or Inf inside the brain: a hole three voxels wide, only "
                "smaller ones are repaired"
            )
        repaired[tuple(hole)] = good.mean(dtype=np.float64)
    return repaired, len(holes)


def _finite(data: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Returns the data with 0 for NaN and Inf, and where these are, if any."""
    low, high = float(data.min()), float(data.max())
    bad = None
    # A NaN anywhere makes both NaN, and no comparison with it is true.
    if not (low > -_HUGE and high < _HUGE):
        with np.errstate(invalid="ignore"):
            bad = ~(np.abs(data) < _HUGE)
        if bad.all():
            raise VolumeError("no finite voxel: all NaN or Inf")
        data = np.where(bad, np.float32(0), data)
        low, high = float(data.min()), float(data.max())
    if low == high:
        raise VolumeError(f"constant volume: every voxel is {low:g}")
    return data, bad


def _require_whole_brain(
    mask: np.ndarray, spacing: tuple[float, float, float]
) -> None:
    """Refuses a brain that is cut off or too flat."""
    for axis in range(3):
        others = tuple(a for a in range(3) if a != axis)
        areas = np.count_nonzero(mask, axis=others)
        areas = areas[_bounds(mask)[axis]]
        for end, area in zip(_ENDS[axis], areas[[0, -1]], strict=True):
            if area > _MAX_END * areas.max():
                raise VolumeError(
                    f"part of a brain: cut off at the {end}, the last "
                    f"section has {100 * area / areas.max():.0f} % of the "
                    f"largest one's area, at most {100 * _MAX_END:.0f} %"
                )
        extent = len(areas) * spacing[axis]
        if extent < _MIN_EXTENT_MM[axis]:
            raise VolumeError(
                f"no brain found: {extent:.0f} mm from "
                f"{' to '.join(_ENDS[axis])}, expected at least "
                f"{_MIN_EXTENT_MM[axis]:.0f}"
            )


def _bounds(mask: np.ndarray) -> tuple[slice, slice, slice]:
    """Returns the smallest box that holds all of a mask that is not empty."""
    (box,) = ndimage.find_objects(mask.astype(np.uint8))
    return box


def _open_by_ball(
    mask: np.ndarray, spacing: tuple[float, float, float], radius_mm: float
) -> np.ndarray:
    """Does `scipy.ndimage.binary_opening` by a ball, seven times as fast."""
    reach = [int(radius_mm // v) for v in spacing]
    axes = [
        np.arange(-r, r + 1) * v for r, v in zip(reach, spacing, strict=True)
    ]
    x, y, z = np.meshgrid(*axes, indexing="ij")
    ball = x**2 + y**2 + z**2 <= radius_mm**2
    offsets = np.argwhere(ball) - reach
    padded = np.pad(mask, [(r, r) for r in reach])
    # In a padded array a step in space is one step along the flat array.
    strides = [padded.shape[1] * padded.shape[2], padded.shape[2], 1]
    steps = (offsets @ strides).tolist()
    flat = padded.ravel()
    margin, size = max(steps), flat.size
    core = slice(margin, size - margin)
    eroded = np.zeros_like(flat)
    eroded[core] = flat[core]
    for step in steps:
        eroded[core] &= flat[margin + step : size - margin + step]
    opened = np.zeros_like(flat)
    for step in steps:
        opened[core] |= eroded[margin + step : size - margin + step]
    inner = tuple(
        slice(r, r + n) for r, n in zip(reach, mask.shape, strict=True)
    )
    return opened.reshape(padded.shape)[inner]


def _enclosed(mask: np.ndarray) -> np.ndarray:
    """Keeps the parts of a mask, connected by faces, off the array's border."""
    labels, count = ndimage.label(mask)
    open_to_outside = np.zeros(count + 1, bool)
    for axis in range(3):
        border = np.take(labels, [0, -1], axis=axis)
        open_to_outside[border] = True
    open_to_outside[0] = True
    return ~open_to_outside[labels]
