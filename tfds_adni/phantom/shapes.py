"""Smooth shapes at MNI positions: from the table to label fields."""

import numpy as np
from scipy import sparse
from scipy.special import expit

from tfds_adni.phantom.regions import REGIONS

_SIDE_MM = 1.5  # how sharply left and right part at the midline
_EDGE = 6.0  # steepness of a deep nucleus's edge in units of its radius
_CORE = (  # white matter and deep nuclei, no cortex: between the insulae
    ((0, -6, 5), (31, 30, 19)),
    ((0, -24, -14), (18, 16, 14)),
    ((0, -30, -38), (18, 13, 26)),
)
_CHUNK = 50_000  # voxels at a time, to save memory
_SMALLEST = 0.02  # weights below this are dropped


def label_weights(
    points: np.ndarray, grey: np.ndarray, white: np.ndarray
) -> tuple[sparse.csr_array, np.ndarray]:
    """Shares the grey matter out among the regions.

    Deep regions take their shape first; the rest of the grey matter goes to
    the cortical regions by a soft nearest-ellipsoid rule.

    Args:
        points: MNI positions in mm, `[v, 3]`.
        grey: Grey-matter fraction, `[v]`.
        white: White-matter fraction, `[v]`.

    Returns:
        The grey matter of each region and side, sparse `[v, 2 * r]` (left
        columns first), and the white matter that is left, `[v]`.
    """
    pieces = range(0, len(points), _CHUNK)
    parts = [
        _label_chunk(*(a[i : i + _CHUNK] for a in (points, grey, white)))
        for i in pieces
    ]
    weights = sparse.csr_array(sparse.vstack([p[0] for p in parts]))
    return weights, np.concatenate([p[1] for p in parts])


def _label_chunk(points, grey, white):
    """Does `label_weights` for some of the voxels."""
    folded = np.abs(points[:, 0]), points[:, 1], points[:, 2]
    cortex = _without_core(folded, grey)
    deep = [r for r in REGIONS if r.tissue != "cortex"]
    solids = {r.name: _ellipsoid(r, folded) for r in deep}
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


def _without_core(folded, grey):
    """Makes white matter of the grey haze among the deep nuclei.

    The maps' grey matter there is the doubt between tissues, not cortex; the
    nuclei are put back by their shapes.
    """
    core = np.max([expit(_EDGE * (1 - _radius(b, folded))) for b in _CORE], 0)
    return grey * (1 - core)


def _ellipsoid(region, folded) -> np.ndarray:
    """Soft membership of a region's shape, in [0, 1]."""
    radius = np.min([_radius(blob, folded) for blob in region.blobs], axis=0)
    return expit(_EDGE * (1 - radius)).astype(np.float32)


def _radius(blob, folded) -> np.ndarray:
    """Distance from a blob's centre in units of its radii."""
    centre, radii = blob
    parts = zip(folded, centre, radii, strict=True)
    return np.sqrt(sum(((p - c) / r) ** 2 for p, c, r in parts))


def _cortex_shares(folded) -> dict[str, np.ndarray]:
    """Soft nearest region: shares that add up to one everywhere."""
    cortex = [r for r in REGIONS if r.tissue == "cortex"]
    logits = [
        np.logaddexp.reduce([-0.5 * _radius(b, folded) ** 2 for b in r.blobs])
        for r in cortex
    ]
    logits = 2.0 * (np.asarray(logits) - np.max(logits, axis=0))
    shares = np.exp(logits)
    shares /= shares.sum(axis=0)
    return {r.name: s for r, s in zip(cortex, shares, strict=True)}


def _two_sides(columns, x) -> sparse.csr_array:
    """Left columns, then right columns; small weights are left out."""
    right = expit(x / _SIDE_MM)
    halves = [c * side for side in (1 - right, right) for c in columns]
    kept = [np.where(h > _SMALLEST, h, 0).astype(np.float32) for h in halves]
    return sparse.csr_array(
        sparse.hstack([sparse.csc_array(k[:, None]) for k in kept])
    )
