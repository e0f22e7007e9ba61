"""What lies around the brain: scalp, skull, eyes, face and neck.

There is no free map of it, so it is drawn: layers under the skin, and the
ellipsoids of `data/head.csv`, one over the other. The uptake is a share of
grey matter's before blur.
"""

from collections.abc import Sequence

import numpy as np
from scipy import ndimage
from scipy.special import expit

from tfds_adni.phantom.fields import smooth_field
from tfds_adni.phantom.parameters import read_rows
from tfds_adni.phantom.shapes import depth

# How far the uptake of each kind differs between people: SD of its log, ours.
KINDS = {
    "outline": 0.0,
    "scalp": 0.2,
    "bone": 0.2,
    "fat": 0.2,
    "muscle": 0.2,
    "marrow": 0.2,
    "mucosa": 0.25,
    "gland": 0.25,
    "eye": 0.2,
    "cord": 0.1,
    "air": 0.0,
}
_CODES = {kind: code for code, kind in enumerate(KINDS)}
_ALL_SD = 0.1  # of what all of them have in common, in one person
_UNEVEN = 0.2, 14.0  # SD of the log, and knots in mm, of face and neck
_SKIN_MM = 15.0  # from the brain to the skin of the vault
_SCALP_MM = 5.0
_BONE_MM = 8.5  # from the brain: meninges and skull
_FAT_MM = 2.5, 7.0  # depths of the fat under the skin of face and neck
_VAULT_MM = -38.0, 6.0  # height below which face and neck begin, softness
_EDGE_MM = 1.0
_SCALP, _BONE, _SKIN, _FAT, _MUSCLE = 0.24, 0.04, 0.14, 0.05, 0.1


def draw_head(
    brain: np.ndarray, axes: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Draws what everybody has around the brain.

    Args:
        brain: Boolean `(x, y, z)`.
        axes: Positions of its voxels in mm, MNI.

    Returns:
        Uptake as a share of grey matter's, float32, and the place of each
        voxel's kind in `KINDS`, uint8; both of the brain's shape, zero in
        the brain and in the air.
    """
    spacing = axes[0][1] - axes[0][0]
    away = spacing * ndimage.distance_transform_edt(~brain)
    x, back = np.unique(np.abs(axes[0]), return_inverse=True)
    half = x, axes[1], axes[2]
    rows = read_rows("head.csv")
    deep = np.full((len(x), *brain.shape[1:]), -np.inf, np.float32)
    for row in rows:
        if row["kind"] == "outline":
            _deepen(deep, half, row)
    deep = np.maximum(deep[back], _SKIN_MM - away).astype(np.float32)
    uptake, kind = _layers(deep, away, axes[2])
    inner, codes = np.zeros((2, len(x), *brain.shape[1:]), np.float32)
    covered = np.zeros_like(inner)
    for row in rows:
        if row["kind"] != "outline":
            _paint(inner, codes, covered, half, row)
    share = covered[back] * expit((deep - _FAT_MM[0]) / _EDGE_MM)
    share = share * expit((away - 3) / _EDGE_MM)
    uptake = (1 - share) * uptake + share * inner[back]
    kind = np.where(share > 0.5, codes[back], kind).astype(np.uint8)
    return np.where(brain, 0, uptake).astype(np.float32), kind * ~brain


def own_head(
    uptake: np.ndarray,
    kind: np.ndarray,
    axes: Sequence[np.ndarray],
    rng: np.random.Generator,
) -> np.ndarray:
    """What one person has around the brain.

    Args:
        uptake: Of everybody, `(x, y, z)`.
        kind: Places in `KINDS`, of the same shape.
        axes: Positions of the voxels in mm, MNI.
        rng: Source of the differences: a factor for each kind, and a smooth
            unevenness of face and neck.

    Returns:
        The person's uptake, float32 of the same shape.
    """
    spreads = np.array(list(KINDS.values()))
    factors = spreads * rng.standard_normal(len(spreads))
    factors += _ALL_SD * rng.standard_normal()
    own = uptake * np.exp(factors).astype(np.float32)[kind]
    low = axes[2] < _VAULT_MM[0] + 2 * _VAULT_MM[1]
    deviation, knots = _UNEVEN
    field = smooth_field([*axes[:2], axes[2][low]], rng, knot_mm=knots)
    own[:, :, low] *= np.exp(np.float32(deviation) * field)
    return own


def _layers(deep, away, z) -> tuple[np.ndarray, np.ndarray]:
    """Uptake and kinds of scalp and skull, and below them of face and neck."""
    vault = expit((z - _VAULT_MM[0]) / _VAULT_MM[1])
    inside = expit(deep / _EDGE_MM)
    under = expit((deep - _SCALP_MM) / _EDGE_MM)
    above = _SCALP * (1 - under) + _BONE * under
    fat, muscle = (expit((deep - d) / _EDGE_MM) for d in _FAT_MM)
    below = _SKIN * (1 - fat) + _FAT * (fat - muscle) + _MUSCLE * muscle
    bone = expit((_BONE_MM - away) / _EDGE_MM)
    below = below * (1 - bone) + _BONE * bone
    uptake = inside * (vault * above + (1 - vault) * below)
    upper = np.where(deep < _SCALP_MM, _CODES["scalp"], _CODES["bone"])
    lower = np.where(deep < _FAT_MM[1], _CODES["fat"], _CODES["muscle"])
    kind = np.where((vault > 0.5) | (bone > 0.5), upper, lower)
    return uptake.astype(np.float32), np.where(deep > 0, kind, 0)


def _numbers(row) -> tuple[list[float], list[float]]:
    """Centre and radii of a row in mm."""
    values = [float(row[f"{a}{w}_mm"]) for w in ("", "_radius") for a in "xyz"]
    return values[:3], values[3:]


def _around(axes, row, margin_mm) -> tuple[tuple[slice, ...], np.ndarray]:
    """The part of the box around an ellipsoid, and the depth in it, mm."""
    blob = _numbers(row)
    part = []
    for axis, c, r in zip(axes, *blob, strict=True):
        ends = np.searchsorted(axis, (c - r - margin_mm, c + r + margin_mm))
        part.append(slice(*ends))
    near = [axis[p] for axis, p in zip(axes, part, strict=True)]
    places = np.meshgrid(*near, indexing="ij", sparse=True)
    return tuple(part), depth(blob, places)


def _deepen(deep, axes, row) -> None:
    """Adds an ellipsoid to the head, in place."""
    part, inside = _around(axes, row, 30)
    deep[part] = np.maximum(deep[part], inside)


def _paint(uptake, codes, covered, axes, row) -> None:
    """Paints an ellipsoid over what is there, in place."""
    part, inside = _around(axes, row, 4 * _EDGE_MM)
    share = expit(inside / _EDGE_MM)
    before = covered[part]
    after = before + share - before * share
    mixed = (1 - share) * before * uptake[part] + share * float(row["uptake"])
    uptake[part] = mixed / np.maximum(after, 1e-6)
    covered[part] = after
    codes[part] = np.where(share > 0.5, _CODES[row["kind"]], codes[part])
