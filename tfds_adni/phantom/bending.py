"""A head's own shape: the template bent smoothly, and along its surface."""

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from tfds_adni.phantom.fields import smooth_field, turned_through
from tfds_adni.phantom.parameters import PEOPLE

LATTICE_MM = 6.0  # of the displacements
# SD and distance of the knots in mm: of heads as a whole, and along a surface
_SHAPE = PEOPLE["head_bend_sd"], PEOPLE["head_bend_knots"]
_ALONG = PEOPLE["fold_bend_sd"], PEOPLE["fold_bend_knots"]
_SURE = 0.5  # length from which a way to the hull is one


def lattice_axes(axes: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Positions of the displacements in mm; they hold the box.

    Args:
        axes: Positions of the box's voxels along x, y and z, `[n]` each.
    """
    return [
        np.arange(a[0], a[-1] + LATTICE_MM, LATTICE_MM, np.float32)
        for a in axes
    ]


def bend(
    head: np.ndarray,
    axes: Sequence[np.ndarray],
    upright: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Bends a head by cubic B-splines over random control points.

    Free-form deformation (Rueckert 1999, IEEE TMI 18:712) in two parts: a
    wide one, and a narrower one that moves nothing towards the hull, so that
    the surface keeps smooth.

    Args:
        head: Volume on the template box, `(x, y, z)`.
        axes: Positions of its voxels in mm, `[n]` each.
        upright: Unit vectors towards the hull, and the share of the narrow
            part, `[4, *lattice]`.
        rng: Source of the control points.

    Returns:
        The bent head, float32 of the same shape.
    """
    lattice = lattice_axes(axes)
    wide, narrow = (
        np.stack([sd * smooth_field(lattice, rng, knot_mm=k) for _ in "xyz"])
        for sd, k in (_SHAPE, _ALONG)
    )
    way, share = upright[:3], upright[3]
    way = way / np.maximum(np.linalg.norm(way, axis=0), _SURE)
    narrow = share * (narrow - (narrow * way).sum(axis=0) * way)
    spacing = axes[0][1] - axes[0][0]
    places = np.empty((3, *head.shape), np.float32)
    between = [_linear_basis(a, b) for a, b in zip(axes, lattice, strict=True)]
    for axis, moved in enumerate((wide + narrow) / np.float32(spacing)):
        for basis in between:
            moved = turned_through(basis, moved)
        steps = np.arange(head.shape[axis], dtype=np.float32)
        shape = [-1 if n == axis else 1 for n in range(3)]
        np.add(moved, steps.reshape(shape), out=places[axis])
    return ndimage.map_coordinates(
        head,
        places,
        order=1,
        output=np.float32,
        prefilter=False,
        mode="nearest",  # the neck goes on below the box
    )


def _linear_basis(positions: np.ndarray, lattice: np.ndarray) -> np.ndarray:
    """Weights that interpolate between the lattice's values."""
    away = np.abs(positions[:, None] - lattice[None]) / LATTICE_MM
    return np.maximum(1 - away, 0).astype(np.float32)
