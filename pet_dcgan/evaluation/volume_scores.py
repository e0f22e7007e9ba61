"""Numbers of a generator's volumes, beside real ones against real ones."""

from typing import Any, NamedTuple

import numpy as np

from pet_dcgan.evaluation.feature_scores import feature_scores
from pet_dcgan.evaluation.images import RealSlices
from pet_dcgan.evaluation.pair_scores import interval_ends, rounded
from pet_dcgan.evaluation.volume_conditions import (
    VolumeContrast,
    contrast_scores,
    identity_scores,
    stage_scores,
)
from pet_dcgan.evaluation.volume_images import VolumeImages
from pet_dcgan.evaluation.volume_region_scores import volume_region_scores
from pet_dcgan.features.encoder import Encoder
from pet_dcgan.metrics.confidence import Interval, mean_interval
from pet_dcgan.metrics.roughness import (
    axis_roughness,
    roughness_ratio,
    slice_roughness,
)
from pet_dcgan.metrics.uptake import wasserstein
from pet_dcgan.metrics.volume_quality import volume_diversity

_PAIRS = 100
_KINDS = ("synthetic", "real")


class StageData(NamedTuple):
    """What is drawn of a stage.

    Args:
        regions: Uptake by region of each volume `[n, r]`, by kind.
        roughness: Mean second difference along z at each axial slice, over
            volumes `[z - 2]`, by kind.
    """

    regions: dict[str, np.ndarray]
    roughness: dict[str, np.ndarray]


class VolumeScores(NamedTuple):
    """What was found.

    Args:
        numbers: `planes.volume` of `metrics.json`.
        stages: What is drawn of each stage that could be measured.
        contrast: What is drawn of the contrast; None where there is none.
    """

    numbers: dict[str, Any]
    stages: dict[str, StageData]
    contrast: VolumeContrast | None


def volume_scores(
    images: VolumeImages, encoders: dict[str, Encoder]
) -> VolumeScores:
    """Every number of a run of volumes but those of copies.

    Args:
        images: The volumes.
        encoders: By name, of volumes.
    """
    found = {stage: _of_stage(images, stage) for stage in images.stages}
    numbers: dict[str, Any] = {
        "atlas": _atlas_words(images),
        "latents": len(images.synthetic(images.stages[0])),
        "stages": {stage: numbers for stage, (numbers, _) in found.items()},
        "features": {
            name: feature_scores(images.compared, encoder)
            for name, encoder in encoders.items()
        },
    }
    contrast = None
    if images.conditions is not None:
        numbers["stage"] = stage_scores(images)
        numbers["identity"] = identity_scores(images)
        numbers["contrast"], contrast = contrast_scores(images)
    drawn = {stage: data for stage, (_, data) in found.items() if data}
    return VolumeScores(numbers, drawn, contrast)


def _atlas_words(images: VolumeImages) -> str:
    """Where the regions lie."""
    space = images.config.space
    if space == "native":
        return (
            "spheres at MNI coordinates, laid about each brain's own centre "
            "(the volumes are in no template's space)"
        )
    return f"spheres at MNI coordinates, of volumes in {space}"


def _of_stage(
    images: VolumeImages, stage: str
) -> tuple[dict[str, Any], StageData | None]:
    """The numbers of a stage, and what is drawn of it."""
    real, synthetic = images.held_out(stage), images.synthetic(stage)
    training = images.slices[stage].training
    numbers: dict[str, Any] = {
        "subjects": {
            "training": len(np.unique(training.subjects)),
            "held_out": real.subject_count,
        },
        "images": len(synthetic),
    }
    if real.subject_count < 2:
        words = f"fewer than two held-out subjects of {stage}"
        return numbers | {"missing": words}, None
    numbers["missing"] = None
    numbers["diversity"] = _diversity(images, real, synthetic)
    numbers["roughness"], profiles = _roughness(images, real, synthetic)
    numbers["regions"], regions = volume_region_scores(images, real, synthetic)
    numbers["intensity"] = _intensity(images, stage, synthetic)
    return numbers, StageData(regions, profiles)


