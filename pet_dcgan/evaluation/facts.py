"""What was evaluated on what, as `metrics.json` says it."""

from typing import Any

import numpy as np

from pet_dcgan.evaluation.images import EvaluationImages
from pet_dcgan.evaluation.pair_scores import RULES
from pet_dcgan.evaluation.training_curves import training_facts
from pet_dcgan.metrics.confidence import LEVEL, MIN_SUBJECTS
from pet_dcgan.runs.run import Run

_ONE_SUBJECT = (
    "real against real needs held-out images of two subjects, found one"
)
_FACTS = (
    "phantom",
    "preset",
    "stage",
    "plane",
    "dataset",
    "size",
    "spacing_mm",
    "suvr_max",
    "reference",
)


def evaluation_facts(run: Run, images: EvaluationImages) -> dict[str, Any]:
    """What was evaluated on what, in counts, and what could not be.

    Args:
        run: Of one stage.
        images: Its images.
    """
    real = images.real
    held_out, total = real.subject_count, len(real.images)
    validation = images.validation.subject_count
    one_subject = _ONE_SUBJECT if held_out < 2 else None
    # on average over the real images, those of the other subjects
    counts = np.unique(real.subjects, return_counts=True)[1]
    others = round(float((counts * (total - counts)).sum() / total), 6)
    return settings_of(run) | {
        "seed": images.seed,
        "images": {
            "synthetic": total,
            "held_out": total,
            "synthetic_drawn": len(images.synthetic),
        },
        "subjects": {
            "training": len(run.subjects),
            "held_out": held_out,
            "validation": validation,
        },
        "training": training_facts(run, slices=len(images.training.images)),
        "pairing": RULES,
        "candidates": {
            "synthetic": total if one_subject else others,
            "real": others,
        },
        "no_real_against_real": one_subject,
        "intervals": intervals_of(held_out),
        "missing": {
            "real_pairs": one_subject,
            "real_samples": None
            if validation
            else "how far apart samples of real subjects lie, since the set "
            "has no validation images of this stage",
        },
        "units": {"psnr": "dB", "ssim": "1 for equal images"},
    }


def settings_of(run: Run) -> dict[str, Any]:
    """Settings of a run that say what its images are.

    Args:
        run: The run.
    """
    return {name: getattr(run.config, name) for name in _FACTS}


def intervals_of(subjects: int) -> dict[str, Any]:
    """The level of intervals, and why there are none over subjects, if so.

    Args:
        subjects: Held-out ones.
    """
    missing = None
    if subjects < MIN_SUBJECTS:
        found = "is 1" if subjects == 1 else f"are {subjects}"
        missing = (
            f"they need {MIN_SUBJECTS} held-out subjects or more, and there "
            f"{found}"
        )
    return {"level": LEVEL, "missing": missing}
