"""Numbers of regions: how much uptake, how it varies, left against right."""

from typing import Any, NamedTuple

import numpy as np

from pet_dcgan.evaluation.images import EvaluationImages
from pet_dcgan.evaluation.pair_scores import (
    Number,
    Pairs,
    interval_ends,
    rounded,
)
from pet_dcgan.metrics.confidence import mean_interval
from pet_dcgan.metrics.region_statistics import (
    Estimate,
    SetAgreement,
    SetStatistics,
    set_agreement,
    set_statistics,
)
from pet_dcgan.metrics.regions import (
    BlandAltman,
    asymmetry_names,
    bland_altman,
    left_right_asymmetry,
    region_names,
    regional_uptake,
)


class RegionData(NamedTuple):
    """What the figures of regions show.

    Args:
        statistics: Of `"synthetic"` and `"real"` images, by region.
        differences: Uptake against the nearest real image by kind, a column
            per region; None where there are no pairs.
    """

    statistics: dict[str, SetStatistics]
    differences: dict[str, BlandAltman | None]


def region_scores(
    images: EvaluationImages, pairs: dict[str, Pairs | None]
) -> tuple[dict[str, Any], RegionData]:
    """Uptake of all synthetic and of the compared real images by region.

    Args:
        images: The images.
        pairs: From `pair_scores.real_pairs`.

    Returns:
        `regions` of `metrics.json`, in SUVR, and what is drawn of it.
    """
    names = region_names(images.config.plane)
    uptake = {
        "synthetic": regional_uptake(images.synthetic),
        "real": regional_uptake(images.real.images),
    }
    owners = {
        "synthetic": np.arange(len(images.synthetic)),
        "real": images.real.subjects,
    }
    statistics = {
        kind: set_statistics(values, owners[kind])
        for kind, values in uptake.items()
    }
    agreement = set_agreement(
        uptake["real"],
        uptake["synthetic"],
        subjects=owners["real"],
        seed=images.seed,
    )
    differences = {
        kind: each and _bland_altman(each) for kind, each in pairs.items()
    }
    numbers = {
        "mean": _by_kind(statistics, "mean", names),
        "sd": _by_kind(statistics, "sd", names),
        "correlations": {
            kind: _matrix(each.correlations)
            for kind, each in statistics.items()
        },
        "agreement": _agreement(agreement),
        "difference": {
            kind: found and _difference(found, pairs[kind], names, images.seed)
            for kind, found in differences.items()
        },
    }
    numbers |= _asymmetry(uptake, owners, images)
    return numbers, RegionData(statistics, differences)


def _by_kind(
    statistics: dict[str, SetStatistics], what: str, names: tuple[str, ...]
) -> dict[str, dict[str, Number]]:
    """A mean or SD of each kind and region with its interval."""
    return {
        kind: dict(zip(names, _numbers(getattr(each, what)), strict=True))
        for kind, each in statistics.items()
    }


def _numbers(found: Estimate) -> list[Number]:
    """Each value with its interval."""
    ends = [None] * len(found.value)
    if found.low is not None:
        pairs = zip(found.low, found.high, strict=True)
        ends = [
            [rounded(low), rounded(high)] if np.isfinite(low) else None
            for low, high in pairs
        ]
    return [
        {"value": rounded(value), "interval": interval}
        for value, interval in zip(found.value, ends, strict=True)
    ]


def _matrix(found: Estimate) -> dict[str, list[list[float | None]] | None]:
    """A matrix and the matrices of the ends of its intervals."""
    return {
        name: None
        if each is None
        else [[rounded(value) for value in row] for row in each]
        for name, each in found._asdict().items()
    }


def _agreement(found: SetAgreement) -> dict[str, dict[str, Number]]:
    """How alike regions vary; `real` is what a perfect generator would have."""
    return {
        "correlation": {
            "synthetic": {
                "value": rounded(found.correlation),
                "interval": interval_ends(found.interval),
            },
            "real": {"value": rounded(found.ceiling)},
        },
        "difference": {
            "synthetic": {"value": rounded(found.difference)},
            "real": {"value": rounded(found.least_difference)},
        },
        "sd_factor": {
            "synthetic": {"value": rounded(found.sd_factor)},
            "real": {"value": rounded(found.least_sd_factor)},
        },
    }


def _asymmetry(
    uptake: dict[str, np.ndarray],
    owners: dict[str, np.ndarray],
    images: EvaluationImages,
) -> dict[str, Any]:
    """Mean and SD of left against right by row; nothing in sagittal slices."""
    names = asymmetry_names(images.config.plane)
    if not names:
        return {"asymmetry": None, "asymmetry_sd": None}
    statistics = {
        kind: set_statistics(left_right_asymmetry(values), owners[kind])
        for kind, values in uptake.items()
    }
    return {
        "asymmetry": _by_kind(statistics, "mean", names),
        "asymmetry_sd": _by_kind(statistics, "sd", names),
    }


def _bland_altman(pairs: Pairs) -> BlandAltman:
    """Regional uptake of images against that of their nearest real ones."""
    partners = regional_uptake(pairs.real)[pairs.partners["nearest"]]
    return bland_altman(partners, regional_uptake(pairs.images))


def _difference(
    found: BlandAltman, pairs: Pairs, names: tuple[str, ...], seed: int
) -> dict[str, Number]:
    """Bias and limits of each region, with the interval of the bias."""
    own, others = pairs.subjects["nearest"]
    numbers = {}
    for column, name in enumerate(names):
        interval = mean_interval(
            found.differences[:, column], own, partners=others, seed=seed
        )
        numbers[name] = {
            "value": rounded(found.bias[column]),
            "lower": rounded(found.lower[column]),
            "upper": rounded(found.upper[column]),
            "interval": interval_ends(interval),
        }
    return numbers
