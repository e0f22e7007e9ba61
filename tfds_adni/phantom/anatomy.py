"""MNI tissue maps to what a phantom is made of: labels, tissue, distances.

nilearn's maps give grey and white matter; the shapes of `regions` share the
grey matter out among the regions.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage, sparse
from scipy.special import expit

from tfds_adni.phantom.regions import GREY_TO_WHITE, REGIONS, published_means

LOW = np.array([-96.0, -126.0, -84.0])  # mm, MNI: the box that holds a head
HIGH = np.array([96.0, 99.0, 105.0])
FWHM = 8.0  # mm, ADNI's uniform resolution
INTRINSIC_FWHM = 3.5  # mm, blur that the MNI maps already carry
_CORRECTIONS = 6
_MOST = 2.0  # largest correction over the median one, either way
_SIDE_MM = 1.5  # how sharply left and right part at the midline
_EDGE = 6.0  # steepness of a deep nucleus's edge in units of its radius
_CORE = (  # white matter and deep nuclei, no cortex: between the insulae
    ((0, -6, 5), (31, 30, 19)),
    ((0, -24, -14), (18, 16, 14)),
    ((0, -30, -38), (18, 13, 26)),
)
_CHUNK = 50_000  # voxels at a time, to save memory
_SMALLEST = 0.02  # weights below this are dropped


@dataclass(frozen=True)
class Anatomy:
    """The template head: volumes, and values at its `v` brain voxels.

    Args:
        spacing: Size of a voxel in mm.
        shape: Shape of the template box; its first voxel is at `LOW`.
        index: Flat indices of the brain voxels, `[v]`.
        weights: Grey matter by region, left then right, sparse `[v, 2 * r]`.
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
        """Puts values into a float32 volume of `shape`.

        Args:
            values: One for each brain voxel, `[v]`.
        """
        volume = np.zeros(int(np.prod(self.shape)), np.float32)
        volume[self.index] = values
        return volume.reshape(self.shape)


@functools.lru_cache(maxsize=2)
def build_anatomy(spacing: float = 1.5) -> Anatomy:
    """Builds the template head; later calls return the same object.

    Args:
        spacing: Size of a voxel in mm, at least 1.

    Raises:
        ImportError: If nilearn is not installed.
    """
    grey, white, affine = load_maps()
    axes = [np.arange(a, b, spacing) for a, b in zip(LOW, HIGH, strict=True)]
    grey = _at_spacing(grey, affine, axes, spacing)
    white = _at_spacing(white, affine, axes, spacing)
    brain = _brain(grey + white, spacing)
    index = np.flatnonzero(brain & (grey + white > 0.02))
    where = np.unravel_index(index, grey.shape)
    points = np.stack([a[w] for a, w in zip(axes, where, strict=True)], axis=1)
    tissue = (points, grey.ravel()[index], white.ravel()[index])
    parts = [
        _share_out(*(array[first : first + _CHUNK] for array in tissue))
        for first in range(0, len(index), _CHUNK)
    ]
    weights = sparse.csr_array(sparse.vstack([part[0] for part in parts]))
    left_white = np.concatenate([part[1] for part in parts])
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


def map_blur(spacing: float) -> float:
    """Returns the SD that brings the maps to a scan's resolution, in voxels.

    Args:
        spacing: Size of a voxel in mm.
    """
    fwhm = np.sqrt(FWHM**2 - INTRINSIC_FWHM**2)
    return float(fwhm / np.sqrt(8 * np.log(2)) / spacing)


def load_maps() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Loads the MNI maps of nilearn's wheel.

    Returns:
        Grey and white matter, float32 in [0, 1] at 1 mm, and the affine.

    Raises:
        ImportError: If nilearn is not installed.
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


def _at_spacing(values, affine, axes, spacing) -> np.ndarray:
    """Samples a map on the template box, smoothed against aliasing."""
    smooth = ndimage.gaussian_filter(values, 0.4 * spacing)
    places = [a - affine[i, 3] for i, a in enumerate(axes)]
    grid = np.meshgrid(*places, indexing="ij")
    return ndimage.map_coordinates(smooth, grid, order=1, output=np.float32)


