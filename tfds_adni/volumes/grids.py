"""The grid of voxels that a header describes.

NIfTI stores it in an sform or a qform with a code above 0, MGH in direction
cosines, SPM in a `.mat` beside an Analyze pair. Without them left and right
cannot be known. Such a volume is read as nibabel and SPM read it: axes from
right to left, back to front, bottom to top, voxel sizes from the header; or
from left to right where the user says so. `VoxelGrid.stored` is then false,
and the data set's metadata counts such scans.
"""

import nibabel as nib
import numpy as np

from tfds_adni.volumes.orientation import (
    DEFAULT_SIZE,
    FLIPPED,
    NEGATIVE_SIZE,
    NO_POSITION,
    TWO_SIZES,
    UNORIENTED,
    WRONG_UNIT,
    VolumeError,
    VoxelGrid,
    fault_of,
    require_size,
    required,
)

_MM_OF_UNIT = {"meter": 1000.0, "micron": 0.001}
# Scanners and programs put the origin into the head, some mm from any voxel.
_NEAR_MM = 1e-3
# Sizes that differ by less are the same, rounded.
_SAME_SIZE = 0.02
# Bytes 28 and 29 of MGH: 0 where sizes and directions are not set.
_MGH_IS_SET = slice(28, 30)
# Byte 252 of Analyze 7.5: how the planes are stacked; 0 is transverse.
_ANALYZE_STACKS = {
    1: "coronal",
    2: "sagittal",
    3: "transverse flipped",
    4: "coronal flipped",
    5: "sagittal flipped",
}
_IDENTITY = (
    "identity affine, as scripts write it (voxel size, left and right are not "
    "known): save it again with the affine of the image it was made from"
)


def grid_of(
    header: nib.spatialimages.SpatialHeader,
    start: bytes,
    *,
    matrix: np.ndarray | None = None,
    flip_left_right: bool = False,
) -> VoxelGrid:
    """Reads the grid of an image's voxels.

    Args:
        header: As nibabel has read and repaired it.
        start: The bytes it was read from.
        matrix: `(4, 4)`, the affine in SPM's `.mat`; `None` where there is
            none.
        flip_left_right: Whether a file that does not say where left is is
            stored from left to right.

    Raises:
        VolumeError: If the voxel size is missing, negative or no brain
            scan's, if the axes do not span space or are oblique to each
            other, if the affine is the identity, if sform and qform disagree
            about left and right, or if an Analyze header declares planes that
            are not transverse.
    """
    if matrix is not None:
        return _placed(matrix)
    raw = type(header)(start[: header.template_dtype.itemsize], check=False)
    if isinstance(header, nib.freesurfer.mghformat.MGHHeader):
        if not any(start[_MGH_IS_SET]):
            raise VolumeError("voxel size missing from the header")
        require_size(np.asarray(raw["delta"], float))
        return _placed(header.get_affine())
    zooms = np.asarray(raw["pixdim"][1:4], float)
    if isinstance(header, nib.Nifti1Header):
        return _nifti_grid(header, zooms, flip_left_right)
    # Planes that are not transverse would be taken for others.
    byte = bytes(header["orient"].tobytes() or b"\0")[0]
    if byte in _ANALYZE_STACKS:
        raise VolumeError(
            "Analyze planes that are not transverse: "
            f"{_ANALYZE_STACKS[byte]}; convert it to NIfTI"
        )
    require_size(zooms)
    return _assumed(header.get_base_affine(), flip_left_right)


def _placed(affine: np.ndarray, *flags: str) -> VoxelGrid:
    """Returns the grid of an affine that the file stores, in mm."""
    affine = required(affine)
    if _is_identity(affine):
        raise VolumeError(_IDENTITY)
    if np.abs(affine[:3, 3]).max() < _NEAR_MM:
        flags = (*flags, NO_POSITION)
    return VoxelGrid(affine, stored=True, flags=frozenset(flags))


