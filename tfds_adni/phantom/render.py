"""One subject's visit to one FDG volume, in a head of its own shape."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.special import expit

from tfds_adni.phantom.anatomy import LOW, Anatomy, map_blur
from tfds_adni.phantom.regions import GREY_TO_WHITE, published_means
from tfds_adni.phantom.subjects import Subject, random_stream

_CENTRE = np.array([0.0, -20.0, 7.0])  # mm, MNI, comes to the grid's centre
_KNOT_MM = 30.0  # distance of the deformation's control points
_BEND_MM = 2.0  # SD of a control point
_EDGE_MM = 0.8  # softness of a moved tissue border
_MOVED_GREY = 0.4  # nuclei by the ventricles are pushed more than lost
_BRAIN_MEAN = 0.55  # of a blurred brain whose true grey matter is 1
_NOISE = (0.015, 0.04)  # range of a scan's noise CV after blur
_UNEVENNESS = 0.015  # SD of the scanner's smooth gain error (Ikari 2016)
_DOSE_SD = 0.25  # of log counts: dose and weight


@dataclass(frozen=True)
class Grid:
    """The grid a scan is stored on.

    Args:
        shape: Voxels to the right, to the front and to the top.
        spacing: Size of a voxel in mm.
    """

    shape: tuple[int, int, int] = (160, 160, 96)
    spacing: float = 1.5


ADNI_GRID = Grid()


def render(
    subject: Subject,
    anatomy: Anatomy,
    *,
    visit: int = 0,
    seed: int = 0,
    grid: Grid = ADNI_GRID,
) -> np.ndarray:
    """Renders a visit of a subject.

    Args:
        subject: One of the cohort.
        anatomy: The template head.
        visit: Number of the visit, from 0.
        seed: Of the whole cohort.
        grid: The scan's grid.

    Returns:
        Float32 volume of `grid.shape` in RAS order, never negative, whose
        mean in the brain is about one times a random dose.
    """
    bend = random_stream(seed, subject.rid, 1)
    rng = random_stream(seed, subject.rid, 2 + visit)
    places = _template_places(grid, anatomy.spacing, subject, visit, bend)
    head = activity(subject, anatomy, visit=visit)
    sharp = ndimage.map_coordinates(
        head, places, order=1, output=np.float32, prefilter=False
    )
    counts = _blur(_noisy(sharp, grid, rng), map_blur(grid.spacing))
    axes = [np.arange(n) * grid.spacing for n in grid.shape]
    counts *= 1 + _UNEVENNESS * smooth_field(axes, rng, knot_mm=70)
    dose = np.exp(_DOSE_SD * rng.standard_normal()) / _BRAIN_MEAN
    return np.maximum(counts, 0) * np.float32(dose)


def activity(
    subject: Subject, anatomy: Anatomy, *, visit: int = 0
) -> np.ndarray:
    """Returns the uptake in the template head before blur, grey about one.

    Atrophy moves borders: fluid takes what lies within `thinning_mm` of a
    sulcus or `ventricle_mm` of a ventricle.

    Args:
        subject: One of the cohort.
        anatomy: The template head.
        visit: Number of the visit, from 0.

    Returns:
        Float32 `(x, y, z)` on the template's grid.
    """
    mean = published_means()
    grown = subject.progress[visit]
    uptake = subject.uptake(visit) * anatomy.true_uptake / mean
    level = np.average(anatomy.true_uptake, weights=anatomy.sizes)
    scan = np.average((subject.healthy / mean).mean(0), weights=anatomy.sizes)
    grey = anatomy.weights @ uptake.ravel().astype(np.float32)
    grey *= _kept(anatomy.sulcus, subject.thinning_mm * grown)
    grey *= _kept(anatomy.ventricle, _MOVED_GREY * subject.ventricle_mm * grown)
    white = np.float32(level * scan / GREY_TO_WHITE) * anatomy.white
    white *= _kept(anatomy.ventricle, subject.ventricle_mm * grown)
    head = anatomy.fill(grey + white) / np.float32(level)
    return head + anatomy.outside


def _kept(distance: np.ndarray, moved_mm: float) -> np.ndarray:
    """Returns the share of tissue left where a border moved in."""
    before = expit((distance + 0.5) / _EDGE_MM)
    after = expit((distance + 0.5 - moved_mm) / _EDGE_MM)
    return np.minimum(after / before, 1.2).astype(np.float32)


def _blur(volume: np.ndarray, sigma: float) -> np.ndarray:
    """Blurs with a Gaussian that is cut off at three SD."""
    return ndimage.gaussian_filter(volume, sigma, truncate=3)


def _noisy(volume, grid, rng) -> np.ndarray:
    """Adds noise that has the wanted CV in grey matter after the blur.

    Its variance grows with the counts, as that of a Poisson process does.
    """
    sigma = map_blur(grid.spacing)
    kernel = ndimage.gaussian_filter1d(np.eye(1, 101, 50)[0], sigma)
    left = (kernel**2).sum() ** 1.5  # share of white noise that blur leaves
    deviation = np.float32(rng.uniform(*_NOISE) / left)
    noise = rng.standard_normal(volume.shape, dtype=np.float32)
    noise *= deviation
    noise *= np.sqrt(_blur(volume, sigma) + np.float32(0.02))
    return volume + noise


def _template_places(
    grid: Grid, spacing: float, subject: Subject, visit: int, rng
) -> np.ndarray:
    """Maps a scan's voxels to the template box, `[3, *grid.shape]`.

    The head is scaled, turned and shifted as the subject says, and bent by
    cubic B-splines over control points (free-form deformation; Rueckert 1999,
    IEEE TMI 18:712). The grid's centre is at the origin.
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


def smooth_field(
    axes: Sequence[np.ndarray], rng: np.random.Generator, *, knot_mm: float
) -> np.ndarray:
    """Draws a smooth random field with an SD of about one.

    Args:
        axes: Positions along the three axes in mm.
        rng: Source of the control points.
        knot_mm: Distance of the control points.

    Returns:
        Float32 `(x, y, z)`, one value for each position.
    """
    bases = [_spline_basis(a, knot_mm) for a in axes]
    knots = rng.standard_normal([b.shape[1] for b in bases])
    field = knots.astype(np.float32)
    for basis in bases:
        field = np.tensordot(field, basis, axes=(0, 1))
    return field


def _spline_basis(positions, knot_mm) -> np.ndarray:
    """Samples cubic B-splines, scaled to keep the variance."""
    first = np.floor(positions[0] / knot_mm) - 1
    count = int(np.ceil(positions[-1] / knot_mm) - first) + 2
    away = np.abs(positions[:, None] / knot_mm - (first + np.arange(count)))
    near = 2 / 3 - away**2 + away**3 / 2
    far = np.maximum(2 - away, 0) ** 3 / 6
    basis = np.where(away < 1, near, far)
    basis /= np.sqrt((basis**2).sum(axis=1, keepdims=True))
    return basis.astype(np.float32)


def _rotation(angles) -> np.ndarray:
    """Returns the rotation about x, then y, then z."""
    (sx, sy, sz), (cx, cy, cz) = np.sin(angles), np.cos(angles)
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return about_z @ about_y @ about_x