def _share_out(
    points: np.ndarray, grey: np.ndarray, white: np.ndarray
) -> tuple[sparse.csr_array, np.ndarray]:
    """Shares the grey matter of some voxels out among the regions.

    Deep regions take their shape first; the rest of the grey matter goes to
    the cortical regions by a soft nearest-ellipsoid rule. Returns the weights
    `[v, 2 * r]` (left columns first) and the white matter that is left, `[v]`.
    """
    folded = np.abs(points[:, 0]), points[:, 1], points[:, 2]
    # The maps' grey matter among the deep nuclei is the doubt between tissues,
    # not cortex: it becomes white matter, and the shapes bring the nuclei.
    cortex = grey * (1 - _inside(_CORE, folded))
    solids = {
        region.name: _inside(region.blobs, folded).astype(np.float32)
        for region in REGIONS
        if region.tissue != "cortex"
    }
    total = np.maximum(sum(solids.values()), 1.0)
    claimed = sum(solids.values()) / total
    shares = _cortex_shares(folded)
    columns = []
    for region in REGIONS:
        if region.tissue == "cortex":
            column = shares[region.name] * cortex * (1 - claimed)
        elif region.tissue == "grey":
            column = solids[region.name] / total * grey
        else:
            column = solids[region.name] / total * (grey + white)
        columns.append(column)
    left = np.maximum(grey + white - sum(columns), 0)
    return _two_sides(columns, points[:, 0]), left


def _inside(blobs: Sequence, folded: Sequence[np.ndarray]) -> np.ndarray:
    """Returns the soft membership of a union of ellipsoids, in [0, 1]."""
    radius = np.min([_radius(blob, folded) for blob in blobs], axis=0)
    return expit(_EDGE * (1 - radius))


def _radius(blob, folded: Sequence[np.ndarray]) -> np.ndarray:
    """Returns the distance from a blob's centre in units of its radii."""
    centre, radii = blob
    parts = zip(folded, centre, radii, strict=True)
    return np.sqrt(sum(((p - c) / r) ** 2 for p, c, r in parts))


def _cortex_shares(folded: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """Returns each cortical region's share of a voxel; they add up to one."""
    cortex = [r for r in REGIONS if r.tissue == "cortex"]
    logits = [
        np.logaddexp.reduce([-0.5 * _radius(b, folded) ** 2 for b in r.blobs])
        for r in cortex
    ]
    logits = 2.0 * (np.asarray(logits) - np.max(logits, axis=0))
    shares = np.exp(logits)
    shares /= shares.sum(axis=0)
    return {r.name: s for r, s in zip(cortex, shares, strict=True)}


def _two_sides(columns: list[np.ndarray], x: np.ndarray) -> sparse.csr_array:
    """Splits regions at the midline; small weights are dropped."""
    right = expit(x / _SIDE_MM)
    halves = [c * side for side in (1 - right, right) for c in columns]
    kept = [np.where(h > _SMALLEST, h, 0).astype(np.float32) for h in halves]
    return sparse.csr_array(
        sparse.hstack([sparse.csc_array(k[:, None]) for k in kept])
    )


def _true_uptake(anatomy: Anatomy) -> np.ndarray:
    """Finds the uptake that is measured as published after blur, `[r]`.

    Repeated correction by the ratio of wanted to measured means, region by
    region (the idea of partial-volume correction by regional spill-over;
    Rousset 1998, J Nucl Med 39:904).
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
        measured = (weights.T @ blurred.ravel()[anatomy.index]) / size
        true *= (wanted / measured) ** 0.8
        ratio = true / wanted
        middle = np.median(ratio)
        true = wanted * np.clip(ratio, middle / _MOST, middle * _MOST)
    return true


def _brain(tissue: np.ndarray, spacing: float) -> np.ndarray:
    """Returns the brain with its ventricles and sulci, without holes."""
    steps = max(1, round(6 / spacing))
    padded = np.pad(tissue > 0.5, steps)
    closed = ndimage.binary_closing(padded, iterations=steps)
    inner = (slice(steps, -steps),) * 3
    return ndimage.binary_fill_holes(closed[inner])


def _ventricle(fluid: np.ndarray, axes) -> np.ndarray:
    """Keeps the fluid in the middle: lateral and third ventricles."""
    grid = np.meshgrid(*axes, indexing="ij", sparse=True)
    centre, radii = (0, -12, 14), (36, 48, 24)
    parts = zip(grid, centre, radii, strict=True)
    inside = sum(((g - c) / r) ** 2 for g, c, r in parts) < 1
    cistern = (np.abs(grid[0]) < 12) & (grid[1] < -28)
    return fluid & inside & ~cistern


def _distance(mask: np.ndarray, spacing: float) -> np.ndarray:
    """Returns the distance to a mask's edge in mm, negative inside it."""
    if not mask.any():
        return np.full(mask.shape, 99, np.float32)
    out = ndimage.distance_transform_edt(~mask)
    inside = ndimage.distance_transform_edt(mask)
    return (spacing * (out - inside + 0.5 * (inside > 0) - 0.5)).astype(
        np.float32
    )


def _outside(brain, axes, spacing) -> np.ndarray:
    """Draws scalp and face, for which there is no map; the skull stays dark.

    A band 9 to 16 mm from the brain, and below the temporal poles a filled
    head of the size it has just above.
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
