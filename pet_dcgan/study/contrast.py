"""Whether synthetic images keep the contrast of two stages, split by split."""

import itertools
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import t as student

from pet_dcgan.evaluation.pair_scores import interval_ends
from pet_dcgan.metrics.confidence import LEVEL, MIN_SUBJECTS
from pet_dcgan.metrics.contrast import (
    Agreement,
    Contrast,
    compare_contrasts,
)
from pet_dcgan.metrics.levels import (
    level_edges,
    level_of,
    nearest_levels,
    subject_means,
)
from pet_dcgan.study.contrast_figure import ContrastMaps

_DECIMALS = 6
_MAPS = tuple(itertools.product(("t", "difference"), ("real", "synthetic")))


class StageSlices(NamedTuple):
    """Real slices of a stage.

    Args:
        images: float32 `[n, size, size]` in SUVR.
        subjects: The subject of each, text `[n]`.
        positions_mm: Position of each `[n]`.
    """

    images: np.ndarray
    subjects: np.ndarray
    positions_mm: np.ndarray


class ContrastSplit(NamedTuple):
    """What is compared in one split of a study.

    Args:
        training: By stage, the slices that its generators learnt from.
        held_out: By stage, those of the subjects that it tests.
        synthetic: By stage, `[n, size, size]` in SUVR.
    """

    training: Mapping[str, StageSlices]
    held_out: Mapping[str, StageSlices]
    synthetic: Mapping[str, np.ndarray]


def study_contrast(
    splits: Iterable[ContrastSplit],
    *,
    stages: tuple[str, str] = ("NC", "AD"),
    seed: int = 0,
) -> tuple[dict[str, Any], ContrastMaps | None]:
    """Compares the contrast of synthetic images with that of real subjects.

    In each split with the subjects that it tests: a map of those who trained
    a generator would share their chance. A synthetic slice takes the level of
    the nearest training slice of its stage.

    Args:
        splits: Each is held only while it is looked at. All are of one plane.
        stages: The two stages, the contrast being the second minus the first.
        seed: Seed of the halves.

    Returns:
        `contrast` of `study.json`, and what is drawn, None where `missing`
        says why there is nothing.

    Raises:
        ValueError: If images do not fit or a value is not finite.
    """
    edges, found = None, []
    for number, split in enumerate(splits):
        missing = [s for s in stages if not _present(split, s)]
        if missing:
            return _nothing(
                stages, f"no slices of {' or '.join(missing)}"
            ), None
        if edges is None:
            places = [
                part[stage].positions_mm
                for part in (split.training, split.held_out)
                for stage in stages
            ]
            edges = level_edges(np.concatenate(places))
        compared = _of_split(split, stages, edges, seed + number)
        if compared is None:
            words = (
                "a split has fewer than two subjects, or fewer than two "
                "synthetic images, of a stage at a level"
            )
            return _nothing(stages, words), None
        found.append(compared)
    if not found:
        return _nothing(stages, "no split has generators of both"), None
    maps = ContrastMaps(stages, edges, _mean_maps(found))
    return _numbers(found, stages, edges), maps


def _present(split: ContrastSplit, stage: str) -> bool:
    """Whether a split has slices of a stage in every part."""
    parts = (split.training, split.held_out)
    return bool(
        all(stage in part and len(part[stage].images) for part in parts)
        and len(split.synthetic.get(stage, ()))
    )


class _Compared(NamedTuple):
    """The comparison of one split.

    Args:
        synthetic: With synthetic images.
        training: With the training subjects in their place.
        subjects: Held-out ones of each stage.
        images: Synthetic ones of each stage.
    """

    synthetic: Contrast
    training: Contrast | None
    subjects: list[int]
    images: list[int]


def _of_split(
    split: ContrastSplit, stages: tuple[str, str], edges: np.ndarray, seed: int
) -> _Compared | None:
    """Compares synthetic images, and training subjects, with those held out."""
    real, training = (
        [_means(part[stage], edges) for stage in stages]
        for part in (split.held_out, split.training)
    )
    levels = []
    for stage in stages:
        slices = split.training[stage]
        own = level_of(slices.positions_mm, edges)
        images = split.synthetic[stage]
        levels.append(nearest_levels(images, slices.images, own))
    synthetic = [split.synthetic[stage] for stage in stages]
    options = {"others": training, "seed": seed}
    found = compare_contrasts(real, synthetic, levels, **options)
    if found is None:
        return None
    count = len(edges) - 1
    known = compare_contrasts(
        real,
        [x.reshape(-1, *x.shape[2:]) for x in training],
        [np.tile(np.arange(count), len(x)) for x in training],
        **options,
    )
    return _Compared(
        found, known, *([len(x) for x in y] for y in (real, synthetic))
    )


def _means(slices: StageSlices, edges: np.ndarray) -> np.ndarray:
    """The mean slice of each subject at each level."""
    levels = level_of(slices.positions_mm, edges)
    return subject_means(slices.images, slices.subjects, levels, len(edges) - 1)


