"""A brain to a cube of voxels around its centre, in SUVR."""

import numpy as np
from scipy import ndimage

from tfds_adni.volumes.normalisation import Brain

# Sizes that differ by less than this are one grid.
_SAME_MM = 1e-3


def cut_cube(brain: Brain, *, size: int, spacing_mm: float) -> np.ndarray:
    """Cuts a cube whose voxel `size // 2` is the brain's centre.

    A volume whose voxels have the wanted size already is not interpolated:
    the centre is moved to the nearest voxel. Others are interpolated linearly,
    smoothed first along the axes that get coarser.

    Args:
        brain: The brain on its own grid.
        size: Voxels along x, y and z.
        spacing_mm: Their size.

    Returns:
        float32 `(size, size, size)` in SUVR: x to the right, y to the front, z
        upwards; what lies outside the volume is 0.
    """
    steps = spacing_mm / np.array(brain.spacing)
    centre = np.array(brain.centre)
    if np.all(np.abs(np.array(brain.spacing) - spacing_mm) < _SAME_MM):
        steps, centre = np.ones(3), np.rint(centre)
    # Frequencies that the coarser grid cannot hold are removed first.
    sigma = 0.5 * np.sqrt(np.maximum(steps**2 - 1, 0.0))
    smooth = ndimage.gaussian_filter(brain.suvr, sigma, mode="constant")
    cube = ndimage.affine_transform(
        smooth,
        steps,
        offset=centre - steps * (size // 2),
        output_shape=(size,) * 3,
        order=1,
    )
    return np.maximum(cube, 0).astype(np.float32)
