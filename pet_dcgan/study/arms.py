"""What the classifiers of each arm learn from."""

import dataclasses

import numpy as np

from pet_dcgan.classifier import Fitting, Labelled
from pet_dcgan.study.material import LabelledSlices
from pet_dcgan.study.settings import (
    ARMS,
    AUGMENTED,
    MIXED,
    SYNTHETIC,
)


@dataclasses.dataclass(frozen=True, order=True)
class Cell:
    """One classifier of the study."""

    fraction: int
    seed: int
    arm: str

    @property
    def needs_synthetic(self) -> bool:
        """Whether its arm uses a generator."""
        return self.arm in (MIXED, SYNTHETIC)


def cells(fractions: tuple[int, ...], seeds: int) -> list[Cell]:
    """Every classifier, those that need a generator last.

    Args:
        fractions: Percent of the training subjects.
        seeds: Classifiers of each arm and fraction.
    """
    return [
        Cell(fraction, seed, arm)
        for with_generator in (False, True)
        for fraction in fractions
        for seed in range(seeds)
        for arm in ARMS
        if Cell(fraction, seed, arm).needs_synthetic == with_generator
    ]


def fitting_of(arm: str, *, steps: int) -> Fitting:
    """How an arm's classifiers are trained: alike but for augmentation.

    Args:
        arm: One of `ARMS`.
        steps: Of every arm.
    """
    return Fitting(steps=steps, augment=arm == AUGMENTED)


def labelled_of(
    arm: str,
    real: LabelledSlices,
    synthetic: np.ndarray | None,
    synthetic_labels: np.ndarray | None = None,
) -> Labelled:
    """The images of an arm.

    Real and synthetic images fill half a batch each where there are both, so
    that it does not matter how many of each there are.

    Args:
        arm: One of `ARMS`.
        real: Slices of the fraction's subjects.
        synthetic: uint16 `[n, size, size]`, for arms that use a generator.
        synthetic_labels: Integers `[n]`.

    Raises:
        ValueError: If the arm needs synthetic images and there are none.
    """
    if arm not in (MIXED, SYNTHETIC):
        return Labelled(real.images, real.labels)
    if synthetic is None or synthetic_labels is None:
        raise ValueError(f"expected synthetic images for arm {arm}, found none")
    if arm == SYNTHETIC:
        return Labelled(synthetic, synthetic_labels)
    labels = np.concatenate([real.labels, synthetic_labels])
    is_synthetic = np.arange(len(labels)) >= len(real.labels)
    return Labelled(
        np.concatenate([real.images, synthetic]),
        labels,
        groups=2 * labels + is_synthetic,
    )


def dealt_out(
    labels: np.ndarray, owners: np.ndarray, *, seed: int
) -> np.ndarray:
    """Labels dealt out at random, all of an owner's alike.

    Args:
        labels: Integers `[n]`.
        owners: Whose each is `[n]`; of synthetic images, their own numbers.
        seed: Each deals otherwise.

    Returns:
        Integers `[n]`, every label to as many owners as before.
    """
    _, first, codes = np.unique(owners, return_index=True, return_inverse=True)
    rng = np.random.default_rng([seed, 1])
    return rng.permutation(np.asarray(labels)[first])[codes]
