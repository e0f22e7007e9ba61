"""Where regions lie: ellipsoids in MNI space, and the shares of each voxel."""

from collections.abc import Sequence

import numpy as np
from scipy import sparse
from scipy.special import expit

from tfds_adni.phantom.regions import REGIONS

_SIDE_MM = 1.5  # how sharply left and right part at the midline
_EDGE = 6.0  # steepness of a shape's edge in units of its radius
_CORE = (  # white matter and deep nuclei, no cortex: between the insulae
    ((0, -6, 5), (31, 30, 19)),
    ((0, -24, -14), (18, 16, 14)),
    ((0, -30, -38), (18, 13, 26)),
)
_CHUNK = 50_000  # voxels at a time, to save memory
_SMALLEST = 0.02  # shares below this are dropped


def regional_shares(
    points: np.ndarray,
) -> tuple[sparse.csr_array, sparse.csr_array]:
    """What share of its cortex and of its nuclei a voxel has of each region.

    Nuclei take their shapes; the cortex goes to its regions by a soft
    nearest-ellipsoid rule.

    Args:
        points: Places in mm, MNI, `[v, 3]`.

    Returns:
        Cortex and nuclei, sparse `[v, 2 * r]` each, left columns first. The
        cortex's add up to about one, the nuclei's to at most one.
    """
    parts = [
        _shares(points[first : first + _CHUNK])
        for first in range(0, len(points), _CHUNK)
    ]
    cortex, nuclei = zip(*parts, strict=True)
    return (
        sparse.csr_array(sparse.vstack(cortex)),
        sparse.csr_array(sparse.vstack(nuclei)),
    )


def core_share(points: np.ndarray) -> np.ndarray:
    """How far a voxel belongs to the middle of the brain, in [0, 1], `[v]`.

    Args:
        points: Places in mm, MNI, `[v, 3]`.
    """
    return _inside(_CORE, _folded(points)).astype(np.float32)


def _shares(points: np.ndarray) -> list[sparse.csr_array]:
    """Shares of some voxels."""
    folded = _folded(points)
    nothing = np.zeros(len(points))
    shapes = {
        r.name: _inside(r.blobs, folded)
        for r in REGIONS
        if r.tissue != "cortex"
    }
    total = np.maximum(sum(shapes.values()), 1.0)
    cortex = _cortex_shares(folded)
    return [
        _two_sides([found.get(r.name, nothing) for r in REGIONS], points[:, 0])
        for found in (cortex, {k: v / total for k, v in shapes.items()})
    ]


def _folded(points: np.ndarray) -> tuple[np.ndarray, ...]:
    """Both sides' places as the right one's."""
    return np.abs(points[:, 0]), points[:, 1], points[:, 2]


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
    """Splits regions at the midline; small shares are dropped."""
    right = expit(x / _SIDE_MM)
    halves = [c * side for side in (1 - right, right) for c in columns]
    kept = [np.where(h > _SMALLEST, h, 0).astype(np.float32) for h in halves]
    return sparse.csr_array(
        sparse.hstack([sparse.csc_array(k[:, None]) for k in kept])
    )