def _nothing(stages: tuple[str, str], reason: str) -> dict[str, Any]:
    """What stands in place of numbers."""
    words = f"Not enough for the contrast: {reason}."
    return {"stages": list(stages), "missing": reason, "words": words}


def _numbers(
    found: list[_Compared], stages: tuple[str, str], edges: np.ndarray
) -> dict[str, Any]:
    """Means over the splits, and each of them."""
    synthetic = [each.synthetic for each in found]
    numbers = _mean([each.whole for each in synthetic])
    training = None
    if all(each.training for each in found):
        training = _mean([each.training.whole for each in found])
    interval = _interval(found)

    def total(name: str) -> dict[str, int]:
        counts = np.sum([getattr(each, name) for each in found], axis=0)
        return dict(zip(stages, counts.tolist(), strict=True))

    levels = itertools.pairwise(edges)
    return {
        "stages": list(stages),
        "missing": None,
        "subjects": total("subjects"),
        "images": total("images"),
        **numbers,
        "interval": interval,
        "training": training,
        "levels": [
            {"from_mm": _rounded(low), "to_mm": _rounded(high)}
            | _mean([each.by_level[i] for each in synthetic])
            for i, (low, high) in enumerate(levels)
        ],
        "splits": [_agreement(each.whole) for each in synthetic],
        "words": _words(numbers, training, interval, stages),
    }


def _agreement(found: Agreement) -> dict[str, float | None]:
    """An agreement for JSON."""
    numbers = found._asdict() | {"share": found.share}
    return {name: _rounded(value) for name, value in numbers.items()}


def _mean(found: list[Agreement]) -> dict[str, float | None]:
    """Means over splits; the share is that of the means. None if one is."""
    rows = [each._asdict() for each in found]
    means = {
        name: None
        if any(row[name] is None for row in rows)
        else float(np.mean([row[name] for row in rows]))
        for name in rows[0]
    }
    return _agreement(Agreement(**means))


def _interval(found: list[_Compared]) -> list[float] | None:
    """Of the mean correlation: by subject in one split, else over splits.

    Over `K` splits the corrected resampled t of Nadeau & Bengio (2003), doi
    10.1023/A:1024068626366, on Fisher's scale; `1 / (K - 1)` is the ratio of
    tested to training subjects.
    """
    values = [each.synthetic.whole.correlation for each in found]
    tested = min(np.sum([each.subjects for each in found], axis=0))
    if None in values or tested < MIN_SUBJECTS:
        return None
    if len(found) == 1:
        return interval_ends(found[0].synthetic.interval)
    count = len(values)
    z = np.arctanh(np.clip(values, -1 + 1e-9, 1 - 1e-9))
    error = np.sqrt(z.var(ddof=1) * (1 / count + 1 / (count - 1)))
    reach = error * student.ppf((1 + LEVEL) / 2, count - 1)
    return [_rounded(np.tanh(z.mean() + side * reach)) for side in (-1, 1)]


def _words(
    numbers: dict[str, float | None],
    training: dict[str, float | None] | None,
    interval: list[float] | None,
    stages: tuple[str, str],
) -> str:
    """What the numbers say, in words."""
    if numbers["correlation"] is None or numbers["slope"] is None:
        return "Not enough for the contrast: a map does not vary."
    words = (
        f"The t-map of synthetic {stages[1]} against {stages[0]} correlates "
        f"{numbers['correlation']:.2f} with that of held-out subjects"
    )
    if interval:
        words += (
            f" ({LEVEL:.0%} interval {interval[0]:.2f} to {interval[1]:.2f})"
        )
    if training and training["correlation"] is not None:
        words += f", that of training subjects {training['correlation']:.2f}"
    if numbers["ceiling"] is not None:
        words += f", a perfect one about {numbers['ceiling']:.2f}"
    if interval is None:
        return (
            f"Not enough evidence: it takes {MIN_SUBJECTS} held-out subjects "
            f"of each stage or more. {words}."
        )
    return f"{words}."


def _mean_maps(
    found: list[_Compared],
) -> dict[tuple[str, str], np.ndarray]:
    """Mean maps over splits of the pixels that all of them have."""
    maps = {}
    for name, kind in _MAPS:
        each = [getattr(getattr(one.synthetic, kind), name) for one in found]
        if (name, kind) == ("t", "synthetic"):
            # an image is to t what a subject is; levels share the images
            each = [
                x
                * np.sqrt(_effective(one.subjects) / _effective(one.images))
                * np.sqrt(len(x))
                for x, one in zip(each, found, strict=True)
            ]
        maps[name, kind] = np.mean(each, axis=0)
    return maps


def _effective(counts: list[int]) -> float:
    """The number that t grows with, of two samples."""
    return 1 / sum(1 / count for count in counts)


def _rounded(value: float | None) -> float | None:
    """A number for JSON."""
    return None if value is None else round(float(value), _DECIMALS)
