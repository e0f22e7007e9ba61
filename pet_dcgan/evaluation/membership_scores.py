"""Numbers of membership inference: does the output tell who was trained on?"""

from typing import Any

import numpy as np

from pet_dcgan.evaluation.images import EvaluationImages
from pet_dcgan.evaluation.pair_scores import interval_ends, rounded
from pet_dcgan.metrics.centring import centred_images
from pet_dcgan.metrics.confidence import MIN_SUBJECTS, Interval
from pet_dcgan.metrics.membership import (
    TooFewSubjectsError,
    membership_inference,
)


def membership_scores(images: EvaluationImages) -> dict[str, Any]:
    """How well distances to the synthetic images tell training subjects.

    Held-out subjects are those of test, and of validation where it is known
    that these did not choose the generator, which would make them look as if
    trained on.

    Args:
        images: All synthetic images that were searched are used.

    Returns:
        `membership` of `metrics.json`; with too few subjects no numbers, and
        the reason in `missing`.
    """
    held_out = [images.test]
    if images.config.select_every == 0:
        held_out.append(images.validation)
    training = images.training.subjects
    others = np.concatenate([each.subjects for each in held_out])
    counts = {
        "training_subjects": len(np.unique(training)),
        "held_out_subjects": len(np.unique(others)),
        "images": len(images.searched),
    }
    try:
        found = membership_inference(
            images.centred_training,
            centred_images(np.concatenate([each.images for each in held_out])),
            images.searched,
            train_subjects=training,
            held_out_subjects=others,
        )
    except TooFewSubjectsError:
        missing = _too_few(**counts)
        words = f"Whether it shows who was trained on: {missing}."
        return {
            "auc": None,
            "true_positives_at_1_percent": None,
            "true_positives_at_0": None,
            "missing": missing,
            "words": words,
        } | counts
    share = _number(found.found, found.found_interval)
    return {
        "auc": _number(found.auc, found.auc_interval),
        "true_positives_at_1_percent": share if found.allowed else None,
        "true_positives_at_0": None if found.allowed else share,
        "missing": None,
        "words": found.words,
    } | counts


def _number(value: float, interval: Interval) -> dict[str, Any]:
    """A number of `metrics.json` with its interval."""
    return {"value": rounded(value), "interval": interval_ends(interval)}


def _too_few(
    *, training_subjects: int, held_out_subjects: int, **_: int
) -> str:
    """Why there are no numbers."""
    return (
        f"not enough subjects ({training_subjects} training and "
        f"{held_out_subjects} held-out ones; it takes {MIN_SUBJECTS} of each)"
    )
