"""Template spaces that scans are registered to, by BIDS's names of them.

A name such as `sub-01_space-MNI152NLin6Asym_pet` says that a scan was brought
into a template's space: its affine then leads to coordinates of the template.
The names are those of BIDS's appendix on coordinate systems
(https://bids-specification.readthedocs.io/en/stable/appendices/coordinate-systems.html);
data sets also spell them in other cases, as `MNI152NLin6ASym`. Names that do
not say which template they mean (`MNI`, `MNI152`) are none of these.
"""

from collections.abc import Iterable

import numpy as np

from tfds_adni.volumes.orientation import VolumeError

NATIVE = "native"
TEMPLATES = (
    *("MNI152NLin2009aAsym", "MNI152NLin2009aSym", "MNI152NLin2009bAsym"),
    *("MNI152NLin2009bSym", "MNI152NLin2009cAsym", "MNI152NLin2009cSym"),
    *("MNI152NLin6Asym", "MNI152NLin6Sym", "MNI152Lin", "IXI549Space"),
)
# mm, in all of them within a few of the centre of the brain's tissue
CENTRE_MM = (0.0, -17.5, 7.0)
# Brains in these spaces have their centre within a centimetre of it; a face
# or a neck in a mask moves it by another one.
_NEAR_MM = 30.0
_SPELLINGS = {name.lower(): name for name in TEMPLATES}


def template_of(label: str) -> str:
    """Returns BIDS's name of a template.

    Args:
        label: The value of the entity `space` in a name, in any case.

    Returns:
        One of `TEMPLATES`, `""` where the label names none of them.

    Example:

    >>> template_of("MNI152NLin6ASym")
    'MNI152NLin6Asym'
    """
    return _SPELLINGS.get(label.lower(), "")


def space_of(labels: Iterable[str]) -> str:
    """Returns the space that all scans of a set lie in.

    Args:
        labels: The entity `space` of each, `""` where it has none.

    Returns:
        The template that every one of them names, else `"native"`.
    """
    spaces = {template_of(label) for label in labels}
    (space,) = spaces if len(spaces) == 1 else ("",)
    return space or NATIVE


def grid_affine(size: int, spacing_mm: float) -> np.ndarray:
    """Returns the affine of the grid that volumes of a template's space have.

    Args:
        size: Voxels along x, y and z; voxel `size // 2` lies at `CENTRE_MM`.
        spacing_mm: Their size.

    Returns:
        float64 `(4, 4)`, voxel to mm of the template.
    """
    affine = np.diag([spacing_mm] * 3 + [1.0])
    affine[:3, 3] = np.array(CENTRE_MM) - spacing_mm * (size // 2)
    return affine


def require_in_space(
    affine: np.ndarray | None, centre: tuple[float, float, float], space: str
) -> np.ndarray:
    """Refuses a scan that does not lie where its name says.

    A name that is wrong by less than 30 mm is believed.

    Args:
        affine: `(4, 4)`, voxel to mm; `None` where the file stores none.
        centre: Centre of its brain in voxels.
        space: One of `TEMPLATES`.

    Returns:
        The affine.

    Raises:
        VolumeError: If it has no affine, or its brain lies elsewhere.
    """
    if affine is None:
        raise VolumeError(
            f"no affine in a scan whose name says space-{space}: save it with "
            "the affine of its registration"
        )
    found = affine[:3, :3] @ centre + affine[:3, 3]
    distance = np.linalg.norm(found - CENTRE_MM)
    if distance > _NEAR_MM:
        raise VolumeError(
            "not in the space of its name: the brain's centre lies "
            f"{distance:.0f} mm from that of {space}; correct the affine, or "
            "the name"
        )
    return affine
