"""How two sets of features differ: KID, Fréchet distance, precision, recall."""

from typing import NamedTuple

import numpy as np
from scipy.spatial.distance import cdist

from pet_dcgan.metrics.arrays import checked_rows, subject_codes
from pet_dcgan.metrics.neighbors import kth_neighbour_distances


class Kid(NamedTuple):
    """Kernel inception distance, possibly negative, and its standard error."""

    value: float
    standard_error: float


class Prdc(NamedTuple):
    """Results of `precision_recall_density_coverage`."""

    precision: float
    recall: float
    density: float
    coverage: float


def kid(
    real: np.ndarray,
    synthetic: np.ndarray,
    *,
    subsets: int = 50,
    seed: int = 0,
    subjects: np.ndarray | None = None,
) -> Kid:
    """Kernel inception distance (KID) between two sets of features.

    The unbiased estimate of the squared maximum mean discrepancy with the
    kernel `(x.y / d + 1)^3`: 0 on average for two samples of one distribution.
    Binkowski et al. (2018), arXiv 1801.01401, section 4, average it over
    subsets; all rows have the same expectation and less noise.

    The standard error is the spread of the estimate over subsets, drawn
    without replacement, of half of each kind (Politis & Romano 1994, doi
    10.1214/aos/1176325770). Slices of one subject are not independent: with
    `subjects` the real half consists of whole subjects, without it the error
    is too small for slices.

    Args:
        real: Features of real images `[n, d]`.
        synthetic: Features of synthetic images `[m, d]`.
        subsets: Number of subsets.
        seed: Seed of the subsets.
        subjects: Subject of each real row `[n]`.

    Returns:
        Value and standard error.

    Raises:
        ValueError: If the shapes differ, a value is not finite, or there are
            fewer than four rows of a kind, four subjects or two subsets.
    """
    real, synthetic = checked_rows(real, synthetic, least=4)
    if subsets < 2:
        raise ValueError(f"expected two or more subsets, found {subsets}")
    kernels = [
        (a @ b.T / a.shape[1] + 1.0) ** 3
        for a, b in ((real, real), (synthetic, synthetic), (real, synthetic))
    ]
    everyone = np.ones([1, len(real)]), np.ones([1, len(synthetic)])
    value = float(_unbiased(*kernels, *everyone)[0])
    smaller = min(len(real), len(synthetic))
    share = smaller // 2 / smaller if subjects is None else 0.5
    rng = np.random.default_rng(seed)
    codes = subject_codes(subjects, len(real), least=4)
    chosen = _subsets(rng, subsets, codes.max() + 1, share)
    if subjects is not None:
        chosen = chosen[:, codes]
    others = _subsets(rng, subsets, len(synthetic), share)
    spread = np.std(_unbiased(*kernels, chosen, others), ddof=1)
    # for an odd number of rows a half is less than one half
    return Kid(value, float(spread * np.sqrt(share / (1 - share))))


def _unbiased(xx, yy, xy, chosen_x, chosen_y) -> np.ndarray:
    """The KID of each pair of subsets, given as rows of zeros and ones."""
    among_x = _mean_off_diagonal(xx, chosen_x)
    among_y = _mean_off_diagonal(yy, chosen_y)
    pairs = chosen_x.sum(axis=1) * chosen_y.sum(axis=1)
    between = np.sum(chosen_x @ xy * chosen_y, axis=1) / pairs
    return among_x + among_y - 2 * between


