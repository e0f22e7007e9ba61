"""The sheet of a scan: a small picture and a few numbers, to look at.

A sheet is drawn by the worker that cuts the scan, which has the volume at hand
(a millisecond); the page of a prepared data set shows all of them.
"""

import base64
import dataclasses
import io
from collections.abc import Sequence

import nibabel as nib
import numpy as np
from PIL import Image

from tfds_adni.volumes.brain import BrainLocation
from tfds_adni.volumes.normalisation import Brain
from tfds_adni.volumes.volume import Volume

# 57 pixels of 4 mm: 228 mm hold a head, and one pixel lies in the middle.
SIZE = 57
PIXEL_MM = 4.0
# One range for all scans, so that a wrong scale is seen.
SUVR_MAX = 2.5
# The palette has each grey once more for the pixels of the outline and once
# for those of the cross, so that the grey below a line can be read back.
LEVELS = 20
_OUTLINE, _CROSS = (255, 140, 0), (0, 220, 255)
_ARM = 2
# A scan that was refused has no scale: its bright tissue is put here.
_REFUSED_PERCENTILE, _REFUSED_SUVR = 95, 1.5


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sheet:
    """What the page shows of one scan; numbers are 0 where it was refused.

    Attributes:
        picture: PNG in base64, 57 x 171 pixels of 4 mm: the axial, coronal
            and sagittal section through the centre, laid out as slices are
            (see `slices.Slice`), grey from SUVR 0 to 2.5, with the mask's
            outline and a cross at its centre.
        scale: What the file's intensities were divided by.
        centre_mm: Centre of the mask in the scan's own coordinates; from its
            first voxel where the file defines none.
        mask_ml: Volume of the mask.
        extent_mm: The mask from left to right, back to front and bottom to
            top.
        grain: Mean difference between a pixel and the mean of its two
            neighbours, in the axial section inside the mask, as a share of
            the mean there.
        peak: The brightest voxel in SUVR.
    """

    picture: str
    scale: float = 0.0
    centre_mm: tuple[float, ...] = ()
    mask_ml: float = 0.0
    extent_mm: tuple[float, ...] = ()
    grain: float = 0.0
    peak: float = 0.0


def draw_sheet(
    volume: Volume, found: BrainLocation, brain: Brain, *, scale: float
) -> Sheet:
    """Draws the sheet of a scan that is used.

    Args:
        volume: The scan.
        found: Its brain, with the mask.
        brain: The same on the SUVR scale, resampled as it is cut.
        scale: What it was divided by.
    """
    mask, steps = found.mask, np.array(found.steps)
    mask_mm = np.array(volume.spacing) * steps
    inside = _strip(mask, np.array(found.centre) / steps, PIXEL_MM / mask_mm)
    strip = _strip(brain.suvr, brain.centre, PIXEL_MM / np.array(brain.spacing))
    box = [
        np.flatnonzero(mask.any(axis=tuple({0, 1, 2} - {axis})))
        for axis in range(3)
    ]
    extent = [1 + places[-1] - places[0] for places in box] * mask_mm
    return Sheet(
        picture=_encode(strip, inside),
        scale=float(scale),
        centre_mm=centre_mm(volume, found.centre),
        mask_ml=float(np.count_nonzero(mask) * np.prod(mask_mm) / 1000),
        extent_mm=_floats(extent),
        grain=_grain(brain, mask, mask_mm),
        peak=float(brain.suvr.max()),
    )


def centre_mm(
    volume: Volume, centre: tuple[float, float, float]
) -> tuple[float, ...]:
    """Returns a place in the scan's own coordinates, in mm.

    Args:
        volume: The scan.
        centre: The place in voxels.
    """
    affine = volume.affine
    if affine is None:
        affine = np.diag([*volume.spacing, 1.0])
    return _floats(nib.affines.apply_affine(affine, centre))


def draw_refused(volume: Volume) -> Sheet:
    """Draws a scan that was refused: no mask, about the volume's middle."""
    data = volume.data
    coarse = data[::2, ::2, ::2]
    tissue = coarse[np.isfinite(coarse) & (coarse > 0)].astype(np.float64)
    bright = np.percentile(tissue, _REFUSED_PERCENTILE) if tissue.size else 1.0
    middle = (np.array(data.shape) - 1) / 2
    strip = _strip(data, middle, PIXEL_MM / np.array(volume.spacing))
    strip = np.nan_to_num(strip.astype(np.float64), posinf=0, neginf=0)
    return Sheet(picture=_encode(strip * (_REFUSED_SUVR / bright)))


