"""PSNR and SSIM of images and the real ones they are paired with."""

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from pet_dcgan.evaluation.images import EvaluationImages
from pet_dcgan.evaluation.numbers import Number, summary
from pet_dcgan.metrics.image_quality import psnr, ssim, windowed_ssim
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


@dataclasses.dataclass(frozen=True)
class Pairs:
    """Images of one kind, each paired with held-out real ones by each rule.

    Args:
        images: `[n, size, size]` in SUVR.
        real: The held-out real images `[m, size, size]` in SUVR.
        partners: For each of `RULES`, indices `[n]` into `real`.
        distances: Root mean square difference to the nearest `[n]`, in SUVR.
    """

    images: np.ndarray
    real: np.ndarray
    partners: dict[str, np.ndarray]
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


def pair_with_real(
    images: np.ndarray,
    real: np.ndarray,
    *,
    seed: int,
    subjects: np.ndarray | None = None,
) -> Pairs:
    """Pairs images with held-out real ones by each of `RULES`.

    Args:
        images: `[n, size, size]` in SUVR.
        real: Held-out real images `[m, size, size]` in SUVR.
        seed: For the random pairs.
        subjects: Subject of each real image, as many as there are images.
            Image `i` is then not paired with a subject that is that of real
            image `i`: its own, where the images are the real ones. Synthetic
            images get as many candidates by it.

    Raises:
        ValueError: If an image has no partner.
    """
    apart = {"subjects": subjects, "pool_subjects": subjects}
    index, distances = nearest(images, real, **apart)
    drawn = random_pairs(len(images), len(real), seed=seed, **apart)
    partners = {"nearest": index, "random": drawn}
    return Pairs(images, real, partners, distances)


_CHUNK = 256


def real_pairs(judged: EvaluationImages) -> dict[str, Pairs | None]:
    """Pairs of `"synthetic"` and of `"real"` images with real ones.

    With held-out images of one subject there are no pairs of real ones.
    """
    real, subjects = judged.real
    apart = None if judged.real.subject_count < 2 else subjects
    pair = partial(pair_with_real, real=real, seed=judged.seed, subjects=apart)
    return {
        "synthetic": pair(judged.compared),
        "real": None if apart is None else pair(real),
    }


def pair_scores(
    judged: EvaluationImages, pairs: dict[str, Pairs | None]
) -> dict[str, Any]:
    """Summaries by metric, kind of image and rule of pairing.

    Args:
        judged: The images.
        pairs: Images with their partners, by kind; None where there are none.
    """
    suvr_max = judged.config.suvr_max
    metrics = {
        "psnr": psnr,
        "ssim": partial(ssim, dynamic_range=suvr_max),
        "windowed_ssim": partial(windowed_ssim, dynamic_range=suvr_max),
    }
    return {
        name: {
            kind: each
            and {rule: _summary(judged, each, kind, rule, f) for rule in RULES}
            for kind, each in pairs.items()
        }
        for name, f in metrics.items()
    }


def whose(
    judged: EvaluationImages, pairs: Pairs, kind: str, rule: str
) -> tuple:
    """The subjects that each pair rests on, as `summary` takes them.

    A synthetic image is nobody's: its pair rests on the real one's subject.

    Args:
        judged: The images.
        pairs: Of the kind.
        kind: `"synthetic"` or `"real"`.
        rule: One of `RULES`.
    """
    subjects = judged.real.subjects
    partners = subjects[pairs.partners[rule]]
    return (subjects, partners) if kind == "real" else (partners, None)


def _summary(
    judged: EvaluationImages,
    pairs: Pairs,
    kind: str,
    rule: str,
    metric: Callable,
) -> Number:
    own, others = whose(judged, pairs, kind, rule)
    values = _values(pairs, rule, metric)
    return summary(values, own, partners=others, seed=judged.seed)


def _values(pairs: Pairs, rule: str, metric: Callable) -> np.ndarray:
    partners, images = pairs.partners[rule], pairs.images
    starts = range(0, len(images), _CHUNK)
    rows = [slice(start, start + _CHUNK) for start in starts]
    values = [metric(pairs.real[partners[r]], images[r]) for r in rows]
    return np.concatenate(values)
