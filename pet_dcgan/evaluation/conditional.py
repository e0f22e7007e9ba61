"""Evaluates a conditional run: every stage, and whether it obeys."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pet_dcgan.evaluation import conditional_findings as conditional
from pet_dcgan.evaluation import findings
from pet_dcgan.evaluation.assessment import NEVER, assessment_of
from pet_dcgan.evaluation.beside import Separate, beside_scores
from pet_dcgan.evaluation.closest_sheet import save_closest
from pet_dcgan.evaluation.condition_figures import save_condition_sheets
from pet_dcgan.evaluation.conditional_images import ConditionalImages
from pet_dcgan.evaluation.conditional_scores import PlaneScores, plane_scores
from pet_dcgan.evaluation.copy_scores import ClosestPairs, memorization_scores
from pet_dcgan.evaluation.facts import intervals_of, settings_of
from pet_dcgan.evaluation.membership_scores import membership_scores
from pet_dcgan.evaluation.training_curves import (
    save_training_curves,
    training_facts,
)
from pet_dcgan.features.encoder import Encoder
from pet_dcgan.runs.run import Run

PROGNOSIS = (
    "What becomes of anybody: the images of one latent at two stages are the "
    "model's contrast, never a prognosis."
)
MIXTURES = (
    "That a mixture of two stages is a stage in between: nothing real was "
    "compared with it."
)
AGES = "That an age or sex asked for is obeyed: both were left unknown."


class Measured(NamedTuple):
    """What was found.

    Args:
        metrics: `metrics.json`, without figures.
        planes: What is drawn of each plane.
        closest: Images most like copies; None where none could be searched.
    """

    metrics: dict[str, Any]
    planes: dict[str, PlaneScores]
    closest: ClosestPairs | None


def measure_conditional(
    run: Run,
    images: ConditionalImages,
    encoders: dict[str, Encoder],
    beside: Separate,
    step: Callable[[], None],
) -> Measured:
    """Every number of a conditional run.

    Args:
        run: The run.
        images: Its images.
        encoders: By name.
        beside: Separate generators, from `separate_runs`.
        step: Called after each of five steps.
    """
    planes = {
        plane: plane_scores(images, plane, encoders)
        for plane in images.conditions.planes
    }
    step()
    numbers = {name: each.numbers for name, each in planes.items()}
    metrics = settings_of(run) | _counts(run, images, numbers)
    metrics["intervals"] = intervals_of(metrics["subjects"]["held_out"])
    metrics["planes"] = numbers
    others = beside_scores(images, beside, encoders)
    for (plane, stage), scores in others.items():
        metrics["planes"][plane]["stages"][stage]["beside"] = scores
    step()
    metrics["copies"], closest = memorization_scores(images.whole)
    step()
    metrics["membership"] = membership_scores(images.whole)
    step()
    metrics["assessment"] = assess_conditional(metrics)
    step()
    return Measured(metrics, planes, closest)


def assess_conditional(metrics: dict[str, Any]) -> dict[str, Any]:
    """Assesses the numbers of a conditional run.

    Args:
        metrics: What `metrics.json` holds.

    Returns:
        As of `assess`.
    """
    planes = metrics["planes"]
    places = sum(
        "features" in cell
        for plane in planes.values()
        for cell in plane["stages"].values()
    )

    def likeness(cell: dict[str, Any]) -> findings.Finding:
        return findings.likeness(cell["features"], places=places)

    def uptake(cell: dict[str, Any]) -> findings.Finding:
        return findings.uptake({"real": None} | cell["uptake"])

    def texture(cell: dict[str, Any]) -> findings.Finding:
        return findings.texture(cell["finest_detail"])

    found = {
        "Copies": findings.copies(metrics["copies"], metrics["membership"]),
        "Stage": conditional.of_planes(planes, "stage", conditional.stage),
        "Position": conditional.of_planes(
            planes, "position", conditional.position
        ),
        "Identity": conditional.of_planes(
            planes, "identity", conditional.identity
        ),
        "Contrast": conditional.of_planes(
            planes, "contrast", conditional.contrast
        ),
        "Likeness": conditional.of_cells(planes, likeness),
        "Variety": conditional.of_cells(planes, conditional.variety),
        "Uptake": conditional.of_cells(planes, uptake),
        "Texture": conditional.of_cells(planes, texture),
    }
    may_not = [PROGNOSIS, MIXTURES, *NEVER]
    if {"age", "sex"} & set(metrics["conditions"]["names"]):
        may_not.insert(2, AGES)
    return assessment_of(found, metrics, may_not=may_not)


def save_conditional_figures(
    folder: Path, run: Run, images: ConditionalImages, measured: Measured
) -> dict[str, dict[str, str]]:
    """Draws every sheet there is anything for.

    Args:
        folder: Where they go.
        run: The run.
        images: Its images.
        measured: What was found.

    Returns:
        Title and caption by file name, in the order of the page.
    """
    words = {}
    for plane, found in measured.planes.items():
        words |= save_condition_sheets(folder, images, plane, found)
    if measured.closest is not None:
        words["closest.png"] = save_closest(
            folder / "closest.png", measured.closest, run.config
        )
    if save_training_curves(folder / "training.png", run):
        words["training.png"] = (
            "Training",
            "By epoch; the dotted line is the epoch whose generator was kept.",
        )
    return {
        name: {"title": title, "caption": caption}
        for name, (title, caption) in words.items()
    }


def _counts(
    run: Run, images: ConditionalImages, planes: dict[str, Any]
) -> dict[str, Any]:
    """What was evaluated on what, in counts, and what could not be."""
    whole, cells = images.whole, images.slices.values()
    drawn = sum(
        cell["images"]
        for plane in planes.values()
        for cell in plane["stages"].values()
    )
    lost = [
        f"{stage} {plane} slices, of which none is held out"
        for (plane, stage), each in images.slices.items()
        if each.test is None
    ]
    held_out = whole.test.subject_count
    return {
        "conditional": True,
        "conditions": images.conditions.to_dict(),
        "seed": images.seed,
        "images": {
            "synthetic": drawn,
            "synthetic_drawn": drawn,
            "held_out": drawn,
        },
        "subjects": {
            "training": len(run.subjects),
            "held_out": held_out,
            "validation": len(
                np.unique(
                    np.concatenate(
                        [
                            each.validation.subjects
                            for each in cells
                            if each.validation is not None
                        ]
                        or [np.array([], str)]
                    )
                )
            ),
        },
        "training": training_facts(run, slices=len(whole.training.images)),
        "missing": {"stages": "; ".join(lost) or None},
    }
