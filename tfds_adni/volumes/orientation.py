"""Position and orientation of an image's voxels.

`VoxelGrid` is what `grids` reads from a header: an affine that was checked, or
one that is assumed. A volume is never resampled here; its axes are put into
the order right, front, top.
"""

import dataclasses

import nibabel as nib
import numpy as np

# Human brain PET has voxels of 0.5 to 8 mm.
_MIN_MM, _MAX_MM = 0.2, 20.0
# Volume of three unit axes: 1 where they are orthogonal, 0 where one is lost.
_MIN_SQUARENESS = 0.5
# Registration leaves shears of a few degrees in an sform; voxels that are
# further from cuboids would need resampling.
_MAX_SHEAR_DEGREES = 10.0

# Flags: what to know of a scan though it can be used; `cohort.display` has
# the words for each.
UNORIENTED = "left_and_right_assumed"
FLIPPED = "flipped_left_right"
DEFAULT_SIZE = "size_of_exactly_1_mm_and_no_position"
NO_POSITION = "no_position"
TWO_SIZES = "two_voxel_sizes"
NEGATIVE_SIZE = "negative_voxel_size_beside_an_sform"
WRONG_UNIT = "unit_contradicts_size"


class VolumeError(ValueError):
    """A scan that cannot be used; the text says why, in one line.

    Details that differ from scan to scan follow a colon, so that scans can be
    counted by the text before it.
    """


@dataclasses.dataclass(frozen=True)
class VoxelGrid:
    """Where voxels lie.

    Attributes:
        affine: `(4, 4)`, voxel to mm; x to the right, y to the front, z up.
        stored: Whether the file stores it; otherwise it is assumed.
        flags: What is odd about it, some of the constants of this module.
    """

    affine: np.ndarray
    stored: bool
    flags: frozenset[str] = frozenset()

    @property
    def orientation(self) -> np.ndarray:
        """`(3, 2)`: axis and direction, as in nibabel."""
        return nib.io_orientation(self.affine)

    def ras_affine(self, shape: tuple[int, int, int]) -> np.ndarray:
        """Returns the affine after `to_ras`, `(4, 4)`.

        Args:
            shape: The axes as stored.
        """
        return self.affine @ nib.orientations.inv_ornt_aff(
            self.orientation, shape
        )

    def to_ras(self, data: np.ndarray) -> np.ndarray:
        """Reorders axes to the closest of x right, y front, z up.

        Args:
            data: `(i, j, k)` as stored.

        Returns:
            A view `(x, y, z)`.
        """
        return nib.apply_orientation(data, self.orientation)


def fault_of(affine: np.ndarray) -> str:
    """Describes what is wrong with an affine in mm.

    Args:
        affine: `(4, 4)`.

    Returns:
        A reason, `""` if nothing is wrong with it.
    """
    sizes = nib.affines.voxel_sizes(affine)
    if not np.all(np.isfinite(affine)) or min(sizes) <= 0:
        return "voxel size missing from the header"
    if min(sizes) < _MIN_MM or max(sizes) > _MAX_MM:
        return f"no brain scan's voxel size: {_in_words(sizes)} mm"
    axes = affine[:3, :3] / sizes
    if abs(np.linalg.det(axes)) < _MIN_SQUARENESS:
        return "axes in the header do not span space"
    cosine = np.abs(axes.T @ axes - np.eye(3)).max()
    degrees = np.rad2deg(np.arcsin(min(cosine, 1)))
    if degrees > _MAX_SHEAR_DEGREES:
        return (
            "axes in the header are not at right angles: "
            f"{degrees:.0f} degrees off; resample it to cuboid voxels"
        )
    return ""


def required(affine: np.ndarray) -> np.ndarray:
    """Returns an affine in mm.

    Args:
        affine: `(4, 4)`.

    Raises:
        VolumeError: If something is wrong with it.
    """
    if fault := fault_of(affine):
        raise VolumeError(fault)
    return np.array(affine, float)


def require_size(zooms: np.ndarray) -> None:
    """Refuses voxel sizes that are none.

    Args:
        zooms: `(3,)` as stored.

    Raises:
        VolumeError: If one is zero, infinite, no number or negative. Programs
            take a negative one as its absolute value, as 1 mm or as a sign
            that left and right are exchanged.
    """
    if not np.all(np.isfinite(zooms)) or not np.all(zooms):
        raise VolumeError("voxel size missing from the header")
    if min(zooms) < 0:
        raise VolumeError(
            f"negative voxel size in the header: {_in_words(zooms)}; write it "
            "as positive, and left and right into an sform"
        )


def _in_words(sizes: np.ndarray) -> str:
    """Returns voxel sizes as `2 x 2 x 3.27`."""
    return " x ".join(f"{size:.3g}" for size in sizes)
