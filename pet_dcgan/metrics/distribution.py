"""Distances of two sets of features: KID and the Fréchet distance."""

from typing import NamedTuple

import numpy as np

from pet_dcgan.metrics.arrays import checked_rows


class Kid(NamedTuple):
    """A kernel distance and how sure it is.

    Args:
        value: Squared maximum mean discrepancy, unbiased: 0 on average for
            two samples of one distribution, so it can be negative.
        standard_error: Standard error of `value`.
    """

    value: float
    standard_error: float


def kid(
    real: np.ndarray,
    synthetic: np.ndarray,
    *,
    subsets: int = 50,
    subset_size: int | None = None,
    seed: int = 0,
    subjects: np.ndarray | None = None,
) -> Kid:
    """Kernel inception distance (KID) between two sets of features.

    The unbiased estimate of the squared maximum mean discrepancy with the
    kernel `(x.y / d + 1)^3`, by Binkowski et al. (2018), "Demystifying MMD
    GANs", arXiv 1801.01401, section 4. They average it over subsets; here it
    is that of all rows, which has the same expectation and less noise.

    Its standard error comes from subsets without replacement (Politis &
    Romano 1994, doi 10.1214/aos/1176325770): the spread of the estimate over
    subsets of `b` of `n`, times `sqrt(b / (n - b))`, which for halves is the
    spread itself. A subset takes the same share of both kinds. Slices of one
    subject are not independent: with `subjects` the real part of a subset is
    made of whole subjects, without it the error is too small for slices.

    Args:
        real: Features of real images `[n, d]`.
        synthetic: Features of synthetic images `[m, d]`.
        subsets: Number of subsets.
        subset_size: Rows of the smaller kind in a subset, by default half of
            them. With `subjects` halves are taken.
        seed: Fixes the subsets.
        subjects: Subject of each real row `[n]`.

    Returns:
        Value and standard error.

    Raises:
        ValueError: If the shapes do not fit, a value is not finite, there
            are fewer than four rows of a kind (or four subjects), or the
            subsets are too many or too large.
    """
    real, synthetic = checked_rows(real, synthetic, least=4)
    smaller = min(len(real), len(synthetic))
    size = smaller // 2 if subset_size is None else subset_size
    if subsets < 2 or not 2 <= size < smaller:
        raise ValueError(
            "expected two or more subsets of at least 2 and fewer than "
            f"{smaller} rows, found {subsets} of {size}"
        )
    kernels = [
        _kernel(a, b)
        for a, b in ((real, real), (synthetic, synthetic), (real, synthetic))
    ]
    everyone = np.ones([1, len(real)]), np.ones([1, len(synthetic)])
    value = float(_unbiased(*kernels, *everyone)[0])
    rng = np.random.default_rng(seed)
    share = size / smaller if subjects is None else 0.5
    if subjects is None:
        chosen = _subsets(rng, subsets, len(real), share)
    else:
        chosen = _subject_halves(rng, subsets, subjects, len(real))
    others = _subsets(rng, subsets, len(synthetic), share)
    spread = np.std(_unbiased(*kernels, chosen, others), ddof=1)
    return Kid(value, float(spread * np.sqrt(share / (1 - share))))


def _kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a @ b.T / a.shape[1] + 1.0) ** 3


def _unbiased(xx, yy, xy, chosen_x, chosen_y) -> np.ndarray:
    """The estimate of each subset; subsets are rows of zeros and ones."""
    among_x = _mean_off_diagonal(xx, chosen_x)
    among_y = _mean_off_diagonal(yy, chosen_y)
    pairs = chosen_x.sum(axis=1) * chosen_y.sum(axis=1)
    between = np.sum(chosen_x @ xy * chosen_y, axis=1) / pairs
    return among_x + among_y - 2 * between