def _is_identity(affine: np.ndarray) -> bool:
    """Whether an affine is what libraries write where they are given none.

    Nibabel's users write the identity; ITK writes its axes as LPS.
    """
    return np.allclose(np.abs(affine), np.eye(4), rtol=0, atol=_NEAR_MM / 10)


def _nifti_grid(
    header: nib.Nifti1Header, zooms: np.ndarray, flip_left_right: bool
) -> VoxelGrid:
    """Takes the sform, else the qform, else nothing, as the standard has it.

    An identity gives way to the other form.
    """
    affines = _stored_affines(header, zooms)
    if not affines:
        require_size(zooms)
        affine, flags = _in_mm(header.get_base_affine(), header)
        return _assumed(affine, flip_left_right, *flags)
    in_mm = [_in_mm(affine, header) for affine in affines]
    valid = [i for i, found in enumerate(in_mm) if not fault_of(found[0])]
    if len({np.linalg.det(in_mm[i][0][:3, :3]) > 0 for i in valid}) > 1:
        raise VolumeError("sform and qform disagree about left and right")
    good = [i for i in valid if not _is_identity(in_mm[i][0])]
    chosen = (good or valid or [0])[0]
    affine, flags = in_mm[chosen]
    if len(good) < len(valid) or _differ(affines[chosen], zooms):
        flags = (*flags, TWO_SIZES)
    if np.any(zooms < 0):
        flags = (*flags, NEGATIVE_SIZE)
    return _placed(affine, *flags)


def _stored_affines(
    header: nib.Nifti1Header, zooms: np.ndarray
) -> list[np.ndarray]:
    """Returns the sform and the qform, those with a code above 0."""
    affines = []
    if int(header["sform_code"]) > 0:
        affines.append(header.get_sform())
    if int(header["qform_code"]) > 0:
        try:
            affines.append(_qform(header, zooms))
        except VolumeError:
            if not affines:
                raise
    return affines


def _qform(header: nib.Nifti1Header, zooms: np.ndarray) -> np.ndarray:
    """Reads the qform; refuses invalid voxel sizes and quaternions."""
    require_size(zooms)
    try:
        return header.get_qform()
    except (ValueError, ArithmeticError, nib.spatialimages.HeaderDataError):
        raise VolumeError(
            "unreadable header: the qform holds no rotation"
        ) from None


def _in_mm(
    affine: np.ndarray, header: nib.Nifti1Header
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Converts an affine to mm from the header's unit.

    No size is a brain's in two of the units: where the header's own makes it
    impossible and mm does not, the numbers are mm.

    Returns:
        The affine, and the flag `WRONG_UNIT` where its unit is not followed.
    """
    try:
        unit = header.get_xyzt_units()[0]
    except KeyError:  # a code that the standard does not have
        unit = "unknown"
    scaled = np.array(affine, float)
    scaled[:3] *= _MM_OF_UNIT.get(unit, 1.0)
    if unit in _MM_OF_UNIT and fault_of(scaled) and not fault_of(affine):
        return affine, (WRONG_UNIT,)
    return scaled, ()


def _differ(affine: np.ndarray, zooms: np.ndarray) -> bool:
    """Whether an affine and the zooms beside it give two voxel sizes."""
    sizes = nib.affines.voxel_sizes(affine)
    given = np.isfinite(zooms) & (zooms != 0)
    ratios = sizes[given] / np.abs(zooms[given])
    return bool(np.any(np.abs(ratios - 1) > _SAME_SIZE))


def _assumed(
    affine: np.ndarray, flip_left_right: bool, *flags: str
) -> VoxelGrid:
    """Returns the grid of a file that does not say where left is.

    Args:
        affine: Nibabel's, in mm, with x from right to left.
        flip_left_right: As in `grid_of`.
        *flags: What is known to be odd.
    """
    affine = required(affine)
    if flip_left_right:
        affine[0] *= -1
    flags = [*flags, FLIPPED if flip_left_right else UNORIENTED]
    if np.allclose(nib.affines.voxel_sizes(affine), 1, atol=1e-4):
        flags.append(DEFAULT_SIZE)
    return VoxelGrid(affine, stored=False, flags=frozenset(flags))