def grey_levels(sheet: Sheet) -> np.ndarray:
    """Reads the picture back without its lines.

    Returns:
        uint8 `(57, 171)`, 0 for SUVR 0 to 19 for 2.5 and above.
    """
    with Image.open(io.BytesIO(base64.b64decode(sheet.picture))) as image:
        return np.asarray(image) % LEVELS


def _strip(
    data: np.ndarray, centre: Sequence[float], step: Sequence[float]
) -> np.ndarray:
    """Puts three sections side by side: the nearest voxels, 0 outside.

    Args:
        data: `(x, y, z)` in RAS.
        centre: Its voxel in the middle of the sections.
        step: Voxels a pixel along each axis.

    Returns:
        `(57, 171)`, of the data's kind.
    """
    reach = np.arange(SIZE) - SIZE // 2
    places = [
        np.rint(c + reach * s).astype(int)
        for c, s in zip(centre, step, strict=True)
    ]
    axial, coronal, sagittal = (
        _section(
            data,
            [p[[SIZE // 2]] if a == axis else p for a, p in enumerate(places)],
        ).squeeze(axis)
        for axis in (2, 1, 0)
    )
    sections = (axial, coronal, sagittal[::-1])
    return np.hstack([section[:, ::-1].T for section in sections])


def _section(data: np.ndarray, places: list[np.ndarray]) -> np.ndarray:
    """Takes the voxels at each combination of places, 0 outside."""
    pairs = list(zip(places, data.shape, strict=True))
    found = data[np.ix_(*(p.clip(0, n - 1) for p, n in pairs))]
    for axis, (place, size) in enumerate(pairs):
        outside = (place < 0) | (place >= size)
        np.moveaxis(found, axis, 0)[outside] = 0
    return found


def _encode(strip: np.ndarray, inside: np.ndarray | None = None) -> str:
    """Encodes a strip as PNG with a palette, in base64."""
    share = np.clip(strip / SUVR_MAX, 0, 1)
    index = np.rint(share * (LEVELS - 1)).astype(np.uint8)
    colours = [np.repeat(np.linspace(0, 255, LEVELS)[:, None], 3, axis=1)]
    if inside is not None:
        index += LEVELS * _lines(inside).astype(np.uint8)
        colours += [np.tile(line, (LEVELS, 1)) for line in (_OUTLINE, _CROSS)]
    image = Image.fromarray(index)
    image.putpalette(
        np.rint(np.concatenate(colours)).astype(np.uint8).tobytes()
    )
    file = io.BytesIO()
    image.save(file, "png", compress_level=9)
    return base64.b64encode(file.getvalue()).decode("ascii")


def _lines(inside: np.ndarray) -> np.ndarray:
    """Returns 1 at the outline, the mask's last pixels, and 2 at the cross."""
    lines = np.zeros(inside.shape, int)
    middle = SIZE // 2
    for number in range(3):
        columns = slice(number * SIZE, (number + 1) * SIZE)
        padded = np.pad(inside[:, columns], 1)
        core = padded[1:-1, 1:-1]
        within = padded[:-2, 1:-1] & padded[2:, 1:-1]
        within &= padded[1:-1, :-2] & padded[1:-1, 2:]
        section = lines[:, columns]
        section[core & ~within] = 1
        arm = slice(middle - _ARM, middle + _ARM + 1)
        section[middle, arm] = section[arm, middle] = 2
    return lines


def _grain(brain: Brain, mask: np.ndarray, mask_mm: np.ndarray) -> float:
    """Measures the noise of the axial section; see `Sheet.grain`."""
    step = brain.spacing[0] / mask_mm
    height = round(brain.centre[2])
    section = brain.suvr[:, :, height].astype(np.float64)
    places = [
        np.rint(np.arange(n) * s).astype(int)
        for n, s in zip(section.shape, step[:2], strict=True)
    ]
    level = np.array([round(height * step[2])])
    inside = _section(mask, [*places, level])[1:-1, 1:-1, 0]
    core = section[1:-1, 1:-1]
    along = np.abs(core - (section[:-2, 1:-1] + section[2:, 1:-1]) / 2)
    across = np.abs(core - (section[1:-1, :-2] + section[1:-1, 2:]) / 2)
    mean = core[inside].mean() if inside.any() else 0.0
    if mean <= 0:
        return 0.0
    return float((along + across)[inside].mean() / 2 / mean)


def _floats(values: Sequence[float]) -> tuple[float, ...]:
    """Returns plain numbers, which JSON can hold."""
    return tuple(float(value) for value in values)
