"""What a few generated images say about the health of a training.

Everything is measured on SUVR averaged over squares down to 32x32 pixels:
noise no longer counts, anatomy does, and a look costs milliseconds.
"""

import dataclasses

import numpy as np
from scipy.spatial.distance import cdist, pdist

from pet_dcgan.data.suvr import suvr_from_png
from pet_dcgan.metrics.arrays import checked_rows
from pet_dcgan.metrics.neighbors import (
    kth_neighbour_distances,
    nearest_distances,
)

SIDE = 32
# rows that pairwise distances are taken of, evenly over a set
_PAIRED = 512
_CHUNK = 256


@dataclasses.dataclass(frozen=True, kw_only=True)
class Vitals:
    """How a batch of generated images compares with real ones.

    Args:
        diversity: How far two generated images lie apart, on average, where
            two real images of different subjects are 1 apart. 0 where all
            images are one; a healthy training comes to 0.8 to 1.
        distinctness: How far a generated image lies from the nearest other
            one, in the median, on the same scale. 0 where they come in few
            kinds, however far those lie apart.
        misfit: How far the two sets lie apart, from 0 for one distribution
            to 1: the energy coefficient of inhomogeneity (Szekely & Rizzo
            2013, doi 10.1016/j.jspi.2013.03.018).
        training_distance: How far a generated image lies from the nearest
            training image, in the median, where a real image of a subject
            not trained on is 1 away. About 1 for images as new as those, 0
            for copies; NaN where there is nothing to compare with.
    """

    diversity: float
    distinctness: float
    misfit: float
    training_distance: float


class RealImages:
    """What generated images are compared with: measured once a training.

    Args:
        training: Rows of the images trained on `[n, 1024]`, from `pooled`;
            two or more.
        subjects: Subject of each `[n]`.
        held_out: Rows of images of subjects not trained on `[m, 1024]`.
            Without any, training images of other subjects take their place.

    Raises:
        ValueError: If there are fewer than two images, the shapes do not
            fit, or a value is not finite.

    Example:
    >>> rows = np.random.default_rng(0).uniform(size=[8, 1024])
    >>> real = RealImages(rows[:4], list("aabb"), rows[4:])
    >>> real.vitals(rows[:4]).training_distance
    0.0
    """

    def __init__(
        self,
        training: np.ndarray,
        subjects: np.ndarray,
        held_out: np.ndarray | None = None,
    ) -> None:
        (self._training,) = checked_rows(training, least=2)
        subjects = np.asarray(subjects)
        self._held_out_distance = self._distance_of(held_out, subjects)
        chosen = _evenly(len(self._training))
        self._sample = self._training[chosen]
        distances = cdist(self._sample, self._sample)
        others = ~np.eye(len(chosen), dtype=bool)
        self._spread = distances[others].mean()
        different = subjects[chosen, None] != subjects[chosen]
        self._between_subjects = (
            distances[different].mean() if different.any() else self._spread
        )

    def vitals(self, generated: np.ndarray) -> Vitals:
        """Measures generated images.

        Args:
            generated: Rows `[k, 1024]`, from `pooled`; two or more.

        Raises:
            ValueError: If there are fewer than two images, the shapes do
                not fit, or a value is not finite.
        """
        generated, _ = checked_rows(generated, self._training, least=2)
        apart = pdist(generated).mean()
        kinds = np.median(kth_neighbour_distances(generated, 1))
        across = cdist(generated, self._sample).mean()
        nearest = np.median(nearest_distances(generated, self._training))
        return Vitals(
            diversity=_ratio(apart, self._between_subjects),
            distinctness=_ratio(kinds, self._between_subjects),
            misfit=_ratio(2 * across - apart - self._spread, 2 * across),
            training_distance=_ratio(nearest, self._held_out_distance),
        )

    def _distance_of(
        self, held_out: np.ndarray | None, subjects: np.ndarray
    ) -> float:
        """From a real image to the nearest training image of another one."""
        if held_out is not None and len(held_out):
            nearest = nearest_distances(held_out, self._training)
        elif len(np.unique(subjects)) > 1:
            nearest = nearest_distances(
                self._training,
                self._training,
                subjects=subjects,
                pool_subjects=subjects,
            )
        else:
            return np.nan
        return float(np.median(nearest))


def pooled(suvr: np.ndarray) -> np.ndarray:
    """Images as means over squares, in rows.

    Args:
        suvr: `[n, size, size]`, size a multiple of 32.

    Returns:
        float32 `[n, 1024]`.

    Raises:
        ValueError: If the images have another shape.
    """
    suvr = np.asarray(suvr, np.float32)
    side = suvr.shape[-1] if suvr.ndim else 0
    if suvr.ndim != 3 or suvr.shape[1] != side or side % SIDE or not side:
        raise ValueError(
            f"expected images [n, size, size], size a multiple of {SIDE}, "
            f"found shape {suvr.shape}"
        )
    square = side // SIDE
    squares = suvr.reshape(len(suvr), SIDE, square, SIDE, square)
    return squares.mean(axis=(2, 4)).reshape(len(suvr), SIDE**2)


def pooled_stored(stored: np.ndarray, suvr_max: float) -> np.ndarray:
    """As `pooled`, of images as a prepared set holds them.

    Args:
        stored: uint16 `[n, size, size]`, in memory or on disk.
        suvr_max: SUVR that 65535 stands for.

    Returns:
        float32 `[n, 1024]`.

    Raises:
        ValueError: If the images are of another kind or shape.
    """
    chunks = [
        pooled(suvr_from_png(stored[first : first + _CHUNK], suvr_max))
        for first in range(0, len(stored), _CHUNK)
    ]
    return np.concatenate([np.empty([0, SIDE**2], np.float32), *chunks])


def _evenly(count: int) -> np.ndarray:
    """Up to `_PAIRED` indices, evenly."""
    return np.linspace(0, count - 1, min(count, _PAIRED)).round().astype(int)


def _ratio(value: float, reference: float) -> float:
    """NaN where there is nothing to compare with."""
    return float(value / reference) if reference > 0 else float("nan")
