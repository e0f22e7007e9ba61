"""Memorization: whether synthetic images are copies of training images."""

import dataclasses
import math
from typing import NamedTuple

import numpy as np
from scipy import ndimage
from scipy.stats import norm, rankdata

from pet_dcgan.metrics.arrays import checked_rows, require_finite, subject_codes
from pet_dcgan.metrics.neighbors import (
    nearest_distances,
    nearest_rows,
    subject_ratios,
)

_SIDE = 32
# a near duplicate is twice as near to one training subject as to any other
_NEAR_DUPLICATE_RATIO = 0.5
_NEAR_DUPLICATE_SHARE = 0.01
_P_VALUE = 0.01
_FAR = 3.0
_OPENINGS = {
    "copies": "Copies of training subjects:",
    "nearer": (
        "No copies, but nearer to the training images than new subjects are, "
        "because they are partly memorized or too smooth; inspect the nearest "
        "pairs:"
    ),
    "no sign": "No sign of copies:",
    "too far to tell": (
        "No sign of copies, though images as far from all real ones would "
        "show none:"
    ),
}


class CopyTest(NamedTuple):
    """Result of `copy_test`.

    Args:
        z_score: C_T, below 0 if synthetic images are nearer to training images
            than held-out ones; Meehan et al. speak of copies below -3.
        p_value: Probability of so low a z-score for held-out images.
        share_nearer: Probability that a synthetic image is nearer than a
            held-out one: 0.5 for equally near, 1 for copies.
    """

    z_score: float
    p_value: float
    share_nearer: float


@dataclasses.dataclass(frozen=True)
class MemorizationCheck:
    """Result of `check_memorization`.

    Args:
        test: C_T, with one observation per held-out subject.
        authenticity: Share of synthetic images that are no copy.
        held_out_authenticity: The same for held-out real images.
        twins: Share of near duplicates: synthetic images less than half as
            far from one training subject as from any other.
        held_out_twins: The same for held-out real images.
        held_out_subjects: Number of held-out subjects.
        nearest: Training image nearest to each synthetic one `[n]`.
        ratios: `subject_ratios` of the synthetic images `[n]`; the lowest are
            the pairs to inspect.
    """

    test: CopyTest
    authenticity: float
    held_out_authenticity: float
    twins: float
    held_out_twins: float
    held_out_subjects: int
    nearest: np.ndarray
    ratios: np.ndarray

    @property
    def verdict(self) -> str:
        """`"copies"`, `"nearer"`, `"no sign"` or `"too far to tell"`."""
        if self.twins > max(_NEAR_DUPLICATE_SHARE, 3 * self.held_out_twins):
            return "copies"
        if self.test.p_value < _P_VALUE:
            return "nearer"
        return "too far to tell" if self.test.z_score > _FAR else "no sign"

    @property
    def words(self) -> str:
        """The verdict in a sentence, with the numbers behind it."""
        return (
            f"{_OPENINGS[self.verdict]} {self.twins:.1%} of the synthetic "
            "images are less than half as far from one training subject as "
            f"from any other (held-out real images: {self.held_out_twins:.1%})"
            ", and a synthetic image is nearer to the training images than a "
            f"held-out one with probability {self.test.share_nearer:.2f} (0.5 "
            f"is equally near; C_T {self.test.z_score:+.1f} by "
            f"{self.held_out_subjects} held-out subjects)."
        )


def check_memorization(
    train: np.ndarray,
    held_out: np.ndarray,
    synthetic: np.ndarray,
    *,
    train_subjects: np.ndarray,
    held_out_subjects: np.ndarray,
) -> MemorizationCheck:
    """Searches synthetic images for copies of training images.

    Images are compared `centred`, so a shift of a few pixels, noise or some
    blur does not hide a copy. Mirrored copies, mixtures of subjects, and copies
    whose uptake is scaled by more than about a tenth are not recognised. The
    share of near duplicates shows single copies, which C_T can miss.

    Args:
        train: Training slices `[l, size, size]` in SUVR.
        held_out: Slices of subjects that were not trained on `[m, ...]`.
        synthetic: Synthetic slices `[n, ...]`, of seeds drawn independently.
        train_subjects: Subject of each training slice, two or more.
        held_out_subjects: Subject of each held-out slice.

    Raises:
        ValueError: If the shapes differ, a value is not finite, or there are
            fewer than two training subjects.
    """
    train, held_out, synthetic = map(centred, (train, held_out, synthetic))
    ratios, held_out_ratios = (
        subject_ratios(images, train, train_subjects)
        for images in (synthetic, held_out)
    )
    authentic, held_out_authentic = (
        authenticity(train, images, subjects=train_subjects)
        for images in (synthetic, held_out)
    )
    return MemorizationCheck(
        test=copy_test(
            train, held_out, synthetic, held_out_subjects=held_out_subjects
        ),
        authenticity=authentic,
        held_out_authenticity=held_out_authentic,
        twins=float(np.mean(ratios < _NEAR_DUPLICATE_RATIO)),
        held_out_twins=float(np.mean(held_out_ratios < _NEAR_DUPLICATE_RATIO)),
        held_out_subjects=len(np.unique(held_out_subjects)),
        nearest=nearest_rows(synthetic, train)[0],
        ratios=ratios,
    )


