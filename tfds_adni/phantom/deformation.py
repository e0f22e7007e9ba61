"""Where each voxel of a scan lies in the template head."""

import numpy as np

from tfds_adni.phantom.anatomy import LOW

_CENTRE = np.array([0.0, -20.0, 7.0])  # mm, MNI, comes to the grid's centre
_KNOT_MM = 30.0  # distance of the deformation's control points
_BEND_MM = 2.0  # SD of a control point


def template_places(grid, spacing: float, subject, visit: int, rng):
    """Voxel coordinates in the template box of every voxel of a grid.

    The head is scaled, turned and shifted as planted, and bent by
    cubic B-splines over control points (free-form deformation; Rueckert 1999,
    IEEE TMI 18:712).

    Args:
        grid: Grid of the scan, RAS, its centre at the origin.
        spacing: Size of a template voxel in mm.
        subject: Whose head.
        visit: Number of the visit, from 0.
        rng: Random numbers of the subject's anatomy.

    Returns:
        Float32 array `[3, *grid.shape]`.
    """
    axes = [((np.arange(n) - (n - 1) / 2) * grid.spacing) for n in grid.shape]
    matrix = np.diag(1 / subject.scale) @ _rotation(subject.tilt[visit])
    shift = _CENTRE + subject.shift[visit] - LOW
    places = np.empty((3, *grid.shape), np.float32)
    for axis in range(3):
        linear = np.ix_(*(matrix[axis, i] * a for i, a in enumerate(axes)))
        bend = smooth_field(axes, rng, knot_mm=_KNOT_MM)
        total = sum(linear).astype(np.float32) + _BEND_MM * bend
        places[axis] = (total + np.float32(shift[axis])) / spacing
    return places


def smooth_field(axes, rng, *, knot_mm: float) -> np.ndarray:
    """A smooth random field with an SD of about one.

    Args:
        axes: Positions along the three axes in mm.
        rng: Source of the control points.
        knot_mm: Distance of the control points.

    Returns:
        Float32 `(x, y, z)`, as many values along each axis as it has positions.
    """
    bases = [_spline_basis(a, knot_mm) for a in axes]
    knots = rng.standard_normal([b.shape[1] for b in bases])
    field = knots.astype(np.float32)
    for basis in bases:
        field = np.tensordot(field, basis, axes=(0, 1))
    return field


def _spline_basis(positions, knot_mm) -> np.ndarray:
    """Cubic B-splines at the positions, scaled to keep the variance."""
    first = np.floor(positions[0] / knot_mm) - 1
    count = int(np.ceil(positions[-1] / knot_mm) - first) + 2
    away = np.abs(positions[:, None] / knot_mm - (first + np.arange(count)))
    near = 2 / 3 - away**2 + away**3 / 2
    far = np.maximum(2 - away, 0) ** 3 / 6
    basis = np.where(away < 1, near, far)
    basis /= np.sqrt((basis**2).sum(axis=1, keepdims=True))
    return basis.astype(np.float32)


def _rotation(angles) -> np.ndarray:
    (sx, sy, sz), (cx, cy, cz) = np.sin(angles), np.cos(angles)
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return about_z @ about_y @ about_x
