"""Whether a conditional generator draws what it is asked for.

Stacks are images `[n, positions, height, width]` in SUVR: of each latent, or
of each subject, one image at each of some positions.
"""

from typing import NamedTuple

import numpy as np

from pet_dcgan.metrics.arrays import require_finite
from pet_dcgan.metrics.confidence import (
    Interval,
    halves_interval,
    mean_interval,
)
from pet_dcgan.metrics.neighbors import squared_distances

_DECIMALS = 6


class StageAccuracy(NamedTuple):
    """How often a classifier answers with the stage asked for.

    Args:
        accuracy: Mean over stages of the share of right answers.
        interval: Its interval over subjects.
        confusion: Shares of the answers (columns) for each stage asked for
            (rows), float64 `[classes, classes]`; rows sum to 1.
    """

    accuracy: float
    interval: Interval
    confusion: np.ndarray


class Identity(NamedTuple):
    """Whether the images of a latent stay one brain when the stage changes.

    Args:
        share: Of the images of the second stage, that are nearest to the
            first stage's image of their own latent; ties count in part.
        interval: Its interval over latents.
        chance: `share` of a generator whose two images of a latent have
            nothing in common.
        own: Mean distance to the image of the own latent, root mean square
            in SUVR.
        other: Mean distance to the nearest image of another latent.
    """

    share: float
    interval: Interval
    chance: float
    own: float
    other: float


class Variety(NamedTuple):
    """How different images of one stage and position are.

    Args:
        ratio: `synthetic` over `real`: 1 for as varied as real subjects;
            NaN where these are all alike.
        interval: Its interval over subjects and latents.
        synthetic: Mean distance between two latents at a position, root mean
            square in SUVR.
        real: Mean distance between two subjects at a position.
    """

    ratio: float
    interval: Interval
    synthetic: float
    real: float


def slices_at(
    images: np.ndarray,
    subjects: np.ndarray,
    positions_mm: np.ndarray,
    *,
    at_mm: np.ndarray,
    within_mm: float,
) -> tuple[np.ndarray, np.ndarray]:
    """The slice of each subject that is nearest to each position.

    Args:
        images: `[n, height, width]`, all of one plane.
        subjects: Subject of each `[n]`.
        positions_mm: Position of each `[n]` in mm.
        at_mm: The positions that are wanted `[p]` in mm.
        within_mm: How far a slice may lie from where it is wanted, such as
            half the distance between slices.

    Returns:
        Stack `[s, p, height, width]` of the subjects with a slice at every
        position, and their names `[s]`; `s` may be 0.

    Raises:
        ValueError: If the lengths differ, or a value is not finite.
    """
    images, subjects = np.asarray(images), np.asarray(subjects)
    positions = np.asarray(positions_mm, np.float64)
    at = np.asarray(at_mm, np.float64)
    if not len(images) == len(subjects) == len(positions) or images.ndim != 3:
        raise ValueError(
            "expected a subject and a position for each image [n, height, "
            f"width], found {images.shape}, {len(subjects)} and "
            f"{len(positions)}"
        )
    require_finite(images, positions, at)
    rows, names = [], []
    for name in np.unique(subjects):
        own = np.flatnonzero(subjects == name)
        apart = np.abs(positions[own, None] - at)
        # rounding of a position that lies just between two slices
        if len(at) and (apart.min(axis=0) <= within_mm + 1e-3).all():
            rows.append(own[apart.argmin(axis=0)])
            names.append(name)
    chosen = np.array(rows, np.int64).reshape(-1, len(at))
    return images[chosen], np.array(names)


def stage_accuracy(
    answers: np.ndarray,
    asked: np.ndarray,
    subjects: np.ndarray,
    *,
    classes: int = 3,
    seed: int = 0,
) -> StageAccuracy:
    """Compares what a classifier answers with what was asked for.

    Every stage counts alike, however many of its images there are.

    Args:
        answers: The class that each image is taken for, int `[n]`.
        asked: The class that it should be of, int `[n]`.
        subjects: Subject of each `[n]`; the latent of a synthetic image.
        classes: How many there are.
        seed: Seed of the interval.

    Raises:
        ValueError: If the lengths differ, an answer is no class, or a class
            has no image.
    """
    answers, asked = (np.asarray(x, np.int64) for x in (answers, asked))
    if not answers.shape == asked.shape == np.shape(subjects):
        raise ValueError(
            "expected an answer and a subject for each image, found "
            f"{answers.shape}, {np.shape(subjects)} for {asked.shape}"
        )
    known = np.isin(answers, np.arange(classes)).all()
    if set(asked.tolist()) != set(range(classes)) or not known:
        raise ValueError(
            f"expected images of each class 0 to {classes - 1} and no other "
            f"answer, found {sorted(set(asked.tolist()))} and "
            f"{sorted(set(answers.tolist()))}"
        )
    confusion = np.zeros([classes, classes])
    np.add.at(confusion, (asked, answers), 1)
    confusion /= confusion.sum(axis=1, keepdims=True)
    owners = [np.asarray(subjects)[asked == c] for c in range(classes)]
    rows = [np.flatnonzero(asked == c) for c in range(classes)]
    if len({tuple(np.unique(each)) for each in owners}) == 1:
        # the same latents at every stage are drawn together
        owners, rows = [np.asarray(subjects)], [np.arange(len(asked))]

    def mean(*drawn: np.ndarray) -> float:
        chosen = [own[each] for own, each in zip(rows, drawn, strict=True)]
        chosen = np.concatenate(chosen)
        right, wanted = answers[chosen] == asked[chosen], asked[chosen]
        found = [right[wanted == c].mean() for c in range(classes)]
        return float(np.mean(found))

    interval = halves_interval(mean, subjects=owners, seed=seed)
    return StageAccuracy(float(np.diag(confusion).mean()), interval, confusion)