def _diversity(
    images: VolumeImages, real: RealSlices, synthetic: np.ndarray
) -> dict[str, Any]:
    """`1 - MS-SSIM` of pairs, and its ratio to that of real subjects."""
    options = {"dynamic_range": images.suvr_max, "seed": images.seed}
    owners = {"real": real.subjects, "synthetic": np.arange(len(synthetic))}
    of_real = volume_diversity(
        real.images, subjects=real.subjects, pairs=_PAIRS, **options
    )
    found = {
        "real": of_real,
        "synthetic": volume_diversity(synthetic, pairs=_PAIRS, **options),
    }
    numbers, ends = {}, {}
    for kind, each in found.items():
        values, own = 1 - each.values, owners[kind]
        interval = mean_interval(
            values, own[each.first], partners=own[each.second], seed=images.seed
        )
        numbers[kind] = {
            "mean": rounded(values.mean()),
            "n": len(values),
            "interval": interval_ends(interval),
        }
        ends[kind] = interval
    value, known = (numbers[kind]["mean"] for kind in _KINDS)
    return numbers | {
        "ratio": {
            "value": rounded(value / known if known else None),
            "interval": _ratio_ends(*(ends[k] for k in _KINDS)),
        }
    }


def _ratio_ends(one: Interval, other: Interval) -> list[float] | None:
    """Ends of a ratio by those of its parts; wider than they must be."""
    if one.low is None or other.low is None or not other.low > 0:
        return None
    return [rounded(one.low / other.high), rounded(one.high / other.low)]


def _roughness(
    images: VolumeImages, real: RealSlices, synthetic: np.ndarray
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Roughness between slices and along each axis, and its profiles."""
    volumes = {"synthetic": synthetic, "real": real.images}
    axes = {kind: axis_roughness(each) for kind, each in volumes.items()}
    found = roughness_ratio(
        axes["real"],
        axes["synthetic"],
        subjects=real.subjects,
        seed=images.seed,
    )
    names = ("x", "y", "z")
    numbers = {
        "ratio": {
            "value": rounded(found.ratio),
            "interval": interval_ends(found.interval),
        },
        "axes_ratio": {
            name: {"value": rounded(value), "interval": interval_ends(of)}
            for name, value, of in zip(
                names, found.axes, found.axes_intervals, strict=True
            )
        },
        "axes": {
            name: {
                kind: {"value": rounded(each[:, column].mean())}
                for kind, each in axes.items()
            }
            for column, name in enumerate(names)
        },
    }
    profiles = {kind: _profile(each) for kind, each in volumes.items()}
    return numbers, profiles


def _profile(volumes: np.ndarray) -> np.ndarray:
    """Mean roughness along z at each slice, NaN where half have no brain."""
    values = slice_roughness(volumes)
    known = np.isfinite(values)
    sums = np.where(known, values, 0).sum(axis=0)
    counts = known.sum(axis=0)
    found = np.full(values.shape[1], np.nan)
    return np.divide(sums, counts, out=found, where=counts > len(volumes) / 2)


def _intensity(
    images: VolumeImages, stage: str, synthetic: np.ndarray
) -> dict[str, Any]:
    """Distance of the SUVR of one voxel in eight; `real` is of others.

    PET is smooth at this size, and all of them take long to sort.
    """
    volumes = [images.real(stage, n).images for n in ("test", "validation")]
    test, others, drawn = (x[:, ::2, ::2, ::2] for x in (*volumes, synthetic))
    found = {"synthetic": None, "real": None}
    if len(test):
        found["synthetic"] = {"value": rounded(wasserstein(test, drawn))}
    if len(test) and len(others):
        found["real"] = {"value": rounded(wasserstein(test, others))}
    return {"wasserstein": found}
