"""Where regions lie: ellipsoids in MNI space, and the shares of each voxel."""

from collections.abc import Sequence

import numpy as np
from scipy import sparse
from scipy.special import expit

from tfds_adni.phantom.regions import REGIONS

_SIDE_MM = 1.5  # how sharply left and right part at the midline
_EDGE_MM = 1.0  # softness of a nucleus' edge
_CORE_EDGE_MM = 2.0
_CORE = (  # white matter and deep nuclei, no cortex: between the insulae
    ((0, -6, 5), (31, 30, 19)),
    ((0, -24, -14), (18, 16, 14)),
    ((0, -30, -38), (18, 13, 26)),
)
_CHUNK = 50_000  # voxels at a time, to save memory
_SMALLEST = 0.02  # shares below this are dropped


def regional_shares(
    points: np.ndarray,
) -> tuple[sparse.csr_array, ...]:
    """What share of its cortex and of its nuclei a voxel has of each region.

    Nuclei take their shapes; the cortex goes to its regions by a soft
    nearest-ellipsoid rule.

    Args:
        points: Places in mm, MNI, `[v, 3]`.

    Returns:
        Cortex, nuclei, and the labels by which nuclei are measured, sparse
        `[v, 2 * r]` each, left columns first. The cortex's add up to about
        one, the nuclei's to at most one; labels may overlap.
    """
    parts = [
        _shares(points[first : first + _CHUNK])
        for first in range(0, len(points), _CHUNK)
    ]
    kinds = zip(*parts, strict=True)
    return tuple(sparse.csr_array(sparse.vstack(kind)) for kind in kinds)


def core_share(points: np.ndarray) -> np.ndarray:
    """How far a voxel belongs to the middle of the brain, in [0, 1], `[v]`.

    Args:
        points: Places in mm, MNI, `[v, 3]`.
    """
    folded = _folded(points)
    deepest = np.max([depth(blob, folded) for blob in _CORE], axis=0)
    return expit(deepest / _CORE_EDGE_MM).astype(np.float32)


def _shares(points: np.ndarray) -> list[sparse.csr_array]:
    """Shares of some voxels."""
    folded = _folded(points)
    deepest = {
        r.name: np.max([depth(blob, folded) for blob in r.blobs], axis=0)
        for r in REGIONS
        if r.tissue != "cortex"
    }
    shapes = {name: expit(d / _EDGE_MM) for name, d in deepest.items()}
    total = np.maximum(sum(shapes.values()), 1.0)
    margins = {r.name: r.margin_mm for r in REGIONS}
    labels = {
        name: expit((d + margins[name]) / _EDGE_MM)
        for name, d in deepest.items()
    }
    found = (
        _cortex_shares(folded),
        {name: shape / total for name, shape in shapes.items()},
        labels,
    )
    return [_two_sides(shares, points[:, 0]) for shares in found]


def _folded(points: np.ndarray) -> tuple[np.ndarray, ...]:
    """Both sides' places as the right one's."""
    x, y, z = points.T.astype(np.float32)
    return np.abs(x), y, z


def depth(blob: tuple, places: Sequence[np.ndarray]) -> np.ndarray:
    """How far places lie inside an ellipsoid, in mm; negative outside.

    To first order, (1 - k) / |grad k| with k the distance from the centre in
    radii.

    Args:
        blob: `((x, y, z), (rx, ry, rz))` in mm.
        places: Along x, y and z in mm, three arrays that broadcast.
    """
    offsets = [(p - c) / r for p, c, r in zip(places, *blob, strict=True)]
    size = np.sqrt(sum(o**2 for o in offsets))
    parts = zip(offsets, blob[1], strict=True)
    slope = np.sqrt(sum((o / r) ** 2 for o, r in parts))
    per_mm = np.maximum(slope / np.maximum(size, 1e-6), 1 / max(blob[1]))
    return (1 - size) / per_mm


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


def _two_sides(shares: dict[str, np.ndarray], x: np.ndarray):
    """Splits regions at the midline, sparse; small shares are dropped."""
    right = expit(x / _SIDE_MM)
    rows, columns, values = [], [], []
    for number, region in enumerate(REGIONS):
        if region.name not in shares:
            continue
        for first, side in ((0, 1 - right), (len(REGIONS), right)):
            half = shares[region.name] * side
            rows.append(np.flatnonzero(half > _SMALLEST))
            columns.append(np.full(len(rows[-1]), first + number))
            values.append(half[rows[-1]].astype(np.float32))
    parts = [np.concatenate(each) for each in (values, rows, columns)]
    shape = len(x), 2 * len(REGIONS)
    return sparse.csr_array((parts[0], tuple(parts[1:])), shape=shape)
