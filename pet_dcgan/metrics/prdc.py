"""Precision, recall, density and coverage of two sets of features."""

from typing import NamedTuple

import numpy as np
from scipy.spatial.distance import cdist

from pet_dcgan.metrics.arrays import checked_rows
from pet_dcgan.metrics.neighbours import kth_neighbour_distances


class Prdc(NamedTuple):
    """How much of one set of features another one matches.

    Args:
        precision: Share of synthetic rows among the real ones.
        recall: Share of real rows among the synthetic ones.
        density: How densely real rows surround the synthetic ones; about 1
            for one distribution, and it may be higher.
        coverage: Share of real rows with a synthetic one beside them.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def precision_recall_density_coverage(
    real: np.ndarray, synthetic: np.ndarray, *, k: int = 5
) -> Prdc:
    """Precision, recall, density and coverage by nearest neighbours.

    Each row is the centre of a ball that reaches to its `k`-th nearest
    neighbour of its own kind. Precision is the share of synthetic rows in a
    real ball, recall that of real rows in a synthetic ball (Kynkaanniemi et
    al. 2019, arXiv 1904.06991, equations 1 and 2). Density is the number of
    real balls that a synthetic row lies in, divided by `k`, on average;
    coverage is the share of real balls with a synthetic row in them (Naeem et
    al. 2020, arXiv 2002.09797). A row on the edge of a
    ball is inside, as in the former paper.

    For one distribution and many rows coverage is about `1 - 2^-k` and
    density 1. Neighbouring slices of one subject make balls small: look at
    the figure for held-out real images beside.

    Args:
        real: Features of real images `[n, d]`.
        synthetic: Features of synthetic images `[n, d]`, as many, since
            coverage and recall grow with their number.
        k: Neighbours that a ball holds.

    Returns:
        The four numbers.

    Raises:
        ValueError: If the shapes or counts differ, a value is not finite, or
            there are not more than `k` rows.
    """
    real, synthetic = checked_rows(real, synthetic)
    if len(real) != len(synthetic):
        raise ValueError(
            "expected as many synthetic rows as real ones, found "
            f"{len(synthetic)} and {len(real)}: take equal counts"
        )
    distances = cdist(real, synthetic)
    in_real_ball = distances <= kth_neighbour_distances(real, k)[:, None]
    in_synthetic_ball = distances <= kth_neighbour_distances(synthetic, k)
    return Prdc(
        precision=float(in_real_ball.any(axis=0).mean()),
        recall=float(in_synthetic_ball.any(axis=1).mean()),
        density=float(in_real_ball.sum(axis=0).mean() / k),
        coverage=float(in_real_ball.any(axis=1).mean()),
    )
