"""How generated images compare with real ones while a generator trains.

Everything is measured on SUVR averaged over squares down to 32x32 pixels, of
volumes over cubes down to 16x16x16 voxels: noise no longer counts, anatomy
does, and a measurement takes milliseconds.
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

_SIDE, _VOLUME_SIDE = 32, 16
# rows that pairwise distances are taken of, evenly over a set
_PAIRED = 512
_CHUNK, _VOLUMES = 256, 16


@dataclasses.dataclass(frozen=True, kw_only=True)
class Vitals:
    """How a batch of generated images compares with real ones.

    Args:
        diversity: Mean distance of two generated images; two real images of
            different subjects are 1 apart. 0 where all images are one; a
            healthy training reaches 0.8 to 1.
        distinctness: Median distance of a generated image from the nearest
            other one, on the same scale. 0 where they come in few kinds,
            however far those lie apart.
        misfit: Energy coefficient of inhomogeneity of the two sets, from 0
            for one distribution to 1 (Szekely & Rizzo 2013, doi
            10.1016/j.jspi.2013.03.018).
        training_distance: Median distance of a generated image from the
            nearest training image; a real image of a subject not trained on
            is 1 away. About 1 for new images, 0 for copies; NaN where there
            is nothing to compare with.
    """

    diversity: float
    distinctness: float
    misfit: float
    training_distance: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class HealthRecord(Vitals):
    """Vitals and losses at the end of an epoch; a row of `health.csv`.

    Args:
        epoch: Counted from 1.
        d_loss: Discriminator loss, mean over the epoch.
        g_loss: Generator loss, mean over the epoch.
        real_accuracy: Share of real images called real.
        fake_accuracy: Share of generated images called generated.
    """

    epoch: int
    d_loss: float
    g_loss: float
    real_accuracy: float
    fake_accuracy: float


class RealImages:
    """Real images to compare generated ones with; measured once a training.

    Args:
        training: Rows of the training images `[n, r]`, from `pooled`; two
            or more.
        subjects: Subject of each `[n]`.
        held_out: Rows of images of other subjects `[m, r]`. Without any,
            training images of other subjects take their place.

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
        count = len(self._training)
        chosen = np.linspace(0, count - 1, min(count, _PAIRED))
        chosen = chosen.round().astype(int)
        self._sample = self._training[chosen]
        distances = cdist(self._sample, self._sample)
        self._spread = distances[~np.eye(len(chosen), dtype=bool)].mean()
        different = subjects[chosen, None] != subjects[chosen]
        self._between_subjects = (
            distances[different].mean() if different.any() else self._spread
        )

    def vitals(self, generated: np.ndarray) -> Vitals:
        """Measures generated images.

        Args:
            generated: Rows `[k, r]`, from `pooled`; two or more.

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
        """Median distance of a new subject's image from the training set."""
        own = {}
        if held_out is None or not len(held_out):
            if len(np.unique(subjects)) < 2:
                return np.nan
            held_out = self._training
            own = {"subjects": subjects, "pool_subjects": subjects}
        return float(
            np.median(nearest_distances(held_out, self._training, **own))
        )


def pooled(suvr: np.ndarray) -> np.ndarray:
    """Images as means over squares, or volumes over cubes, in rows.

    Args:
        suvr: `[n, size, size]`, size a multiple of 32, or volumes
            `[n, size, size, size]`, size a multiple of 16.

    Returns:
        float32 `[n, 1024]`, of volumes `[n, 4096]`.

    Raises:
        ValueError: If the images have another shape.
    """
    suvr = np.asarray(suvr, np.float32)
    count, *sides = suvr.shape or (0,)
    side = _VOLUME_SIDE if len(sides) == 3 else _SIDE
    size = sides[0] if sides else 0
    cubic = len(sides) in (2, 3) and {*sides} == {size}
    if not cubic or size % side or not size:
        raise ValueError(
            f"expected images [n, size, size], size a multiple of {_SIDE}, or "
            f"volumes [n, size, size, size], of {_VOLUME_SIDE}, found shape "
            f"{suvr.shape}"
        )
    blocks = suvr.reshape(count, *[side, size // side] * len(sides))
    within = tuple(range(2, blocks.ndim, 2))
    return blocks.mean(axis=within).reshape(count, side ** len(sides))


def pooled_stored(stored: np.ndarray, suvr_max: float) -> np.ndarray:
    """Like `pooled`, for images as a prepared set stores them.

    Args:
        stored: uint16 `[n, size, size]`, or volumes `[n, size, size, size]`,
            in memory or on disk.
        suvr_max: SUVR of the stored value 65535.

    Returns:
        float32 `[n, 1024]`, of volumes `[n, 4096]`.

    Raises:
        ValueError: If the images are of another kind or shape.
    """
    chunk, length = _CHUNK, _SIDE**2
    if stored.ndim == 4:
        chunk, length = _VOLUMES, _VOLUME_SIDE**3
    chunks = [
        pooled(suvr_from_png(stored[first : first + chunk], suvr_max))
        for first in range(0, len(stored), chunk)
    ]
    return np.concatenate([np.empty([0, length], np.float32), *chunks])


def _ratio(value: float, reference: float) -> float:
    """A quotient, NaN where there is nothing to compare with."""
    return float(value / reference) if reference > 0 else float("nan")
