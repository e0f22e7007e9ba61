"""Whether images lie where they were asked to: a reader of position."""

import dataclasses
from typing import NamedTuple

import numpy as np

from pet_dcgan.metrics.arrays import require_finite, subject_codes
from pet_dcgan.metrics.confidence import Interval, mean_interval

_SIDE = 16
_FOLDS = 5
_LEAST = 4  # subjects, so that each penalty is tried on some left out
# of the mean variance of a pixel over slices
_PENALTIES = tuple(10.0**power for power in range(-5, 4))


@dataclasses.dataclass(frozen=True)
class PositionReader:
    """Reads the position of a slice from its pixels, by ridge regression.

    Hoerl & Kennard (1970), doi 10.1080/00401706.1970.10488634, on images that
    were pooled to 16x16 pixels, each less its own mean and divided by its own
    standard deviation, so that neither uptake nor contrast tells a position.

    Args:
        weights: Millimetres for each of the pooled pixels, float64 `[256]`.
        constant: Millimetres.
        penalty: The penalty that subjects left out chose.
        error: Mean absolute error of subjects left out, in mm.
    """

    weights: np.ndarray
    constant: float
    penalty: float
    error: float

    def read(self, images: np.ndarray) -> np.ndarray:
        """The position that each image seems to have.

        Args:
            images: `[n, height, width]` in SUVR.

        Returns:
            float64 `[n]` in mm.

        Raises:
            ValueError: If a side is no multiple of 16, or a value is not
                finite.
        """
        return _pooled(images) @ self.weights + self.constant


class Position(NamedTuple):
    """How far images lie from where they should, from `position_error`.

    Args:
        error: Mean absolute error in mm.
        interval: Its interval over subjects.
        slope: Least squares slope of the position read over that asked for:
            1 where it is obeyed, 0 where ignored; NaN for one position.
        unrelated: Mean error in mm if each image had been asked for another
            one's position.
    """

    error: float
    interval: Interval
    slope: float
    unrelated: float


def fit_position_reader(
    images: np.ndarray,
    positions_mm: np.ndarray,
    subjects: np.ndarray,
    *,
    seed: int = 0,
) -> PositionReader:
    """Learns to read positions in one plane from real slices.

    The penalty is the one with the least mean absolute error over five folds
    of subjects.

    Args:
        images: Real training slices `[n, height, width]` in SUVR.
        positions_mm: Position of each `[n]` in mm.
        subjects: The subject of each `[n]`, of four or more.
        seed: Seed of the folds.

    Raises:
        ValueError: If the lengths differ, there are too few subjects, all
            positions are one, a side is no multiple of 16, or a value is not
            finite.
    """
    rows = _pooled(images)
    positions = np.asarray(positions_mm, np.float64)
    require_finite(positions)
    codes = subject_codes(subjects, len(rows), least=_LEAST)
    if positions.shape != (len(rows),) or np.ptp(positions) <= 0:
        raise ValueError(
            f"expected a position for each of {len(rows)} slices, and more "
            f"than one, found {positions.shape} of "
            f"{len(np.unique(positions))}: prepare more slices of a scan"
        )
    count = codes.max() + 1
    folds = np.random.default_rng(seed).permutation(count) % _FOLDS
    errors = np.zeros([len(_PENALTIES), len(rows)])
    for fold in np.unique(folds):
        left_out = folds[codes] == fold
        solved = _ridge(rows[~left_out], positions[~left_out])
        for errors_of, (weights, constant) in zip(errors, solved, strict=True):
            found = rows[left_out] @ weights + constant
            errors_of[left_out] = np.abs(found - positions[left_out])
    best = int(np.argmin(errors.mean(axis=1)))
    weights, constant = _ridge(rows, positions)[best]
    error = float(errors[best].mean())
    return PositionReader(weights, constant, _PENALTIES[best], error)


def position_error(
    found_mm: np.ndarray,
    asked_mm: np.ndarray,
    subjects: np.ndarray,
    *,
    seed: int = 0,
) -> Position:
    """Compares positions that were read with those asked for, or known.

    Args:
        found_mm: From `PositionReader.read`, `[n]`.
        asked_mm: What was asked for, or where the real slice lies, `[n]`.
        subjects: Subject of each `[n]`; the latent of a synthetic image.
        seed: Seed of the interval.

    Raises:
        ValueError: If the lengths differ or a value is not finite.
    """
    found = np.asarray(found_mm, np.float64)
    asked = np.asarray(asked_mm, np.float64)
    if found.shape != asked.shape or found.ndim != 1 or not len(found):
        raise ValueError(
            "expected as many positions read as asked for, found shapes "
            f"{found.shape} and {asked.shape}"
        )
    require_finite(found, asked)
    errors = np.abs(found - asked)
    interval = mean_interval(errors, np.asarray(subjects), seed=seed)
    centred = asked - asked.mean()
    square = centred @ centred
    return Position(
        error=float(errors.mean()),
        interval=interval,
        slope=float(centred @ found / square) if square > 0 else float("nan"),
        unrelated=float(np.abs(found[:, None] - asked).mean()),
    )


def _pooled(images: np.ndarray) -> np.ndarray:
    """Images as rows of 16x16 means, of mean 0 and standard deviation 1."""
    images = np.asarray(images)
    if images.ndim != 3 or any(n % _SIDE or not n for n in images.shape[1:]):
        raise ValueError(
            f"expected images [n, height, width] of multiples of {_SIDE} "
            f"pixels, found shape {images.shape}"
        )
    require_finite(images)
    height, width = (n // _SIDE for n in images.shape[1:])
    blocks = images.reshape(-1, _SIDE, height, _SIDE, width)
    rows = blocks.mean(axis=(2, 4), dtype=np.float64).reshape(len(images), -1)
    rows -= rows.mean(axis=1, keepdims=True)
    spread = rows.std(axis=1, keepdims=True)
    return np.divide(rows, spread, out=np.zeros_like(rows), where=spread > 0)


def _ridge(
    rows: np.ndarray, positions: np.ndarray
) -> list[tuple[np.ndarray, float]]:
    """Weights and constant of every penalty."""
    mean, middle = rows.mean(axis=0), positions.mean()
    centred = rows - mean
    values, vectors = np.linalg.eigh(centred.T @ centred)
    along = vectors.T @ (centred.T @ (positions - middle))
    scale = max(values.sum() / len(values), np.finfo(np.float64).tiny)
    found = []
    for penalty in _PENALTIES:
        shrunk = np.maximum(values, 0) + penalty * scale
        weights = vectors @ (along / shrunk)
        found.append((weights, float(middle - mean @ weights)))
    return found
