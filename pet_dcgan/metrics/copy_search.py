"""The search for copies: which training subject each image looks like."""

import math
from typing import NamedTuple

import numpy as np
from scipy.stats import t as student

from pet_dcgan.metrics.nearest_subjects import TwoSubjects, two_nearest_subjects

# An image less than half as far from one training subject as from any other is
# a suspect; slices of new subjects are none if there are enough training
# subjects, and never certain copies (benchmarks/passport.py)
SUSPECT_RATIO = 0.5
# below this it is a certain copy
CERTAIN_RATIO = 0.3
# an image less than half as far from the line between two subjects as from
# the nearer one looks like a mixture; no slice of a new subject does
# (benchmarks/repeated_subjects.py)
MIXTURE_RESIDUAL = 0.5
_CHUNK = 512


class Mixtures(NamedTuple):
    """Shares of images that look like a mean of two training subjects.

    Args:
        synthetic: Of the synthetic images.
        held_out: Of the held-out real images, which are nobody's mixture.
        p_value: Of so large a share of synthetic ones if both have as many.
    """

    synthetic: float
    held_out: float
    p_value: float


class Search(NamedTuple):
    """What each of some images is nearest to.

    Args:
        ratios: Distance to the nearest training subject over that to the
            second nearest, of the image or of its mirror image where that has
            the lower one, float64 `[n]`.
        nearest: The training slice nearest to it or to its mirror image,
            whichever has the lower ratio, int64 `[n]`.
        mirrored: Whether that is the mirror image, bool `[n]`.
        rows: The training slice nearest to the image as it is, int64 `[n]`.
        distances: Its Euclidean distance float64 `[n]`.
        residuals: `mixture_residuals` float64 `[n]`.
    """

    ratios: np.ndarray
    nearest: np.ndarray
    mirrored: np.ndarray
    rows: np.ndarray
    distances: np.ndarray
    residuals: np.ndarray

    @property
    def suspects(self) -> np.ndarray:
        """Whether each image is a suspect, bool `[n]`."""
        return self.ratios < SUSPECT_RATIO

    @property
    def mixed(self) -> np.ndarray:
        """Whether each image looks like a mixture of two, bool `[n]`."""
        return self.residuals < MIXTURE_RESIDUAL


def search(
    images: np.ndarray, train: np.ndarray, subjects: np.ndarray
) -> Search:
    """Looks for the training subjects that images and mirror images are like.

    Args:
        images: `[n, 32, 32]`, `centred`.
        train: Training slices `[m, 32, 32]`, `centred`.
        subjects: Subject of each training slice `[m]`, two or more.

    Raises:
        ValueError: If the shapes differ, a value is not finite, or there are
            fewer than two subjects.
    """
    images = np.asarray(images)
    straight, flipped = (
        two_nearest_subjects(each, train, subjects)
        for each in (images, images[..., ::-1])
    )
    mirrored = flipped.ratios < straight.ratios
    return Search(
        ratios=np.minimum(straight.ratios, flipped.ratios),
        nearest=np.where(mirrored, flipped.rows[:, 0], straight.rows[:, 0]),
        mirrored=mirrored,
        rows=straight.rows[:, 0],
        distances=straight.distances[:, 0],
        residuals=mixture_residuals(images, train, straight),
    )


def mixture_residuals(
    images: np.ndarray, train: np.ndarray, two: TwoSubjects
) -> np.ndarray:
    """How much nearer each image lies to a mixture than to a subject.

    The distance to the line between the nearest slices of its nearest two
    subjects, over that to the nearer slice: 0 for a mixture of these two, 1
    for an image that the second subject does not help to explain. Mixtures of
    unequal parts or of slices at different levels are missed if other subjects
    are nearer to them than those they are made of.

    Args:
        images: `[n, ...]`.
        train: Training slices `[m, ...]`.
        two: From `two_nearest_subjects`.

    Returns:
        float64 `[n]` in [0, 1]; 1 for an image that equals a slice.
    """
    rows, pool = (np.reshape(a, [len(a), -1]) for a in (images, train))
    residuals = np.ones(len(rows))
    for start in range(0, len(rows), _CHUNK):
        chunk = slice(start, start + _CHUNK)
        first, second = (pool[r].astype(np.float64) for r in two.rows[chunk].T)
        apart, line = rows[chunk] - first, second - first
        length = np.maximum((line**2).sum(axis=1), np.finfo(float).tiny)
        place = np.clip((apart * line).sum(axis=1) / length, 0, 1)
        left = np.linalg.norm(apart - place[:, None] * line, axis=1)
        nearest = two.distances[chunk, 0]
        known = nearest > 0
        residuals[chunk][known] = left[known] / nearest[known]
    return residuals


def compared_mixtures(
    found: Search, real: Search, subjects: np.ndarray
) -> Mixtures:
    """Shares of mixtures among synthetic and held-out real images.

    Args:
        found: Of synthetic images.
        real: Of held-out real images.
        subjects: Subject of each held-out image `[m]`.
    """
    return Mixtures(
        synthetic=float(found.mixed.mean()),
        held_out=float(real.mixed.mean()),
        p_value=share_p_value(found.mixed, real.mixed, subjects),
    )


def share_p_value(
    found: np.ndarray, held_out: np.ndarray, subjects: np.ndarray
) -> float:
    """Probability of so large a share of images if held-out ones have as many.

    One-sided: the difference from the mean share of held-out subjects over
    its standard error (binomial for the images, over subjects for held-out
    ones), by Student's distribution with one degree of freedom less than
    held-out subjects.

    Args:
        found: Whether each of the independent images is a suspect `[n]`.
        held_out: The same for held-out images `[m]`.
        subjects: Subject of each held-out image `[m]`.

    Returns:
        The p-value; 0 where held-out images have none and others some, and
        where there is one held-out subject; 1 where there are none at all.
    """
    names, owners = np.unique(subjects, return_inverse=True)
    shares = np.bincount(owners, held_out) / np.bincount(owners)
    share, expected = np.mean(found), np.mean(shares)
    if share <= expected:
        return 1.0
    if expected == 0 or len(names) < 2:
        return 0.0
    variance = share * (1 - share) / len(found)
    variance += np.var(shares, ddof=1) / len(names)
    if not variance:
        return 0.0
    score = (share - expected) / math.sqrt(variance)
    return float(student.sf(score, len(names) - 1))
