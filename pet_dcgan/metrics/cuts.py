"""Three orthogonal cuts through volumes, oriented as slices are.

Volumes are `[n, x, y, z]`, x to the right, y to the front, z upwards; a cut is
a slice `[size, size]` as a prepared set has them. Axial: rows front to back.
Coronal and sagittal: rows top to bottom. Columns left to right, in sagittal
cuts front to back.
"""

from collections.abc import Mapping

import numpy as np

from pet_dcgan.metrics.arrays import require_finite

# the axis of a volume that each plane's cuts are stacked along
AXES = {"axial": 2, "coronal": 1, "sagittal": 0}
# parts of the side from the centre, inside the bands that slices are cut from:
# of a cube of 224 mm these are 18 mm upwards, 36 mm to the back, 24 mm to the
# left
_PLACES = {"axial": 18 / 224, "coronal": -36 / 224, "sagittal": -24 / 224}


def central_offsets(size: int) -> dict[str, int]:
    """Where `orthogonal_cuts` cuts, unless it is given other places.

    Args:
        size: Voxels along a side.

    Returns:
        Voxels from voxel `size // 2` for each plane: of 64 voxels 5 upwards,
        10 to the back and 7 to the left.
    """
    return {plane: round(part * size) for plane, part in _PLACES.items()}


def cut(volumes: np.ndarray, plane: str, offset: int) -> np.ndarray:
    """The cut of one plane through each volume.

    Args:
        volumes: `[n, size, size, size]`.
        plane: `"axial"`, `"coronal"` or `"sagittal"`.
        offset: Voxels from the middle, voxel `size // 2`; positive to the
            right, to the front, upwards.

    Returns:
        A view `[n, size, size]` of the same type.

    Raises:
        ValueError: If the volumes have another shape, the plane is unknown,
            the cut lies outside, or a value in it is not finite.
    """
    volumes = _checked(volumes)
    if plane not in AXES:
        raise ValueError(
            f"expected a plane of {', '.join(AXES)}, found {plane!r}"
        )
    size = volumes.shape[-1]
    at = size // 2 + offset
    if not 0 <= at < size:
        raise ValueError(
            f"expected a cut from {-(size // 2)} to {size - 1 - size // 2} "
            f"voxels from the middle, found {offset}"
        )
    section = np.moveaxis(volumes, 1 + AXES[plane], 1)[:, at]
    require_finite(section)
    columns = section[:, ::-1] if plane == "sagittal" else section
    return columns[:, :, ::-1].swapaxes(1, 2)


def orthogonal_cuts(
    volumes: np.ndarray, *, offsets: Mapping[str, int] | None = None
) -> np.ndarray:
    """An axial, a coronal and a sagittal cut of each volume.

    Args:
        volumes: `[n, size, size, size]` in SUVR, or as they are stored.
        offsets: Voxels from the middle for each plane, as of `cut`; those of
            `central_offsets` by default.

    Returns:
        float32 `[n, 3, size, size]`.

    Raises:
        ValueError: If the volumes have another shape, a cut lies outside, or
            a value of a cut is not finite.
    """
    volumes = _checked(volumes)
    offsets = offsets or central_offsets(volumes.shape[-1])
    cuts = np.empty([len(volumes), 3, *volumes.shape[2:]], np.float32)
    for index, plane in enumerate(AXES):
        cuts[:, index] = cut(volumes, plane, offsets[plane])
    return cuts


def three_plane(
    volumes: np.ndarray, *, offsets: Mapping[str, int] | None = None
) -> np.ndarray:
    """The axial, coronal and sagittal cut of each volume side by side.

    Args:
        volumes: `[n, size, size, size]` in SUVR.
        offsets: As of `orthogonal_cuts`.

    Returns:
        float32 `[n, size, 3 * size]`, an image of each volume for a sheet.

    Raises:
        ValueError: As of `orthogonal_cuts`.
    """
    cuts = orthogonal_cuts(volumes, offsets=offsets)
    count, planes, size, _ = cuts.shape
    return cuts.swapaxes(1, 2).reshape(count, size, planes * size)


def _checked(volumes: np.ndarray) -> np.ndarray:
    """Volumes as an array `[n, size, size, size]`."""
    volumes = np.asarray(volumes)
    if volumes.ndim != 4 or len({*volumes.shape[1:]}) != 1 or not volumes.size:
        raise ValueError(
            "expected volumes [n, size, size, size], found shape "
            f"{volumes.shape}"
        )
    return volumes
