"""MNI tissue maps to what a phantom is made of: labels, tissue, distances."""

import functools
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage, sparse

from tfds_adni.phantom import shapes
from tfds_adni.phantom.regions import GREY_TO_WHITE, REGIONS
from tfds_adni.phantom.subjects import published_means

LOW = np.array([-96.0, -126.0, -84.0])  # mm, MNI: the box that holds a head
HIGH = np.array([96.0, 99.0, 105.0])
FWHM = 8.0  # mm, ADNI's uniform resolution
INTRINSIC_FWHM = 3.5  # mm, blur that the MNI maps already carry
_CORRECTIONS = 6
_MOST = 2.0  # largest correction over the median one, either way


@dataclass(frozen=True)
class Anatomy:
    """The template head, held at its brain voxels.

    Args:
        spacing: Size of a voxel in mm.
        shape: Shape of the template box; its first voxel is at `LOW`.
        index: Flat indices of the voxels that hold brain, `[v]`.
        weights: Grey matter of each region and side, sparse `[v, 2 * r]`;
            columns are the regions on the left, then on the right.
        white: White-matter fraction, `[v]`.
        ventricle: Distance to the ventricles in mm, `[v]`.
        sulcus: Distance to the fluid around the brain in mm, `[v]`.
        outside: Uptake of scalp and face as a share of grey matter's,
            float32 volume of `shape`.
        true_uptake: Uptake of each region that is measured as published
            after the blur of a scan, pons-SUVR, `[r]`.
    """

    spacing: float
    shape: tuple[int, ...]
    index: np.ndarray
    weights: sparse.csr_array
    white: np.ndarray
    ventricle: np.ndarray
    sulcus: np.ndarray
    outside: np.ndarray
    true_uptake: np.ndarray

    @property
    def sizes(self) -> np.ndarray:
        """Grey matter of each region, both sides, `[r]`."""
        columns = np.asarray(self.weights.sum(axis=0)).reshape(2, -1)
        return columns.sum(axis=0)

    def fill(self, values: np.ndarray) -> np.ndarray:
        """Float32 volume of `shape` from values at the brain voxels.

        Args:
            values: One for each brain voxel `[n]`.
        """
        volume = np.zeros(int(np.prod(self.shape)), np.float32)
        volume[self.index] = values
        return volume.reshape(self.shape)


def load_maps() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Grey- and white-matter probability maps out of nilearn's wheel.

    Returns:
        Grey and white matter, float32 in [0, 1] at 1 mm, and their affine.

    Raises:
        ImportError: nilearn is not installed.
    """
    try:
        from nilearn import datasets
    except ImportError as error:
        raise ImportError(
            "expected nilearn, which brings the phantom's MNI maps, found "
            'none: run pip install "pet-dcgan[demo]"'
        ) from error
    grey = datasets.load_mni152_gm_template(resolution=1)
    white = datasets.load_mni152_wm_template(resolution=1)
    maps = [np.asarray(m.dataobj, np.float32) for m in (grey, white)]
    return maps[0], maps[1], grey.affine


@functools.lru_cache(maxsize=2)
def build_anatomy(spacing: float = 1.5) -> Anatomy:
    """The template head at a spacing; the same object on later calls.

    Args:
        spacing: Size of a voxel in mm, at least 1.

    Raises:
        ImportError: nilearn is not installed.
    """
    grey, white, affine = load_maps()
    axes = [np.arange(a, b, spacing) for a, b in zip(LOW, HIGH, strict=True)]
    grey = _at_spacing(grey, affine, axes, spacing)
    white = _at_spacing(white, affine, axes, spacing)
    brain = _brain(grey + white, spacing)
    index = np.flatnonzero(brain & (grey + white > 0.02))
    where = np.unravel_index(index, grey.shape)
    points = np.stack([a[w] for a, w in zip(axes, where, strict=True)], axis=1)
    weights, left_white = shapes.label_weights(
        points, grey.ravel()[index], white.ravel()[index]
    )
    ventricle = _ventricle(brain & (grey + white < 0.5), axes)
    fluid = (grey + white < 0.5) & ~ventricle
    anatomy = Anatomy(
        spacing=spacing,
        shape=grey.shape,
        index=index,
        weights=weights,
        white=left_white.astype(np.float32),
        ventricle=_distance(ventricle, spacing).ravel()[index],
        sulcus=_distance(fluid, spacing).ravel()[index],
        outside=_outside(brain, axes, spacing),
        true_uptake=np.ones(len(REGIONS)),
    )
    return replace(anatomy, true_uptake=_true_uptake(anatomy))


def regional_means(weights, blurred: np.ndarray) -> np.ndarray:
    """Mean of each column's region, weighted by its grey matter.

    Args:
        weights: Grey matter of each region, sparse `[v, r]`.
        blurred: Uptake at the same voxels, `[v]`.
    """
    return (weights.T @ blurred) / np.asarray(weights.sum(axis=0)).ravel()


def _true_uptake(anatomy: Anatomy) -> np.ndarray:
    """Uptake of each region that is measured as published after blur, `[r]`.

    Found by repeated correction with the ratio of wanted to measured means,
    region by region (the idea of partial-volume correction by regional
    spill-over; Rousset 1998, J Nucl Med 39:904).
    """
    wanted = published_means()
    count = len(REGIONS)
    weights = anatomy.weights[:, :count] + anatomy.weights[:, count:]
    size = np.asarray(weights.sum(axis=0)).ravel()
    sigma = map_blur(anatomy.spacing)
    true = wanted.copy()
    for _ in range(_CORRECTIONS):
        level = np.average(true, weights=size) / GREY_TO_WHITE
        head = anatomy.fill(weights @ true + level * anatomy.white)
        blurred = ndimage.gaussian_filter(head, sigma, truncate=3)
        measured = regional_means(weights, blurred.ravel()[anatomy.index])
        true *= (wanted / measured) ** 0.8
        ratio = true / wanted
        middle = np.median(ratio)
        true = wanted * np.clip(ratio, middle / _MOST, middle * _MOST)
    return true


def map_blur(spacing: float) -> float:
    """SD in voxels that brings the maps to a scan's resolution."""
    fwhm = np.sqrt(FWHM**2 - INTRINSIC_FWHM**2)
    return float(fwhm / np.sqrt(8 * np.log(2)) / spacing)


