"""The contrast that a conditional generator gives its images of one latent.

It is the model's contrast: what it learnt of a difference between groups of
people, and never what becomes of a person. Stacks are images
`[n, positions, height, width]` in SUVR, see `obedience`.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from pet_dcgan.metrics.arrays import require_finite
from pet_dcgan.metrics.ceiling import (
    correlation,
    correlation_interval,
    half_pairs,
    reliability,
    slope,
    slope_interval,
)
from pet_dcgan.metrics.confidence import Interval, student_interval
from pet_dcgan.metrics.regions import brain_mask, regional_uptake

# the first stage's images and the second's
Stacks = Sequence[np.ndarray]


class ModelContrast(NamedTuple):
    """A model's contrast beside that of real subjects.

    Args:
        correlation: Of both differences, over the brain's pixels at all
            positions; NaN if one does not vary.
        interval: Its interval, by subject and by latent.
        halves: Mean correlation of the differences of two halves of the real
            subjects, each against the other; None with fewer than four of a
            stage.
        ceiling: Correlation of a perfect model, see `ceiling.reliability`:
            it has no chance in it, the real difference has.
        slope: Least squares slope of the model's difference over the real
            one. The chance in the real one lowers it, so it is beside
            `slope_ceiling` that it tells how strong the model's is.
        slope_interval: Its interval, by subject and by latent.
        slope_ceiling: Slope of a perfect model.
        real: Difference of the real subjects `[positions, height, width]` in
            SUVR; NaN outside the brain.
        model: The model's.
    """

    correlation: float
    interval: Interval
    halves: float | None
    ceiling: float | None
    slope: float
    slope_interval: Interval
    slope_ceiling: float | None
    real: np.ndarray
    model: np.ndarray

    @property
    def share(self) -> float | None:
        """Correlation over its ceiling; chance can lift it above 1."""
        if not self.ceiling or not np.isfinite(self.correlation):
            return None
        return self.correlation / self.ceiling


class RegionContrast(NamedTuple):
    """The contrast in the nine regions of `regions.region_names`.

    Args:
        real: Difference of the real subjects `[9]` in SUVR.
        intervals: Interval of each over subjects, nine.
        model: The model's difference `[9]` in SUVR.
        slope: Least squares slope of the model's over the real one.
        correlation: Of both, over the regions.
    """

    real: np.ndarray
    intervals: tuple[Interval, ...]
    model: np.ndarray
    slope: float
    correlation: float


class TruthAgreement(NamedTuple):
    """A difference beside the truth of a phantom.

    Args:
        correlation: Of both, over the brain's pixels at all positions.
        slope: Least squares slope over the truth: 1 for as strong.
        outside: Mean absolute error outside the affected regions, over the
            truth's mean absolute change inside them.
        inside: The same of the error inside them.
    """

    correlation: float
    slope: float
    outside: float
    inside: float


def difference(stacks: Stacks) -> np.ndarray:
    """The second stage's mean less the first one's.

    Args:
        stacks: Of both stages.

    Returns:
        float64 `[positions, height, width]` in SUVR.

    Raises:
        ValueError: If they are no stacks of the same positions, or a value is
            not finite.
    """
    _require(stacks)
    return _difference(stacks)


def model_contrast(
    real: Stacks,
    model: Stacks,
    *,
    others: Stacks | None = None,
    seed: int = 0,
) -> ModelContrast:
    """Compares a model's contrast with that of real subjects.

    Args:
        real: Of held-out subjects of the first and of the second stage, from
            `obedience.slices_at`.
        model: Images of the same latents at both stages, at those positions.
        others: Further real subjects of both stages, such as those trained
            on: a few subjects cannot tell well how far chance goes, so all are
            halved, and the ceilings are those of as many as `real` has.
        seed: Seed of the halves.

    Raises:
        ValueError: If the stacks do not fit or a value is not finite.
    """
    _require([*real, *model, *(others or ())])
    mask = brain_mask(np.mean([x.mean(axis=0) for x in real], axis=0))
    if not mask.any():
        raise ValueError("expected real images of brains, found black ones")
    rows, of_model = ([x[:, mask] for x in each] for each in (real, model))
    maps = [_difference(each) for each in (rows, of_model)]
    halved = rows
    if others is not None:
        pairs = zip(rows, others, strict=True)
        halved = [np.concatenate([own, x[:, mask]]) for own, x in pairs]
    ceilings = _ceilings(halved, [len(x) for x in real], seed)
    paired = of_model[1] - of_model[0]
    return ModelContrast(
        correlation(*maps),
        _interval(correlation, correlation_interval, rows, paired, seed),
        *ceilings[:2],
        slope(*maps),
        _interval(slope, slope_interval, rows, paired, seed),
        ceilings[2],
        *(_drawn(each, mask) for each in maps),
    )


def region_contrast(real: Stacks, model: Stacks) -> RegionContrast:
    """Compares a model's contrast with the real one by region.

    Args:
        real: Of held-out subjects, as of `model_contrast`.
        model: Of latents.

    Raises:
        ValueError: If the stacks do not fit or a value is not finite.
    """
    _require([*real, *model])
    uptake = [[_uptake(x) for x in each] for each in (real, model)]
    found, of_model = (_difference(each) for each in uptake)
    squared = sum(
        x.var(axis=0, ddof=1) / len(x) if len(x) > 1 else np.full(9, np.nan)
        for x in uptake[0]
    )
    count = min(map(len, real))
    return RegionContrast(
        real=found,
        intervals=tuple(
            student_interval(value, error, count)
            for value, error in zip(found, np.sqrt(squared), strict=True)
        ),
        model=of_model,
        slope=slope(found, of_model),
        correlation=correlation(found, of_model),
    )


def truth_agreement(
    found: np.ndarray, truth: Stacks, affected: np.ndarray
) -> TruthAgreement:
    """Compares a difference with that of a phantom's counterfactual pairs.

    Both are in SUVR of the same scaling: the truth's own contrast is not 0
    outside the affected regions where volumes are divided by their mean.

    Args:
        found: From `difference`, of a model or of groups of real subjects
            `[positions, height, width]` in SUVR.
        truth: The same invented subjects without and with the disease.
        affected: Where the disease changes uptake, bool `[positions, height,
            width]`.

    Raises:
        ValueError: If shapes do not fit, the brain has no pixel inside or
            outside the affected regions, or a value is not finite.
    """
    wanted = difference(truth)
    affected = np.asarray(affected, bool)
    if not np.shape(found) == wanted.shape == affected.shape:
        raise ValueError(
            "expected differences and affected regions of one shape, found "
            f"{np.shape(found)}, {wanted.shape} and {affected.shape}"
        )
    mask = brain_mask(np.mean([x.mean(axis=0) for x in truth], axis=0))
    inside, outside = mask & affected, mask & ~affected
    require_finite(np.asarray(found)[mask])
    change = np.abs(wanted[inside]).mean() if inside.any() else 0.0
    if not change > 0 or not outside.any():
        raise ValueError(
            "expected a brain that changes inside the affected regions and "
            f"reaches beyond them, found {np.count_nonzero(inside)} and "
            f"{np.count_nonzero(outside)} pixels"
        )
    error = np.abs(found - wanted)
    return TruthAgreement(
        correlation=correlation(found[mask], wanted[mask]),
        slope=slope(wanted[mask], found[mask]),
        outside=float(error[outside].mean() / change),
        inside=float(error[inside].mean() / change),
    )


def _require(stacks: Stacks) -> None:
    """Raises unless all are finite stacks of the same positions and size."""
    shapes = [np.shape(x) for x in stacks]
    if any(len(s) != 4 or 0 in s or s[1:] != shapes[0][1:] for s in shapes):
        found = ", ".join(map(str, shapes))
        raise ValueError(
            "expected stacks [n, positions, height, width] of the same "
            f"positions, found shapes {found}"
        )
    require_finite(*stacks)


def _difference(rows: Stacks) -> np.ndarray:
    """The second's mean less the first's."""
    first, second = (x.mean(axis=0, dtype=np.float64) for x in rows)
    return second - first


def _ceilings(
    halved: Stacks, counts: Sequence[int], seed: int
) -> tuple[float | None, float | None, float | None]:
    """Correlation of halves, and a perfect model's correlation and slope."""
    pairs = half_pairs([np.arange(len(x)) for x in halved], seed=seed)
    found = []
    for pair in pairs:
        maps = [
            _difference([x[own] for x, own in zip(halved, rows, strict=True)])
            for rows in pair
        ]
        found.append(correlation(*maps))
    # how many times as much as a half all of them tell
    half, whole = sum(2 / len(x) for x in halved), sum(1 / n for n in counts)
    repeated = reliability(found, half / whole)
    if repeated is None:
        return None, None, None
    return float(np.nanmean(found)), float(np.sqrt(repeated)), repeated


def _interval(
    compare: Callable, of: Callable, real: Stacks, paired: np.ndarray, seed: int
) -> Interval:
    """Of a correlation or a slope, by subject and by latent."""

    def statistic(first, second, latents: np.ndarray) -> float:
        wanted = _difference([real[0][first], real[1][second]])
        return compare(wanted, paired[latents].mean(axis=0))

    everyone = [np.arange(len(x)) for x in (*real, paired)]
    return of(statistic, subjects=everyone, seed=seed)


def _uptake(stack: np.ndarray) -> np.ndarray:
    """Mean uptake of each subject or latent by region `[n, 9]`."""
    flat = stack.reshape(-1, *stack.shape[2:])
    return regional_uptake(flat).reshape(*stack.shape[:2], 9).mean(axis=1)


def _drawn(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Values of the mask's pixels as images, NaN elsewhere."""
    images = np.full(mask.shape, np.nan)
    images[mask] = values
    return images