def identity_kept(
    first: np.ndarray, second: np.ndarray, *, seed: int = 0
) -> Identity:
    """Whether the same latent gives the same brain at two stages.

    Args:
        first: Stack of one stage `[n, positions, height, width]`, of two
            latents or more.
        second: Of the same latents at the other stage.
        seed: Seed of the interval.

    Raises:
        ValueError: If the shapes differ, there are fewer than two latents, or
            a value is not finite.
    """
    _require_stacks(first, second)
    if len(first) != len(second):
        raise ValueError(
            "expected the same latents at both stages, found "
            f"{len(first)} and {len(second)}"
        )
    count = len(first)
    apart = _distances(second, first)
    own = np.diagonal(apart, axis1=1, axis2=2)
    # from each image to the nearest of another latent
    other = np.where(np.eye(count, dtype=bool), np.inf, apart).min(axis=2)
    nearest = apart <= np.minimum(own, other)[..., None]
    shares = (own <= other) / nearest.sum(axis=2)
    latents = np.broadcast_to(np.arange(count), shares.shape)
    interval = mean_interval(shares.ravel(), latents.ravel(), seed=seed)
    return Identity(
        share=float(shares.mean()),
        interval=interval,
        chance=1 / count,
        own=float(own.mean()),
        other=float(other.mean()),
    )


def variety(
    synthetic: np.ndarray, real: np.ndarray, *, seed: int = 0
) -> Variety:
    """Distances between synthetic images over those between real subjects.

    Args:
        synthetic: Stack of latents `[n, positions, height, width]` of a stage.
        real: Stack of subjects `[s, positions, height, width]` of that stage,
            from `slices_at`.
        seed: Seed of the interval.

    Raises:
        ValueError: If the shapes do not fit, there are fewer than two of
            either, or a value is not finite.
    """
    _require_stacks(synthetic, real)
    apart = [_distances(stack, stack) for stack in (synthetic, real)]

    def mean(within: np.ndarray, rows: np.ndarray) -> float:
        """Over pairs of different rows."""
        count = len(rows)
        chosen = within[:, rows[:, None], rows]
        return float(chosen.sum() / (len(within) * count * (count - 1)))

    def ratio(*rows: np.ndarray) -> float:
        found, wanted = map(mean, apart, rows)
        return found / wanted if wanted > 0 else float("nan")

    everyone = [np.arange(len(stack)) for stack in (synthetic, real)]
    value, interval = ratio(*everyone), Interval(None, None, "no two differ")
    if np.isfinite(value):
        interval = halves_interval(ratio, subjects=everyone, seed=seed)
    return Variety(value, interval, *map(mean, apart, everyone))


def _require_stacks(first: np.ndarray, second: np.ndarray) -> None:
    """Raises unless both are finite stacks of the same positions and size."""
    shapes = np.shape(first), np.shape(second)
    fits = all(len(shape) == 4 and shape[0] > 1 for shape in shapes)
    if not fits or shapes[0][1:] != shapes[1][1:] or 0 in shapes[0]:
        raise ValueError(
            "expected two stacks [n, positions, height, width] of two or more "
            f"at the same positions, found shapes {shapes[0]} and {shapes[1]}"
        )
    require_finite(first, second)


def _distances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Root mean square differences at each position `[positions, n, m]`."""
    pixels = first.shape[2] * first.shape[3]
    found = []
    for at in range(first.shape[1]):
        rows = [
            x[:, at].reshape(len(x), pixels).astype(np.float64)
            for x in (first, second)
        ]
        found.append(np.sqrt(np.maximum(squared_distances(*rows), 0) / pixels))
    # images that are equal are told apart by rounding alone
    return np.round(found, _DECIMALS)