def _at_spacing(values, affine, axes, spacing) -> np.ndarray:
    """Values on the template box, smoothed against aliasing."""
    smooth = ndimage.gaussian_filter(values, 0.4 * spacing)
    places = [a - affine[i, 3] for i, a in enumerate(axes)]
    grid = np.meshgrid(*places, indexing="ij")
    return ndimage.map_coordinates(smooth, grid, order=1, output=np.float32)


def _brain(tissue: np.ndarray, spacing: float) -> np.ndarray:
    """Brain with its ventricles and sulci, without holes."""
    steps = max(1, round(6 / spacing))
    padded = np.pad(tissue > 0.5, steps)
    closed = ndimage.binary_closing(padded, iterations=steps)
    inner = (slice(steps, -steps),) * 3
    return ndimage.binary_fill_holes(closed[inner])


def _ventricle(fluid: np.ndarray, axes) -> np.ndarray:
    """Fluid in the middle of the brain: lateral and third ventricles."""
    grid = np.meshgrid(*axes, indexing="ij", sparse=True)
    centre, radii = (0, -12, 14), (36, 48, 24)
    parts = zip(grid, centre, radii, strict=True)
    inside = sum(((g - c) / r) ** 2 for g, c, r in parts) < 1
    cistern = (np.abs(grid[0]) < 12) & (grid[1] < -28)
    return fluid & inside & ~cistern


def _distance(mask: np.ndarray, spacing: float) -> np.ndarray:
    """Distance to the mask's edge in mm, negative inside it."""
    if not mask.any():
        return np.full(mask.shape, 99, np.float32)
    out = ndimage.distance_transform_edt(~mask)
    inside = ndimage.distance_transform_edt(mask)
    return (spacing * (out - inside + 0.5 * (inside > 0) - 0.5)).astype(
        np.float32
    )


def _outside(brain, axes, spacing) -> np.ndarray:
    """Scalp around the head, soft tissue below it; the skull stays dark.

    Without a scalp map this is drawn: a band 9 to 16 mm from the brain, and
    below the temporal poles a filled head of the size it has just above.
    """
    distance = spacing * ndimage.distance_transform_edt(~brain)
    z = axes[2]
    base = int(np.searchsorted(z, -25))
    widest = distance[:, :, base : base + 1]
    below = (z < -25)[None, None, :]
    shrink = 0.25 * np.maximum(-25 - z, 0)[None, None, :]
    head = np.where(below, widest + shrink, distance)
    scalp = np.exp(-0.5 * ((head - 12.5) / 2.2) ** 2) * 0.22
    face = 0.16 * (head < 10) * below * (distance > 3)
    return np.maximum(scalp, face).astype(np.float32)
