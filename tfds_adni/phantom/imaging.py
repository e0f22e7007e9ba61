"""From a head to the image that a scanner makes of it: pose, blur, noise."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from tfds_adni.phantom.fields import turned_through
from tfds_adni.phantom.maps import LOW

CENTRE = np.array([0.0, -20.0, 7.0])  # mm, MNI, comes to the grid's centre
GREY = 0.8  # of a blurred head whose true grey matter is 1
GAIN_MM = 75.0  # unit of the smooth gain's polynomial
UNIFORM_MM = 8.0  # FWHM of ADNI's uniform resolution
_HEAD_MM = 3.5  # FWHM that voxels and soft borders of the head bring
_FWHM = np.sqrt(8 * np.log(2))  # of a Gaussian, in SDs
_REACH = np.array([108.0, 128.0, np.inf])  # mm from the centre: a head and air
_MARGIN_MM = 15.0  # of the head beyond the field of view that blurs into it
_AIR = 0.02  # counts that noise has where there is no uptake, of grey matter's
_LEAST_WEIGHT = 1e-4  # of the largest: others are left out
_LEAST_SD = 0.6  # of a blur, in voxels of the head: less would leave gaps


@dataclass(frozen=True)
class Grid:
    """The grid a scan is stored on; its centre is the origin.

    Args:
        shape: Voxels to the right, to the front and to the top.
        spacing: Size of a voxel in mm, one for all axes or one for each.
    """

    shape: tuple[int, int, int] = (160, 160, 96)
    spacing: float | tuple[float, float, float] = 1.5

    @property
    def steps(self) -> np.ndarray:
        """Size of a voxel along each axis in mm, `[3]`."""
        return np.broadcast_to(np.asarray(self.spacing, float), 3)

    @property
    def axes(self) -> list[np.ndarray]:
        """Positions of the voxels along x, y and z, in mm, `[n]` each."""
        each = zip(self.shape, self.steps, strict=True)
        return [step * (np.arange(n) - (n - 1) / 2) for n, step in each]


ADNI_GRID = Grid()


@dataclass(frozen=True)
class Pose:
    """How a head lies in a scanner.

    Args:
        turn: Rotation from the scanner's axes to the head's, `[3, 3]`.
        shift: Where the head's centre is, in mm from the scanner's, `[3]`.
    """

    turn: np.ndarray
    shift: np.ndarray


def rotation(angles: Sequence[float]) -> np.ndarray:
    """The rotation about x, then y, then z, `[3, 3]`.

    Args:
        angles: In radians, right-handed.
    """
    (sx, sy, sz), (cx, cy, cz) = np.sin(angles), np.cos(angles)
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


def blur_mm(fwhm: float = UNIFORM_MM) -> float:
    """The SD of the blur that brings a head to a resolution, in mm.

    Args:
        fwhm: The resolution in mm; the head's own blur counts.
    """
    return float(np.sqrt(max(fwhm**2 - _HEAD_MM**2, 0)) / _FWHM)


def scanned(
    head: np.ndarray,
    spacing: float,
    *,
    scale: np.ndarray,
    pose: Pose,
    fwhm: Sequence[float],
    grid: Grid,
) -> np.ndarray:
    """What a scanner without noise sees of a head.

    The head is sampled on the scanner's axes at its own spacing, and blurred
    and brought to the grid in one product for each axis.

    Args:
        head: Uptake on the template box.
        spacing: Size of its voxels in mm.
        scale: Size of the head over the template's, `[3]`.
        pose: How it lies.
        fwhm: Resolution along x, y and z in mm; the head's own blur counts.
        grid: The image's grid.

    Returns:
        Float32 volume of `grid.shape`.
    """
    ends = [a[-1] for a in grid.axes]
    reach = np.minimum(np.add(ends, _MARGIN_MM), _REACH)
    # the head's voxels fall on the grid's where both have one size
    halves = (np.array(grid.shape) - 1) / 2 % 1
    counts = np.ceil(reach / spacing - halves)
    axes = [
        spacing * np.arange(-n - h, n + h + 0.5)
        for n, h in zip(counts, halves, strict=True)
    ]
    volume = _placed(head, spacing, scale, pose, axes)
    for wide, source, target in zip(fwhm, axes, grid.axes, strict=True):
        sd = max(blur_mm(wide), _LEAST_SD * spacing)
        weights = _gaussian(source, target, sd)
        volume = _product(volume, weights)
    return volume


def add_noise(
    volume: np.ndarray,
    grid: Grid,
    rng: np.random.Generator,
    *,
    cv: float,
    fwhm: Sequence[float],
) -> np.ndarray:
    """Adds correlated noise whose variance grows with the counts.

    So does that of an image that OSEM made, whose noise is smooth and the same
    in all directions (Razifar 2005, BMC Med Imaging 5:3).

    Args:
        volume: Image of `grid.shape`, grey matter `GREY`; it is changed.
        grid: Its grid.
        rng: Source of the noise.
        cv: Coefficient of variation in grey matter.
        fwhm: Of the kernel that blurs white noise, along x, y and z in mm.

    Returns:
        `volume`.
    """
    noise = rng.standard_normal(grid.shape, dtype=np.float32)
    size = cv
    for wide, axis in zip(fwhm, grid.axes, strict=True):
        weights = _gaussian(axis, axis, wide / _FWHM)
        size /= np.linalg.norm(weights[len(axis) // 2])
        noise = _product(noise, weights)
    counts = np.maximum(volume, 0)
    counts += np.float32(_AIR * GREY)
    noise *= np.sqrt(counts, out=counts)
    noise *= np.float32(size * np.sqrt(GREY))
    volume += noise
    return volume


def gain(terms: np.ndarray, grid: Grid, pose: Pose) -> np.ndarray:
    """A smooth error of a scanner, fixed to the head, on an image's grid.

    It is a polynomial of second order (Joshi 2006, J Nucl Med 47 suppl 1:58P).

    Args:
        terms: Its coefficients as `polynomial` orders them, for positions over
            `GAIN_MM`, `[9]`.
        grid: The image's grid.
        pose: How the head lies.

    Returns:
        Float32 factors, `grid.shape`.
    """
    linear, square = terms[:3], np.diag(terms[3:6])
    for value, (i, j) in zip(terms[6:], ((0, 1), (0, 2), (1, 2)), strict=True):
        square[i, j] = square[j, i] = value / 2
    linear = pose.turn.T @ linear
    square = pose.turn.T @ square @ pose.turn
    away = zip(grid.axes, pose.shift, strict=True)
    axes = [((a - s) / GAIN_MM).astype(np.float32) for a, s in away]
    x, y, z = np.meshgrid(*axes, indexing="ij", sparse=True)
    linear, square = linear.astype(np.float32), square.astype(np.float32)
    flat = 1 + (linear[0] + square[0, 0] * x + 2 * square[0, 1] * y) * x
    flat = flat + (linear[1] + square[1, 1] * y) * y
    steep = linear[2] + 2 * (square[0, 2] * x + square[1, 2] * y)
    return flat + (steep + square[2, 2] * z) * z


def polynomial(axes: Sequence[np.ndarray]) -> np.ndarray:
    """The terms of the second order, without a constant, `[9, ...]`.

    Args:
        axes: x, y and z, of shapes that broadcast.
    """
    x, y, z = axes
    return np.stack([x, y, z, x * x, y * y, z * z, x * y, x * z, y * z])


def _placed(head, spacing, scale, pose, axes) -> np.ndarray:
    """Samples a head at positions of a scanner, as far apart as its voxels."""
    matrix = np.diag(1 / scale) @ pose.turn
    first = np.array([a[0] for a in axes])
    offset = CENTRE - LOW + matrix @ (first - pose.shift)
    return ndimage.affine_transform(
        head,
        matrix,
        offset / spacing,
        output_shape=[len(a) for a in axes],
        output=np.float32,
        order=1,
        prefilter=False,
        mode="nearest",  # the neck goes on below the box
    )


def _gaussian(source, target, sd: float) -> np.ndarray:
    """Weights of a Gaussian from places to others, float32 `[t, s]`.

    Those of endless places would sum to one.
    """
    step = source[1] - source[0]
    beyond = 8 + int(max(np.ptp(target) - np.ptp(source), 0) / step)
    count = np.arange(-beyond, len(source) + beyond)
    ahead = source[0] + step * count
    weights = np.exp(-0.5 * ((target[:, None] - ahead) / sd) ** 2)
    weights /= weights.sum(axis=1, keepdims=True)
    return weights[:, beyond:-beyond].astype(np.float32)


def _product(volume: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Applies the weights that count to the first axis, then the last."""
    near = np.where(weights > _LEAST_WEIGHT * weights.max(), weights, 0)
    return np.ascontiguousarray(turned_through(near, volume))
