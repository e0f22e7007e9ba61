"""Evaluates a run of volumes: every stage, and all of them together."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from pet_dcgan.evaluation import conditional_findings as conditional
from pet_dcgan.evaluation import findings, volume_findings
from pet_dcgan.evaluation.assessment import NEVER, assessment_of
from pet_dcgan.evaluation.conditional import AGES, MIXTURES, PROGNOSIS
from pet_dcgan.evaluation.copy_scores import ClosestPairs, memorization_scores
from pet_dcgan.evaluation.facts import intervals_of, settings_of
from pet_dcgan.evaluation.membership_scores import membership_scores
from pet_dcgan.evaluation.training_curves import (
    save_training_curves,
    training_facts,
)
from pet_dcgan.evaluation.volume_figures import save_volume_sheets
from pet_dcgan.evaluation.volume_images import VolumeImages
from pet_dcgan.evaluation.volume_maps import missing_maps, save_volume_maps
from pet_dcgan.evaluation.volume_scores import VolumeScores, volume_scores
from pet_dcgan.features.encoder import Encoder
from pet_dcgan.runs.run import Run

_NATIVE = (
    "That a region is one of anatomy: regions are spheres about each brain's "
    "own centre, and the volumes were not registered to a template."
)


class MeasuredVolumes(NamedTuple):
    """What was found.

    Args:
        metrics: `metrics.json`, without figures.
        scores: What is drawn.
        closest: Volumes most like copies; None where none could be searched.
    """

    metrics: dict[str, Any]
    scores: VolumeScores
    closest: ClosestPairs | None


def measure_volumes(
    run: Run,
    images: VolumeImages,
    encoders: dict[str, Encoder],
    step: Callable[[], None],
) -> MeasuredVolumes:
    """Every number of a run of volumes.

    Args:
        run: The run, with conditions or of one stage.
        images: Its volumes.
        encoders: By name, of volumes.
        step: Called after each of five steps.
    """
    scores = volume_scores(images, encoders)
    step()
    metrics = settings_of(run) | _counts(run, images)
    metrics["intervals"] = intervals_of(metrics["subjects"]["held_out"])
    metrics["planes"] = {"volume": scores.numbers}
    step()
    metrics["copies"], closest = memorization_scores(images.whole)
    step()
    metrics["membership"] = membership_scores(images.whole)
    step()
    metrics["assessment"] = assess_volumes(metrics)
    step()
    return MeasuredVolumes(metrics, scores, closest)


def assess_volumes(metrics: dict[str, Any]) -> dict[str, Any]:
    """Assesses the numbers of a run of volumes.

    Args:
        metrics: What `metrics.json` holds.

    Returns:
        As of `assess`.
    """
    planes = metrics["planes"]
    whole = planes["volume"]

    def of_stages(find: Callable[[dict], findings.Finding]) -> findings.Finding:
        return conditional.of_cells(planes, find)

    found = {
        "Copies": findings.copies(metrics["copies"], metrics["membership"])
    }
    if metrics["conditional"]:
        found |= {
            name.capitalize(): conditional.of_planes(
                planes, name, getattr(conditional, name)
            )
            for name in ("stage", "identity", "contrast")
        }
    found |= {
        "Likeness": volume_findings.likeness(whole),
        "Variety": of_stages(volume_findings.variety),
        "Coverage": volume_findings.coverage(whole),
        "Uptake": of_stages(volume_findings.uptake),
        "Slices": of_stages(volume_findings.slices),
        "Texture": of_stages(volume_findings.texture),
    }
    return assessment_of(found, metrics, may_not=_may_not(metrics))


def _may_not(metrics: dict[str, Any]) -> list[str]:
    """What may not be concluded."""
    lines = [] if metrics["space"] != "native" else [_NATIVE]
    if metrics["conditional"]:
        lines = [PROGNOSIS, MIXTURES, *lines]
        if {"age", "sex"} & set(metrics["conditions"]["names"]):
            lines.append(AGES)
    # neither is measured of volumes
    return [*lines, *(each for each in NEVER if "PSNR" not in each)]


def save_volume_figures(
    folder: Path, run: Run, images: VolumeImages, measured: MeasuredVolumes
) -> dict[str, dict[str, str]]:
    """Draws every figure there is anything for.

    Args:
        folder: Where they go.
        run: The run.
        images: Its volumes.
        measured: What was found.

    Returns:
        Title and caption by file name, in the order of the page.
    """
    words = save_volume_sheets(
        folder, images, measured.scores, measured.closest
    )
    words |= save_volume_maps(folder, images, measured.scores)
    if save_training_curves(folder / "training.png", run):
        words["training.png"] = (
            "Training",
            "By epoch; the dotted line is the epoch whose generator was kept.",
        )
    return {
        name: {"title": title, "caption": caption}
        for name, (title, caption) in words.items()
    }


def _counts(run: Run, images: VolumeImages) -> dict[str, Any]:
    """What was evaluated on what, in counts, and what could not be."""
    whole = images.whole
    subjects = {
        "training": len(run.subjects),
        "held_out": whole.test.subject_count,
        "validation": whole.validation.subject_count,
    }
    drawn = len(images.stages) * len(images.synthetic(images.stages[0]))
    lost = [s for s in images.stages if images.slices[s].test is None]
    given = images.conditions
    return {
        "volume": True,
        "conditional": given is not None,
        **({} if given is None else {"conditions": given.to_dict()}),
        "space": run.config.space,
        "seed": images.seed,
        "images": {
            "synthetic": drawn,
            "synthetic_drawn": drawn,
            "held_out": len(whole.test.images),
        },
        "subjects": subjects,
        "training": training_facts(run, slices=len(whole.training.images)),
        "missing": {
            "stages": f"volumes of {', '.join(lost)}, of which none is held out"
            if lost
            else None,
            "maps": missing_maps(),
        },
    }
