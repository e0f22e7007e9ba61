"""Intensities to standardised uptake value ratios (SUVR).

The intensities of scans of one tracer differ by dose and weight, so a volume is
divided by its mean in a reference region: the brain mask, or the region of a
mask file (pons, cerebellum). A volume that is SUVR already is not scaled.
"""

import dataclasses
from pathlib import Path

import numpy as np

from tfds_adni.volumes.brain import BrainLocation
from tfds_adni.volumes.masks import Masks, mask_mean
from tfds_adni.volumes.volume import Volume, VolumeError

METHODS = ("brain", "mask", "none")
# The mean SUVR of a brain is about 1 by the whole brain, 1.2 by the pons.
_MIN_MEAN, _MAX_MEAN = 0.3, 5.0


@dataclasses.dataclass(frozen=True)
class Brain:
    """A volume on the SUVR scale.

    Attributes:
        suvr: float32 `(x, y, z)` in RAS.
        spacing: Voxel size in mm along x, y and z.
        centre: Centre of the brain's tissue, in voxels.
        divisor: What the file's intensities were divided by.
    """

    suvr: np.ndarray
    spacing: tuple[float, float, float]
    centre: tuple[float, float, float]
    divisor: float = 1.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Normalisation:
    """The reference that volumes are divided by.

    Args:
        method: `"brain"`, the mean of the brain's tissue; `"mask"`, the mean
            inside a mask file; `"none"`, nothing: they are SUVR already.
        masks: With `"mask"` only: one mask file for all volumes, or a folder
            with one for each.
    """

    method: str = "brain"
    masks: Path | None = None

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(
                f"expected a normalisation of {', '.join(METHODS)}, found "
                f"{self.method!r}; choose one with --normalise"
            )
        if (self.method == "mask") != (self.masks is not None):
            found = "none" if self.masks is None else self.masks
            raise ValueError(
                "expected --masks with --normalise mask and without it "
                f"nothing, found {self.method} and {found}; give both or "
                "neither"
            )

    def facts(self) -> dict:
        """Returns the data set's metadata on it; no folder's name."""
        facts = {"method": self.method}
        if self.masks is not None:
            facts["masks"] = (
                self.masks.name if self.masks.is_file() else "one for each scan"
            )
        return facts

    def masks_by_scan(self) -> Masks | None:
        """Opens the masks; `None` without masks.

        Raises:
            FileNotFoundError: If there is no such file or folder, or no mask
                in it.
        """
        return None if self.masks is None else Masks(self.masks)


def scale_to_suvr(
    volume: Volume,
    found: BrainLocation,
    *,
    method: str = "brain",
    mask: Path | None = None,
) -> Brain:
    """Scales a volume to SUVR.

    Args:
        volume: A scan in RAS.
        found: Its brain.
        method: One of `METHODS`.
        mask: The mask file, with `"mask"`.

    Returns:
        The brain; with `"brain"` the mean of the brain's tissue is 1.

    Raises:
        VolumeError: If the mask does not fit, or the brain's mean after
            scaling is no SUVR (0.3 to 5).
    """
    divisor = 1.0
    if method == "brain":
        divisor = found.mean
    elif method == "mask":
        divisor = mask_mean(mask, volume, found.data)
    mean = found.mean / divisor
    if not _MIN_MEAN <= mean <= _MAX_MEAN:
        expected = f"expected {_MIN_MEAN:g} to {_MAX_MEAN:g}"
        if method == "none":
            raise VolumeError(
                f"not SUVR: mean inside the brain {mean:.3g}, {expected}; "
                "prepare it with --normalise brain"
            )
        raise VolumeError(
            f"the mask does not fit: the brain's mean is {mean:.3g} times "
            f"the mask's, {expected}"
        )
    suvr = found.data
    if divisor != 1.0:
        suvr = (suvr / np.float32(divisor)).astype(np.float32, copy=False)
    return Brain(
        suvr=suvr,
        spacing=volume.spacing,
        centre=found.centre,
        divisor=float(divisor),
    )
