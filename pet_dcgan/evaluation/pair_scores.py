"""Numbers of pairs of images: PSNR, SSIM, diversity."""

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from pet_dcgan.evaluation.images import EvaluationImages
from pet_dcgan.metrics.confidence import Interval, mean_interval
from pet_dcgan.metrics.image_quality import diversity, psnr, ssim, windowed_ssim
from pet_dcgan.metrics.neighbors import nearest, random_pairs

RULES = {
    "nearest": (
        "each image with the held-out real image whose root mean square "
        "difference in SUVR is least; a real image only with those of other "
        "subjects, and a synthetic one without those of one subject as well, "
        "so that both have as many to be near to"
    ),
    "random": (
        "each image with a held-out real image drawn at random, seeded, with "
        "replacement; a real image only with those of other subjects, and a "
        "synthetic one with the same partner as a real one"
    ),
}
# a number in `metrics.json` with its interval
Number = dict[str, Any]
_DECIMALS = 6
_CHUNK = 256
_DIVERSITY_PAIRS = 500


def rounded(value: float | None) -> float | None:
    """A number for JSON; None for None or a value that is not finite."""
    if value is None or not np.isfinite(value):
        return None
    return round(float(value), _DECIMALS)


def interval_ends(interval: Interval) -> list[float | None] | None:
    """`[low, high]`, or None with too few subjects."""
    if interval.low is None:
        return None
    return [rounded(interval.low), rounded(interval.high)]


@dataclasses.dataclass(frozen=True)
class Pairs:
    """Images of one kind, each paired with held-out real ones by each rule.

    Args:
        images: `[n, size, size]` in SUVR.
        real: The held-out real images `[m, size, size]` in SUVR.
        partners: For each of `RULES`, indices `[n]` into `real`.
        subjects: For each of `RULES`, the subjects `[n]` that each pair
            depends on: the image's own and its partner's, or the partner's
            and None for synthetic images.
        distances: Root mean square difference to the nearest `[n]`, in SUVR.
    """

    images: np.ndarray
    real: np.ndarray
    partners: dict[str, np.ndarray]
    subjects: dict[str, tuple[np.ndarray, np.ndarray | None]]
    distances: np.ndarray

    def typical(self) -> tuple[np.ndarray, np.ndarray]:
        """An image and its nearest: the pair with the median distance.

        With an even number of pairs the nearer of the two in the middle.

        Returns:
            Both `[size, size]` in SUVR.
        """
        order = np.argsort(self.distances, kind="stable")
        row = order[(len(order) - 1) // 2]
        return self.images[row], self.real[self.partners["nearest"][row]]


def real_pairs(images: EvaluationImages) -> dict[str, Pairs | None]:
    """Pairs `"synthetic"` and `"real"` images with held-out real ones.

    A real image is not paired with those of its own subject, and the `i`-th
    synthetic one not with those of the `i`-th real one's subject, so that it
    has as many candidates. With held-out images of one subject there are no
    pairs of real ones, and synthetic ones may have any partner.
    """
    real, subjects = images.real
    alone = images.real.subject_count < 2
    owners = None if alone else subjects
    apart = {"subjects": owners, "pool_subjects": owners}

    def pair(each: np.ndarray, own: np.ndarray | None) -> Pairs:
        index, distances = nearest(each, real, **apart)
        drawn = random_pairs(len(each), len(real), seed=images.seed, **apart)
        partners = {"nearest": index, "random": drawn}
        involved = {
            rule: (subjects[rows], None)
            if own is None
            else (own, subjects[rows])
            for rule, rows in partners.items()
        }
        return Pairs(each, real, partners, involved, distances)

    return {
        "synthetic": pair(images.compared, None),
        "real": None if alone else pair(real, subjects),
    }


def pair_scores(
    images: EvaluationImages, pairs: dict[str, Pairs | None]
) -> dict[str, Any]:
    """Summaries of PSNR and SSIM, by kind of image and rule of pairing.

    Args:
        images: The images.
        pairs: From `real_pairs`.
    """
    suvr_max = images.config.suvr_max
    metrics = {
        "psnr": psnr,
        "ssim": partial(ssim, dynamic_range=suvr_max),
        "windowed_ssim": partial(windowed_ssim, dynamic_range=suvr_max),
    }

    def score(metric: Callable, found: Pairs, rule: str) -> Number:
        partners = found.partners[rule]
        starts = range(0, len(partners), _CHUNK)
        rows = [slice(start, start + _CHUNK) for start in starts]
        values = [
            metric(found.real[partners[r]], found.images[r]) for r in rows
        ]
        subjects = found.subjects[rule]
        return _summary(np.concatenate(values), *subjects, images.seed)

    return {
        name: {
            kind: found and {rule: score(metric, found, rule) for rule in RULES}
            for kind, found in pairs.items()
        }
        for name, metric in metrics.items()
    }


def image_diversity(images: EvaluationImages) -> dict[str, Number | None]:
    """MS-SSIM of equally many pairs of synthetic and of real images."""
    if images.real.subject_count < 2 or len(images.synthetic) < 2:
        return {"synthetic": None, "real": None}
    options = {"dynamic_range": images.config.suvr_max, "seed": images.seed}
    real, subjects = images.real
    of_real = diversity(
        real, subjects=subjects, pairs=_DIVERSITY_PAIRS, **options
    )
    of_synthetic = diversity(
        images.synthetic, pairs=len(of_real.values), **options
    )
    found = {
        "synthetic": (of_synthetic, np.arange(len(images.synthetic))),
        "real": (of_real, subjects),
    }
    return {
        kind: _summary(
            each.values, owners[each.first], owners[each.second], images.seed
        )
        for kind, (each, owners) in found.items()
    }


def _summary(
    values: np.ndarray,
    subjects: np.ndarray,
    partners: np.ndarray | None,
    seed: int,
) -> Number:
    """Mean, median and SD of finite values per image, the mean's interval.

    Equal images have no finite PSNR. `subjects` and `partners` are the one or
    two subjects that each value depends on.
    """
    known = np.isfinite(values)
    values, subjects = values[known], subjects[known]
    others = None if partners is None else partners[known]
    if not len(values):
        nothing = dict.fromkeys(("mean", "median", "sd", "interval"))
        return nothing | {"n": 0}
    interval = mean_interval(values, subjects, partners=others, seed=seed)
    return {
        "mean": rounded(values.mean()),
        "median": rounded(np.median(values)),
        "sd": rounded(values.std(ddof=1)) if len(values) > 1 else None,
        "n": len(values),
        "interval": interval_ends(interval),
    }
