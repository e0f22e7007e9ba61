"""Numbers of a conditional run in one plane, beside real against real."""

from typing import Any, NamedTuple

import numpy as np

from pet_dcgan.data.suvr import png_from_suvr
from pet_dcgan.evaluation.conditional_images import ConditionalImages
from pet_dcgan.evaluation.contrast_scores import Contrasts, contrast_scores
from pet_dcgan.evaluation.feature_scores import feature_scores
from pet_dcgan.evaluation.pair_scores import (
    Number,
    interval_ends,
    real_pairs,
    rounded,
)
from pet_dcgan.evaluation.region_scores import region_scores
from pet_dcgan.evaluation.set_scores import intensity_scores, texture_scores
from pet_dcgan.evaluation.stage_slices import joined
from pet_dcgan.evaluation.stage_stacks import real_slices, real_stack
from pet_dcgan.features.encoder import Encoder
from pet_dcgan.metrics.confidence import Interval
from pet_dcgan.metrics.obedience import (
    identity_kept,
    stage_accuracy,
    variety,
)
from pet_dcgan.metrics.position import fit_position_reader, position_error
from pet_dcgan.models.classifier import (
    Labelled,
    slice_probabilities,
    train_classifier,
)

# a plane's images of the same latents, by stage
Stacks = dict[str, np.ndarray]


class PlaneScores(NamedTuple):
    """What was found in one plane.

    Args:
        numbers: `planes.<plane>` of `metrics.json`.
        stacks: Images of the same latents by stage
            `[n, positions, size, size]` in SUVR.
        contrasts: What is drawn of the contrast; None where there is none.
    """

    numbers: dict[str, Any]
    stacks: Stacks
    contrasts: Contrasts | None


def plane_scores(
    images: ConditionalImages, plane: str, encoders: dict[str, Encoder]
) -> PlaneScores:
    """Every number of one plane.

    Args:
        images: The images.
        plane: One that the run was trained on.
        encoders: By name.
    """
    stages = images.conditions.stages
    stacks = {stage: images.stack(plane, stage) for stage in stages}
    at = images.positions_mm(plane)
    contrast, contrasts = contrast_scores(images, plane, stacks)
    numbers = {
        "positions_mm": None if at is None else [rounded(x) for x in at],
        "latents": len(stacks[stages[0]]),
        "stages": {s: _of_stage(images, plane, s, encoders) for s in stages},
        "position": _position(images, plane, stacks),
        "stage": _stage(images, plane, stacks),
        "identity": _identity(images, stacks),
        "contrast": contrast,
    }
    for stage, found in numbers["stages"].items():
        found["variety"] = _variety(images, plane, stage, stacks[stage])
    return PlaneScores(numbers, stacks, contrasts)


def number(value: float, interval: Interval) -> Number:
    """A number of `metrics.json` with its interval.

    Args:
        value: The number.
        interval: Of it, with or without ends.
    """
    return {"value": rounded(value), "interval": interval_ends(interval)}


def _of_stage(
    images: ConditionalImages,
    plane: str,
    stage: str,
    encoders: dict[str, Encoder],
) -> dict[str, Any]:
    """What an evaluation of one stage's generator would find first."""
    slices = images.slices[plane, stage]
    cell = images.of_cell(plane, stage)
    subjects = {
        "training": len(np.unique(slices.training.subjects)),
        "held_out": cell.test.subject_count if cell else 0,
    }
    if cell is None:
        words = f"fewer than two held-out {plane} slices of {stage}"
        return {"subjects": subjects, "images": 0, "missing": words}
    uptake = region_scores(cell, real_pairs(cell))[0]
    return {
        "subjects": subjects,
        "images": len(cell.real.images),
        "missing": None,
        "features": {n: feature_scores(cell, e) for n, e in encoders.items()},
        "finest_detail": texture_scores(cell)[0]["finest_detail"],
        "intensity": intensity_scores(cell)[0],
        "uptake": uptake["difference"],
    }


def _variety(
    images: ConditionalImages, plane: str, stage: str, stack: np.ndarray
) -> dict[str, Any]:
    """Distances between latents and between subjects, at one position."""
    if images.positions_mm(plane) is None:
        return {"missing": "position is no condition of this run"}
    real = real_stack(images, plane, stage, "test", "validation")
    if len(real) < 2:
        words = f"fewer than two held-out subjects of {stage} at each position"
        return {"missing": words}
    found = variety(stack, real, seed=images.seed)
    if not np.isfinite(found.ratio):
        return {"missing": f"held-out subjects of {stage} do not differ"}
    return {
        "missing": None,
        "subjects": len(real),
        "ratio": number(found.ratio, found.interval),
        "distance": {
            "synthetic": {"value": rounded(found.synthetic)},
            "real": {"value": rounded(found.real)},
        },
    }


