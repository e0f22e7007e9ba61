"""The template head: what people have in common before their own folding."""

import functools
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage, sparse
from scipy.special import expit

from tfds_adni.phantom.bending import lattice_axes
from tfds_adni.phantom.folding import Folds, fold, make_folds
from tfds_adni.phantom.head import draw_head, own_head
from tfds_adni.phantom.imaging import blur_mm
from tfds_adni.phantom.maps import (
    HIGH,
    LOW,
    box_axes,
    brain_of,
    sharpened,
    signed_distance,
    tissue_maps,
    ventricle_of,
    within,
)
from tfds_adni.phantom.parameters import PEOPLE
from tfds_adni.phantom.regions import REGIONS, published_means
from tfds_adni.phantom.shapes import core_share, regional_shares

GREY_TO_WHITE = PEOPLE["grey_to_white"]  # before blur
_SKULL_MM = 6.0  # outside of the brain, where its narrow bends fade
_SPREAD_MM = 1.5  # SD by which a fold may lie elsewhere in another person
_OPEN = 0.35  # fluid above which a fissure is open to the outside
_PULL = 0.8  # of the way to the hull: where the folding of a voxel is read
_SAMPLE = 3  # people whose folding the calibration averages
_CORRECTIONS = 6
_MOST = 2.0  # largest correction over the median one, either way


@dataclass(frozen=True)
class Anatomy:
    """The template head: volumes, and values at its `v` brain voxels.

    Args:
        spacing: Size of a voxel in mm.
        shape: Shape of the template box; its first voxel is at `LOW`.
        index: Flat indices of the brain voxels, `[v]`.
        cortex: Regions of the folded grey matter, left then right, sparse
            `[v, 2 * r]`.
        nuclei: Regions with a shape of their own, sparse `[v, 2 * r]`.
        labels: Where those are measured, sparse `[v, 2 * r]`: an atlas'
            labels are a little larger than the nuclei.
        folds: Where folding may lie.
        own: Share of a voxel that folds, `[v]`; the rest is as on the maps.
        grey: Grey matter of that rest, `[v]`.
        white: White matter of that rest, `[v]`.
        ventricle: Distance to the ventricles in mm, `[v]`.
        upright: Unit vectors towards the hull on the lattice of `bending`,
            shorter where none is near, and the share of narrow bends, which
            is less outside of the brain, float32 `[4, *lattice]`.
        outside: Uptake around the brain as a share of grey matter's, float32
            volume of `shape`.
        kind: What is there, places in `head.KINDS`, uint8 of the same shape.
        sizes: Grey matter of each region, both sides, `[r]`.
        true_uptake: Uptake of each region that is measured as published
            after the blur of a scan, pons-SUVR, `[r]`.
    """

    spacing: float
    shape: tuple[int, ...]
    index: np.ndarray
    cortex: sparse.csr_array
    nuclei: sparse.csr_array
    labels: sparse.csr_array
    folds: Folds
    own: np.ndarray
    grey: np.ndarray
    white: np.ndarray
    ventricle: np.ndarray
    upright: np.ndarray
    outside: np.ndarray
    kind: np.ndarray
    sizes: np.ndarray
    true_uptake: np.ndarray

    def fill(self, values: np.ndarray) -> np.ndarray:
        """Puts values into a float32 volume of `shape`.

        Args:
            values: One for each brain voxel, `[v]`.
        """
        volume = np.zeros(int(np.prod(self.shape)), np.float32)
        volume[self.index] = values
        return volume.reshape(self.shape)

    def tissue(
        self,
        rng: np.random.Generator,
        *,
        thinning_mm: float | np.ndarray = 0.0,
    ) -> tuple[np.ndarray, np.ndarray]:
        """One person's grey matter of the cortex, and white matter.

        Args:
            rng: Source of the folding.
            thinning_mm: Cortex missing along the sulci, one value or `[v]`.

        Returns:
            Shares of each voxel, `[v]` each.
        """
        grey, white = fold(self.folds, rng, thinning_mm=thinning_mm)
        return self.own * grey + self.grey, self.own * white + self.white

    def around(self, rng: np.random.Generator) -> np.ndarray:
        """What one person has around the brain.

        Args:
            rng: Source of how people differ.

        Returns:
            Uptake as a share of grey matter's, float32 of `shape`.
        """
        return own_head(self.outside, self.kind, box_axes(self.spacing), rng)


