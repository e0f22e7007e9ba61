"""Where the voxels of a volume lie, in millimetres."""

import numpy as np

from pet_dcgan.references import NATIVE, SPACES

# centre of a cube in a template's millimetres, as `tfds_adni` cuts it: the
# middle of the brain of MNI152, so that a cube of 224 mm holds all of it
_TEMPLATE_CENTRE = (0.0, -17.5, 7.0)


def is_mni(space: str) -> bool:
    """Whether a space is what NIfTI calls MNI152.

    SPM's IXI549Space is near it, but another average brain.

    Args:
        space: One of `SPACES`.
    """
    return space.startswith("MNI152")


def affine_of(size: int, spacing_mm: float, space: str = NATIVE) -> np.ndarray:
    """Voxel to RAS+ millimetres of a volume `[x, y, z]`.

    Voxel `size // 2` of each axis is the centre of the brain. In native space
    that is the origin: the axes are those of the head, but no landmark is
    known. In the space of a template the grid is one for all brains.

    Args:
        size: Voxels along x, y and z.
        spacing_mm: Their size.
        space: `"native"`, or a template of `SPACES`.

    Returns:
        float64 `[4, 4]`.

    Raises:
        ValueError: If the space is unknown, or the size or the spacing is not
            above 0.
    """
    if space not in SPACES:
        raise ValueError(
            f"expected a space among {', '.join(SPACES)}, found {space!r}"
        )
    if not (size > 0 and 0 < spacing_mm < np.inf):
        raise ValueError(
            "expected a size and a spacing above 0, found "
            f"{size!r} and {spacing_mm!r}"
        )
    centre = np.zeros(3) if space == NATIVE else np.array(_TEMPLATE_CENTRE)
    affine = np.diag([spacing_mm] * 3 + [1.0])
    affine[:3, 3] = centre - spacing_mm * (size // 2)
    return affine
