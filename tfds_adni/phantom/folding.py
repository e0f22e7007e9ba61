"""Cortical folding that is nobody else's.

The MNI maps say how likely grey matter, white matter and fluid are at a place
when many people are averaged. A smooth random field, read at the point of the
brain's hull above each voxel, says where this person's folds are: its zeros
are the sulci, which therefore stand upright on the hull. Fluid is where the
field's size is below the quantile of the fluid's probability, grey matter
below that of both, white matter where it is larger; so everybody differs, and
the mean over people is what the maps say. How far the folds lie apart, how
thick the cortex is, and how wide and deep each sulcus, differ a little too, by
the numbers of `data/people.csv`.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.special import expit, ndtri

from tfds_adni.phantom.parameters import PEOPLE

_SPACING_MM = PEOPLE["sulcus_spacing"]
_SPACING_SD = PEOPLE["sulcus_spacing_sd"]
_THICKNESS_SD = PEOPLE["cortex_thickness_sd"]
_WIDTH_SD = PEOPLE["sulcus_width_sd"]
_STRETCH_MM = PEOPLE["sulcus_width_stretch"]
_LATTICE_MM = 3.0  # of the random field
_EDGE_MM = 0.6  # softness of a border: part of a voxel
_WIDER = 1.6  # the outer Gaussian of the band-pass over the inner one
_LARGEST = 0.9999  # probability whose quantile is still finite


@dataclass(frozen=True)
class Folds:
    """Where folding may lie, for the `v` voxels of a brain.

    Args:
        columns: Places on the lattice at which the field is read, `[3, v]`.
        lattice: Shape of the lattice.
        fluid: Size of the field below which there is fluid, `[v]`.
        grey: Size of the field below which there is fluid or grey matter.
    """

    columns: np.ndarray
    lattice: tuple[int, ...]
    fluid: np.ndarray
    grey: np.ndarray


def make_folds(
    hull_mm: np.ndarray,
    box_mm: np.ndarray,
    *,
    grey: np.ndarray,
    white: np.ndarray,
) -> Folds:
    """Turns probabilities of tissue into sizes of the field.

    Args:
        hull_mm: Place over each voxel, from the box's corner, `[v, 3]`.
        box_mm: Extents of the box, `[3]`.
        grey: Probability of grey matter, `[v]`.
        white: Probability of white matter, `[v]`.
    """
    fluid = np.clip(1 - grey - white, 0, 1)
    lattice = tuple(np.ceil(np.asarray(box_mm) / _LATTICE_MM).astype(int) + 2)
    return Folds(
        columns=(hull_mm.T / _LATTICE_MM).astype(np.float32),
        lattice=lattice,
        fluid=_size_below(fluid),
        grey=_size_below(fluid + grey),
    )


def fold(
    folds: Folds,
    rng: np.random.Generator,
    *,
    thinning_mm: float | np.ndarray = 0.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Draws the folding of one person.

    Args:
        folds: Where it may lie.
        rng: Source of the field.
        thinning_mm: How far the fluid reaches into the grey matter, one value
            or `[v]`.

    Returns:
        Shares of grey and of white matter, float32 `[v]` each.
    """
    spread = np.array([_SPACING_SD, _THICKNESS_SD])
    spacing, thickness = np.exp(spread * rng.standard_normal(2)).tolist()
    noise = rng.standard_normal((2, *folds.lattice), dtype=np.float32)
    field = _band_pass(noise[0], _SPACING_MM * spacing)
    per_mm = float(np.sqrt(sum(s**2 for s in np.gradient(field))).mean())
    per_mm /= _LATTICE_MM
    size = np.abs(_read(field, folds))
    width = 1 + _WIDTH_SD * _read(_band_pass(noise[1], _STRETCH_MM), folds)
    fluid = folds.fluid * np.maximum(width, 0)
    grey = fluid + thickness * (folds.grey - folds.fluid)
    edge = _EDGE_MM * per_mm
    solid = expit((size - fluid - thinning_mm * per_mm) / edge)
    not_white = expit((grey - size) / edge)
    return solid * not_white, 1 - not_white


def _read(field: np.ndarray, folds: Folds) -> np.ndarray:
    return ndimage.map_coordinates(
        field, folds.columns, order=1, mode="nearest"
    )


def _size_below(probability: np.ndarray) -> np.ndarray:
    """Returns what a normal variable's size is below with a probability."""
    half = np.clip((1 + probability) / 2, 0.5, _LARGEST)
    return ndtri(half).astype(np.float32)


def _band_pass(noise: np.ndarray, spacing_mm: float) -> np.ndarray:
    """Keeps waves of about twice a spacing, with an SD of one where read.

    A value between two points of the lattice is `(1 - f) a + f b`, and its
    mean square over `f` is `(a^2 + b^2 + a b) / 3`, less than `a^2`.
    """
    sigma = 2 * spacing_mm / (2 * np.pi * _LATTICE_MM)
    # wrapped round, so that borders are like the middle
    field = ndimage.gaussian_filter(noise, sigma, mode="wrap")
    field -= ndimage.gaussian_filter(noise, _WIDER * sigma, mode="wrap")
    between, kernel = field, (1 / 6, 2 / 3, 1 / 6)
    for axis in range(3):
        between = ndimage.correlate1d(between, kernel, axis, mode="wrap")
    return field / np.sqrt((field * between).mean())
