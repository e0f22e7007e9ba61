"""The brain's mask in a volume that may hold much else.

Nothing here depends on single voxels or on what surrounds the brain: the
volume is smoothed, the threshold is a share of the median inside the part that
has a brain's size, and voxels far from what that part holds are left out.
"""

import dataclasses
from collections.abc import Iterator

import numpy as np
from scipy import ndimage

from tfds_adni.volumes.brain_shape import (
    MIN_ML,
    above_the_waist,
    bounds,
    enclosed,
    open_by_ball,
    require_whole,
    shape_problem,
)
from tfds_adni.volumes.orientation import VolumeError
from tfds_adni.volumes.smoothing import CoarseGrid, smooth

# White matter has about a quarter of the brightest grey matter's uptake before
# blur and half of it after; this share of the median cuts below it and above
# the scalp.
_THRESHOLD = 0.55
_PASSES = 2  # by then the median moves by less than 0.1 %
_OPENING_MM = 6.0
# What is brighter than all but so many ml is taken for the brain's grey matter;
# in a body other organs may be brighter, so that more is tried, in steps small
# enough for a brain whose white matter is dark.
_BRIGHTEST_ML = (300.0, 500.0, 900.0, 1500.0, 2700.0, 4800.0, 8100.0)
# Share of that brightness which the first threshold has.
_FIRST = 0.55
# Voxels count from -3 to 5 times that brightness at first: noise of 70 % stays
# within it, and a few hot voxels within it are too weak to matter.
_WIDE = (-3.0, 5.0)
# Then up to so many SD from the median, and at least from -1 to 2.5 times the
# median. Hot spots of up to a sixth of the brain do not move these percentiles,
# which are one SD away where noise is normal.
_SPREAD = 6.0
_ONE_SD = (16, 50, 84)
_NARROW = (-1.0, 2.5)


@dataclasses.dataclass(frozen=True)
class Found:
    """A brain on the coarse grid.

    Attributes:
        mask: Boolean, on the grid, the ventricles included.
        tissue: Boolean, those of the mask that are above the threshold. What
            is below, ventricles and white matter beside them, counts neither
            for the mean nor for the centre: whether it is a hole or open to
            outside is decided by noise, and more often open in AD.
        smoothed: The volume on the grid, see `smooth`.
        low: Voxels up to this are far too dark for its tissue and noise.
        high: Voxels from this on are far too bright.
        left_out: Voxels of the volume that are one or the other.
    """

    mask: np.ndarray
    tissue: np.ndarray
    smoothed: np.ndarray
    low: float
    high: float
    left_out: int


def brain_mask(data: np.ndarray, grid: CoarseGrid) -> Found:
    """Finds the brain in an FDG volume.

    The uppermost connected part of a brain's size above 55 % of its own
    median, thin bridges to the scalp opened, holes (ventricles) filled, cut at
    the waist towards a body.

    Args:
        data: float32 `(x, y, z)` in RAS, finite.
        grid: Its coarse grid.

    Raises:
        VolumeError: If there is no part of a brain's size (500 to 2500 ml).
    """
    sample = data[grid.places]
    if grid.extremes[1] <= 0:
        raise VolumeError("no voxel above zero")
    reason = None
    for level in _bright_levels(sample, grid):
        try:
            return _found(data, grid, level)
        except VolumeError as error:
            reason = reason or error
    raise reason or VolumeError(
        f"no brain found: less than {_BRIGHTEST_ML[0]:.0f} ml above zero"
    )


def _bright_levels(sample: np.ndarray, grid: CoarseGrid) -> Iterator[float]:
    """Yields what all but the brightest few hundred ml stay below."""
    millilitres = np.prod(grid.spacing_mm) / 1000
    values = sample.ravel()
    for brightest in _BRIGHTEST_ML:
        place = values.size - int(brightest / millilitres)
        if place <= 0:
            return
        level = float(np.partition(values, place)[place])
        if level <= 0:
            return
        yield level


def _found(data: np.ndarray, grid: CoarseGrid, level: float) -> Found:
    """Finds the brain if its grey matter is about as bright as a level.

    Raises:
        VolumeError: If there is none.
    """
    low, high = (level * v for v in _WIDE)
    smoothed, left_out = smooth(data, grid, low, high)
    mask, tissue = _settled(smoothed, grid, _FIRST * level)
    values = data[grid.places][tissue]
    dark, middle, bright = np.percentile(
        values[(values > low) & (values < high)], _ONE_SD
    )
    low = min(_NARROW[0] * middle, middle - _SPREAD * (middle - dark))
    high = max(_NARROW[1] * middle, middle + _SPREAD * (bright - middle))
    least, greatest = grid.extremes
    if left_out or least <= low or greatest >= high:
        smoothed, left_out = smooth(data, grid, low, high)
        mask, tissue = _settled(smoothed, grid, _FIRST * level)
    return Found(mask, tissue, smoothed, low, high, left_out)


def _settled(
    smoothed: np.ndarray, grid: CoarseGrid, threshold: float
) -> tuple[np.ndarray, np.ndarray]:
    """Returns mask and tissue whose threshold is a share of their median."""
    mask = _part(smoothed, grid, threshold)
    for _ in range(_PASSES):
        values = smoothed[mask]
        middle = float(np.median(values[values > threshold]))
        threshold = _THRESHOLD * middle
        mask = _part(smoothed, grid, threshold)
    return mask, mask & (smoothed > threshold)


def _part(
    smoothed: np.ndarray, grid: CoarseGrid, threshold: float
) -> np.ndarray:
    """Returns the uppermost part above a threshold that has a brain's size.

    Raises:
        VolumeError: If none has.
    """
    millilitres = np.prod(grid.spacing_mm) / 1000
    bright = smoothed > threshold
    box = bounds(bright)
    labels, count = ndimage.label(
        open_by_ball(bright[box], grid.spacing_mm, _OPENING_MM)
    )
    if not count:
        raise VolumeError(
            f"no brain found: nothing bright is {2 * _OPENING_MM:.0f} mm wide"
        )
    sizes = np.bincount(labels.ravel(), minlength=2)[1:] * millilitres
    tops = [part[2].stop for part in ndimage.find_objects(labels)]
    order = [n for n in np.argsort(tops)[::-1] if sizes[n] >= MIN_ML]
    wrong = []
    for number in order or [int(sizes.argmax())]:
        part = above_the_waist(labels == 1 + number)
        part |= enclosed(~part)
        mask = np.zeros(smoothed.shape, bool)
        mask[box] = part
        problem = shape_problem(mask, grid)
        if not problem:
            return mask
        wrong.append((mask, problem))
    mask, problem = wrong[0]
    if order:
        require_whole(mask, grid)
    raise VolumeError(f"no brain found: {problem}")
