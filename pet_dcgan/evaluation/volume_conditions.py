"""Whether a generator of volumes obeys its stage, and what it makes of it."""

from typing import Any, NamedTuple

import numpy as np

from pet_dcgan.data.slices import Slices
from pet_dcgan.data.suvr import png_from_suvr
from pet_dcgan.evaluation.contrast_scores import agreement_numbers
from pet_dcgan.evaluation.pair_scores import interval_ends, rounded
from pet_dcgan.evaluation.stage_slices import joined
from pet_dcgan.evaluation.volume_images import VolumeImages
from pet_dcgan.evaluation.volume_region_scores import regional_uptake
from pet_dcgan.metrics.atlas import region_names
from pet_dcgan.metrics.ceiling import correlation, slope
from pet_dcgan.metrics.confidence import student_interval
from pet_dcgan.metrics.cuts import orthogonal_cuts
from pet_dcgan.metrics.model_contrast import ModelContrast, model_contrast
from pet_dcgan.metrics.obedience import identity_kept, stage_accuracy
from pet_dcgan.models.classifier import (
    Labelled,
    slice_probabilities,
    train_classifier,
)


class VolumeContrast(NamedTuple):
    """What is drawn of the contrast of two stages.

    Args:
        stages: The two stages, the second minus the first.
        model: The model's difference `[size, size, size]` in SUVR, NaN
            outside of the brain.
        real: That of held-out subjects.
    """

    stages: tuple[str, str]
    model: np.ndarray
    real: np.ndarray


def contrast_scores(
    images: VolumeImages,
) -> tuple[dict[str, Any], VolumeContrast | None]:
    """The model's contrast of the first and the last stage.

    Held-out subjects are those of test and validation; the ceilings are from
    all subjects, trained on or not.

    Args:
        images: Of a run with conditions.

    Returns:
        `contrast` of `metrics.json`, and what is drawn; None where `missing`
        says why there is nothing.
    """
    stages = tuple(images.stages[i] for i in (0, -1))
    nothing = {"stages": list(stages)}
    real = [images.held_out(stage).images for stage in stages]
    if min(map(len, real)) < 2:
        words = (
            f"fewer than two held-out subjects of {stages[0]} or {stages[1]}"
        )
        return nothing | {"missing": words}, None
    model = [images.synthetic(stage) for stage in stages]
    others = [images.real(stage, "training").images for stage in stages]
    found = model_contrast(
        *([_as_stack(x) for x in each] for each in (real, model)),
        others=[_as_stack(x) for x in others],
        seed=images.seed,
    )
    if not np.isfinite(found.correlation):
        words = "the model's contrast, or the real one, does not vary"
        return nothing | {"missing": words}, None
    numbers = {
        "missing": None,
        "subjects": dict(zip(stages, map(len, real), strict=True)),
        "share": rounded(found.share),
        "halves": rounded(found.halves),
    }
    numbers |= agreement_numbers(found)
    numbers |= _regions(images, real, model)
    return nothing | numbers, _drawn(stages, found, images.config.size)


def _as_stack(volumes: np.ndarray) -> np.ndarray:
    """Volumes as stacks of one position, `[n, 1, x * y, z]`."""
    count, *_, depth = volumes.shape
    return volumes.reshape(count, 1, -1, depth)


def _drawn(
    stages: tuple[str, str], found: ModelContrast, size: int
) -> VolumeContrast:
    """Both maps as volumes again."""
    maps = (x.reshape([size] * 3) for x in (found.model, found.real))
    return VolumeContrast(stages, *maps)