def authenticity(
    train: np.ndarray, synthetic: np.ndarray, *, subjects: np.ndarray
) -> float:
    """Share of synthetic images whose nearest neighbours show no copying.

    A synthetic image counts as a copy if its nearest training image is nearer
    to it than to any training image of another subject (Alaa et al. 2022,
    arXiv 2102.08921, section 4.2, who take any other image: slices of one
    subject are close, so that would miss changed copies). There is no fixed
    threshold: compare with held-out images.

    Args:
        train: Training images or their features `[n, ...]`.
        synthetic: Synthetic ones of the same kind `[m, ...]`.
        subjects: Subject of each training row `[n]`.

    Returns:
        The share, 0 if all are copies.

    Raises:
        ValueError: If the shapes differ, a value is not finite, or there are
            no training rows of two subjects.
    """
    train, synthetic = checked_rows(train, synthetic)
    owners = subject_codes(subjects, len(train))
    index, distance = nearest_rows(synthetic, train)
    between = nearest_distances(
        train, train, subjects=owners, pool_subjects=owners
    )
    return float(np.mean(distance > between[index]))


def copy_test(
    train: np.ndarray,
    held_out: np.ndarray,
    synthetic: np.ndarray,
    *,
    held_out_subjects: np.ndarray | None = None,
) -> CopyTest:
    """The data-copying test C_T of Meehan et al. (2020), arXiv 2004.05675.

    The Mann-Whitney `U` of distances to the nearest training row, synthetic
    against held-out rows, becomes a z-score with mean `mn / 2` and variance
    `mn (m + n + 1) / 12`; the whole space is one cell.

    That variance is for independent rows. With `held_out_subjects` a subject
    counts as one row, whose share of nearer synthetic rows is the mean over
    its slices: right if these all agree, conservative if not. `|z|` then
    cannot exceed about `sqrt(3 m)`.

    Args:
        train: Training images or their features `[l, ...]`.
        held_out: Real ones that were not trained on `[m, ...]`.
        synthetic: Synthetic ones `[n, ...]`, drawn independently.
        held_out_subjects: Subject of each held-out row `[m]`.

    Returns:
        The z-score (`C_T`), its one-sided p-value and the share of nearer
        pairs.

    Raises:
        ValueError: If the shapes differ, a value is not finite, or there are
            no rows of a kind.
    """
    train, held_out, synthetic = checked_rows(train, held_out, synthetic)
    owners = subject_codes(held_out_subjects, len(held_out))
    distances, near = (
        nearest_distances(rows, train) for rows in (held_out, synthetic)
    )
    # ranks among both, less those among held-out rows: ties count half
    ranks = rankdata(np.concatenate([distances, near]))[: len(distances)]
    shares = (ranks - rankdata(distances)) / len(near)
    by_subject = [shares[owners == owner].mean() for owner in np.unique(owners)]
    share = float(np.mean(by_subject))
    count, pairs = len(by_subject), len(by_subject) * len(near)
    z_score = (0.5 - share) / math.sqrt((count + len(near) + 1) / (12 * pairs))
    return CopyTest(z_score, float(norm.cdf(z_score)), share)


def centred(images_suvr: np.ndarray) -> np.ndarray:
    """Images with their centre of mass in the middle, pooled to 32x32 pixels.

    Shifts are bilinear and fill with 0. An image without uptake stays as it is.

    Args:
        images_suvr: `[n, size, size]` in SUVR.

    Returns:
        float32 `[n, 32, 32]`, means of blocks.

    Raises:
        ValueError: If the size is no multiple of 32, or a value is not finite.
    """
    images = np.asarray(images_suvr, np.float32)
    if images.ndim != 3 or any(n % _SIDE or not n for n in images.shape[1:]):
        raise ValueError(
            f"expected images [n, height, width] of multiples of {_SIDE} "
            f"pixels, found shape {images.shape}"
        )
    require_finite(images)
    _, height, width = images.shape
    blocks = _SIDE, height // _SIDE, _SIDE, width // _SIDE
    middle = (np.array([height, width]) - 1) / 2
    pooled = []
    for image in images:
        uptake = np.maximum(image, 0)
        if uptake.any():
            shift = middle - ndimage.center_of_mass(uptake)
            image = ndimage.shift(image, shift, order=1)
        pooled.append(image.reshape(blocks).mean(axis=(1, 3)))
    return np.stack(pooled)
