"""Whether a KID could come from chance: a test that permutes subjects."""

import numpy as np

from pet_dcgan.metrics.arrays import checked_rows, subject_codes
from pet_dcgan.metrics.kernel_sums import grouped, sums_of_others

_DRAWS = 1000
# of the kernel's mean: closer values are equal but for rounding
_ROUNDING = 1e-9


def kid_p_value(
    real: np.ndarray,
    synthetic: np.ndarray,
    *,
    subjects: np.ndarray,
    synthetic_subjects: np.ndarray | None = None,
    seed: int,
) -> float:
    """How often chance alone gives a KID as large.

    Slices of one subject belong together, so subjects and not rows are
    permuted (for rows: Gretton et al. 2012, JMLR 13:723). Synthetic rows are
    independent and would vary less than subjects do: they are put at random
    into as many groups as there are real subjects, of the same sizes. With
    equal numbers of groups a permutation test of means is valid for many of
    them even though their spread differs (Romano 1990, doi
    10.1080/01621459.1990.10474928); `benchmarks/likeness.py` measures what
    that means for few. Pairs within a group are left out of every KID,
    permuted or not.

    Args:
        real: Features of real images `[n, d]`.
        synthetic: Features of the other images `[m, d]`.
        subjects: Subject of each real row `[n]`.
        synthetic_subjects: The same of the other rows `[m]`, if these are real
            as well.
        seed: Of the groups and the permutations.

    Returns:
        The p-value, above 0 and up to 1: with `s` subjects on either side no
        smaller than about 2 in the number of ways to choose `s` of `2 s`.

    Raises:
        ValueError: If the shapes differ, a value is not finite, or there are
            fewer than two rows or subjects of a kind.
    """
    real, synthetic = checked_rows(real, synthetic, least=2)
    rng = np.random.default_rng(seed)
    codes = subject_codes(subjects, len(real), least=2)
    if synthetic_subjects is None:
        owners = _alike_groups(rng, codes, len(synthetic))
    else:
        owners = subject_codes(synthetic_subjects, len(synthetic), least=2)
    first = codes.max() + 1
    both = np.concatenate([real, synthetic])
    groups = grouped(both, np.concatenate([codes, first + owners]))
    sums = sums_of_others(groups)
    labels = np.arange(len(sums)) < first
    permuted = rng.permuted(np.tile(labels, [_DRAWS, 1]), axis=1)
    values = _kids(sums, groups.sizes, np.vstack([labels, permuted]))
    rounding = _ROUNDING * sums.sum() / len(both) ** 2
    as_large = np.count_nonzero(values[1:] >= values[0] - rounding)
    return float((1 + as_large) / (1 + _DRAWS))


def _alike_groups(rng, codes: np.ndarray, count: int) -> np.ndarray:
    """Random groups `[count]`, as many and in the proportions of `codes`."""
    # each code as often as its share, or once where rows are too few
    spread = np.sort(codes)[np.arange(count) * len(codes) // count]
    return np.unique(rng.permutation(spread), return_inverse=True)[1]


def _kids(
    sums: np.ndarray, sizes: np.ndarray, labels: np.ndarray
) -> np.ndarray:
    """The KID between groups that are labelled and the others `[draws]`."""
    pairs = np.outer(sizes, sizes)
    np.fill_diagonal(pairs, 0.0)
    a = labels.astype(np.float64)
    b = 1 - a

    def mean(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.sum(x @ sums * y, axis=1) / np.sum(x @ pairs * y, axis=1)

    return mean(a, a) + mean(b, b) - 2 * mean(a, b)
