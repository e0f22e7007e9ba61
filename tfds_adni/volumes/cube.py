"""A brain to a cube of voxels in SUVR, and to packed bytes.

The cube lies around the brain's centre, as slices do, or on the grid that all
volumes of a template's space share.
"""

import dataclasses
import zlib

import numpy as np
from scipy import ndimage

from tfds_adni.volumes.brain import BrainLocation
from tfds_adni.volumes.normalisation import Brain
from tfds_adni.volumes.templates import grid_affine

# Sizes that differ by less than this are one grid.
_SAME_MM = 1e-3


def around_centre(brain: Brain, *, size: int, spacing_mm: float) -> np.ndarray:
    """Places a cube around a brain: voxel `size // 2` is its centre.

    A volume whose voxels have the wanted size already will not be
    interpolated: the centre is moved to the nearest voxel.

    Args:
        brain: The brain on its own grid.
        size: Voxels along x, y and z.
        spacing_mm: Their size.

    Returns:
        float64 `(4, 4)`, voxels of the cube to those of the brain.
    """
    steps, centre = spacing_mm / np.array(brain.spacing), np.array(brain.centre)
    if np.all(np.abs(np.array(brain.spacing) - spacing_mm) < _SAME_MM):
        steps, centre = np.ones(3), np.rint(centre)
    matrix = np.diag([*steps, 1.0])
    matrix[:3, 3] = centre - steps * (size // 2)
    return matrix


def in_template(
    affine: np.ndarray, *, size: int, spacing_mm: float
) -> np.ndarray:
    """Places a cube on the grid of volumes of a template's space.

    Args:
        affine: `(4, 4)`, voxels of the scan to mm of the template.
        size: Voxels along x, y and z.
        spacing_mm: Their size.

    Returns:
        float64 `(4, 4)`, voxels of the cube to those of the scan.
    """
    return np.linalg.inv(affine) @ grid_affine(size, spacing_mm)


def cut_cube(
    brain: Brain, matrix: np.ndarray, *, size: int, spacing_mm: float
) -> Brain:
    """Cuts a cube, by linear interpolation.

    The brain is smoothed first along the axes that get coarser.

    Args:
        brain: The brain on its own grid.
        matrix: `(4, 4)`, voxels of the cube to those of the brain.
        size: Voxels along x, y and z.
        spacing_mm: Their size.

    Returns:
        The brain on the cube, float32 `(size, size, size)`: x to the right, y
        to the front, z upwards; what lies outside the volume is 0.
    """
    # voxels of the brain that a step to the next voxel of the cube passes
    steps = np.linalg.norm(matrix[:3, :3], axis=1)
    # Frequencies that the coarser grid cannot hold are removed first.
    sigma = 0.5 * np.sqrt(np.maximum(steps**2 - 1, 0.0))
    smooth = ndimage.gaussian_filter(brain.suvr, sigma, mode="constant")
    cube = _sampled(smooth, matrix, size, order=1)
    return dataclasses.replace(
        brain,
        suvr=np.maximum(cube, 0).astype(np.float32),
        spacing=(spacing_mm,) * 3,
        centre=(float(size // 2),) * 3,
    )


def locate_in_cube(
    found: BrainLocation, cube: Brain, matrix: np.ndarray
) -> BrainLocation:
    """Finds on a cube what was found in the scan: the mask.

    Args:
        found: The brain in the scan.
        cube: The brain on the cube.
        matrix: `(4, 4)`, voxels of the cube to those of the scan.
    """
    coarse = np.diag([*(1 / np.array(found.steps)), 1.0]) @ matrix
    mask = _sampled(
        found.mask.astype(np.uint8), coarse, len(cube.suvr), order=0
    )
    return dataclasses.replace(
        found,
        data=cube.suvr,
        mask=mask.astype(bool),
        steps=(1, 1, 1),
        centre=cube.centre,
    )


def pack_volume(volume: np.ndarray) -> bytes:
    """Packs a volume as TFDS's `Tensor` with the encoding zlib reads it.

    Any zlib reads it; one that looks for run lengths only (the empty
    surroundings) packs PET in a fifth of the time of the usual level 6, into
    2 % fewer bytes: its low bytes are noise without repetitions
    (benchmarks/volume_format.py).

    Args:
        volume: uint16 `(x, y, z)`.

    Returns:
        Little-endian voxels behind zlib, z the fastest.
    """
    packer = zlib.compressobj(level=6, strategy=zlib.Z_RLE)
    content = np.ascontiguousarray(volume, "<u2").data
    return packer.compress(content) + packer.flush()


def _sampled(
    data: np.ndarray, matrix: np.ndarray, size: int, *, order: int
) -> np.ndarray:
    """Samples a volume at the voxels of a cube."""
    linear = matrix[:3, :3]
    diagonal = np.diag(linear)
    # with a vector of steps SciPy need not turn axes
    only_steps = np.array_equal(linear, np.diag(diagonal))
    return ndimage.affine_transform(
        data,
        diagonal if only_steps else linear,
        offset=matrix[:3, 3],
        output_shape=(size,) * 3,
        order=order,
    )
