"""One subject's visit to FDG volumes, in a head of its own shape."""

import copy
from collections.abc import Iterator

import numpy as np
from scipy.special import expit

from tfds_adni.phantom.anatomy import GREY_TO_WHITE, Anatomy
from tfds_adni.phantom.bending import bend
from tfds_adni.phantom.fields import smooth_field
from tfds_adni.phantom.imaging import (
    ADNI_GRID,
    Grid,
    add_noise,
    gain,
    scanned,
)
from tfds_adni.phantom.levels import LEVELS, UNIFORM
from tfds_adni.phantom.maps import box_axes
from tfds_adni.phantom.parameters import ACQUISITION, PEOPLE
from tfds_adni.phantom.regions import published_means
from tfds_adni.phantom.scanners import acquire
from tfds_adni.phantom.subjects import FOLDS, NOISE, PERSON, Subject

_EDGE_MM = 0.8  # softness of a moved tissue border
_TISSUE = 0.25  # between scalp and white matter
_WHOLE = 0.98  # share of a voxel's blur that lies in the template's box


def render(
    subject: Subject,
    anatomy: Anatomy,
    *,
    visit: int = 0,
    grid: Grid = ADNI_GRID,
) -> np.ndarray:
    """Renders a visit of a subject at the uniform level.

    Args:
        subject: One of the cohort.
        anatomy: The template head.
        visit: Number of the visit, from 0.
        grid: The scan's grid.

    Returns:
        Float32 volume of `grid.shape` in RAS order, never negative, whose
        mean in the brain is about one.
    """
    return next(frames_of(subject, anatomy, visit=visit, grid=grid))


def frames_of(
    subject: Subject,
    anatomy: Anatomy,
    *,
    level: str = UNIFORM,
    visit: int = 0,
    grid: Grid = ADNI_GRID,
) -> Iterator[np.ndarray]:
    """Renders the frames of a visit at one of ADNI's levels.

    Args:
        subject: One of the cohort.
        anatomy: The template head.
        level: One of `levels.LEVELS`.
        visit: Number of the visit, from 0.
        grid: The grid of the standardised levels. Where it is coarser than
            ADNI's, the scanner's is no finer.

    Yields:
        Float32 volumes `(x, y, z)` in RAS order, never negative: in Bq/ml on
        the scanner's grid, else with a mean of about one in the brain.
    """
    acquisition, which = acquire(subject, visit), LEVELS[level]
    order = list(LEVELS).index(level)
    head = activity(subject, anatomy, visit=visit)
    own = which.grid(acquisition, grid)
    for frame in range(which.frames):
        pose = which.pose(acquisition, frame)
        counts = scanned(
            head,
            anatomy.spacing,
            scale=subject.scale,
            pose=pose,
            fwhm=which.resolution(acquisition),
            grid=own,
        )
        add_noise(
            counts,
            own,
            subject.stream(NOISE, visit, order, frame),
            cv=which.noise_cv(acquisition),
            fwhm=which.colour(acquisition),
        )
        counts *= gain(acquisition.gain, own, pose)
        if which.native:
            factor = ACQUISITION["grey_bq_ml"]
            factor *= acquisition.dose
        else:
            factor = acquisition.scale / counts[counts > _TISSUE].mean()
        yield np.maximum(counts, 0, out=counts) * np.float32(factor)


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
    head, rng = _unbent(subject, anatomy, visit)
    head = bend(head, box_axes(anatomy.spacing), anatomy.upright, rng)
    head[:, [0, -1]] = 0  # a nose that reaches the box ends there
    return head


def coordinates(
    subject: Subject,
    anatomy: Anatomy,
    *,
    visit: int = 0,
    level: str = UNIFORM,
    grid: Grid = ADNI_GRID,
) -> np.ndarray:
    """Returns which place of the template each voxel of a scan shows.

    Args:
        subject: One of the cohort.
        anatomy: The template head.
        visit: Number of the visit, from 0.
        level: One of `levels.LEVELS`; of several frames the first one's.
        grid: As of `frames_of`.

    Returns:
        Float32 `(3, x, y, z)`, MNI mm; NaN outside the template's box.
    """
    acquisition, which = acquire(subject, visit), LEVELS[level]
    axes = box_axes(anatomy.spacing)
    _, rng = _unbent(subject, anatomy, visit)
    placed = {
        "scale": subject.scale,
        "pose": which.pose(acquisition, 0),
        "fwhm": which.resolution(acquisition),
        "grid": which.grid(acquisition, grid),
    }
    inside = scanned(
        np.ones([len(axis) for axis in axes], np.float32),
        anatomy.spacing,
        **placed,
    )
    inside = np.where(inside > _WHOLE, inside, np.nan)
    found = []
    for axis in np.meshgrid(*axes, indexing="ij"):
        bent = bend(
            axis.astype(np.float32), axes, anatomy.upright, copy.deepcopy(rng)
        )
        found.append(scanned(bent, anatomy.spacing, **placed) / inside)
    return np.stack(found)


def _unbent(
    subject: Subject, anatomy: Anatomy, visit: int
) -> tuple[np.ndarray, np.random.Generator]:
    """Returns the head in the template's shape, and what will bend it."""
    mean = published_means()
    uptake = subject.uptake(visit) * anatomy.true_uptake / mean
    uptake = uptake.ravel().astype(np.float32)
    grey_mean = np.average(anatomy.true_uptake, weights=anatomy.sizes)
    factor = np.average((subject.healthy / mean).mean(0), weights=anatomy.sizes)
    rng = subject.stream(FOLDS)  # folds alike at all visits
    thinning = np.tile(subject.thinning(visit), 2).astype(np.float32)
    moved_mm = subject.ventricle(visit)
    grey, white = anatomy.tissue(rng, thinning_mm=anatomy.cortex @ thinning)
    grey = grey * (anatomy.cortex @ uptake) + anatomy.nuclei @ uptake
    pushed = 1 - PEOPLE["nuclei_pushed"]
    grey *= _kept(anatomy.ventricle, pushed * moved_mm)
    white = np.float32(grey_mean * factor / GREY_TO_WHITE) * white
    white *= _kept(anatomy.ventricle, moved_mm)
    brain = (grey + white) / np.float32(grey_mean)
    brain *= 1 + _own_field(subject, anatomy)
    head = anatomy.fill(brain)
    head += anatomy.around(rng)
    return head, rng


def _kept(distance: np.ndarray, moved_mm: float) -> np.ndarray:
    """Returns the share of tissue left where a border moved in."""
    before = expit((distance + 0.5) / _EDGE_MM)
    after = expit((distance + 0.5 - moved_mm) / _EDGE_MM)
    return np.minimum(after / before, 1.2).astype(np.float32)


def _own_field(subject: Subject, anatomy: Anatomy) -> np.ndarray:
    """A person's own smooth change of uptake, at all visits, `[v]`."""
    rng = subject.stream(PERSON, 1)  # 0 drew the subject
    axes = box_axes(anatomy.spacing)
    knots = PEOPLE["uptake_field_knots"]
    field = smooth_field(axes, rng, knot_mm=knots)
    sd = np.float32(subject.difficulty.field_sd)
    return sd * field.ravel()[anatomy.index]
