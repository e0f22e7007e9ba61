"""An atlas of spheres: where regions of the brain lie, in mm.

The spheres are about the centres of the AAL atlas (Tzourio-Mazoyer et al.
2002, doi 10.1006/nimg.2001.0978) in MNI space, rounded to millimetres and made
symmetric; they have the names of tables of normal FDG uptake.
"""

from collections.abc import Sequence

import numpy as np

# voxel `size // 2` of a volume in a template's space lies there, in MNI mm
CENTRE_MM = (0.0, -17.5, 7.0)
# of a brain that is centred on itself: where the same centring finds the
# centre of the template
OWN_CENTRE_MM = (0.0, -22.0, 8.3)
_CORTEX_MM, _NUCLEUS_MM = 10.0, 7.0
# x of the right side (0 in the midline), y and z in MNI mm, and the radius
_SPHERES = {
    "superior frontal": (18, 35, 42, _CORTEX_MM),
    "dorsolateral frontal": (33, 33, 35, _CORTEX_MM),
    "orbitofrontal": (17, 47, -13, _CORTEX_MM),
    "postcentral": (42, -23, 49, _CORTEX_MM),
    "paracentral": (0, -25, 68, _CORTEX_MM),
    "inferior parietal": (44, -61, 36, _CORTEX_MM),
    "precuneus": (0, -56, 48, _CORTEX_MM),
    "posterior cingulate": (0, -43, 25, _CORTEX_MM),
    "anterior cingulate": (0, 35, 14, _CORTEX_MM),
    "insula": (35, 7, 3, _CORTEX_MM),
    "lateral temporal": (55, -34, -2, _CORTEX_MM),
    "mesial temporal": (21, -16, -21, _NUCLEUS_MM),
    "hippocampus": (25, -21, -10, _NUCLEUS_MM),
    "lateral occipital": (32, -81, 16, _CORTEX_MM),
    "pericalcarine": (0, -79, 6, _CORTEX_MM),
    "lingual": (15, -68, -5, _NUCLEUS_MM),
    "thalamus": (11, -18, 8, _NUCLEUS_MM),
    "caudate": (11, 11, 9, _NUCLEUS_MM),
    "putamen": (24, 4, 2, _NUCLEUS_MM),
    "cerebellar cortex": (32, -65, -32, _CORTEX_MM),
    "pons": (0, -27, -33, _NUCLEUS_MM),
}


def region_names() -> tuple[str, ...]:
    """Names of the regions, such as `"left precuneus"`, in their order."""
    return tuple(name for name, *_ in _placed())


def region_masks(
    size: int, *, spacing_mm: float, centre_mm: Sequence[float] = CENTRE_MM
) -> np.ndarray:
    """The voxels of each region, and how much each counts.

    Args:
        size: Voxels along x, y and z; voxel `size // 2` is the centre.
        spacing_mm: Their size.
        centre_mm: Where the centre lies, in MNI mm.

    Returns:
        float32 `[r, size, size, size]` of 0 and 1 over the number of voxels
        inside, so that the sum over a volume times a mask is its mean; 0
        where a region's centre is outside of the volume.

    Raises:
        ValueError: If the size or spacing is not positive.
    """
    if size < 1 or not spacing_mm > 0:
        raise ValueError(
            f"expected a size and a spacing above 0, found {size} and "
            f"{spacing_mm}"
        )
    steps = (np.arange(size) - size // 2) * spacing_mm
    x, y, z = (steps + c for c in centre_mm)
    found = []
    for _, right, front, up, radius in _placed():
        apart = (
            ((x - right) ** 2)[:, None, None]
            + ((y - front) ** 2)[:, None]
            + (z - up) ** 2
        )
        # of the nearest voxel where voxels are coarser than the sphere
        inside = apart <= max(radius**2, apart.min())
        beyond = apart.min() > 0.75 * spacing_mm**2  # outside of the volume
        inside = inside & ~beyond
        found.append(inside / max(np.count_nonzero(inside), 1))
    return np.array(found, np.float32)


def _placed() -> list[tuple[str, float, float, float, float]]:
    """Each region with its side: name, x, y, z and radius in mm."""
    found = []
    for name, (x, y, z, radius) in _SPHERES.items():
        sides = [("", 0)] if not x else [("left ", -x), ("right ", x)]
        found += [(f"{side}{name}", at, y, z, radius) for side, at in sides]
    return found
