"""One subject's visit to one FDG volume."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.special import expit

from tfds_adni.phantom.anatomy import Anatomy, map_blur
from tfds_adni.phantom.deformation import smooth_field, template_places
from tfds_adni.phantom.published import GREY_TO_WHITE
from tfds_adni.phantom.subjects import Subject, generator, published_means

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
        subject: What was planted.
        anatomy: The template head.
        visit: Number of the visit, from 0.
        seed: Of the whole cohort.
        grid: Where the scan is sampled.

    Returns:
        Float32 volume of `grid.shape` in RAS order, never negative, whose
        mean in the brain is about one times a random dose.
    """
    bend = generator(seed, subject.rid, 1)
    rng = generator(seed, subject.rid, 2 + visit)
    places = template_places(grid, anatomy.spacing, subject, visit, bend)
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
    """Uptake in the template head before blur, grey matter about one.

    Atrophy moves borders: fluid takes what lies within `thinning_mm` of a
    sulcus or `ventricle_mm` of a ventricle.

    Args:
        subject: What was planted.
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
    """Share of tissue left where a border moved in by some millimetres."""
    before = expit((distance + 0.5) / _EDGE_MM)
    after = expit((distance + 0.5 - moved_mm) / _EDGE_MM)
    return np.minimum(after / before, 1.2).astype(np.float32)


def _blur(volume: np.ndarray, sigma: float) -> np.ndarray:
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
