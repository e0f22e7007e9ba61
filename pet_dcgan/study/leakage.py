"""Who may not be behind a generator that a study uses."""

import itertools
from pathlib import Path

from pet_dcgan.data.batches import DataLeakageError, named, subjects_of
from pet_dcgan.runs.run import Run

_SPLITS = ("train", "validation", "test")


def require_splits_apart(
    data_dir: str | Path, dataset: str
) -> dict[str, set[str]]:
    """The subjects of each split of a set.

    Args:
        data_dir: Folder of the prepared sets.
        dataset: Configuration of the set.

    Raises:
        DataLeakageError: If two splits share a subject, naming them.
    """
    subjects = {s: subjects_of(data_dir, dataset, split=s) for s in _SPLITS}
    for one, other in itertools.combinations(_SPLITS, 2):
        shared = sorted(subjects[one] & subjects[other])
        if shared:
            raise DataLeakageError(
                f"expected no subject in two splits of {dataset}, found in "
                f"{one} and {other} {named(shared)}: prepare the set again, "
                "by subject"
            )
    return subjects


def require_unseen(run: Run, held_out: set[str]) -> None:
    """Refuses a generator that has seen a validation or test subject.

    Args:
        run: The generator's.
        held_out: Validation and test subjects.

    Raises:
        DataLeakageError: If it has, naming them.
    """
    shared = sorted(set(run.subjects) & held_out)
    if shared:
        raise DataLeakageError(
            f"expected a generator of training subjects only in {run.path}, "
            f"found validation or test subjects {named(shared)}: train it "
            "again, or leave it out and the study trains its own"
        )


def require_within(run: Run, allowed: set[str], *, fraction: int) -> None:
    """Refuses a generator that has seen subjects outside a fraction.

    Args:
        run: The generator's.
        allowed: Every subject of the fraction.
        fraction: In percent, for the message.

    Raises:
        DataLeakageError: If it has, naming them.
    """
    outside = sorted(set(run.subjects) - allowed)
    if outside:
        raise DataLeakageError(
            f"expected a generator of the subjects of {fraction} % in "
            f"{run.path}, found others {named(outside)}: leave it out and "
            "the study trains its own"
        )