@functools.lru_cache(maxsize=2)
def build_anatomy(spacing: float = 1.5) -> Anatomy:
    """Builds the template head; later calls return the same object.

    Args:
        spacing: Size of a voxel in mm, at least 1.

    Raises:
        ImportError: If nilearn is not installed.
    """
    grey, white = tissue_maps(spacing)
    axes = box_axes(spacing)
    brain = brain_of(grey + white, spacing)
    index = np.flatnonzero(brain)
    where = np.unravel_index(index, brain.shape)
    points = np.stack([a[w] for a, w in zip(axes, where, strict=True)], axis=1)
    cortex, nuclei, labels = regional_shares(points)
    ventricle = ventricle_of(brain & (grey + white < 0.5), axes)
    hull = _hull(brain, ventricle, grey + white, spacing)
    folds = make_folds(
        (points - LOW + _PULL * hull).astype(np.float32),
        HIGH - LOW,
        **_probabilities(grey, white, brain, index, spacing),
    )
    grey, white = grey.ravel()[index], white.ravel()[index]
    free = np.maximum(1 - np.asarray(nuclei.sum(axis=1)).ravel(), 0)
    solid = np.minimum(grey + white, 1)
    outside, kind = draw_head(brain, axes)
    anatomy = Anatomy(
        spacing=spacing,
        shape=brain.shape,
        index=index,
        cortex=cortex,
        nuclei=sparse.csr_array(nuclei * solid[:, None]),
        labels=sparse.csr_array(labels * solid[:, None]),
        folds=folds,
        **_folding_and_fixed(free, grey, white, points),
        ventricle=signed_distance(ventricle, spacing).ravel()[index],
        upright=_upright(hull, brain, index, axes),
        outside=outside,
        kind=kind,
        sizes=np.ones(len(REGIONS)),
        true_uptake=np.ones(len(REGIONS)),
    )
    return _calibrated(anatomy)


def _folding_and_fixed(free, grey, white, points) -> dict:
    """What folds of the part that is no nucleus, and the tissue of the rest."""
    core = core_share(points)
    fixed = np.maximum(core, _cerebellum(points))
    found = {
        "own": free * (1 - fixed),
        # grey matter of the maps among the nuclei is doubt between tissues
        "grey": free * fixed * grey * (1 - core),
        "white": free * fixed * (white + core * grey),
    }
    return {name: each.astype(np.float32) for name, each in found.items()}


def _probabilities(grey, white, brain, index, spacing) -> dict:
    """Probabilities of tissue where folds of one person may lie."""
    names = "grey", "white"
    sharp = sharpened(grey, white)
    return {
        name: within(each, brain, _SPREAD_MM / spacing).ravel()[index]
        for name, each in zip(names, sharp, strict=True)
    }


def _hull(brain, ventricle, tissue, spacing) -> np.ndarray:
    """The way from each brain voxel to the nearest open place, mm `[v, 3]`."""
    fluid = within(1 - np.minimum(tissue, 1), brain, 2.0 / spacing)
    steps = max(1, round(4.5 / spacing))
    closed = ndimage.binary_dilation(ventricle, iterations=steps)
    is_open = ~brain | ((fluid > _OPEN) & ~closed)
    nearest = ndimage.distance_transform_edt(
        ~is_open, return_distances=False, return_indices=True
    )
    index = np.flatnonzero(brain)
    here = np.unravel_index(index, brain.shape)
    ways = []
    for axis in range(3):
        volume = nearest[axis].astype(np.float32)
        smooth = within(volume, brain, 2.0 / spacing).ravel()[index]
        ways.append(spacing * (smooth - here[axis]))
    return np.stack(ways, axis=1)


