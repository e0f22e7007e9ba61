"""Separate generators beside a conditional one, in the same tables."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pet_dcgan.conditions import Conditions
from pet_dcgan.config import SET_FACTS, TrainConfig
from pet_dcgan.data.leakage import require_disjoint
from pet_dcgan.evaluation.conditional_images import ConditionalImages
from pet_dcgan.evaluation.feature_scores import feature_scores
from pet_dcgan.evaluation.synthetic_images import drawing, measured
from pet_dcgan.features.encoder import Encoder
from pet_dcgan.runs.run import Run

# a run by plane and stage
Separate = dict[tuple[str, str], Run]
_SAME = ("dataset", *SET_FACTS)


def separate_runs(
    given: Sequence[Run | str | Path],
    config: TrainConfig,
    conditions: Conditions | None,
) -> Separate:
    """Runs of one stage each that a conditional run is set beside.

    Args:
        given: The runs, or their folders.
        config: Of the conditional run.
        conditions: Its own.

    Raises:
        FileNotFoundError: If one is no run, or is not finished.
        ValueError: If the run has no conditions, or one given has, is of
            another set, of a stage or plane that the run was not trained on,
            or of one that is given twice.
    """
    if given and conditions is None:
        raise ValueError(
            "expected a run with conditions to set others beside, found one "
            f"of {config.stage} alone: leave --beside out"
        )
    found = {}
    for each in given:
        run = each if isinstance(each, Run) else Run.open(each)
        _require_fitting(run, config, conditions)
        place = run.config.plane, run.config.stage
        if place in found:
            raise ValueError(
                f"expected one run of {place[1]} {place[0]} slices, found "
                f"{found[place].path} and {run.path}: leave one out of --beside"
            )
        found[place] = run
    return found


def _require_fitting(
    run: Run, config: TrainConfig, conditions: Conditions
) -> None:
    """Raises unless a run is of a stage and plane, and of the same set."""
    own = run.config
    if run.conditions is not None:
        raise ValueError(
            f"expected runs of one stage to set beside, found {run.path} with "
            f"conditions {own.conditions}: leave it out of --beside"
        )
    for name, known in (
        ("stage", conditions.stages),
        ("plane", conditions.planes),
    ):
        if getattr(own, name) not in known:
            raise ValueError(
                f"expected a run of a {name} among {', '.join(known)}, found "
                f"{getattr(own, name)} in {run.path}: leave it out of --beside"
            )
    for name in _SAME:
        wanted, found = getattr(config, name), getattr(own, name)
        if wanted != found:
            raise ValueError(
                f"expected a run of the same set, with {name} {wanted}, found "
                f"{found} in {run.path}: leave it out of --beside"
            )


def beside_scores(
    images: ConditionalImages, runs: Separate, encoders: dict[str, Encoder]
) -> dict[tuple[str, str], dict[str, Any]]:
    """The same numbers of separate generators, by the same features.

    Args:
        images: Of the conditional run.
        runs: From `separate_runs`.
        encoders: By name, those of the conditional run.

    Returns:
        By plane and stage, the scores by encoder; without those whose stage
        has no held-out slices.

    Raises:
        FileNotFoundError: If a run is not finished.
        ValueError: If one was trained on a held-out subject, or makes images
            that are black or not finite.
    """
    found = {}
    for (plane, stage), run in runs.items():
        cell = images.of_cell(plane, stage)
        if cell is None:
            continue
        require_disjoint([*run.subjects, *run.validation], cell.test.subjects)
        require_disjoint(run.subjects, cell.validation.subjects)
        draw = drawing(run.load_generator(), run.config)
        seeds = np.arange(images.seed, images.seed + len(cell.synthetic))
        synthetic = measured(draw, seeds, images.suvr_max)
        other = dataclasses.replace(cell, synthetic=synthetic, draw=draw)
        found[plane, stage] = {
            name: feature_scores(other, encoder)
            for name, encoder in encoders.items()
        }
    return found
