"""The contrast of two stages as a map: real, synthetic, and their agreement.

Slices lie in the scanner's grid. A map compares what is at a pixel in one
stage with what is there in the other: uptake, and where the brain ends. It is
no voxel-wise analysis of registered brains, but both maps are made alike.
"""

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from pet_dcgan.metrics.arrays import require_finite
from pet_dcgan.metrics.ceiling import (
    correlation,
    correlation_interval,
    half_pairs,
    reliability,
)
from pet_dcgan.metrics.confidence import Interval
from pet_dcgan.metrics.regions import brain_mask


class Maps(NamedTuple):
    """The contrast of two stages at each level, `[levels, height, width]`.

    Args:
        difference: Second stage minus first, in SUVR; NaN outside the brain.
        t: Welch's t; NaN outside the brain and where nothing varies.
    """

    difference: np.ndarray
    t: np.ndarray


class Agreement(NamedTuple):
    """How synthetic maps agree with real ones, over some pixels.

    Args:
        correlation: Of the t-maps; None if a map does not vary.
        ceiling: Correlation of a perfect generator, see
            `ceiling.reliability`; None with fewer than four subjects.
        slope: Of the synthetic difference over the real one.
        slope_ceiling: Slope of a perfect generator, below 1 since the real
            map holds chance as well; None with fewer than four subjects.
    """

    correlation: float | None
    ceiling: float | None
    slope: float | None
    slope_ceiling: float | None

    @property
    def share(self) -> float | None:
        """Correlation over its ceiling; chance can lift it above 1."""
        if self.correlation is None or not self.ceiling:
            return None
        return self.correlation / self.ceiling


@dataclasses.dataclass(frozen=True)
class Contrast:
    """What `compare_contrasts` finds.

    Args:
        real: Maps over real subjects.
        synthetic: Maps over synthetic images.
        whole: Agreement over the brain at all levels.
        by_level: Agreement at each level.
        interval: Of `whole.correlation`, by subject.
    """

    real: Maps
    synthetic: Maps
    whole: Agreement
    by_level: tuple[Agreement, ...]
    interval: Interval


def welch(first: np.ndarray, second: np.ndarray) -> Maps:
    """Difference and t of two samples at each pixel.

    Welch (1947), doi 10.1093/biomet/34.1-2.28.

    Args:
        first: `[n, ...]`, two or more.
        second: `[m, ...]`, two or more.

    Returns:
        `second` minus `first`, and t, `[...]`: NaN where neither varies.

    Raises:
        ValueError: If the shapes do not fit or a sample has fewer than two.
    """
    if min(len(first), len(second)) < 2 or first.shape[1:] != second.shape[1:]:
        raise ValueError(
            "expected two or more images of each stage, of one shape, found "
            f"{np.shape(first)} and {np.shape(second)}"
        )
    means = [x.mean(axis=0, dtype=np.float64) for x in (first, second)]
    squared = sum(
        x.var(axis=0, ddof=1, dtype=np.float64) / len(x)
        for x in (first, second)
    )
    difference = means[1] - means[0]
    t = np.full_like(difference, np.nan)
    # rounding leaves a trace of variance in what is constant
    varies = squared > 1e-14 * (means[0] ** 2 + means[1] ** 2)
    np.divide(difference, np.sqrt(squared), out=t, where=varies)
    return Maps(difference, t)