def _upright(hull, brain, index, axes) -> np.ndarray:
    """Unit vectors towards the hull, also outside, and how far folds reach."""
    spacing = axes[0][1] - axes[0][0]
    lattice = zip(lattice_axes(axes), axes, strict=True)
    places = np.meshgrid(
        *[(a - own[0]) / spacing for a, own in lattice], indexing="ij"
    )
    length = np.linalg.norm(hull, axis=1, keepdims=True)
    unit = hull / np.maximum(length, 1e-3)
    away, nearest = ndimage.distance_transform_edt(~brain, return_indices=True)
    # the skull is smooth whatever lies under it
    share = np.exp(-away * spacing / _SKULL_MM).astype(np.float32)
    found = [ndimage.map_coordinates(share, places, order=1, mode="nearest")]
    for axis in range(3):
        volume = np.zeros(brain.size, np.float32)
        volume[index] = unit[:, axis]
        continued = volume.reshape(brain.shape)[tuple(nearest)]
        smooth = ndimage.gaussian_filter(continued, 4.5 / spacing)
        found.append(
            ndimage.map_coordinates(smooth, places, order=1, mode="nearest")
        )
    return np.stack([*found[1:], found[0]])


def _cerebellum(points: np.ndarray) -> np.ndarray:
    """How far a voxel belongs to the cerebellum, whose folds are too fine."""
    x, y, z = np.abs(points[:, 0]), points[:, 1], points[:, 2]
    sides = zip((-20 - z, -40 - y, 52 - x), (1.5, 3, 3), strict=True)
    return np.prod([expit(far / soft) for far, soft in sides], axis=0)


def _calibrated(anatomy: Anatomy) -> Anatomy:
    """Finds the uptake that is measured as published after blur.

    Repeated correction by the ratio of wanted to measured means, region by
    region (the idea of partial-volume correction by regional spill-over;
    Rousset 1998, J Nucl Med 39:904).
    """
    people = [
        anatomy.tissue(np.random.default_rng([7, n])) for n in range(_SAMPLE)
    ]
    count = len(REGIONS)
    cortex, nuclei, labels = (
        matrix[:, :count] + matrix[:, count:]
        for matrix in (anatomy.cortex, anatomy.nuclei, anatomy.labels)
    )
    whole = np.asarray(nuclei.sum(axis=0)).ravel()
    folded = np.mean([cortex.T @ grey for grey, _ in people], axis=0)
    sizes = folded + whole
    measured = folded + np.asarray(labels.sum(axis=0)).ravel()
    wanted = published_means()
    true = wanted.copy()
    for _ in range(_CORRECTIONS):
        dim = np.average(true, weights=sizes) / GREY_TO_WHITE
        found = np.zeros(count)
        for grey, white in people:
            sharp = grey * (cortex @ true) + nuclei @ true + dim * white
            blurred = _blurred(anatomy, sharp)
            found += cortex.T @ (grey * blurred) + labels.T @ blurred
        true *= (wanted * measured * len(people) / found) ** 0.8
        ratio = true / wanted
        middle = np.median(ratio)
        true = wanted * np.clip(ratio, middle / _MOST, middle * _MOST)
    return replace(anatomy, sizes=sizes, true_uptake=true)


def _blurred(anatomy: Anatomy, sharp: np.ndarray) -> np.ndarray:
    """What of some values a scan of uniform resolution shows, `[v]`."""
    sigma = blur_mm() / anatomy.spacing
    volume = ndimage.gaussian_filter(anatomy.fill(sharp), sigma, truncate=3)
    return volume.ravel()[anatomy.index]
