"""How smoothly the axial slices of a volume follow each other.

Volumes are `[n, x, y, z]` in SUVR: x to the right, y to the front, z upwards.
"""

import operator
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from pet_dcgan.metrics.arrays import require_finite
from pet_dcgan.metrics.confidence import Interval, halves_interval

# of a volume's strong uptake, as in `regions.brain_mask`
_BRAIN = 0.2
# of the strongest uptake: less is rounding
_FLAT = 1e-6


class RoughnessRatio(NamedTuple):
    """Roughness between slices beside that of real volumes.

    Args:
        ratio: Mean of synthetic volumes over that of real ones, of what
            `roughness` gives: above 1 their slices flicker, below 1 they are
            smoothed along z.
        interval: Of `ratio`, by subject.
        axes: The same ratio of the roughness along x, y and z alone `[3]`:
            below 1 in all of them is blur, above 1 in all of them noise.
        axes_intervals: Interval of each, by subject.
    """

    ratio: float
    interval: Interval
    axes: np.ndarray
    axes_intervals: tuple[Interval, ...]


def axis_roughness(volumes: np.ndarray) -> np.ndarray:
    """Mean absolute second difference of each volume along x, y and z.

    `|v[i - 1] - 2 v[i] + v[i + 1]|`, averaged over the brain: where SUVR is
    above a fifth of the volume's 99th percentile in all three voxels. What is
    linear along an axis has none, so that anatomy, smooth at the resolution of
    PET, counts little and a slice that stands out from both neighbours counts
    fully.

    Args:
        volumes: `[n, x, y, z]` in SUVR, 3 voxels or more a side.

    Returns:
        float64 `[n, 3]` in SUVR; 0 for a volume without uptake.

    Raises:
        ValueError: If the shape is wrong or a value is not finite.
    """
    volumes = np.asarray(volumes)
    if volumes.ndim != 4 or not len(volumes) or min(volumes.shape[1:]) < 3:
        raise ValueError(
            "expected volumes [n, x, y, z] of 3 voxels or more on each side, "
            f"found shape {volumes.shape}"
        )
    require_finite(volumes)
    return np.array([_of_axes(each) for each in volumes], np.float64)


def roughness(volumes: np.ndarray) -> np.ndarray:
    """How much rougher each volume is between axial slices than within them.

    Its `axis_roughness` along z over the mean of those along x and y: real
    volumes have a constant of their anatomy and their scanner, a stack of
    slices that do not know of each other more. Blur along z lowers it, and
    blur along all axes leaves it: read it beside `axis_roughness`.

    Args:
        volumes: `[n, x, y, z]` in SUVR.

    Returns:
        float64 `[n]`; 1 for a volume that varies neither within nor between
        its slices, infinite where it varies only between them.

    Raises:
        ValueError: As of `axis_roughness`.
    """
    return _between(axis_roughness(volumes))


def roughness_ratio(
    real: np.ndarray,
    synthetic: np.ndarray,
    *,
    subjects: np.ndarray | None = None,
    seed: int = 0,
) -> RoughnessRatio:
    """Roughness of synthetic volumes beside that of real ones.

    Args:
        real: From `axis_roughness`, of real volumes `[n, 3]`.
        synthetic: The same of synthetic ones `[m, 3]`.
        subjects: Subject of each real volume `[n]`; None if every one is of
            its own.
        seed: Seed of the interval.

    Returns:
        Ratios; NaN where real volumes do not vary.

    Raises:
        ValueError: If the shapes do not fit or a value is not finite.
    """
    real, synthetic = (np.asarray(x, np.float64) for x in (real, synthetic))
    shapes = real.shape, synthetic.shape
    if any(len(s) != 2 or s[1] != 3 or not s[0] for s in shapes):
        raise ValueError(
            "expected the roughness of each volume along x, y and z [n, 3], "
            f"found shapes {shapes[0]} and {shapes[1]}"
        )
    require_finite(real, synthetic)

    owners = np.arange(len(real)) if subjects is None else subjects
    everyone = [owners, np.arange(len(synthetic))]

    def found(of: Callable) -> tuple[float, Interval]:
        def ratio(a: np.ndarray, b: np.ndarray) -> float:
            pair = (x.mean(axis=0)[None] for x in (synthetic[b], real[a]))
            return float(_ratio(*map(of, pair))[0])

        value = ratio(*map(np.arange, map(len, everyone)))
        if not np.isfinite(value):
            return value, Interval(None, None, "real volumes do not vary")
        return value, halves_interval(ratio, subjects=everyone, seed=seed)

    axes = [found(operator.itemgetter((slice(None), i))) for i in range(3)]
    values, intervals = zip(*axes, strict=True)
    return RoughnessRatio(*found(_between), np.array(values), intervals)


def slice_roughness(volumes: np.ndarray) -> np.ndarray:
    """Mean absolute second difference along z at each axial slice.

    Args:
        volumes: `[n, x, y, z]` in SUVR, 3 voxels or more a side.

    Returns:
        float64 `[n, z - 2]` in SUVR, of the slices that have two neighbours;
        NaN where there is no brain.

    Raises:
        ValueError: As of `axis_roughness`.
    """
    volumes = np.asarray(volumes)
    axis_roughness(volumes[:1])
    require_finite(volumes)
    found = np.full([len(volumes), volumes.shape[3] - 2], np.nan)
    for row, volume in zip(found, volumes, strict=True):
        change, inside = _second_difference(volume, _mask(volume), 2)
        counts = inside.sum(axis=(0, 1))
        sums = np.where(inside, change, 0).sum(axis=(0, 1), dtype=np.float64)
        np.divide(sums, counts, out=row, where=counts > 0)
    return found


def _mask(volume: np.ndarray) -> np.ndarray:
    """Where a volume is brain."""
    return volume > max(_BRAIN * float(np.quantile(volume, 0.99)), 0.0)


def _of_axes(volume: np.ndarray) -> list[float]:
    """Roughness of one volume along each axis."""
    mask, found = _mask(volume), []
    for axis in range(3):
        change, inside = _second_difference(volume, mask, axis)
        values = change[inside]
        mean = values.mean(dtype=np.float64) if len(values) else 0.0
        found.append(float(mean) if mean > _FLAT * volume.max() else 0.0)
    return found


def _second_difference(
    volume: np.ndarray, mask: np.ndarray, axis: int
) -> tuple[np.ndarray, np.ndarray]:
    """Absolute second differences along an axis, and where all is brain."""
    before, here, after = (
        [np.moveaxis(x, axis, 0)[part] for x in (volume, mask)]
        for part in (slice(None, -2), slice(1, -1), slice(2, None))
    )
    change = np.abs(before[0] - 2 * here[0] + after[0])
    inside = before[1] & here[1] & after[1]
    return np.moveaxis(change, 0, axis), np.moveaxis(inside, 0, axis)


def _between(axes: np.ndarray) -> np.ndarray:
    """Along z over within slices, of rows `[n, 3]`."""
    return _ratio(axes[:, 2], axes[:, :2].mean(axis=1), nothing=1.0)


def _ratio(
    one: np.ndarray, other: np.ndarray, nothing: float = np.nan
) -> np.ndarray:
    """One over the other; infinite where only the other is 0."""
    found = np.where(one > 0, np.inf, nothing)
    found = np.where(np.isfinite(other), found, np.nan)
    known = (other > 0) & np.isfinite(other)
    return np.divide(one, other, out=found, where=known)
