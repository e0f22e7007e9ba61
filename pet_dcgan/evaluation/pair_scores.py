"""PSNR and SSIM of images and the real ones they are paired with."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from pet_dcgan.evaluation.judged import Judged
from pet_dcgan.evaluation.numbers import Number, summary
from pet_dcgan.evaluation.pairs import RULES, Pairs, pair_with_real
from pet_dcgan.metrics.psnr import psnr
from pet_dcgan.metrics.ssim import ssim, windowed_ssim

_CHUNK = 256


def real_pairs(judged: Judged) -> dict[str, Pairs | None]:
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
    judged: Judged, pairs: dict[str, Pairs | None]
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


def whose(judged: Judged, pairs: Pairs, kind: str, rule: str) -> tuple:
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
    judged: Judged, pairs: Pairs, kind: str, rule: str, metric: Callable
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
