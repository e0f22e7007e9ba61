"""Numbers of a model's contrast in one plane, beside held-out subjects."""

from typing import Any, NamedTuple

import numpy as np

from pet_dcgan.evaluation.conditional_images import ConditionalImages
from pet_dcgan.evaluation.pair_scores import interval_ends, rounded
from pet_dcgan.evaluation.stage_stacks import real_stack
from pet_dcgan.metrics.model_contrast import (
    ModelContrast,
    RegionContrast,
    model_contrast,
    region_contrast,
)
from pet_dcgan.metrics.regions import region_names


class Contrasts(NamedTuple):
    """What is drawn of a contrast.

    Args:
        stages: The two stages, the second minus the first.
        positions_mm: Positions of the maps, in mm.
        found: The maps.
    """

    stages: tuple[str, str]
    positions_mm: np.ndarray
    found: ModelContrast


def contrast_scores(
    images: ConditionalImages, plane: str, stacks: dict[str, np.ndarray]
) -> tuple[dict[str, Any], Contrasts | None]:
    """The model's contrast of the first and the last stage.

    Held-out subjects are those of test and validation: that some of them
    helped to choose an epoch hardly shows in a mean. The ceilings are from
    all subjects, trained on or not.

    Args:
        images: The images.
        plane: One that was trained on.
        stacks: Images of the same latents by stage
            `[n, positions, size, size]` in SUVR.

    Returns:
        `contrast` of a plane in `metrics.json`, and what is drawn; None where
        `missing` says why there is nothing.
    """
    stages = tuple(images.conditions.stages[i] for i in (0, -1))
    nothing = {"stages": list(stages)}
    if images.positions_mm(plane) is None:
        words = "position is no condition of this run"
        return nothing | {"missing": words}, None
    real, training = (
        [real_stack(images, plane, stage, *splits) for stage in stages]
        for splits in (("test", "validation"), ("training",))
    )
    if min(map(len, real)) < 2:
        words = (
            f"fewer than two held-out subjects of {stages[0]} or {stages[1]} "
            "with a slice at each position"
        )
        return nothing | {"missing": words}, None
    model = [stacks[stage] for stage in stages]
    found = model_contrast(real, model, others=training, seed=images.seed)
    if not np.isfinite(found.correlation):
        words = "the model's contrast, or the real one, does not vary"
        return nothing | {"missing": words}, None
    regions = region_contrast(real, model)
    numbers = {
        "missing": None,
        "subjects": dict(zip(stages, map(len, real), strict=True)),
        "share": rounded(found.share),
        "halves": rounded(found.halves),
    }
    numbers |= agreement_numbers(found)
    numbers |= _by_region(regions, region_names(plane))
    contrasts = Contrasts(stages, images.positions_mm(plane), found)
    return nothing | numbers, contrasts


def agreement_numbers(found: ModelContrast) -> dict[str, Any]:
    """Correlation and slope; `real` is what a perfect model would have.

    Args:
        found: Of a plane, or of volumes.
    """
    return {
        "correlation": {
            "synthetic": {
                "value": rounded(found.correlation),
                "interval": interval_ends(found.interval),
            },
            "real": {"value": rounded(found.ceiling)},
        },
        "slope": {
            "synthetic": {
                "value": rounded(found.slope),
                "interval": interval_ends(found.slope_interval),
            },
            "real": {"value": rounded(found.slope_ceiling)},
        },
    }


def _by_region(found: RegionContrast, names: tuple[str, ...]) -> dict[str, Any]:
    """The difference of each region, in SUVR."""
    rows = zip(names, found.model, found.real, found.intervals, strict=True)
    return {
        "regions": {
            name: {
                "synthetic": {"value": rounded(model)},
                "real": {
                    "value": rounded(real),
                    "interval": interval_ends(interval),
                },
            }
            for name, model, real, interval in rows
        },
        "region_slope": {"value": rounded(found.slope)},
        "region_correlation": {"value": rounded(found.correlation)},
    }
