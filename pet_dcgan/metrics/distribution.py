"""How two sets of features differ: KID, Fréchet distance, precision, recall."""

from typing import NamedTuple

import numpy as np
from scipy.spatial.distance import cdist

from pet_dcgan.metrics.arrays import checked_rows, subject_codes
from pet_dcgan.metrics.kernel_sums import (
    Grouped,
    grouped,
    kernel_sums,
    sums_of_others,
)
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
    subjects: np.ndarray | None = None,
    synthetic_subjects: np.ndarray | None = None,
) -> Kid:
    """Kernel inception distance (KID) between two sets of features.

    The unbiased estimate of the squared maximum mean discrepancy with the
    kernel `(x.y / d + 1)^3`: 0 on average for two samples of one distribution.
    Binkowski et al. (2018), arXiv 1801.01401, section 4, average it over
    subsets; all rows have the same expectation and less noise.

    That holds for independent rows. Slices of one subject are alike, so pairs
    of them are left out on either side. All other pairs count equally: slices
    are weighted as they are in the training of a generator, and subjects with
    more slices count more without making anything larger or smaller.

    The standard error is a jackknife over subjects of either side (Efron &
    Stein 1981, doi 10.1214/aos/1176345462, who prove that it is too large
    rather than too small). It is about right where the distributions differ,
    and 1.3 to 1.8 times too large where they do not, by
    `benchmarks/likeness.py`.

    Args:
        real: Features of real images `[n, d]`.
        synthetic: Features of the other images `[m, d]`.
        subjects: Subject of each real row `[n]`; None if each is one of its
            own.
        synthetic_subjects: The same of the other rows `[m]`, if these are
            real as well.

    Returns:
        Value and standard error, which is NaN for fewer than three subjects.

    Raises:
        ValueError: If the shapes differ, a value is not finite, or there are
            fewer than two rows or subjects of a kind.
    """
    real, synthetic = checked_rows(real, synthetic, least=2)
    a = grouped(real, subject_codes(subjects, len(real), least=2))
    owners = subject_codes(synthetic_subjects, len(synthetic), least=2)
    b = grouped(synthetic, owners)
    of_a, of_b = _mean_of_others(a), _mean_of_others(b)
    sums = kernel_sums(a, b) / len(a.rows) / len(b.rows)
    between = _mean_between(sums, a), _mean_between(sums.T, b)
    variance = 0.0
    for (_, among), (_, across) in zip((of_a, of_b), between, strict=True):
        count = len(among)
        left_out = among - 2 * across
        variance += (count - 1) ** 2 / count * left_out.var(ddof=1)
    value = of_a[0] + of_b[0] - 2 * between[0][0]
    return Kid(float(value), float(np.sqrt(variance)))


def _mean_of_others(a: Grouped) -> tuple[float, np.ndarray]:
    """Mean kernel of rows of two subjects, and the same without each one."""
    sums, count = sums_of_others(a), len(a.rows)
    total, pairs = sums.sum(), count**2 - np.sum(a.sizes**2)
    fewer = pairs - 2 * a.sizes * (count - a.sizes)
    left = total - 2 * sums.sum(axis=1)
    without = np.full(len(left), np.nan)
    # nothing is left of two subjects
    np.divide(left, fewer, out=without, where=fewer > 0)
    return total / pairs, without


def _mean_between(sums: np.ndarray, a: Grouped) -> tuple[float, np.ndarray]:
    """Mean kernel of rows of either kind, and the same without each of `a`.

    `sums` are over the number of pairs.
    """
    count, mean = len(a.rows), sums.sum()
    without = (mean - sums.sum(axis=1)) * count / (count - a.sizes)
    return mean, without


def mean_shift(value: float) -> float:
    """By how much each feature's mean would differ to give this KID.

    For a shift by `s` standard deviations in all of `d` whitened features the
    KID is `(1 + s^2)^3 - 1` up to terms of order `1/d`; this is its inverse,
    `sqrt(value / 3)` for small values. Other differences count as the shift
    that weighs as much.

    Args:
        value: KID of whitened features; below 0 by chance.

    Returns:
        Root mean square shift in standard deviations, 0 or more.
    """
    return float(np.sqrt(np.cbrt(1 + max(value, 0.0)) - 1))


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
    real: np.ndarray,
    synthetic: np.ndarray,
    *,
    k: int = 5,
    subjects: np.ndarray | None = None,
    synthetic_subjects: np.ndarray | None = None,
) -> Prdc:
    """Precision, recall, density and coverage by nearest neighbours.

    Each row is the centre of a closed ball that reaches to its `k`-th nearest
    neighbour of its own kind, among rows of other subjects: neighbouring
    slices of one subject would make balls small. Precision is the share of
    synthetic rows in a real ball, recall that of real rows in a synthetic ball
    (Kynkäänniemi et al. 2019, arXiv 1904.06991, equations 1 and 2). Density is
    the mean number of real balls around a synthetic row, divided by `k`;
    coverage is the share of real balls that hold a synthetic row (Naeem et al.
    2020, arXiv 2002.09797). For one distribution and many independent rows
    coverage is about `1 - 2^-k` and density 1.

    Without subjects the numbers are those of the package `prdc`, but for ties:
    its balls are open, so that a row on the edge is outside.

    Args:
        real: Features of real images `[n, d]`.
        synthetic: Features of synthetic images `[n, d]`, as many, since
            coverage and recall grow with their number.
        k: Neighbours of other subjects that a ball holds.
        subjects: Subject of each real row `[n]`; None if each is one of its
            own.
        synthetic_subjects: The same of the other rows, if these are real as
            well.

    Returns:
        The four numbers.

    Raises:
        ValueError: If the shapes or counts differ, a value is not finite, or
            a row has fewer than `k` others of other subjects.
    """
    real, synthetic = checked_rows(real, synthetic)
    if len(real) != len(synthetic):
        raise ValueError(
            "expected as many synthetic rows as real ones, found "
            f"{len(synthetic)} and {len(real)}: use equal counts"
        )
    radii = kth_neighbour_distances(real, k, subjects=subjects)
    others = kth_neighbour_distances(synthetic, k, subjects=synthetic_subjects)
    distances = cdist(real, synthetic)
    in_real_ball = distances <= radii[:, None]
    in_synthetic_ball = distances <= others
    return Prdc(
        precision=float(in_real_ball.any(axis=0).mean()),
        recall=float(in_synthetic_ball.any(axis=1).mean()),
        density=float(in_real_ball.sum(axis=0).mean() / k),
        coverage=float(in_real_ball.any(axis=1).mean()),
    )
