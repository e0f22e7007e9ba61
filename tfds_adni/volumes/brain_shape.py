"""What has the shape of a brain, and of a whole one."""

import numpy as np
from scipy import ndimage

from tfds_adni.volumes.orientation import VolumeError
from tfds_adni.volumes.smoothing import CoarseGrid

MIN_ML, _MAX_ML = 500.0, 2500.0
# An adult's brain is some 140 x 170 x 120 mm; a large one that nods is higher.
_MIN_EXTENT_MM = (90.0, 110.0, 70.0)
_MAX_EXTENT_MM = (175.0, 205.0, 175.0)
# Share of its box that a brain fills: 0.45 to 0.5, an ellipsoid 0.52, a ring
# less, arms and a table more.
_FILLED = (0.35, 0.75)
# A waist has at most this share of the widest section above it, and below it
# sections become wider by that share.
_WAIST, _WIDENS = 0.7, 0.1
# Share of the largest section that the section in the volume's last plane may
# have: what is cut off there moves the centre by less than 1 mm. A brain's
# bottom, cerebellum and stem, is wide and far from the centre.
_MAX_END = ((0.3, 0.3), (0.3, 0.2), (0.15, 0.3))
# And that of the section so many mm from the end of the mask, wherever it is;
# of whole brains it was 0.37 at most.
_TIP_MM = 6.5
_MAX_TIP = 0.5
_ENDS = (("left", "right"), ("back", "front"), ("bottom", "top"))
# Tissue 12 mm below the brain that is nearly as bright hides its lower end: of
# 90 whole phantom brains 0.11 at most; with a neck of 0.3 of its uptake 0.06,
# of 0.4, which changes the mean by 2 %, at least 0.19.
_BELOW_MM = 12.0
_BELOW = 0.5
_MAX_BELOW = 0.15


def shape_problem(part: np.ndarray, grid: CoarseGrid) -> str:
    """Says why a connected part cannot be a brain; `""` where it can.

    Args:
        part: Boolean `(x, y, z)` on the coarse grid.
        grid: The grid.
    """
    box = bounds(part)
    count = np.count_nonzero(part)
    size = count * np.prod(grid.spacing_mm) / 1000
    if not MIN_ML <= size <= _MAX_ML:
        return (
            f"largest bright part {size:.0f} ml, expected {MIN_ML:.0f} to "
            f"{_MAX_ML:.0f}"
        )
    for axis, (side, step) in enumerate(zip(box, grid.spacing_mm, strict=True)):
        low, high = _MIN_EXTENT_MM[axis], _MAX_EXTENT_MM[axis]
        extent = (side.stop - side.start) * step
        if not low <= extent <= high:
            return (
                f"{extent:.0f} mm from {' to '.join(_ENDS[axis])}, expected "
                f"{low:.0f} to {high:.0f}"
            )
    share = count / part[box].size
    if not _FILLED[0] <= share <= _FILLED[1]:
        return (
            f"a bright part that fills {100 * share:.0f} % of its box, "
            f"expected {100 * _FILLED[0]:.0f} to {100 * _FILLED[1]:.0f}"
        )
    return ""


