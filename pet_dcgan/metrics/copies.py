"""Whether synthetic images are copies of training images."""

import math
from typing import NamedTuple

import numpy as np
from scipy.cluster.vq import kmeans2
from scipy.stats import norm, rankdata

from pet_dcgan.metrics.arrays import checked_rows
from pet_dcgan.metrics.neighbours import nearest_distances, nearest_rows


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
