"""A few NaN or infinite voxels inside a brain, repaired."""

import numpy as np

from tfds_adni.volumes.brain_shape import enclosed
from tfds_adni.volumes.orientation import VolumeError

# Of the voxels of the brain: 0.1 % are some 1.4 ml, spread over it.
MAX_SHARE = 0.001


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
    holes = np.argwhere(enclosed(bad) & inside)
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