def compare_contrasts(
    real: Sequence[np.ndarray],
    synthetic: Sequence[np.ndarray],
    levels: Sequence[np.ndarray],
    *,
    others: Sequence[np.ndarray] | None = None,
    seed: int = 0,
) -> Contrast | None:
    """Compares the contrast of synthetic images with that of real subjects.

    Args:
        real: From `levels.subject_means`, of the first and of the second stage
            `[s, levels, height, width]`, of subjects that no generator was
            trained on.
        synthetic: Images of both stages `[n, height, width]`.
        levels: The level of each synthetic image `[n]`, from
            `levels.nearest_levels`.
        others: Further real subjects of both stages, as `real`. The ceilings
            are for as many subjects as `real` has, but a few of them cannot
            tell these well: all are halved.
        seed: Seed of the halves.

    Returns:
        Maps and agreement; None if a stage has fewer than two subjects, or
        fewer than two synthetic images at a level.

    Raises:
        ValueError: If the shapes do not fit or a value is not finite.
    """
    require_finite(*real, *synthetic)
    groups = [
        [
            images[own == level]
            for images, own in zip(synthetic, levels, strict=True)
        ]
        for level in range(real[0].shape[1])
    ]
    if min(map(len, (*real, *(x for pair in groups for x in pair)))) < 2:
        return None
    mask = brain_mask(np.mean([x.mean(axis=0) for x in real], axis=0))
    # for each level both stages, `[n, pixels of the brain]`
    real_groups = [[x[:, i, m] for x in real] for i, m in enumerate(mask)]
    groups = [
        [x[:, m] for x in pair] for pair, m in zip(groups, mask, strict=True)
    ]
    found = _maps(real_groups), _maps(groups)
    ends = np.cumsum(mask.sum(axis=(1, 2)))
    places = [slice(None)]
    places += [slice(*e) for e in zip([0, *ends[:-1]], ends, strict=True)]
    halved = real_groups
    if others is not None:
        every = zip(real, others, strict=True)
        every = [np.concatenate(pair) for pair in every]
        halved = [[x[:, i, m] for x in every] for i, m in enumerate(mask)]
    agreement = _agreement(
        *found,
        halved,
        places,
        lengthening=_lengthening(real, halved),
        seed=seed,
    )
    return Contrast(
        *(Maps(*(_drawn(x, mask) for x in maps)) for maps in found),
        whole=agreement[0],
        by_level=tuple(agreement[1:]),
        interval=_interval(real_groups, groups, seed),
    )


_Groups = list[list[np.ndarray]]


def _maps(groups: _Groups, rows: Sequence[np.ndarray] | None = None) -> Maps:
    """Maps over the pixels of all levels, one level after the other.

    Args:
        groups: For each level both stages `[n, pixels]`.
        rows: For both stages the rows to take; all if unset.
    """
    rows = rows or [slice(None)] * 2
    maps = [welch(first[rows[0]], second[rows[1]]) for first, second in groups]
    return Maps(*map(np.concatenate, zip(*maps, strict=True)))


def _drawn(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Values of the mask's pixels as images, NaN elsewhere."""
    images = np.full(mask.shape, np.nan)
    images[mask] = values
    return images


def _lengthening(real: Sequence[np.ndarray], halved: _Groups) -> float:
    """How many times as much as a half of those halved all real ones tell."""
    whole = sum(1 / len(x) for x in real)
    return sum(2 / len(x) for x in halved[0]) / whole


def _agreement(
    real: Maps,
    synthetic: Maps,
    halved: _Groups,
    places: list[slice],
    *,
    lengthening: float,
    seed: int,
) -> list[Agreement]:
    """The agreement over each of some places among the pixels."""
    stages = [np.arange(len(x)) for x in halved[0]]
    halves = [
        [_maps(halved, rows) for rows in pair]
        for pair in half_pairs(stages, seed=seed)
    ]

    def repeated(at: slice, name: str) -> float | None:
        """Reliability of the real map there."""
        pairs = [[getattr(maps, name)[at] for maps in pair] for pair in halves]
        return reliability([correlation(*pair) for pair in pairs], lengthening)

    found = []
    for at in places:
        of_t = repeated(at, "t")
        pair = [maps.difference[at] for maps in (real, synthetic)]
        found.append(
            Agreement(
                correlation=_known(correlation(real.t[at], synthetic.t[at])),
                ceiling=None if of_t is None else float(np.sqrt(of_t)),
                slope=_known(_slope(*pair)),
                slope_ceiling=repeated(at, "difference"),
            )
        )
    return found


def _slope(x: np.ndarray, y: np.ndarray) -> float:
    """Least squares slope of `y` over `x`; NaN where `x` does not vary."""
    if len(x) < 3 or not np.ptp(x) > 0:
        return float("nan")
    x = x - x.mean()
    return float(x @ y / (x @ x))


def _known(value: float) -> float | None:
    """None for NaN."""
    return value if np.isfinite(value) else None


def _interval(real: _Groups, synthetic: _Groups, seed: int) -> Interval:
    """Of the correlation, by subject and by synthetic image of a level."""
    stages = [np.arange(len(x)) for x in real[0]]
    images = [np.arange(len(x)) for pair in synthetic for x in pair]

    def statistic(first, second, *rows: np.ndarray) -> float:
        """The correlation for some rows."""
        chosen = iter(rows)
        halves = [[x[next(chosen)] for x in pair] for pair in synthetic]
        t = _maps(real, [first, second]).t
        return correlation(t, _maps(halves).t)

    return correlation_interval(
        statistic, subjects=[*stages, *images], seed=seed
    )