def _position(
    images: ConditionalImages, plane: str, stacks: Stacks
) -> dict[str, Any]:
    """Positions that a reader, trained on real slices, finds."""
    at = images.positions_mm(plane)
    if at is None:
        return {"missing": "position is no condition of this run"}
    stages = images.conditions.stages
    parts = [real_slices(images, plane, s, "training") for s in stages]
    suvr, subjects, positions = map(np.concatenate, zip(*parts, strict=True))
    try:
        reader = fit_position_reader(
            suvr, positions, subjects, seed=images.seed
        )
    except ValueError as error:
        return {"missing": str(error)}
    held_out = "test", "validation"
    parts = [real_slices(images, plane, s, *held_out) for s in stages]
    suvr, subjects, positions = map(np.concatenate, zip(*parts, strict=True))
    found = {"real": None}
    if len(suvr):
        read = reader.read(suvr)
        found["real"] = position_error(
            read, positions, subjects, seed=images.seed
        )
    drawn = np.concatenate(list(stacks.values()))
    latents = np.tile(np.arange(len(drawn) // len(stages)), len(stages))
    found["synthetic"] = position_error(
        reader.read(drawn.reshape(-1, *drawn.shape[2:])),
        np.tile(at, len(drawn)),
        np.repeat(latents, len(at)),
        seed=images.seed,
    )
    return {
        "missing": None,
        "error_mm": {
            kind: each and number(each.error, each.interval)
            for kind, each in found.items()
        },
        "slope": {
            kind: each and {"value": rounded(each.slope)}
            for kind, each in found.items()
        },
        "unrelated_mm": rounded(found["synthetic"].unrelated),
    }


def _stage(
    images: ConditionalImages, plane: str, stacks: Stacks
) -> dict[str, Any]:
    """What a classifier answers that was trained on real training slices.

    It is that of `study`; synthetic images are rounded as stored ones are.
    """
    stages = images.conditions.stages
    training = [images.slices[plane, s].training for s in stages]
    # neither reader nor classifier has seen those of validation
    tested = [images.slices[plane, s].held_out for s in stages]
    labels = [np.full(len(x.images), i) for i, x in enumerate(training)]
    model = train_classifier(
        Labelled(joined(training).images, np.concatenate(labels)),
        classes=len(stages),
        seed=images.config.seed,
    )

    def compared(stored, asked, owners) -> dict[str, Any]:
        answers = slice_probabilities(model, stored).argmax(axis=1)
        found = stage_accuracy(
            answers, asked, owners, classes=len(stages), seed=images.seed
        )
        confusion = {
            asked: dict(zip(stages, map(rounded, row), strict=True))
            for asked, row in zip(stages, found.confusion, strict=True)
        }
        accuracy = number(found.accuracy, found.interval)
        return {"accuracy": accuracy, "confusion": confusion}

    drawn = np.concatenate(list(stacks.values()))
    count, places = len(drawn) // len(stages), drawn.shape[1]
    kinds = {
        "synthetic": compared(
            png_from_suvr(drawn.reshape(-1, *drawn.shape[2:]), images.suvr_max),
            np.repeat(np.arange(len(stages)), count * places),
            np.repeat(np.tile(np.arange(count), len(stages)), places),
        ),
        "real": None,
    }
    if all(tested):
        parts = [joined(each) for each in tested]
        real = joined(parts)
        asked = [np.full(len(x.images), i) for i, x in enumerate(parts)]
        kinds["real"] = compared(
            real.images, np.concatenate(asked), real.subjects
        )
    return {
        "chance": rounded(1 / len(stages)),
        "missing": None
        if kinds["real"]
        else "accuracy on real images: a stage has no held-out subjects",
        **{
            name: {kind: each and each[name] for kind, each in kinds.items()}
            for name in ("accuracy", "confusion")
        },
    }


def _identity(images: ConditionalImages, stacks: Stacks) -> dict[str, Any]:
    """Whether a latent stays one brain from the first stage to the last."""
    first, last = (images.conditions.stages[i] for i in (0, -1))
    found = identity_kept(stacks[first], stacks[last], seed=images.seed)
    return {
        "stages": [first, last],
        "share": number(found.share, found.interval),
        "chance": rounded(found.chance),
        "own": {"value": rounded(found.own)},
        "other": {"value": rounded(found.other)},
    }
