"""Regional uptake of whole brains: means by an atlas, and their covariance.

Volumes in a template's space are measured where the atlas says. Of volumes
about their own brain's centre a sphere is a place, which in one head holds a
little more of that region and in another a little less: real and synthetic
ones are measured alike.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from pet_dcgan.metrics.arrays import require_finite, subject_codes
from pet_dcgan.metrics.atlas import CENTRE_MM, region_masks, region_names
from pet_dcgan.metrics.ceiling import half_pairs
from pet_dcgan.metrics.confidence import (
    Interval,
    halves_interval,
    student_interval,
)

_CHUNK = 64


class RegionalAgreement(NamedTuple):
    """Regions of synthetic volumes beside those of real ones.

    Each number stands beside that of two random halves of the real subjects,
    the mean of 50; None with fewer than four of them.

    Args:
        differences: Mean of synthetic volumes less that of real ones `[r]`, in
            SUVR.
        intervals: Of each difference, over subjects and volumes.
        error: Root mean square of `differences`.
        interval: Of `error`, by subject.
        half_error: The same between halves.
        spread: Root of the total variance over regions, over that of real
            volumes: below 1 where synthetic ones vary too little; NaN where
            real ones do not vary, as `covariance` then.
        spread_interval: Of `spread`, by subject.
        covariance: Distance of the covariance matrices over regions: the
            Frobenius norm of their difference over that of the real one's.
            With few subjects chance is most of it.
        half_covariance: The same between halves.
    """

    differences: np.ndarray
    intervals: tuple[Interval, ...]
    error: float
    interval: Interval
    half_error: float | None
    spread: float
    spread_interval: Interval
    covariance: float
    half_covariance: float | None

    @property
    def error_ratio(self) -> float | None:
        """`error` over `half_error`.

        A perfect generator of many volumes has about a half: the mean of all
        subjects errs by `1 / sqrt(2)` of what that of a half does, and two
        halves differ by both their errors.
        """
        return self.error / self.half_error if self.half_error else None

    @property
    def covariance_ratio(self) -> float | None:
        """`covariance` over `half_covariance`; None if that is unknown or 0."""
        if not self.half_covariance:
            return None
        return self.covariance / self.half_covariance


def regional_means(
    volumes: np.ndarray,
    *,
    spacing_mm: float,
    centre_mm: Sequence[float] = CENTRE_MM,
) -> np.ndarray:
    """Mean SUVR of each volume in each region.

    Args:
        volumes: `[n, size, size, size]` in SUVR: x to the right, y to the
            front, z upwards, about the brain's centre.
        spacing_mm: Size of a voxel.
        centre_mm: Where voxel `size // 2` lies, in MNI mm.

    Returns:
        float64 `[n, r]` in SUVR, in the order of `atlas.region_names`.

    Raises:
        ValueError: If the shape is wrong, a region's centre is outside of the
            volume, or a value is not finite.
    """
    volumes = np.asarray(volumes)
    if volumes.ndim != 4 or not len(volumes) or len(set(volumes.shape[1:])) > 1:
        raise ValueError(
            "expected volumes [n, size, size, size], found shape "
            f"{volumes.shape}"
        )
    size = volumes.shape[1]
    masks = region_masks(size, spacing_mm=spacing_mm, centre_mm=centre_mm)
    lost = [
        name
        for name, mask in zip(region_names(), masks, strict=True)
        if not mask.any()
    ]
    if lost:
        raise ValueError(
            f"expected volumes that hold all regions, found {size} voxels of "
            f"{spacing_mm:g} mm without {', '.join(lost)}: prepare a larger "
            "cube"
        )
    masks = masks.reshape(len(masks), -1).T
    found = []
    for start in range(0, len(volumes), _CHUNK):
        chunk = volumes[start : start + _CHUNK]
        require_finite(chunk)
        found.append(chunk.reshape(len(chunk), -1).astype(np.float32) @ masks)
    return np.concatenate(found).astype(np.float64)


def regional_agreement(
    real: np.ndarray,
    synthetic: np.ndarray,
    *,
    subjects: np.ndarray | None = None,
    seed: int = 0,
) -> RegionalAgreement:
    """How far regional means and their covariance are from real ones.

    Args:
        real: From `regional_means`, of real volumes `[n, r]`.
        synthetic: The same of synthetic ones `[m, r]`.
        subjects: Subject of each real volume `[n]`; None if every one is of
            its own.
        seed: Seed of the halves.

    Raises:
        ValueError: If the shapes do not fit, there are fewer than two volumes
            of each, or a value is not finite.
    """
    real, synthetic = (np.asarray(x, np.float64) for x in (real, synthetic))
    shapes = real.shape, synthetic.shape
    flat = any(len(shape) != 2 or shape[0] < 2 for shape in shapes)
    if flat or shapes[0][1] != shapes[1][1]:
        raise ValueError(
            "expected two or more real and synthetic volumes with the same "
            f"regions [n, r], found shapes {shapes[0]} and {shapes[1]}"
        )
    require_finite(real, synthetic)
    owners = subject_codes(subjects, len(real))
    halves = [
        (_error(real[a], real[b]), _covariance_distance(real[a], real[b]))
        for (a,), (b,) in half_pairs([owners], seed=seed)
    ]
    known = np.mean(halves, axis=0) if halves else (np.nan, np.nan)

    def error(a: np.ndarray, b: np.ndarray) -> float:
        return _error(real[a], synthetic[b])

    def spread(a: np.ndarray, b: np.ndarray) -> float:
        return _spread(real[a], synthetic[b])

    everyone = [owners, np.arange(len(synthetic))]
    value = _spread(real, synthetic)
    of_spread = Interval(None, None, "real volumes do not vary")
    if np.isfinite(value):
        of_spread = halves_interval(spread, subjects=everyone, seed=seed)
    return RegionalAgreement(
        differences=synthetic.mean(axis=0) - real.mean(axis=0),
        intervals=_intervals(real, synthetic, owners),
        error=_error(real, synthetic),
        interval=halves_interval(error, subjects=everyone, seed=seed),
        half_error=_known(known[0]),
        spread=value,
        spread_interval=of_spread,
        covariance=_covariance_distance(real, synthetic),
        half_covariance=_known(known[1]),
    )


def _error(real: np.ndarray, other: np.ndarray) -> float:
    """Root mean square difference of the means of each region."""
    difference = other.mean(axis=0) - real.mean(axis=0)
    return float(np.sqrt(np.mean(difference**2)))


def _spread(real: np.ndarray, other: np.ndarray) -> float:
    """Root of the ratio of total variances; NaN where real ones do not vary."""
    if min(len(real), len(other)) < 2:
        return float("nan")
    of_real, found = (x.var(axis=0, ddof=1).sum() for x in (real, other))
    # rounding leaves a trace of variance in what is constant
    flat = of_real <= 1e-12 * np.square(real).mean()
    return float("nan") if flat else float(np.sqrt(found / of_real))


def _covariance_distance(real: np.ndarray, other: np.ndarray) -> float:
    """Frobenius norm of the difference over that of the real covariance."""
    if min(len(real), len(other)) < 2:
        return float("nan")
    a, b = (np.atleast_2d(np.cov(x, rowvar=False)) for x in (real, other))
    scale = np.linalg.norm(a)
    flat = scale <= 1e-12 * np.square(real).mean()
    return float("nan") if flat else float(np.linalg.norm(b - a) / scale)


def _intervals(
    real: np.ndarray, synthetic: np.ndarray, owners: np.ndarray
) -> tuple[Interval, ...]:
    """Of each region's difference; subjects and volumes err independently."""
    counts = np.bincount(owners)
    sums = np.zeros([len(counts), real.shape[1]])
    np.add.at(sums, owners, real - real.mean(axis=0))
    # of a mean over clusters
    few = max(len(counts) - 1, 1)
    squared = (sums**2).sum(axis=0) / len(real) ** 2 * len(counts) / few
    squared += synthetic.var(axis=0, ddof=1) / len(synthetic)
    difference = synthetic.mean(axis=0) - real.mean(axis=0)
    count = min(len(counts), len(synthetic))
    return tuple(
        student_interval(value, error, count)
        for value, error in zip(difference, np.sqrt(squared), strict=True)
    )


def _known(value: float) -> float | None:
    """None for NaN."""
    return float(value) if np.isfinite(value) else None
