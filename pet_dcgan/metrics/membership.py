"""Membership inference: whether synthetic images tell who was trained on."""

import dataclasses

import numpy as np
from scipy.stats import binomtest, rankdata

from pet_dcgan.metrics.arrays import checked_rows, subject_codes
from pet_dcgan.metrics.confidence import (
    LEVEL,
    MIN_SUBJECTS,
    Interval,
    auc_interval,
)
from pet_dcgan.metrics.neighbors import nearest_distances

# one of so many held-out subjects may be taken for a training one: 1 %
HELD_OUT_FOR_ONE = 100


class TooFewSubjectsError(ValueError):
    """There are too few subjects to measure an attack."""


@dataclasses.dataclass(frozen=True)
class Membership:
    """Result of `membership_inference`.

    Args:
        auc: Probability that a training subject is nearer to the synthetic
            images than a held-out one: 0.5 for chance, 1 if all are told.
        auc_interval: Of `auc`, over subjects.
        found: Share of training subjects that are found while `allowed`
            held-out ones are taken for training ones.
        found_interval: Clopper and Pearson's interval of `found` (1934, doi
            10.1093/biomet/26.4.404), for the threshold as it was found.
        allowed: Held-out subjects that the attack may get wrong: 1 % of them
            rounded down, so none with fewer than 100.
        training_subjects: Number of training subjects.
        held_out_subjects: Number of held-out subjects.
        images: Number of synthetic images.
    """

    auc: float
    auc_interval: Interval
    found: float
    found_interval: Interval
    allowed: int
    training_subjects: int
    held_out_subjects: int
    images: int

    @property
    def beyond_chance(self) -> bool:
        """Whether training subjects are nearer, beyond chance."""
        return self.auc_interval.low > 0.5

    @property
    def found_by_chance(self) -> float:
        """Share that is found on average where nothing tells them apart."""
        return (self.allowed + 1) / (self.held_out_subjects + 1)

    @property
    def words(self) -> str:
        """The numbers in sentences."""
        opening = (
            "Who was trained on shows in the synthetic images"
            if self.beyond_chance
            else "It did not show who was trained on, which is no proof that "
            "nothing does"
        )
        reached = (
            f"all but {self.allowed} of the held-out ones (1 % false positives)"
            if self.allowed
            else "every held-out one (1 % of false positives takes "
            f"{HELD_OUT_FOR_ONE} of them)"
        )
        return (
            f"{opening}: by the distance of an image to the nearest of "
            f"{self.images:,} images a training subject (of "
            f"{self.training_subjects}) is distinguished from a held-out one "
            f"(of {self.held_out_subjects}) with AUC "
            f"{self.auc:.2f} {_brackets(self.auc_interval)}, where 0.5 is "
            f"chance; {self.found:.0%} {_brackets(self.found_interval)} of the "
            f"training subjects are nearer than {reached}, by chance "
            f"{self.found_by_chance:.0%}."
        )


def membership_inference(
    train: np.ndarray,
    held_out: np.ndarray,
    synthetic: np.ndarray,
    *,
    train_subjects: np.ndarray,
    held_out_subjects: np.ndarray,
) -> Membership:
    """An attack that takes the nearest subjects for those trained on.

    Its scores are `subject_distances`. Dar et al. (2024, arXiv 2402.01054)
    found copies of patients in the output of medical generators in a similar
    way; the rate at few false positives is what Carlini et al. (2022, arXiv
    2112.03570) ask of an attack beside its AUC. An attack by distances is a
    weak one: it can miss what others find (Yao et al. 2025, arXiv 2505.01524),
    so that a success proves a leak and a failure proves nothing.

    Args:
        train: Training slices `[l, 32, 32]` in SUVR, `centred`.
        held_out: Slices of subjects that were not trained on `[m, 32, 32]`.
        synthetic: Synthetic slices `[n, 32, 32]`.
        train_subjects: Subject of each training slice `[l]`.
        held_out_subjects: Subject of each held-out slice `[m]`.

    Returns:
        How well the attack does.

    Raises:
        TooFewSubjectsError: If there are fewer than `MIN_SUBJECTS` subjects of
            either kind.
        ValueError: If the shapes differ or a value is not finite.
    """
    members, others = (
        subject_distances(images, subjects, synthetic)
        for images, subjects in (
            (train, train_subjects),
            (held_out, held_out_subjects),
        )
    )
    return attack(members, others, images=len(synthetic))


def attack(
    members: np.ndarray, others: np.ndarray, *, images: int
) -> Membership:
    """How well distances tell training subjects from held-out ones.

    Args:
        members: Distance of each training subject `[k]`.
        others: Distance of each held-out subject `[l]`.
        images: Number of synthetic images behind them.

    Raises:
        TooFewSubjectsError: If there are fewer than `MIN_SUBJECTS` subjects of
            either kind.
    """
    counts = len(members), len(others)
    if min(counts) < MIN_SUBJECTS:
        raise TooFewSubjectsError(
            f"expected {MIN_SUBJECTS} training subjects or more, and as many "
            f"held-out ones, found {counts[0]} and {counts[1]}: prepare more "
            "scans"
        )
    auc = _share_of_smaller(members, others)
    allowed = len(others) // HELD_OUT_FOR_ONE
    # equally near subjects are not found, so that no more are allowed
    right = int(np.sum(members < np.sort(others)[allowed]))
    ends = binomtest(right, len(members)).proportion_ci(LEVEL, "exact")
    return Membership(
        auc=auc,
        auc_interval=auc_interval(auc, *counts),
        found=right / len(members),
        found_interval=Interval(float(ends.low), float(ends.high)),
        allowed=allowed,
        training_subjects=counts[0],
        held_out_subjects=counts[1],
        images=images,
    )


def subject_distances(
    images: np.ndarray, subjects: np.ndarray, synthetic: np.ndarray
) -> np.ndarray:
    """How far each subject lies from the synthetic images.

    Args:
        images: Real slices `[n, 32, 32]`, `centred`.
        subjects: Subject of each slice `[n]`.
        synthetic: Synthetic slices `[m, 32, 32]`.

    Returns:
        float64 `[k]`, in the order of the sorted subjects: the least distance
        between a subject's slices and synthetic images. The mean over the
        slices tells less where few of them were copied
        (`benchmarks/membership.py`).

    Raises:
        ValueError: If the shapes differ or a value is not finite.
    """
    images, synthetic = checked_rows(images, synthetic)
    codes = subject_codes(subjects, len(images))
    least = np.full(codes.max() + 1, np.inf)
    np.minimum.at(least, codes, nearest_distances(images, synthetic))
    return least


def _share_of_smaller(first: np.ndarray, second: np.ndarray) -> float:
    """Probability that one of the first is below one of the second.

    Mann-Whitney's U over the number of pairs; ties count half.
    """
    ranks = rankdata(np.concatenate([second, first]))[: len(second)]
    above = ranks.sum() - len(second) * (len(second) + 1) / 2
    return float(above / (len(first) * len(second)))


def _brackets(interval: Interval) -> str:
    """An interval as text."""
    return f"[{interval.low:.2f}, {interval.high:.2f}]"