def require_whole(mask: np.ndarray, grid: CoarseGrid) -> None:
    """Refuses a brain that is cut off.

    Args:
        mask: Boolean `(x, y, z)` on the coarse grid.
        grid: The grid.

    Raises:
        VolumeError: If an end lacks so much that the centre is not where the
            whole brain's is.
    """
    for axis in range(3):
        others = tuple(a for a in range(3) if a != axis)
        shares = np.count_nonzero(mask, axis=others) / 1.0
        shares /= shares.max()
        step, (first, last) = grid.steps[axis], grid.valid[axis]
        tip = shares[bounds(mask)[axis]]
        depth = round(_TIP_MM / grid.spacing_mm[axis])
        ends = (-(-first // step), depth), ((last - 1) // step, -1 - depth)
        for end, (outermost, inner) in enumerate(ends):
            _require_less(shares[outermost], _MAX_END[axis][end], axis, end)
            _require_less(tip[inner], _MAX_TIP, axis, end)


def _require_less(share: float, limit: float, axis: int, end: int) -> None:
    """Refuses a section near an end that is too large."""
    if share > limit:
        raise VolumeError(
            f"part of a brain: cut off at the {_ENDS[axis][end]}, the section "
            f"there has {100 * share:.0f} % of the largest one's area, at most "
            f"{100 * limit:.0f} %"
        )


def require_apart(
    mask: np.ndarray, smoothed: np.ndarray, grid: CoarseGrid
) -> None:
    """Refuses a brain whose lower end cannot be told from what is below it.

    Args:
        mask: Boolean `(x, y, z)` on the coarse grid.
        smoothed: The volume there.
        grid: The grid.

    Raises:
        VolumeError: If neck or face are nearly as bright as the brain.
    """
    down = round(_BELOW_MM / grid.spacing_mm[2])
    padding = ((0, 0), (0, 0), (down + 1, 0))
    padded = np.pad(mask, padding)
    lowest = padded & ~np.roll(padded, 1, axis=2)
    below = np.roll(lowest, -down, axis=2) & ~padded
    bright = np.pad(smoothed, padding) > _BELOW * np.median(smoothed[mask])
    widest = np.count_nonzero(mask, axis=(0, 1)).max()
    share = np.count_nonzero(below & bright) / widest
    if share > _MAX_BELOW:
        raise VolumeError(
            "the brain does not end: what lies below it is nearly as bright, "
            f"over {100 * share:.0f} % of its largest section's area, at most "
            f"{100 * _MAX_BELOW:.0f} %"
        )


def above_the_waist(part: np.ndarray) -> np.ndarray:
    """Leaves out what widens again below a brain, such as shoulders.

    Args:
        part: Boolean `(x, y, z)` in RAS.

    Returns:
        The same, or a copy without what lies below the waist.
    """
    areas = np.count_nonzero(part, axis=(0, 1))[::-1]  # from the top
    widest = narrowest = 0
    for place, area in enumerate(areas):
        widens = area >= areas[narrowest] + _WIDENS * areas[widest]
        if widens and areas[narrowest] < _WAIST * areas[widest]:
            above = part.copy()
            above[:, :, : len(areas) - narrowest] = False
            return above
        if area >= areas[widest]:
            widest = narrowest = place
        elif area < areas[narrowest]:
            narrowest = place
    return part


def bounds(mask: np.ndarray) -> tuple[slice, slice, slice]:
    """Returns the smallest box that holds all of a mask.

    Args:
        mask: Boolean `(x, y, z)`.

    Returns:
        A slice for each axis, empty ones where the mask is.
    """
    flat = mask.any(axis=2)
    sides = flat.any(axis=1), flat.any(axis=0), mask.any(axis=(0, 1))
    places = [np.flatnonzero(side) for side in sides]
    return tuple(slice(p[0], p[-1] + 1) if len(p) else slice(0) for p in places)


def open_by_ball(
    mask: np.ndarray, spacing: tuple[float, float, float], radius_mm: float
) -> np.ndarray:
    """Does `scipy.ndimage.binary_opening` by a ball, seven times as fast.

    Args:
        mask: Boolean `(x, y, z)`.
        spacing: Voxel size in mm.
        radius_mm: Of the ball.
    """
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


def enclosed(mask: np.ndarray) -> np.ndarray:
    """Keeps the parts of a mask, connected by faces, off the array's border.

    Args:
        mask: Boolean `(x, y, z)`.
    """
    labels, count = ndimage.label(mask)
    open_to_outside = np.zeros(count + 1, bool)
    for axis in range(3):
        border = np.take(labels, [0, -1], axis=axis)
        open_to_outside[border] = True
    open_to_outside[0] = True
    return ~open_to_outside[labels]
