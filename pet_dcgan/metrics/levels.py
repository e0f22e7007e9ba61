"""Levels: parts of the brain that slices of different subjects share."""

import numpy as np

from pet_dcgan.metrics.arrays import require_finite
from pet_dcgan.metrics.neighbors import nearest_rows

LEVELS = 3


def level_edges(positions_mm: np.ndarray, levels: int = LEVELS) -> np.ndarray:
    """Edges of equally thick levels.

    Args:
        positions_mm: Positions of real slices `[n]` in mm.
        levels: How many.

    Returns:
        float64 `[levels + 1]` in mm, from the lowest position to the highest.

    Raises:
        ValueError: If all positions are one, or one is not finite.
    """
    positions = np.asarray(positions_mm, np.float64)
    require_finite(positions)
    if not positions.size or np.ptp(positions) <= 0:
        raise ValueError(
            "expected slices at different positions, found one position or "
            "none: prepare the set with more slices of a scan"
        )
    return np.linspace(positions.min(), positions.max(), levels + 1)


def level_of(positions_mm: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """The level of each slice, int64 `[n]`; the nearest one beyond the ends.

    Args:
        positions_mm: `[n]` in mm.
        edges: From `level_edges`.
    """
    return np.searchsorted(edges[1:-1], positions_mm, side="right")


def nearest_levels(
    images: np.ndarray, real: np.ndarray, levels: np.ndarray
) -> np.ndarray:
    """The level of the real slice that is nearest to each image.

    A synthetic slice has no position; this is a guess, and
    `benchmarks/regions.py` measures how good a one.

    Args:
        images: Synthetic slices `[n, height, width]`.
        real: Real training slices of their stage `[m, height, width]`.
        levels: The level of each real one `[m]`.

    Returns:
        int64 `[n]`.

    Raises:
        ValueError: As `neighbors.nearest_rows`.
    """
    return np.asarray(levels)[nearest_rows(images, real)[0]]


def subject_means(
    images: np.ndarray,
    subjects: np.ndarray,
    levels: np.ndarray,
    count: int = LEVELS,
) -> np.ndarray:
    """The mean slice of each subject at each level.

    Args:
        images: `[n, height, width]`.
        subjects: Subject of each `[n]`.
        levels: Level of each `[n]`, 0 to `count - 1`.
        count: Number of levels.

    Returns:
        float64 `[s, count, height, width]`, of the subjects that have a slice
        at every level, by name; `s` may be 0.

    Raises:
        ValueError: If the lengths differ or a value is not finite.
    """
    images = np.asarray(images)
    if not len(images) == len(subjects) == len(levels) or images.ndim != 3:
        raise ValueError(
            "expected a subject and a level for each image [n, height, "
            f"width], found {images.shape}, {len(subjects)} and {len(levels)}"
        )
    require_finite(images)
    means = []
    for subject in np.unique(subjects):
        own = subjects == subject
        parts = [images[own & (levels == level)] for level in range(count)]
        if all(len(part) for part in parts):
            means.append([p.mean(axis=0, dtype=np.float64) for p in parts])
    return np.array(means).reshape(-1, count, *images.shape[1:])
