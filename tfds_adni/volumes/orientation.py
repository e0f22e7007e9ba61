"""Position and orientation of an image's voxels.

NIfTI stores them in an sform or a qform with a code above 0, SPM in a `.mat`
beside an Analyze pair. Without them left and right cannot be known. Such a
volume is read as nibabel and SPM read it: axes from right to left, back to
front, bottom to top, voxel sizes from the header. `VoxelGrid.stored` is then
false, and the data set's metadata counts such scans.
"""

import dataclasses
from pathlib import Path

import nibabel as nib
import numpy as np

# Human brain PET has voxels of 0.5 to 8 mm.
_MIN_MM, _MAX_MM = 0.2, 20.0
# Volume of three unit axes: 1 where they are orthogonal, 0 where one is lost.
_MIN_SQUARENESS = 0.5
_MM_OF_UNIT = {"meter": 1000.0, "micron": 0.001}
# Byte 252 of Analyze 7.5: how the planes are stacked; 0 is transverse.
_ANALYZE_STACKS = {
    1: "coronal",
    2: "sagittal",
    3: "transverse flipped",
    4: "coronal flipped",
    5: "sagittal flipped",
}


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
    """

    affine: np.ndarray
    stored: bool

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


def voxel_grid_of(image: nib.spatialimages.SpatialImage) -> VoxelGrid:
    """Reads the grid of an image's voxels.

    Args:
        image: Opened by nibabel.

    Raises:
        VolumeError: If the voxel size is missing or no brain scan's, if the
            axes do not span space, if sform and qform disagree about left
            and right, or if an Analyze header declares planes that are not
            transverse.
    """
    if isinstance(image, nib.Nifti1Pair):
        return _nifti_grid(image)
    matrix = image.file_map.get("mat")
    if matrix and matrix.filename and Path(matrix.filename).is_file():
        return VoxelGrid(_required(image.affine), stored=True)
    # Planes that are not transverse would be taken for others.
    byte = bytes(image.header["orient"].tobytes() or b"\0")[0]
    if byte in _ANALYZE_STACKS:
        raise VolumeError(
            "Analyze planes that are not transverse: "
            f"{_ANALYZE_STACKS[byte]}; convert it to NIfTI"
        )
    return _assumed(image)


def _nifti_grid(image: nib.Nifti1Pair) -> VoxelGrid:
    """Takes the sform, else the qform, else nothing, as the standard has it."""
    header = image.header
    forms = [
        (header["sform_code"], header.get_sform),
        (header["qform_code"], header.get_qform),
    ]
    affines = [
        _in_mm(_affine_or_nan(read), header)
        for code, read in forms
        if int(code) > 0
    ]
    if not affines:
        return _assumed(image)
    valid = [affine for affine in affines if not _fault(affine)]
    if len({np.linalg.det(affine[:3, :3]) > 0 for affine in valid}) > 1:
        raise VolumeError("sform and qform disagree about left and right")
    return VoxelGrid(_required((valid or affines)[0]), stored=True)


def _affine_or_nan(read) -> np.ndarray:
    """Reads one of the forms; NaN where its quaternion is invalid."""
    try:
        return read()
    except (ValueError, ArithmeticError, nib.spatialimages.HeaderDataError):
        return np.full((4, 4), np.nan)


def _in_mm(affine: np.ndarray, header: nib.Nifti1Header) -> np.ndarray:
    """Converts an affine to mm from the header's unit."""
    try:
        unit = header.get_xyzt_units()[0]
    except KeyError:  # a code that the standard does not have
        return affine
    scaled = np.array(affine, float)
    scaled[:3] *= _MM_OF_UNIT.get(unit, 1.0)
    return scaled


def _assumed(image: nib.spatialimages.SpatialImage) -> VoxelGrid:
    """Takes the zooms and nibabel's order of axes (from right to left)."""
    # nibabel has turned zooms of 0 into 1: they are read from the file again.
    kind = type(image.header)
    holder = image.file_map.get("header", image.file_map["image"])
    with holder.get_prepare_fileobj("rb") as file:
        block = file.read(kind.template_dtype.itemsize)
    zooms = np.asarray(kind(block, check=False)["pixdim"][1:4], float)
    if not np.all(np.isfinite(zooms)) or min(zooms) <= 0:
        raise VolumeError("voxel size missing from the header")
    affine = image.header.get_base_affine()
    if isinstance(image, nib.Nifti1Pair):
        affine = _in_mm(affine, image.header)
    return VoxelGrid(_required(affine), stored=False)


def _required(affine: np.ndarray) -> np.ndarray:
    """Returns a valid affine, refuses others."""
    if fault := _fault(affine):
        raise VolumeError(fault)
    return np.array(affine, float)


def _fault(affine: np.ndarray) -> str:
    """Describes what is wrong with an affine, `""` if nothing."""
    sizes = nib.affines.voxel_sizes(affine)
    if not np.all(np.isfinite(affine)) or min(sizes) <= 0:
        return "voxel size missing from the header"
    if min(sizes) < _MIN_MM or max(sizes) > _MAX_MM:
        words = " x ".join(f"{size:.3g}" for size in sizes)
        return f"no brain scan's voxel size: {words} mm"
    if abs(np.linalg.det(affine[:3, :3] / sizes)) < _MIN_SQUARENESS:
        return "axes in the header do not span space"
    return ""
