"""Whether synthetic images are copies of training images."""

import dataclasses
import math
from typing import NamedTuple

import numpy as np
from scipy.cluster.vq import kmeans2
from scipy.stats import norm, rankdata

from pet_dcgan.metrics.arrays import checked_rows
from pet_dcgan.metrics.neighbors import (
    nearest_distances,
    nearest_rows,
    subject_ratios,
)
from pet_dcgan.metrics.pairing import centred


class CopyTest(NamedTuple):
    """How near synthetic images lie to training images, beside held-out ones.

    Args:
        z_score: Below 0 where synthetic images are nearer, above where they
            are farther. Meehan et al. speak of copies below -3.
        p_value: How probable a z-score as low is where synthetic images are
            as near as held-out ones.
        share_nearer: Probability that a synthetic image is nearer than a
            held-out one: 0.5 for equally near, 1 for copies.
    """

    z_score: float
    p_value: float
    share_nearer: float


def authenticity(
    train: np.ndarray,
    synthetic: np.ndarray,
    *,
    subjects: np.ndarray | None = None,
) -> float:
    """Share of synthetic images that are no copy by their neighbourhood.

    A synthetic image counts as a copy where the training image nearest to it
    is nearer to it than to any other training image (Alaa et al. 2022, arXiv
    2102.08921, section 4.2). That image's neighbours are mostly slices of its
    own subject, which is nearer than any honest image can be expected to
    come; with `subjects` the other training image has to be of another
    subject, and a subject that is replayed with a change is noticed.

    There is no fixed bar: look at the same number for held-out images.

    Args:
        train: Training images or their features `[n, ...]`.
        synthetic: Synthetic ones of the same kind `[m, ...]`.
        subjects: Subject of each training row `[n]`.

    Returns:
        The share, 0 where all are copies.

    Raises:
        ValueError: If the shapes do not fit, a value is not finite, or there
            are no two training rows (of two subjects) to compare.
    """
    train, synthetic = checked_rows(train, synthetic)
    owners = np.arange(len(train)) if subjects is None else subjects
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
    cells: int = 1,
    seed: int = 0,
) -> CopyTest:
    """The data-copying test C_T of Meehan et al. (2020), arXiv 2004.05675.

    In each cell of the space, distances to the nearest training row in it are
    ranked, and the Mann-Whitney `U` of the synthetic rows against the held-out
    ones becomes a z-score with mean `mn / 2` and variance `mn (m + n + 1) /
    12`. `C_T` is their mean over the cells, weighted by the share of held-out
    rows, without cells that hold less than `20 / n` of the `n` synthetic rows.

    That variance is for independent rows, and slices of one subject are not:
    few held-out subjects with many slices would make a chance difference look
    like proof. With `held_out_subjects` a subject counts as one row, whose
    share of nearer synthetic rows is the mean over its slices, so `m` is the
    number of subjects. That is right where slices of a subject say all the
    same, and careful where they do not: `|z|` then cannot exceed about
    `sqrt(3 m)`, and a handful of subjects proves little.

    Args:
        train: Training images or their features `[l, ...]`.
        held_out: Real ones that were not trained on `[m, ...]`.
        synthetic: Synthetic ones `[n, ...]`, drawn independently.
        held_out_subjects: Subject of each held-out row `[m]`.
        cells: Cells, found by k-means among the training rows.
        seed: Fixes the cells.

    Returns:
        The test's z-score (`C_T`), its one-sided p-value (with several cells
        careful as well) and the share of pairs behind it.

    Raises:
        ValueError: If the shapes do not fit, a value is not finite, or no
            cell holds enough rows of each kind.
    """
    train, held_out, synthetic = checked_rows(train, held_out, synthetic)
    owners = np.arange(len(held_out))
    if held_out_subjects is not None:
        owners = np.unique(held_out_subjects, return_inverse=True)[1]
    if len(owners) != len(held_out):
        raise ValueError(
            f"expected a subject for each of {len(held_out)} held-out rows, "
            f"found {len(owners)}"
        )
    places = _cells((train, held_out, synthetic), cells, seed)
    enough = 20 if cells > 1 else 1
    weights, scores, shares = [], [], []
    for cell in range(cells):
        rows = [place == cell for place in places]
        if not (rows[0].any() and rows[1].any() and rows[2].sum() >= enough):
            continue
        near_held_out, near_synthetic = (
            nearest_distances(queries, train[rows[0]])
            for queries in (held_out[rows[1]], synthetic[rows[2]])
        )
        share = _share_nearer(near_held_out, near_synthetic, owners[rows[1]])
        weights.append(rows[1].sum())
        shares.append(share)
        counts = len(np.unique(owners[rows[1]])), int(rows[2].sum())
        scores.append(_z_score(share, *counts))
    if not weights:
        raise ValueError(
            f"expected a cell with training, held-out and {enough} or more "
            f"synthetic rows, found none of {cells}: lower the number of cells"
        )
    z_score = float(np.average(scores, weights=weights))
    share = float(np.average(shares, weights=weights))
    return CopyTest(z_score, float(norm.cdf(z_score)), share)


