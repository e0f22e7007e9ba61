"""Memorization: whether synthetic images are copies of training images."""

import dataclasses
import math
from typing import NamedTuple

import numpy as np
from scipy.stats import beta, norm, rankdata

from pet_dcgan.metrics.arrays import checked_rows, subject_codes
from pet_dcgan.metrics.confidence import MIN_SUBJECTS
from pet_dcgan.metrics.copy_search import (
    CERTAIN_RATIO,
    SUSPECT_RATIO,
    Mixtures,
    compared_mixtures,
    search,
    share_p_value,
)
from pet_dcgan.metrics.copy_words import copy_words
from pet_dcgan.metrics.neighbors import nearest_distances, nearest_rows
from pet_dcgan.metrics.repeated_subjects import merged_subjects

_P_VALUE = 0.01
_SHARE_P_VALUE = 0.05
_FAR = 3.0


class OneSubjectError(ValueError):
    """There are no two training subjects, so copies cannot be told."""


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
        ratios: Distance of each synthetic image, or of its mirror image where
            that is less, to the nearest training subject over that to the
            second nearest `[n]`.
        nearest: Training slice nearest to each synthetic image, or to its
            mirror image where that has the lower ratio `[n]`.
        mirrored: Whether the lower ratio is the mirror image's, bool `[n]`.
        held_out_suspects: Share of suspects among held-out real images.
        suspects_p_value: Of as large a share of suspects if held-out real
            images have as many on average.
        held_out_subjects: Number of held-out subjects.
        repeated: Number of training subjects who count as one with another,
            since their slices are near duplicates.
        mixtures: Shares of images that look like mixtures.
        test: C_T, with one observation per held-out subject.
        authenticity: Share of synthetic images that are no copy.
        held_out_authenticity: The same for held-out real images.
    """

    ratios: np.ndarray
    nearest: np.ndarray
    mirrored: np.ndarray
    held_out_suspects: float
    suspects_p_value: float
    held_out_subjects: int
    repeated: int
    mixtures: Mixtures
    test: CopyTest
    authenticity: float
    held_out_authenticity: float

    @property
    def suspects(self) -> np.ndarray:
        """Rows with a ratio below `SUSPECT_RATIO` `[k]`, the lowest first."""
        order = np.argsort(self.ratios, kind="stable")
        return order[self.ratios[order] < SUSPECT_RATIO]

    @property
    def certain(self) -> int:
        """Number of images with a ratio below `CERTAIN_RATIO`."""
        return int(np.sum(self.ratios < CERTAIN_RATIO))

    @property
    def bound(self) -> float:
        """Largest rate of suspects that the images agree with, at 95 %.

        The one-sided end of Clopper & Pearson (1934, doi
        10.1093/biomet/26.4.404): without a suspect `1 - 0.05^(1/n)`, about
        `3 / n` (Hanley & Lippman-Hand 1983, doi
        10.1001/jama.1983.03330370053031).
        """
        found, count = len(self.suspects), len(self.ratios)
        if found == count:
            return 1.0
        return float(beta.ppf(0.95, found + 1, count - found))

    @property
    def verdict(self) -> str:
        """The worst that was found.

        `"copies"`, `"suspects"`, `"nearer"`, `"too far to tell"` or
        `"no sign"`. Suspects, and mixtures, are excused only where as many
        held-out real images are the same, of `MIN_SUBJECTS` or more.
        """
        if self.certain:
            return "copies"
        if len(self.suspects) and self._too_many(self.suspects_p_value):
            return "suspects"
        mixed = self.mixtures.synthetic and self._too_many(
            self.mixtures.p_value
        )
        if mixed or self.test.p_value < _P_VALUE:
            return "nearer"
        return "too far to tell" if self.test.z_score > _FAR else "no sign"

    def _too_many(self, p_value: float) -> bool:
        """Whether held-out images do not excuse as many synthetic ones."""
        few = self.held_out_subjects < MIN_SUBJECTS
        return few or p_value < _SHARE_P_VALUE

    @property
    def words(self) -> str:
        """The verdict in sentences, with the numbers behind it."""
        return copy_words(self)


def check_memorization(
    train: np.ndarray,
    held_out: np.ndarray,
    synthetic: np.ndarray,
    *,
    train_subjects: np.ndarray,
    held_out_subjects: np.ndarray,
) -> MemorizationCheck:
    """Searches synthetic images for copies of training images.

    Each image and its mirror image are compared. Images are `centred`, so a
    shift of a few pixels, noise or some blur does not hide a copy; that uptake
    is scaled by more than about a tenth does. A training subject who is there
    twice counts as one (`merged_subjects`). One copy is enough for the
    verdict, which C_T would miss.

    Args:
        train: Training slices float32 `[l, 32, 32]` in SUVR, `centred`.
        held_out: Slices of subjects that were not trained on `[m, 32, 32]`,
            `centred`.
        synthetic: Synthetic slices `[n, 32, 32]`, `centred`, of seeds drawn
            independently.
        train_subjects: Subject of each training slice, two or more.
        held_out_subjects: Subject of each held-out slice.

    Raises:
        OneSubjectError: If there are fewer than two training subjects whose
            slices differ.
        ValueError: If the shapes differ, or a value is not finite.
    """
    owners = merged_subjects(train, train_subjects)
    repeated = len(np.unique(train_subjects)) - _two_or_more(owners)
    found, real = (
        search(images, train, owners) for images in (synthetic, held_out)
    )
    between = nearest_distances(
        train, train, subjects=owners, pool_subjects=owners
    )
    authentic, held_out_authentic = (
        float(np.mean(each.distances > between[each.rows]))
        for each in (found, real)
    )
    return MemorizationCheck(
        ratios=found.ratios,
        nearest=found.nearest,
        mirrored=found.mirrored,
        held_out_suspects=float(real.suspects.mean()),
        suspects_p_value=share_p_value(
            found.suspects, real.suspects, held_out_subjects
        ),
        held_out_subjects=len(np.unique(held_out_subjects)),
        repeated=repeated,
        mixtures=compared_mixtures(found, real, held_out_subjects),
        test=_nearer(real.distances, found.distances, held_out_subjects),
        authenticity=authentic,
        held_out_authenticity=held_out_authentic,
    )


def _two_or_more(owners: np.ndarray) -> int:
    """Number of training subjects that differ, refused below two."""
    count = int(owners.max()) + 1
    if count < 2:
        raise OneSubjectError(
            "expected training slices of two subjects or more, to tell a copy "
            "from a likeness, found those of one (near duplicates of each "
            "other count as one): train on more subjects"
        )
    return count


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
    distances, near = (
        nearest_distances(rows, train) for rows in (held_out, synthetic)
    )
    return _nearer(distances, near, held_out_subjects)


def _nearer(
    distances: np.ndarray, near: np.ndarray, subjects: np.ndarray | None
) -> CopyTest:
    """C_T of distances: of held-out rows, with their subjects, and others."""
    owners = subject_codes(subjects, len(distances))
    # ranks among both, less those among held-out rows: ties count half
    ranks = rankdata(np.concatenate([distances, near]))[: len(distances)]
    shares = (ranks - rankdata(distances)) / len(near)
    by_subject = [shares[owners == owner].mean() for owner in np.unique(owners)]
    share = float(np.mean(by_subject))
    count, pairs = len(by_subject), len(by_subject) * len(near)
    z_score = (0.5 - share) / math.sqrt((count + len(near) + 1) / (12 * pairs))
    return CopyTest(z_score, float(norm.cdf(z_score)), share)