def _regions(
    images: VolumeImages, real: list[np.ndarray], model: list[np.ndarray]
) -> dict[str, Any]:
    """The difference of each region of the atlas, in SUVR."""
    uptake = [
        [regional_uptake(images, x) for x in each] for each in (real, model)
    ]
    of_real, of_model = (b.mean(axis=0) - a.mean(axis=0) for a, b in uptake)
    squared = sum(x.var(axis=0, ddof=1) / len(x) for x in uptake[0])
    count = min(map(len, real))
    rows = zip(region_names(), of_model, of_real, np.sqrt(squared), strict=True)
    return {
        "regions": {
            name: {
                "synthetic": {"value": rounded(synthetic)},
                "real": {
                    "value": rounded(value),
                    "interval": interval_ends(
                        student_interval(value, error, count)
                    ),
                },
            }
            for name, synthetic, value, error in rows
        },
        "region_slope": {"value": rounded(slope(of_real, of_model))},
        "region_correlation": {
            "value": rounded(correlation(of_real, of_model))
        },
    }


def identity_scores(images: VolumeImages) -> dict[str, Any]:
    """Whether a latent stays one brain from the first stage to the last.

    Args:
        images: Of a run with conditions.
    """
    stages = [images.stages[i] for i in (0, -1)]
    found = identity_kept(
        *(_as_stack(images.synthetic(stage)) for stage in stages),
        seed=images.seed,
    )
    return {
        "stages": stages,
        "share": {
            "value": rounded(found.share),
            "interval": interval_ends(found.interval),
        },
        "chance": rounded(found.chance),
        "own": {"value": rounded(found.own)},
        "other": {"value": rounded(found.other)},
    }


def stage_scores(images: VolumeImages) -> dict[str, Any]:
    """What a classifier answers that was trained on real training volumes.

    It is that of `study`, on an axial, a coronal and a sagittal cut of each
    volume; a volume's answer is that of the mean of their logarithms.
    Synthetic volumes are rounded as stored ones are.

    Args:
        images: Of a run with conditions.
    """
    stages = images.stages
    training = [images.slices[s].training for s in stages]
    tested = [images.slices[s].held_out for s in stages]
    cuts = _cuts(joined(training).images)
    labels = [np.full(len(x.images), i) for i, x in enumerate(training)]
    model = train_classifier(
        Labelled(cuts, np.repeat(np.concatenate(labels), 3)),
        classes=len(stages),
        seed=images.config.seed,
    )

    def compared(
        stored: list[np.ndarray], owners: np.ndarray
    ) -> dict[str, Any]:
        """Accuracy and confusion, of volumes of each stage."""
        answers = [_answers(model, each) for each in stored]
        asked = np.repeat(np.arange(len(stages)), [len(x) for x in stored])
        found = stage_accuracy(
            np.concatenate(answers),
            asked,
            owners,
            classes=len(stages),
            seed=images.seed,
        )
        return {
            "accuracy": {
                "value": rounded(found.accuracy),
                "interval": interval_ends(found.interval),
            },
            "confusion": {
                asked: dict(zip(stages, map(rounded, row), strict=True))
                for asked, row in zip(stages, found.confusion, strict=True)
            },
        }

    drawn = [
        png_from_suvr(images.synthetic(s), images.suvr_max) for s in stages
    ]
    kinds = {
        "synthetic": compared(
            drawn, np.tile(np.arange(len(drawn[0])), len(stages))
        ),
        "real": None,
    }
    if all(tested):
        real = [joined(each) for each in tested]
        kinds["real"] = compared([x.images for x in real], _subjects(real))
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


def _subjects(parts: list[Slices]) -> np.ndarray:
    """The subject of every volume."""
    return np.concatenate([each.subjects for each in parts])


def _cuts(stored: np.ndarray) -> np.ndarray:
    """Three cuts of each stored volume, one after the other, uint16."""
    cuts = orthogonal_cuts(stored).astype(np.uint16)
    return cuts.reshape(-1, *cuts.shape[2:])


def _answers(model: Any, stored: np.ndarray) -> np.ndarray:
    """The class that each stored volume is taken for."""
    found = slice_probabilities(model, _cuts(stored))
    logarithms = np.log(np.maximum(found, np.finfo(float).tiny))
    means = logarithms.reshape(len(stored), 3, -1).mean(axis=1)
    return means.argmax(axis=1)
