"""Whether the run's images are copies of its training subjects."""

from typing import Any, NamedTuple

import numpy as np

from pet_dcgan.evaluation.judged import Judged
from pet_dcgan.evaluation.numbers import rounded
from pet_dcgan.metrics.copy_check import CopyCheck, check_copies

_NUMBERS = (
    "authenticity",
    "held_out_authenticity",
    "twins",
    "held_out_twins",
)
_ONE_SUBJECT = (
    "Not looked for: telling a copy from a likeness needs two training "
    "subjects, and there is 1."
)


class Closest(NamedTuple):
    """Synthetic images that are nearest to one training subject.

    Args:
        synthetic: `[k, size, size]` in SUVR, the closest first.
        training: The training image nearest to each.
        ratios: Distance to the nearest training subject over that to the
            second nearest `[k]`.
    """

    synthetic: np.ndarray
    training: np.ndarray
    ratios: np.ndarray


def copies(
    judged: Judged, *, shown: int = 8
) -> tuple[dict[str, Any], Closest | None]:
    """The verdict on copies with its numbers, and the pairs to look at.

    All synthetic images are looked through; held-out images are those of
    the validation and test subjects together, since neither was trained on.

    Args:
        judged: The images.
        shown: Pairs to give.

    Returns:
        The numbers as they stand in `metrics.json`, and the pairs; with a
        single training subject a sentence in place of numbers, and None.
    """
    if len(set(judged.training.subjects)) < 2:
        return {"verdict": None, "words": _ONE_SUBJECT}, None
    training = judged.training_suvr
    both = judged.test, judged.validation
    check = check_copies(
        training,
        np.concatenate([each.images for each in both]),
        judged.synthetic,
        train_subjects=judged.training.subjects,
        held_out_subjects=np.concatenate([each.subjects for each in both]),
    )
    order = np.argsort(check.ratios, kind="stable")[:shown]
    pairs = Closest(
        judged.synthetic[order],
        training[check.nearest[order]],
        check.ratios[order],
    )
    return _described(check, len(judged.synthetic)), pairs


def _described(check: CopyCheck, images: int) -> dict[str, Any]:
    return {
        "verdict": check.verdict,
        "words": check.words,
        "images": images,
        "held_out_subjects": check.held_out_subjects,
        "c_t": rounded(check.test.z_score),
        "p_value": rounded(check.test.p_value),
        "share_nearer": rounded(check.test.share_nearer),
        "closest_ratio": rounded(check.ratios.min()),
        **{name: rounded(getattr(check, name)) for name in _NUMBERS},
    }