def _mean_off_diagonal(kernel: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Mean of the kernel over pairs of different rows of each subset."""
    count = chosen.sum(axis=1)
    total = np.sum(chosen @ kernel * chosen, axis=1)
    return (total - chosen @ np.diagonal(kernel)) / (count * (count - 1))


def _subsets(rng, subsets: int, count: int, share: float) -> np.ndarray:
    """Random subsets of this share, as zeros and ones `[subsets, count]`."""
    chosen = np.zeros([subsets, count])
    for row in chosen:
        row[rng.permutation(count)[: round(share * count)]] = 1
    return chosen


def frechet_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Squared Fréchet distance between two normal distributions.

    `|m_a - m_b|^2 + tr(C_a + C_b - 2 (C_a C_b)^(1/2))` with the means and
    covariances (divided by `n - 1`) of the rows: Dowson & Landau (1982), doi
    10.1016/0047-259X(82)90077-X, used on Inception features by Heusel et al.
    (2017), arXiv 1706.08500. Biased upwards by small samples: compare only
    values of equal counts and the same features.

    Args:
        a: Features `[n, d]`.
        b: Features `[m, d]`.

    Returns:
        The distance, 0 or more.

    Raises:
        ValueError: If the shapes differ, a value is not finite, or there are
            fewer than two rows.
    """
    a, b = checked_rows(a, b, least=2)
    means = np.sum((a.mean(axis=0) - b.mean(axis=0)) ** 2)
    # centred and scaled, so that C_a is a^T a
    a, b = ((x - x.mean(axis=0)) / np.sqrt(len(x) - 1) for x in (a, b))
    spread = np.sum(a**2) + np.sum(b**2)
    # the trace of the root is the sum of the singular values of a b^T
    if len(a) * len(b) < a.shape[1] ** 2:
        trace = np.linalg.svd(a @ b.T, compute_uv=False).sum()
    else:  # or of the roots of the eigenvalues of C_a^(1/2) C_b C_a^(1/2)
        values, vectors = np.linalg.eigh(a.T @ a)
        root = vectors * np.sqrt(np.maximum(values, 0))
        shared = np.linalg.eigvalsh(root.T @ (b.T @ b) @ root)
        trace = np.sqrt(np.maximum(shared, 0)).sum()
    return float(max(means + spread - 2 * trace, 0.0))


def frechet_ratio(
    real: np.ndarray,
    synthetic: np.ndarray,
    *,
    seed: int,
    subjects: np.ndarray | None = None,
    splits: int = 10,
) -> float:
    """Fréchet distance of two real halves over that of real and synthetic.

    What medigan (Osuala et al. 2023, doi 10.1117/1.JMI.10.6.061403) ranks
    generators by: 1 if synthetic images are as near to real ones as other real
    ones are, towards 0 the worse they are. Each real half is compared with the
    other and with as many synthetic rows; means over the halvings are taken
    before dividing.

    Args:
        real: Features of real images `[n, d]`.
        synthetic: Features of synthetic images `[m, d]`.
        seed: Seed of the halvings.
        subjects: Subject of each real row `[n]`; halves then share no
            subject, as they must not if a subject has several slices.
        splits: Number of halvings.

    Returns:
        The ratio; infinite if synthetic rows are the real ones.

    Raises:
        ValueError: If the shapes differ, a value is not finite, or there are
            too few rows or subjects to halve.
    """
    real, synthetic = checked_rows(real, synthetic, least=4)
    codes = subject_codes(subjects, len(real), least=2)
    rng = np.random.default_rng(seed)
    distances = []
    for _ in range(splits):
        order = rng.permutation(codes.max() + 1)
        inside = np.isin(codes, order[: len(order) // 2])
        halves = real[inside], real[~inside]
        rows = rng.permutation(len(synthetic))
        to_synthetic = []
        for half, other in (halves, halves[::-1]):
            if len(rows) < len(other):
                raise ValueError(
                    f"expected at least {len(other)} synthetic rows, as many "
                    f"as half of the real ones, found {len(rows)}"
                )
            taken, rows = rows[: len(other)], np.roll(rows, -len(other))
            to_synthetic.append(frechet_distance(half, synthetic[taken]))
        distances.append((frechet_distance(*halves), np.mean(to_synthetic)))
    among_real, to_synthetic = np.mean(distances, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(among_real / to_synthetic)


def precision_recall_density_coverage(
    real: np.ndarray, synthetic: np.ndarray, *, k: int = 5
) -> Prdc:
    """Precision, recall, density and coverage by nearest neighbours.

    Each row is the centre of a closed ball that reaches to its `k`-th nearest
    neighbour of its own kind. Precision is the share of synthetic rows in a
    real ball, recall that of real rows in a synthetic ball (Kynkäänniemi et
    al. 2019, arXiv 1904.06991, equations 1 and 2). Density is the mean number
    of real balls around a synthetic row, divided by `k`; coverage is the share
    of real balls that hold a synthetic row (Naeem et al. 2020, arXiv
    2002.09797). For one distribution and many rows coverage is about
    `1 - 2^-k` and density 1. Neighbouring slices of one subject make balls
    small: compare with held-out real images.

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
            f"{len(synthetic)} and {len(real)}: use equal counts"
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
