"""The brain in a volume: its mask, its centre, its mean.

Slices are cut from the centre of the mask, and intensities are put on a common
scale by a mean (see `normalisation`): one number per volume, never per slice.
A few NaN or infinite voxels inside a brain are repaired, many are refused.
"""

import dataclasses

import numpy as np
from scipy import ndimage

from tfds_adni.volumes.brain_mask import Found, brain_mask
from tfds_adni.volumes.brain_shape import require_apart, require_whole
from tfds_adni.volumes.repair import repair
from tfds_adni.volumes.smoothing import (
    CoarseGrid,
    coarse_grid,
    in_memory_order,
)
from tfds_adni.volumes.volume import Volume, VolumeError

# Intensities are counts or Bq/ml; anything beyond this is no measurement.
_HUGE = 1e30
# Shares of the median from which a place counts for the centre, and wholly.
_COUNTS = (0.6, 0.8)
# Every so many voxels of the mask are enough for noise and for other counts.
_EVERY = 4
# Even 8-bit images have tens of different values inside a brain.
_LEAST_VALUES = 10


@dataclasses.dataclass(frozen=True)
class BrainLocation:
    """The brain in a volume that is not scaled yet.

    Attributes:
        data: float32 `(x, y, z)`, finite, in the file's own units.
        mean: Mean of `data` in the brain's tissue: inside the mask, without
            ventricles and voxels that are far too bright or too dark.
        centre: Centre of mass of that tissue, in voxels of `data`; its dim
            edge counts less.
        mask: Boolean, the brain on a coarse grid: voxel `(i, j, k)` lies at
            voxel `(i * steps[0], j * steps[1], k * steps[2])` of `data`.
        steps: Voxels of `data` between two of the mask, along x, y and z.
        repaired: Voxels inside the mask that were NaN or Inf.
        noise: Coefficient of variation from voxel to voxel inside the mask.
        hot: Voxels, anywhere, that were left out for being far too bright or
            too dark.
    """

    data: np.ndarray
    mean: float
    centre: tuple[float, float, float]
    mask: np.ndarray
    steps: tuple[int, int, int]
    repaired: int = 0
    noise: float = 0.0
    hot: int = 0


def find_brain(volume: Volume) -> BrainLocation:
    """Finds the brain and makes the volume finite.

    NaN and Inf around the brain count as 0; a few inside it are repaired, see
    `repair`.

    Args:
        volume: A scan in RAS, with or without a scalp.

    Raises:
        VolumeError: If the volume is constant, has no finite voxel, holds
            nothing of a brain's size or only a part of one, is a mask or a map
            of labels, or if too many voxels inside the brain are NaN or Inf.
    """
    data, bad, extremes = _finite(volume.data)
    grid = coarse_grid(data, volume.spacing, extremes)
    found = brain_mask(data, grid)
    require_whole(found.mask, grid)
    require_apart(found.mask, found.smoothed, grid)
    repaired = 0
    if bad is not None:
        data, repaired = repair(data, bad, grid.refined(found.mask))
    centre = _centre(found)
    mean = _mean(data, found, grid)
    return BrainLocation(
        data=data,
        mean=mean,
        centre=tuple(
            float(c * s) for c, s in zip(centre, grid.steps, strict=True)
        ),
        mask=found.mask,
        steps=grid.steps,
        repaired=repaired,
        noise=_deviation(data, found.tissue, grid) / mean,
        hot=found.left_out,
    )


def _centre(found: Found) -> tuple[float, ...]:
    """Returns the centre of mass of the tissue, on the coarse grid.

    Places count from 60 % of the tissue's median on and wholly from 80 %, so
    that neck and face, where they touch the brain, move it half as far as if
    all of the tissue counted alike.
    """
    low, high = (c * np.median(found.smoothed[found.tissue]) for c in _COUNTS)
    weights = np.clip((found.smoothed - low) / (high - low), 0, 1)
    return ndimage.center_of_mass(weights * found.mask)


def _mean(data: np.ndarray, found: Found, grid: CoarseGrid) -> float:
    """Returns the mean of the tissue, without what is far from all of it."""
    values = data[grid.places][found.tissue]
    values = values[(values > found.low) & (values < found.high)]
    if (count := len(np.unique(values[::_EVERY]))) < _LEAST_VALUES:
        raise VolumeError(
            f"a mask or a map of labels: {count} different values inside the "
            f"brain, expected at least {_LEAST_VALUES}"
        )
    return float(values.mean(dtype=np.float64))


def _deviation(data: np.ndarray, where: np.ndarray, grid: CoarseGrid) -> float:
    """Returns the standard deviation of noise from voxel to voxel.

    Second differences along x hardly hold anything but noise; their SD is
    sqrt(6) times that of white noise. The median of their sizes is 0.6745 SD
    and does not mind a hot spot.

    Args:
        data: The volume.
        where: Boolean, places of the grid.
        grid: The grid.
    """
    places = [i[::_EVERY] for i in np.nonzero(where)]
    x, y, z = (i * s for i, s in zip(places, grid.steps, strict=True))
    x = np.clip(x, 1, len(data) - 2)
    around = data[x - 1, y, z] + data[x + 1, y, z]
    sizes = np.abs(2 * data[x, y, z] - around)
    return float(np.median(sizes) / 0.6745 / np.sqrt(6))


def _finite(
    data: np.ndarray,
) -> tuple[np.ndarray, np.ndarray | None, tuple[float, float]]:
    """Returns the data with 0 for NaN and Inf, where, and least and greatest.

    Where is `None` if they are nowhere.
    """
    ordered = in_memory_order(data)
    low, high = float(ordered.min()), float(ordered.max())
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
    return data, bad, (low, high)
