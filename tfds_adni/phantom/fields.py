"""Smooth random fields, and products along the axes of a volume."""

from collections.abc import Sequence

import numpy as np
from scipy import sparse


def smooth_field(
    axes: Sequence[np.ndarray], rng: np.random.Generator, *, knot_mm: float
) -> np.ndarray:
    """Draws a smooth random field with an SD of about one.

    Args:
        axes: Positions along the three axes in mm, `[n]` each.
        rng: Source of the control points.
        knot_mm: Distance of the control points.

    Returns:
        Float32 `(x, y, z)`, one value for each position.
    """
    bases = [_spline_basis(a, knot_mm) for a in axes]
    knots = rng.standard_normal([b.shape[1] for b in bases])
    field = knots.astype(np.float32)
    for basis in bases:
        field = turned_through(basis, field)
    return field


def turned_through(basis: np.ndarray, field: np.ndarray) -> np.ndarray:
    """Applies a basis to the first axis, which becomes the last.

    Sparse, since the sums of a dense product differ between machines with
    different numbers of cores.

    Args:
        basis: Weights, `[m, n]`.
        field: `(n, ...)`.

    Returns:
        `(..., m)`.
    """
    first, *others = field.shape
    found = sparse.csr_array(basis) @ field.reshape(first, -1)
    return np.moveaxis(found.reshape(-1, *others), 0, -1)


def _spline_basis(positions: np.ndarray, knot_mm: float) -> np.ndarray:
    """Samples cubic B-splines, scaled to keep the variance."""
    first = np.floor(positions[0] / knot_mm) - 1
    count = int(np.ceil(positions[-1] / knot_mm) - first) + 2
    away = np.abs(positions[:, None] / knot_mm - (first + np.arange(count)))
    near = 2 / 3 - away**2 + away**3 / 2
    far = np.maximum(2 - away, 0) ** 3 / 6
    basis = np.where(away < 1, near, far)
    basis /= np.sqrt((basis**2).sum(axis=1, keepdims=True))
    return basis.astype(np.float32)
