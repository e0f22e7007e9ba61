"""Kernel inception distance of two sets of features."""

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
