"""Left against right: whether synthetic brains are as lopsided as real ones."""

import collections
from collections.abc import Iterable
from typing import Any

import numpy as np

from pet_dcgan.evaluation.pair_scores import rounded
from pet_dcgan.metrics.region_statistics import set_statistics
from pet_dcgan.metrics.regions import (
    asymmetry_names,
    left_right_asymmetry,
    regional_uptake,
)
from pet_dcgan.study.contrast import ContrastSplit


def study_asymmetry(
    splits: Iterable[ContrastSplit], *, plane: str
) -> dict[str, Any] | None:
    """Mean and SD of left against right, of held-out and synthetic slices.

    A generator that has learnt from mirrored images, or that draws a mean of
    many, makes brains that are too even; AD in particular is often lopsided.

    Args:
        splits: Each is held only while it is looked at.
        plane: Of all slices.

    Returns:
        `asymmetry` of `study.json`: by stage and row of regions `real` (`mean`
        and `sd`, each `value` and `interval` over subjects) and `synthetic`
        (the means over splits and, `by_split`, those of each, since a split
        has one generator), and `words`. None where slices show one side.

    Raises:
        ValueError: If an image is not finite.
    """
    names = asymmetry_names(plane)
    if not names:
        return None
    real, owners = collections.defaultdict(list), collections.defaultdict(list)
    synthetic = collections.defaultdict(list)
    for split in splits:
        for stage, slices in split.held_out.items():
            real[stage].append(_asymmetry(slices.images))
            owners[stage].append(slices.subjects)
            images = _asymmetry(split.synthetic[stage])
            synthetic[stage].append((images.mean(axis=0), images.std(axis=0)))
    stages = {
        stage: _by_row(
            names,
            np.concatenate(real[stage]),
            np.concatenate(owners[stage]),
            np.array(synthetic[stage]),
        )
        for stage in real
    }
    return {"stages": stages, "words": _words(stages)}


def _asymmetry(images: np.ndarray) -> np.ndarray:
    """Left against right of each image and row `[n, 3]`."""
    return left_right_asymmetry(regional_uptake(images))


def _by_row(
    names: tuple[str, ...],
    real: np.ndarray,
    owners: np.ndarray,
    synthetic: np.ndarray,
) -> dict[str, Any]:
    """The numbers of each row; synthetic ones are `[splits, 2, rows]`."""
    statistics = set_statistics(real, owners)
    return {
        name: {
            "real": {
                what: _estimate(getattr(statistics, what), row)
                for what in ("mean", "sd")
            },
            "synthetic": {
                what: {
                    "value": rounded(synthetic[:, number, row].mean()),
                    "by_split": [rounded(x) for x in synthetic[:, number, row]],
                }
                for number, what in enumerate(("mean", "sd"))
            },
        }
        for row, name in enumerate(names)
    }


def _estimate(found: Any, row: int) -> dict[str, Any]:
    """A value with its interval, None where there are too few subjects."""
    interval = None
    if found.low is not None and np.isfinite(found.low[row]):
        interval = [rounded(found.low[row]), rounded(found.high[row])]
    return {"value": rounded(found.value[row]), "interval": interval}


def _words(stages: dict[str, dict[str, Any]]) -> str:
    """The SDs in a sentence, averaged over the rows."""

    def mean_sd(rows: dict[str, Any], kind: str) -> float:
        return float(np.mean([r[kind]["sd"]["value"] for r in rows.values()]))

    parts = [
        f"{mean_sd(rows, 'synthetic'):.3f} of synthetic and "
        f"{mean_sd(rows, 'real'):.3f} of held-out {stage}"
        for stage, rows in stages.items()
    ]
    return (
        "Left against right, (left - right) over their mean, has an SD of "
        f"{'; '.join(parts)} slices: less than the real one is too even."
    )
