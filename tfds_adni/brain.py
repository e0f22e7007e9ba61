"""The brain in a volume: its mask, its centre, its scale.

PET of one tracer differs between scans by dose and weight, so intensities are
divided by the mean inside the brain: the standardised uptake value ratio (SUVR)
with the whole brain as reference region. One number a volume, never a slice.
"""

import dataclasses

import numpy as np
from scipy import ndimage

from tfds_adni.volumes import Volume, VolumeError

# The mask is found on voxels of about this size: the mean and the centre do
# not need more, and morphology on the full grid costs a second a scan.
_MASK_SPACING_MM = 3.0
# White matter lies at about a quarter of the brightest grey matter before
# blur and at half of it after; a third cuts below it and above the scalp.
_THRESHOLD = 0.35
_OPENING_MM = 6.0
_MIN_ML, _MAX_ML = 500.0, 2500.0


@dataclasses.dataclass(frozen=True)
class Brain:
    """A volume on the SUVR scale.

    Attributes:
        suvr: float32 `(x, y, z)` in RAS; the mean inside the mask is 1.
        spacing: Voxel size in mm along x, y and z.
        centre: Centre of mass of the brain mask, in voxels.
    """

    suvr: np.ndarray
    spacing: tuple[float, float, float]
    centre: tuple[float, float, float]


def scale_to_suvr(volume: Volume) -> Brain:
    """Scales a volume by the mean inside its brain mask.

    Args:
        volume: A scan in RAS; voxels that are not finite count as 0 outside
            the brain.

    Returns:
        The brain, its centre and its spacing.

    Raises:
        VolumeError: If the volume is constant, has no finite voxel, or holds
            nothing of a brain's size, or if voxels inside the brain are NaN.
    """
    finite = np.isfinite(volume.data)
    if not finite.any():
        raise VolumeError("no finite voxel (all NaN or Inf)")
    data = np.where(finite, volume.data, np.float32(0))
    if data.min() == data.max():
        raise VolumeError(f"constant volume (every voxel is {data.flat[0]:g})")
    steps = [max(1, round(_MASK_SPACING_MM / v)) for v in volume.spacing]
    sparse = tuple(slice(None, None, step) for step in steps)
    mask = brain_mask(
        data[sparse],
        tuple(v * s for v, s in zip(volume.spacing, steps, strict=True)),
    )
    if not finite[sparse][mask].all():
        raise VolumeError("NaN or Inf inside the brain")
    mean = float(data[sparse][mask].mean())
    centre = ndimage.center_of_mass(mask)
    return Brain(
        suvr=(data / np.float32(mean)).astype(np.float32, copy=False),
        spacing=volume.spacing,
        centre=tuple(float(c * s) for c, s in zip(centre, steps, strict=True)),
    )


def brain_mask(
    data: np.ndarray, spacing: tuple[float, float, float]
) -> np.ndarray:
    """Finds the brain in an FDG volume.

    The largest connected part above 35 % of the 95th percentile of what is
    not air, thin bridges to the scalp opened, holes (ventricles) filled.

    Args:
        data: `(x, y, z)`, finite.
        spacing: Voxel size in mm.

    Returns:
        Boolean array of the shape of `data`.

    Raises:
        VolumeError: If what is found is not of a brain's size (500 to
            2500 ml).
    """
    tissue = data[data > 0.05 * data.max()]
    if tissue.size == 0:
        raise VolumeError("no voxel above zero")
    bright = data > _THRESHOLD * np.percentile(tissue, 95)
    opened = ndimage.binary_opening(bright, structure=_ball(spacing))
    labels, count = ndimage.label(opened)
    sizes = np.bincount(labels.ravel())[1:] if count else np.zeros(1)
    millilitres = float(sizes.max()) * float(np.prod(spacing)) / 1000
    if not _MIN_ML <= millilitres <= _MAX_ML:
        raise VolumeError(
            f"no brain found (largest bright part {millilitres:.0f} ml, "
            f"expected {_MIN_ML:.0f} to {_MAX_ML:.0f})"
        )
    return ndimage.binary_fill_holes(labels == 1 + int(sizes.argmax()))


def _ball(spacing: tuple[float, float, float]) -> np.ndarray:
    """Gives an ellipsoid of voxels that is a ball in mm."""
    reach = [int(_OPENING_MM // v) for v in spacing]
    axes = [
        np.arange(-r, r + 1) * v for r, v in zip(reach, spacing, strict=True)
    ]
    x, y, z = np.meshgrid(*axes, indexing="ij")
    return x**2 + y**2 + z**2 <= _OPENING_MM**2
