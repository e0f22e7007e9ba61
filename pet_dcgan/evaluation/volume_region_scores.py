"""Numbers of regional uptake of volumes, synthetic beside held-out ones."""

from typing import Any

import numpy as np

from pet_dcgan.evaluation.images import RealSlices
from pet_dcgan.evaluation.pair_scores import Number, interval_ends, rounded
from pet_dcgan.evaluation.volume_images import VolumeImages
from pet_dcgan.metrics.atlas import (
    CENTRE_MM,
    OWN_CENTRE_MM,
    region_names,
)
from pet_dcgan.metrics.region_statistics import (
    SetAgreement,
    set_agreement,
    set_statistics,
)
from pet_dcgan.metrics.volume_regions import (
    RegionalAgreement,
    regional_agreement,
    regional_means,
)
from pet_dcgan.references import NATIVE


def regional_uptake(images: VolumeImages, volumes: np.ndarray) -> np.ndarray:
    """Mean SUVR of each volume in each region, by the space they lie in.

    Args:
        images: The volumes, for what they are.
        volumes: `[n, size, size, size]` in SUVR.

    Returns:
        float64 `[n, r]`, as from `regional_means`.
    """
    native = images.config.space == NATIVE
    return regional_means(
        volumes,
        spacing_mm=images.config.spacing_mm,
        centre_mm=OWN_CENTRE_MM if native else CENTRE_MM,
    )


def volume_region_scores(
    images: VolumeImages, real: RealSlices, synthetic: np.ndarray
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Regional uptake: means, spread and how regions vary together.

    Args:
        images: The volumes, for what they are.
        real: Of held-out subjects of a stage, two or more.
        synthetic: Of that stage `[n, size, size, size]` in SUVR.

    Returns:
        `regions` of a stage in `metrics.json`, and the uptake of each volume
        `[n, r]` by kind.
    """
    volumes = {"synthetic": synthetic, "real": real.images}
    uptake = {
        kind: regional_uptake(images, each) for kind, each in volumes.items()
    }
    options = {"subjects": real.subjects, "seed": images.seed}
    pair = uptake["real"], uptake["synthetic"]
    found = regional_agreement(*pair, **options)
    owners = {"synthetic": np.arange(len(synthetic)), "real": real.subjects}
    numbers = _agreement(found, set_agreement(*pair, **options))
    numbers["mean"] = {
        kind: _by_region(
            set_statistics(uptake[kind], owners[kind]).mean._asdict()
        )
        for kind in uptake
    }
    rows = zip(region_names(), found.differences, found.intervals, strict=True)
    numbers["difference"] = {
        name: {"value": rounded(value), "interval": interval_ends(of)}
        for name, value, of in rows
    }
    return numbers, uptake


def _agreement(
    found: RegionalAgreement, of_sets: SetAgreement
) -> dict[str, Any]:
    """Numbers over all regions; `real` is between halves of real subjects."""
    return {
        "error": {
            "synthetic": {
                "value": rounded(found.error),
                "interval": interval_ends(found.interval),
            },
            "real": {"value": rounded(found.half_error)},
        },
        "spread": {
            "value": rounded(found.spread),
            "interval": interval_ends(found.spread_interval),
        },
        "covariance": {
            "synthetic": {"value": rounded(found.covariance)},
            "real": {"value": rounded(found.half_covariance)},
        },
        "correlation": {
            "synthetic": {
                "value": rounded(of_sets.correlation),
                "interval": interval_ends(of_sets.interval),
            },
            "real": {"value": rounded(of_sets.ceiling)},
        },
    }


def _by_region(found: dict[str, np.ndarray | None]) -> dict[str, Number]:
    """A number of each region with its interval."""
    ends = [None] * len(found["value"])
    if found["low"] is not None:
        pairs = zip(found["low"], found["high"], strict=True)
        ends = [[rounded(low), rounded(high)] for low, high in pairs]
    return {
        name: {"value": rounded(value), "interval": interval}
        for name, value, interval in zip(
            region_names(), found["value"], ends, strict=True
        )
    }