def _share_nearer(held_out, synthetic, owners) -> float:
    """Probability that a synthetic distance is less; ties count half."""
    ranks = rankdata(np.concatenate([held_out, synthetic]))
    nearer = ranks[: len(held_out)] - rankdata(held_out)
    shares = nearer / len(synthetic)
    return float(
        np.mean([shares[owners == owner].mean() for owner in np.unique(owners)])
    )


def _z_score(share: float, held_out: int, synthetic: int) -> float:
    pairs = held_out * synthetic
    return (0.5 - share) / math.sqrt((held_out + synthetic + 1) / (12 * pairs))


def _cells(kinds, cells: int, seed: int) -> list[np.ndarray]:
    """Cell of each row of each kind."""
    if cells < 1:
        raise ValueError(f"expected at least one cell, found {cells}")
    if cells == 1:
        return [np.zeros(len(rows), np.int64) for rows in kinds]
    centres, _ = kmeans2(kinds[0], cells, minit="++", seed=seed)
    return [nearest_rows(rows, centres)[0] for rows in kinds]


# a twin is twice as near to one training subject as to any other
TWIN_RATIO = 0.5
_TWIN_SHARE = 0.01
_P_VALUE = 0.01
_FAR = 3.0


@dataclasses.dataclass(frozen=True)
class MemorizationCheck:
    """What was found about copies.

    Args:
        test: C_T, a held-out subject counting as one observation.
        authenticity: Share of synthetic images that are no copy, the other
            training image being of another subject.
        held_out_authenticity: The same for held-out real images.
        twins: Share of synthetic images that lie less than half as far from
            one training subject as from any other.
        held_out_twins: The same for held-out real images.
        held_out_subjects: Their number.
        nearest: Training image nearest to each synthetic one `[n]`.
        ratios: Distance of each synthetic image to its nearest training
            subject, divided by that to the second nearest `[n]`; the lowest
            are the pairs to look at.
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
        if self.twins > max(_TWIN_SHARE, 3 * self.held_out_twins):
            return "copies"
        if self.test.p_value < _P_VALUE:
            return "nearer"
        return "too far to tell" if self.test.z_score > _FAR else "no sign"

    @property
    def words(self) -> str:
        """The verdict in a sentence or two, with what it rests on."""
        numbers = (
            f"{self.twins:.1%} of the synthetic images lie less than half as "
            "far from one training subject as from any other (held-out real "
            f"images: {self.held_out_twins:.1%}), and a synthetic image is "
            "nearer to the training images than a held-out one with "
            f"probability {self.test.share_nearer:.2f} (0.5 is as near; "
            f"C_T {self.test.z_score:+.1f} by {self.held_out_subjects} "
            "held-out subjects)"
        )
        return f"{_OPENINGS[self.verdict]} {numbers}."


_OPENINGS = {
    "copies": "Copies of training subjects:",
    "nearer": (
        "No copies, but nearer to the training images than new subjects are, "
        "be it that they remember them or that they are too smooth; look at "
        "the nearest pairs:"
    ),
    "no sign": "No sign of copies:",
    "too far to tell": (
        "No sign of copies, though images as far from all real ones would "
        "show none:"
    ),
}


def check_memorization(
    train: np.ndarray,
    held_out: np.ndarray,
    synthetic: np.ndarray,
    *,
    train_subjects: np.ndarray,
    held_out_subjects: np.ndarray,
) -> MemorizationCheck:
    """Looks for training images among synthetic ones.

    Images are compared centred and pooled to 32x32 (`centred`), so that a
    shift of a few pixels, noise, or some blur does not hide a copy. Not
    recognised are mirrored copies, mixtures of several subjects, and copies
    whose uptake is scaled by more than about a tenth.

    A twin compares an image with training subjects alone, so it needs no
    held-out subjects and finds single copies among many honest images, which
    the C_T test, a test of the whole, does not.

    Args:
        train: Training slices `[l, size, size]` in SUVR.
        held_out: Slices of subjects that were not trained on `[m, ...]`.
        synthetic: Synthetic slices `[n, ...]`, of seeds drawn independently.
        train_subjects: Subject of each training slice, two or more.
        held_out_subjects: Subject of each held-out slice.

    Raises:
        ValueError: If the shapes do not fit, a value is not finite, or there
            are fewer than two training subjects.
    """
    train, held_out, synthetic = map(centred, (train, held_out, synthetic))
    of_synthetic, of_held_out = (
        subject_ratios(images, train, train_subjects)
        for images in (synthetic, held_out)
    )
    return MemorizationCheck(
        test=copy_test(
            train, held_out, synthetic, held_out_subjects=held_out_subjects
        ),
        authenticity=authenticity(train, synthetic, subjects=train_subjects),
        held_out_authenticity=authenticity(
            train, held_out, subjects=train_subjects
        ),
        twins=float(np.mean(of_synthetic < TWIN_RATIO)),
        held_out_twins=float(np.mean(of_held_out < TWIN_RATIO)),
        held_out_subjects=len(np.unique(held_out_subjects)),
        nearest=nearest_rows(synthetic, train)[0],
        ratios=of_synthetic,
    )