def _mean_off_diagonal(kernel: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    count = chosen.sum(axis=1)
    total = np.sum(chosen @ kernel * chosen, axis=1)
    return (total - chosen @ np.diagonal(kernel)) / (count * (count - 1))


def _subsets(rng, subsets: int, count: int, share: float) -> np.ndarray:
    chosen = np.zeros([subsets, count])
    for row in chosen:
        row[rng.permutation(count)[: round(share * count)]] = 1
    return chosen


def _subject_halves(rng, subsets: int, subjects, count: int) -> np.ndarray:
    names, codes = np.unique(subjects, return_inverse=True)
    if len(codes) != count or len(names) < 4:
        raise ValueError(
            f"expected a subject for each of {count} real rows and at least 4 "
            f"different ones, found {len(codes)} and {len(names)}"
        )
    return _subsets(rng, subsets, len(names), 0.5)[:, codes]


def frechet_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Squared Frechet distance of two normal distributions.

    `|m_a - m_b|^2 + tr(C_a + C_b - 2 (C_a C_b)^(1/2))` with the means and
    covariances (divided by `n - 1`) of the rows, the distance that Heusel et
    al. (2017), arXiv 1706.08500, use on Inception features, by Dowson &
    Landau (1982), doi 10.1016/0047-259X(82)90077-X. The last trace is the sum
    of the square roots of the eigenvalues of the symmetric matrix
    `C_a^(1/2) C_b C_a^(1/2)`, so no matrix root of a product is needed. With
    `X` the rows without their mean over `sqrt(n - 1)`, these are the squared
    singular values of `X_a X_b^T`, which is the smaller matrix of the two
    where features outnumber rows.

    It is biased upwards by small samples: compare only values of equal counts
    and the same features.

    Args:
        a: Features `[n, d]`.
        b: Features `[m, d]`.

    Returns:
        The distance, 0 or more.

    Raises:
        ValueError: If the shapes do not fit, a value is not finite, or there
            are fewer than two rows.
    """
    a, b = checked_rows(a, b, least=2)
    apart = np.sum((a.mean(axis=0) - b.mean(axis=0)) ** 2)
    a, b = ((x - x.mean(axis=0)) / np.sqrt(len(x) - 1) for x in (a, b))
    spread = np.sum(a**2) + np.sum(b**2)
    overlap = _overlap(a, b)
    return float(max(apart + spread - 2 * overlap, 0.0))


def frechet_ratio(
    real: np.ndarray,
    synthetic: np.ndarray,
    *,
    seed: int,
    subjects: np.ndarray | None = None,
    splits: int = 10,
) -> float:
    """Frechet distance of two real halves over that of real and synthetic.

    The ratio that medigan (Osuala et al. 2023, doi 10.1117/1.JMI.10.6.061403)
    ranks generators by: 1 where synthetic images are as near to real ones as
    other real ones are, towards 0 the worse they are. All distances are of
    equal counts: each real half is compared with the other one and with as
    many synthetic rows as that has. Means over `splits` halvings are taken
    before the division.

    Args:
        real: Features of real images `[n, d]`.
        synthetic: Features of synthetic images `[m, d]`.
        seed: Fixes the halvings.
        subjects: Subject of each real row `[n]`; halves then share no
            subject, as they must not where a subject has several slices.
        splits: Number of halvings.

    Returns:
        The ratio; infinite where synthetic rows are the real ones.

    Raises:
        ValueError: If the shapes do not fit, a value is not finite, or there
            are too few rows or subjects to halve.
    """
    real, synthetic = checked_rows(real, synthetic, least=4)
    groups = np.arange(len(real)) if subjects is None else np.asarray(subjects)
    names, codes = np.unique(groups, return_inverse=True)
    if len(codes) != len(real) or len(names) < 2:
        raise ValueError(
            f"expected a subject for each of {len(real)} real rows and at "
            f"least 2 different ones, found {len(codes)} and {len(names)}"
        )
    rng = np.random.default_rng(seed)
    distances = [_halved(real, synthetic, codes, rng) for _ in range(splits)]
    among_real, to_synthetic = np.mean(distances, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.float64(among_real) / to_synthetic)


def _overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Trace of the root of `C_a C_b` of rows whose mean is taken off."""
    if len(a) * len(b) < a.shape[1] ** 2:
        return np.linalg.svd(a @ b.T, compute_uv=False).sum()
    values, vectors = np.linalg.eigh(a.T @ a)
    root = vectors * np.sqrt(np.maximum(values, 0))
    shared = np.linalg.eigvalsh(root.T @ (b.T @ b) @ root)
    return np.sqrt(np.maximum(shared, 0)).sum()


def _halved(real, synthetic, codes, rng) -> tuple[float, float]:
    order = rng.permutation(codes.max() + 1)
    inside = np.isin(codes, order[: len(order) // 2])
    halves = real[inside], real[~inside]
    rows = rng.permutation(len(synthetic))
    to_synthetic = []
    for half, other in (halves, halves[::-1]):
        if len(rows) < len(other):
            raise ValueError(
                f"expected at least {len(other)} synthetic rows, as many as "
                f"half of the real ones, found {len(rows)}"
            )
        taken, rows = rows[: len(other)], np.roll(rows, -len(other))
        to_synthetic.append(frechet_distance(half, synthetic[taken]))
    return frechet_distance(*halves), float(np.mean(to_synthetic))
