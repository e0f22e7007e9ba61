"""Sheets and plots of a generator's volumes."""

from pathlib import Path

import numpy as np

from pet_dcgan.config import TrainConfig
from pet_dcgan.evaluation.closest_sheet import save_closest
from pet_dcgan.evaluation.copy_scores import ClosestPairs
from pet_dcgan.evaluation.images import evenly_spaced
from pet_dcgan.evaluation.plots import COLOURS, plots, run_title
from pet_dcgan.evaluation.volume_images import VolumeImages
from pet_dcgan.evaluation.volume_scores import StageData, VolumeScores
from pet_dcgan.metrics.atlas import region_names
from pet_dcgan.plotting import save_sheet
from pet_dcgan.references import SUVR_LABELS

# volumes side by side
_SHOWN = 4
_NAMES = {"real": "held-out real", "synthetic": "synthetic"}
Words = dict[str, tuple[str, str]]


def save_volume_sheets(
    folder: Path,
    images: VolumeImages,
    scores: VolumeScores,
    closest: ClosestPairs | None,
) -> Words:
    """Draws every sheet and plot that there is anything for.

    Args:
        folder: Where they go.
        images: The volumes.
        scores: What was found.
        closest: Volumes most like copies, if they could be searched for.

    Returns:
        Title and caption by file name.
    """
    words = {}
    for stage in images.stages:
        words |= _samples(folder, images, stage)
    if images.conditions is not None:
        words |= _latents(folder, images)
    if closest is not None:
        name = "closest.png"
        words[name] = save_closest(folder / name, closest, images.config)
    if scores.stages:
        words |= _roughness(folder, images.config, scores.stages)
        words |= _regions(folder, images.config, scores.stages)
    return words


def _samples(folder: Path, images: VolumeImages, stage: str) -> Words:
    """Synthetic volumes of a stage below real ones."""
    name, real = f"{stage.lower()}_volumes.png", images.held_out(stage).images
    synthetic = images.synthetic(stage)
    count = min(_SHOWN, len(real))
    rows = [("real, held out", real[evenly_spaced(len(real), count)])]
    rows = rows if count else []
    for start in (0, _SHOWN):
        part = synthetic[start : start + _SHOWN]
        if len(part):
            rows.append(("synthetic", part))
    save_sheet(
        folder / name,
        rows,
        title=run_title(images.config, f"real and synthetic {stage}"),
        suvr_max=images.suvr_max,
        phantom=False,  # the title says it already
        label=SUVR_LABELS[images.config.reference],
    )
    return {
        name: (
            f"Real and synthetic volumes, {stage}",
            "Each volume as an axial, a coronal and a sagittal cut. Held-out "
            "real ones above synthetic ones of the first seeds; none was "
            "chosen by eye.",
        )
    }


def _latents(folder: Path, images: VolumeImages) -> Words:
    """The same latents at every stage."""
    name = "stages.png"
    save_sheet(
        folder / name,
        [(stage, images.synthetic(stage)[:_SHOWN]) for stage in images.stages],
        title=run_title(images.config, "one latent at every stage"),
        suvr_max=images.suvr_max,
        phantom=False,
        label=SUVR_LABELS[images.config.reference],
    )
    return {
        name: (
            "One latent at every stage",
            "A column is one seed. It should stay one brain; what changes is "
            "the model's contrast, never what becomes of a person.",
        )
    }


def _roughness(
    folder: Path, config: TrainConfig, stages: dict[str, StageData]
) -> Words:
    """Roughness along z at each axial slice."""
    name = "slices.png"
    words = "roughness between axial slices"
    with plots(folder / name, config, words, columns=len(stages)) as axes:
        for place, (stage, data) in zip(axes, stages.items(), strict=True):
            for kind, profile in data.roughness.items():
                # of slice 1 on, the first with two neighbours
                at = np.arange(1, len(profile) + 1) - config.size // 2
                place.plot(
                    at * config.spacing_mm,
                    profile,
                    color=COLOURS[kind],
                    label=_NAMES[kind],
                )
            place.set_title(stage)
            place.set_xlabel("mm above the centre")
            place.set_ylim(bottom=0)
        axes[0].set_ylabel("second difference (SUVR)")
        axes[0].legend()
    return {
        name: (
            "Roughness between slices",
            "Mean absolute second difference along z at each axial slice, "
            "where half of the volumes have brain there. Spikes are slices "
            "that do not fit their neighbours; a line below the real one is "
            "blur.",
        )
    }


def _regions(
    folder: Path, config: TrainConfig, stages: dict[str, StageData]
) -> Words:
    """Means and SDs of every region, synthetic beside real."""
    name, regions = "regions.png", region_names()
    with plots(
        folder / name, config, "uptake by region", columns=len(stages)
    ) as axes:
        figure = axes[0].figure
        figure.set_size_inches(3.2 * len(stages) + 1.8, 0.2 * len(regions) + 1)
        at = np.arange(len(regions))
        for place, (stage, data) in zip(axes, stages.items(), strict=True):
            for offset, (kind, values) in zip(
                (-0.15, 0.15), reversed(data.regions.items()), strict=True
            ):
                place.errorbar(
                    values.mean(axis=0),
                    at + offset,
                    xerr=values.std(axis=0, ddof=1),
                    fmt="o",
                    markersize=3,
                    linewidth=1,
                    color=COLOURS[kind],
                    label=_NAMES[kind],
                )
            place.set_title(stage)
            place.set_xlabel(SUVR_LABELS[config.reference])
            place.set_yticks(
                at, regions if place is axes[0] else [""] * len(at)
            )
            place.set_ylim(len(regions) - 0.5, -0.5)
        handles = axes[0].get_legend_handles_labels()
        figure.legend(*handles, loc="outside lower center", ncols=2)
    return {
        name: (
            "Uptake by region",
            "Mean and SD over volumes in spheres at MNI coordinates"
            + (
                ", about each brain's own centre."
                if config.space == "native"
                else f", of volumes in {config.space}."
            ),
        )
    }
