"""The sheets of a conditional run: what each shows, and in which words."""

from pathlib import Path

import numpy as np

from pet_dcgan.evaluation.condition_sheets import (
    Panel,
    save_panels,
    stage_steps,
)
from pet_dcgan.evaluation.conditional_images import ConditionalImages
from pet_dcgan.evaluation.conditional_scores import PlaneScores
from pet_dcgan.evaluation.contrast_scores import Contrasts
from pet_dcgan.evaluation.images import evenly_spaced
from pet_dcgan.evaluation.stage_stacks import real_slices, real_stack

# latents as rows, and images of a stage side by side
_LATENTS, _SHOWN = 6, 8
_NO_PERSON = "It is the model's contrast, never what becomes of a person."
Words = dict[str, tuple[str, str]]


def save_condition_sheets(
    folder: Path, images: ConditionalImages, plane: str, found: PlaneScores
) -> Words:
    """Draws every sheet of a plane that there is anything for.

    Args:
        folder: Where they go.
        images: The images.
        plane: One that was trained on.
        found: What was found in it.

    Returns:
        Title and caption by file name.
    """
    words = {}
    if images.positions_mm(plane) is not None:
        words |= _positions(folder, images, plane, found)
    words |= _stages(folder, images, plane)
    words |= _seeds(folder, images, plane, found)
    if found.contrasts is not None:
        words |= _contrast(folder, images, plane, found.contrasts)
    return words


def _positions(
    folder: Path, images: ConditionalImages, plane: str, found: PlaneScores
) -> Words:
    """One latent over positions, several as rows."""
    name, stage = f"{plane}_positions.png", images.conditions.stages[0]
    rows = found.stacks[stage][:_LATENTS]
    save_panels(
        folder / name,
        [Panel(rows, _millimetres(images.positions_mm(plane)))],
        _seeds_of(images, len(rows)),
        words=f"{stage}, one latent over positions",
        config=images.config,
        plane=plane,
    )
    return {
        name: (
            f"One latent over positions, {plane}",
            f"A row is one seed of {stage}, from one end of the band to the "
            "other. It should stay one brain that is cut elsewhere.",
        )
    }


def _stages(folder: Path, images: ConditionalImages, plane: str) -> Words:
    """One latent from the first stage to the last, and the difference."""
    name, steps = f"{plane}_stages.png", stage_steps(images.conditions.stages)
    at = _middle(images, plane)
    drawn = [images.at(plane, w, at, _LATENTS) for _, w in steps]
    rows = np.stack(drawn, axis=1)
    names = [step for step, _ in steps]
    place = "" if at is None else f" at {round(at)} mm"
    save_panels(
        folder / name,
        [
            Panel(rows, names),
            Panel(
                rows[:, -1:] - rows[:, :1],
                [f"{names[-1]} − {names[0]}"],
                signed=True,
            ),
        ],
        _seeds_of(images, _LATENTS),
        words=f"one latent from {names[0]} to {names[-1]}{place}",
        config=images.config,
        plane=plane,
    )
    return {
        name: (
            f"One latent from {names[0]} to {names[-1]}, {plane}",
            f"A row is one seed{place}; between stages, mixtures of both. The "
            "last column is the difference, blue where uptake is lost, on a "
            f"scale of its own. {_NO_PERSON}",
        )
    }


def _seeds(
    folder: Path, images: ConditionalImages, plane: str, found: PlaneScores
) -> Words:
    """One position over seeds, each stage above real held-out slices."""
    name, at = f"{plane}_seeds.png", _middle(images, plane)
    size = images.config.size
    labels, rows = [], []
    for stage in images.conditions.stages:
        stack = found.stacks[stage]
        real = _real_at_middle(images, plane, stage)
        labels += [f"{stage}, synthetic", f"{stage}, real, held out"]
        # a row that is shorter stays white at its end
        row = np.full([2, _SHOWN, size, size], np.nan)
        row[0] = stack[:_SHOWN, stack.shape[1] // 2]
        row[1, : len(real)] = real
        rows.append(row)
    place = "" if at is None else f" at {round(at)} mm"
    save_panels(
        folder / name,
        [Panel(np.concatenate(rows), [""] * _SHOWN)],
        labels,
        words=f"one position over seeds{place}",
        config=images.config,
        plane=plane,
    )
    return {
        name: (
            f"One position over seeds, {plane}",
            f"Synthetic slices of the first seeds{place}, above real ones of "
            "different held-out subjects there; none was chosen by eye.",
        )
    }


def _contrast(
    folder: Path, images: ConditionalImages, plane: str, found: Contrasts
) -> Words:
    """The model's mean difference above that of held-out subjects."""
    name, (first, last) = f"{plane}_contrast.png", found.stages
    save_panels(
        folder / name,
        [
            Panel(
                np.stack([found.found.model, found.found.real]),
                _millimetres(found.positions_mm),
                signed=True,
            )
        ],
        ["the model's", "held-out subjects'"],
        words=f"mean {last} − {first}",
        config=images.config,
        plane=plane,
    )
    return {
        name: (
            f"The model's contrast, {plane}",
            f"{last} less {first} in SUVR: the mean over latents, above the "
            "difference of the means of held-out subjects, which holds chance "
            f"and anatomy as well. Both on one scale. {_NO_PERSON}",
        )
    }


def _middle(images: ConditionalImages, plane: str) -> float | None:
    """The position in the middle of those that are looked at."""
    at = images.positions_mm(plane)
    return None if at is None else float(at[len(at) // 2])


def _real_at_middle(
    images: ConditionalImages, plane: str, stage: str
) -> np.ndarray:
    """A slice of each of some held-out subjects, at the middle position."""
    splits = ("test", "validation")
    at = _middle(images, plane)
    if at is not None:
        slices = real_stack(images, plane, stage, *splits, at_mm=[at])[:, 0]
    else:
        suvr, subjects, _ = real_slices(images, plane, stage, *splits)
        slices = suvr[np.unique(subjects, return_index=True)[1]]
    count = min(_SHOWN, len(slices))
    return slices[evenly_spaced(len(slices), count)] if count else slices


def _millimetres(positions_mm: np.ndarray) -> list[str]:
    """Positions as labels."""
    # of whole numbers, among which there is no -0
    return [f"{round(position)} mm" for position in positions_mm]


def _seeds_of(images: ConditionalImages, count: int) -> list[str]:
    """The seeds as labels."""
    return [f"seed {images.seed + number}" for number in range(count)]
