"""Real slices of a stage at the positions that are looked at."""

from collections.abc import Sequence

import numpy as np

from pet_dcgan.data.suvr import suvr_from_png
from pet_dcgan.evaluation.conditional_images import ConditionalImages
from pet_dcgan.evaluation.stage_slices import joined
from pet_dcgan.metrics.obedience import slices_at


def real_slices(
    images: ConditionalImages, plane: str, stage: str, *splits: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The slices of some splits.

    Args:
        images: The images.
        plane: One that was trained on.
        stage: One that was trained on.
        *splits: `"training"`, `"test"`, `"validation"`.

    Returns:
        Slices `[n, size, size]` in SUVR, the subject of each and its position
        in mm; `n` may be 0.
    """
    slices = images.slices[plane, stage]
    parts = [getattr(slices, name) for name in splits]
    parts = [part for part in parts if part is not None]
    if not parts:
        size = images.config.size
        return np.empty([0, size, size]), np.array([], str), np.array([])
    found = joined(parts)
    suvr = suvr_from_png(found.images, images.suvr_max)
    return suvr, found.subjects, found.positions_mm


def real_stack(
    images: ConditionalImages,
    plane: str,
    stage: str,
    *splits: str,
    at_mm: Sequence[float] | None = None,
) -> np.ndarray:
    """The slices of real subjects at the positions that are looked at.

    Args:
        images: The images.
        plane: One that was trained on.
        stage: One that was trained on.
        *splits: `"training"`, `"test"`, `"validation"`.
        at_mm: Other positions than `images.positions_mm`.

    Returns:
        float32 `[s, positions, size, size]` in SUVR of the subjects that have
        a slice within half a gap of each position; `s` may be 0.
    """
    suvr, subjects, positions = real_slices(images, plane, stage, *splits)
    stack, _ = slices_at(
        suvr,
        subjects,
        positions,
        at_mm=images.positions_mm(plane) if at_mm is None else at_mm,
        within_mm=images.gap_mm(plane) / 2,
    )
    return stack
