"""One subject's visit to one FDG volume, in a head of its own shape."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.special import expit

from tfds_adni.phantom.anatomy import GREY_TO_WHITE, Anatomy, map_blur
from tfds_adni.phantom.bending import bend, smooth_field
from tfds_adni.phantom.maps import LOW, box_axes
from tfds_adni.phantom.regions import published_means
from tfds_adni.phantom.subjects import FOLDS, NOISE, POSE, Subject

_CENTRE = np.array([0.0, -20.0, 7.0])  # mm, MNI, comes to the grid's centre
_EDGE_MM = 0.8  # softness of a moved tissue border
_MOVED_GREY = 0.4  # nuclei by the ventricles are pushed more than lost
_BRAIN_MEAN = 0.55  # of a blurred brain whose true grey matter is 1
_NOISE = (0.015, 0.04)  # range of a scan's noise CV after blur
_UNEVENNESS = 0.015  # SD of the scanner's smooth gain error (Ikari 2016)
_DOSE_SD = 0.25  # of log counts: dose and weight
_TILT = 0.03  # SD in radians of a head on the AC-PC line
_SHIFT_MM = 1.5
_FIELD_KNOTS_MM = 22.0


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
    grid: Grid = ADNI_GRID,
) -> np.ndarray:
    """Renders a visit of a subject.

    Args:
        subject: One of the cohort.
        anatomy: The template head.
        visit: Number of the visit, from 0.
        grid: The scan's grid.

    Returns:
        Float32 volume of `grid.shape` in RAS order, never negative, whose
        mean in the brain is about one times a random dose.
    """
    rng = subject.stream(NOISE, visit)
    head = activity(subject, anatomy, visit=visit)
    sharp = _placed(head, grid, anatomy.spacing, subject, visit)
    counts = _blur(_noisy(sharp, grid, rng), map_blur(grid.spacing))
    axes = [np.arange(n) * grid.spacing for n in grid.shape]
    counts *= 1 + _UNEVENNESS * smooth_field(axes, rng, knot_mm=70)
    dose = np.exp(_DOSE_SD * rng.standard_normal()) / _BRAIN_MEAN
    return np.maximum(counts, 0) * np.float32(dose)


def activity(
    subject: Subject, anatomy: Anatomy, *, visit: int = 0
) -> np.ndarray:
    """Returns the uptake in a subject's head before blur, grey about one.

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
    uptake = subject.uptake(visit) * anatomy.true_uptake / mean
    uptake = uptake.ravel().astype(np.float32)
    level = np.average(anatomy.true_uptake, weights=anatomy.sizes)
    scan = np.average((subject.healthy / mean).mean(0), weights=anatomy.sizes)
    rng = subject.stream(FOLDS)  # folds alike at all visits
    thinning = np.tile(subject.thinning(visit), 2).astype(np.float32)
    moved_mm = subject.ventricle(visit)
    grey, white = anatomy.tissue(rng, thinning_mm=anatomy.cortex @ thinning)
    grey = grey * (anatomy.cortex @ uptake) + anatomy.nuclei @ uptake
    grey *= _kept(anatomy.ventricle, _MOVED_GREY * moved_mm)
    white = np.float32(level * scan / GREY_TO_WHITE) * white
    white *= _kept(anatomy.ventricle, moved_mm)
    head = anatomy.fill(grey + white) / np.float32(level)
    axes = box_axes(anatomy.spacing)
    head += anatomy.around(rng)
    return bend(head, axes, anatomy.upright, rng)


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


def _placed(
    head: np.ndarray, grid: Grid, spacing: float, subject: Subject, visit: int
) -> np.ndarray:
    """Samples a head on a scan's grid, whose centre is at the origin.

    The head is scaled, turned and shifted as the subject says.
    """
    rng = subject.stream(POSE, visit)
    turned = _rotation(_TILT * rng.standard_normal(3))
    shift = _SHIFT_MM * rng.standard_normal(3)
    matrix = np.diag(1 / subject.scale) @ turned
    first = -grid.spacing * (np.array(grid.shape) - 1) / 2
    offset = _CENTRE + shift - LOW + matrix @ first
    return ndimage.affine_transform(
        head,
        matrix * grid.spacing / spacing,
        offset / spacing,
        output_shape=grid.shape,
        output=np.float32,
        order=1,
        prefilter=False,
    )


def _rotation(angles) -> np.ndarray:
    """Returns the rotation about x, then y, then z."""
    (sx, sy, sz), (cx, cy, cz) = np.sin(angles), np.cos(angles)
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return about_z @ about_y @ about_x
