"""Numbers and pictures of the search for copies of training subjects."""

from typing import Any, NamedTuple

import numpy as np

from pet_dcgan.data.suvr import suvr_from_png
from pet_dcgan.evaluation.images import EvaluationImages
from pet_dcgan.evaluation.pair_scores import rounded
from pet_dcgan.metrics.centring import centred_images
from pet_dcgan.metrics.copy_search import CERTAIN_RATIO
from pet_dcgan.metrics.memorization import (
    MemorizationCheck,
    OneSubjectError,
    check_memorization,
)

# suspects that are drawn at most, and images where none is suspect
_SHOWN, _CLOSEST = 48, 8
_NUMBERS = (
    "images",
    "certain",
    "suspects",
    "held_out_suspects",
    "bound",
    "listed",
    "closest_ratio",
    "mixtures",
    "c_t",
    "p_value",
    "share_nearer",
    "authenticity",
    "held_out_authenticity",
    "held_out_subjects",
)


class ClosestPairs(NamedTuple):
    """The images most like a training subject, beside what they are like.

    Args:
        synthetic: `[k, size, size]` in SUVR, the lowest ratio first; of
            volumes `[k, size, size, size]`.
        training: The training image nearest to each, mirrored where that is
            what the image is like.
        suspects: Number of all suspects; if 0, these are the closest of the
            images that are none.
    """

    synthetic: np.ndarray
    training: np.ndarray
    suspects: int


def memorization_scores(
    images: EvaluationImages,
) -> tuple[dict[str, Any], ClosestPairs | None]:
    """The search for copies of training images.

    Held-out images are those of the validation and test subjects together,
    since neither was trained on.

    Returns:
        The numbers, and the images to look at. With one training subject
        the numbers are None, a sentence says why, and there are no images.
    """
    held_out = images.test, images.validation
    try:
        check = check_memorization(
            images.centred_training,
            centred_images(np.concatenate([each.images for each in held_out])),
            images.searched,
            train_subjects=images.training.subjects,
            held_out_subjects=np.concatenate(
                [each.subjects for each in held_out]
            ),
        )
    except OneSubjectError as error:
        words = f"Not searched: {error}."
        return {
            "verdict": None,
            "words": words,
            **dict.fromkeys(_NUMBERS),
        }, None
    return _numbers(check, images.seed), _closest(check, images)


def _numbers(check: MemorizationCheck, seed: int) -> dict[str, Any]:
    """What `metrics.json` says; images are named by their seeds."""
    suspects = check.suspects
    found = {
        "images": len(check.ratios),
        "certain": check.certain,
        "suspects": len(suspects),
        "held_out_suspects": rounded(check.held_out_suspects),
        "bound": rounded(check.bound),
        "listed": [
            {
                "seed": seed + int(row),
                "ratio": rounded(check.ratios[row]),
                "mirrored": bool(check.mirrored[row]),
                "certain": bool(check.ratios[row] < CERTAIN_RATIO),
            }
            for row in suspects
        ],
        "closest_ratio": rounded(check.ratios.min()),
        "mixtures": {
            "synthetic": rounded(check.mixtures.synthetic),
            "held_out": rounded(check.mixtures.held_out),
        },
        "c_t": rounded(check.test.z_score),
        "p_value": rounded(check.test.p_value),
        "share_nearer": rounded(check.test.share_nearer),
        "authenticity": rounded(check.authenticity),
        "held_out_authenticity": rounded(check.held_out_authenticity),
        "held_out_subjects": check.held_out_subjects,
    }
    words = {"verdict": check.verdict, "words": check.words}
    return words | {name: found[name] for name in _NUMBERS}


def _closest(
    check: MemorizationCheck, images: EvaluationImages
) -> ClosestPairs:
    """Every suspect, or the closest images; drawn again from their seeds."""
    rows = check.suspects[:_SHOWN]
    if not len(rows):
        rows = np.argsort(check.ratios, kind="stable")[:_CLOSEST]
    training = suvr_from_png(
        images.training.images[check.nearest[rows]], images.config.suvr_max
    )
    turned = check.mirrored[rows]
    # left to right are the columns of a slice, and the first axis of a volume
    sides = -1 if training.ndim == 3 else 1
    training[turned] = np.flip(training[turned], sides)
    return ClosestPairs(
        images.draw(images.seed + rows), training, len(check.suspects)
    )
