"""Data leakage: no subject is both trained on and held out.

Each check takes subjects, and raises a `DataLeakageError` that names those who
would invalidate an evaluation.
"""

import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from pet_dcgan.data.prepared_set import SPLITS, subjects_of


class DataLeakageError(ValueError):
    """A subject whose use would invalidate an evaluation."""


def require_disjoint(
    trained_on: Iterable[str], held_out: Iterable[str]
) -> None:
    """Refuses subjects that are both trained on and held out.

    Args:
        trained_on: Subject ids.
        held_out: Subject ids.

    Raises:
        DataLeakageError: If there are any.
    """
    shared = sorted(set(trained_on) & set(held_out))
    if shared:
        raise DataLeakageError(
            "expected no subject both trained on and held out, found "
            f"{named(shared)}: prepare the set again, by subject"
        )


def require_not_held_out(
    subjects: Iterable[str], data_dir: str | Path, dataset: str
) -> None:
    """Refuses training subjects that a set keeps for validation or testing.

    Args:
        subjects: Those that were trained on.
        data_dir: Folder of the prepared sets.
        dataset: Configuration of the set.

    Raises:
        DataLeakageError: If there are any.
    """
    for split in ("validation", "test"):
        held_out = subjects_of(data_dir, dataset, split=split)
        require_disjoint(subjects, held_out)


def require_disjoint_splits(
    data_dir: str | Path, dataset: str
) -> dict[str, set[str]]:
    """The subjects of each split of a set.

    Args:
        data_dir: Folder of the prepared sets.
        dataset: Configuration of the set.

    Raises:
        DataLeakageError: If two splits share a subject.
    """
    subjects = {s: subjects_of(data_dir, dataset, split=s) for s in SPLITS}
    require_disjoint_parts(subjects, of=dataset)
    return subjects


def require_disjoint_parts(
    parts: Mapping[str, Collection[str]], *, of: str
) -> None:
    """Refuses subjects that are in two parts.

    Args:
        parts: The subjects of each part, by its name.
        of: What they are parts of, for the message.

    Raises:
        DataLeakageError: If two parts share a subject.
    """
    for one, other in itertools.combinations(parts, 2):
        shared = sorted(set(parts[one]) & set(parts[other]))
        if shared:
            raise DataLeakageError(
                f"expected no subject in two parts of {of}, found in {one} "
                f"and {other} {named(shared)}: prepare the set again, by "
                "subject"
            )


def require_unseen(
    trained_on: Collection[str],
    held_out: Collection[str],
    *,
    run: str | Path,
) -> None:
    """Refuses a study's generator that saw a subject it must not.

    Args:
        trained_on: Everyone that the generator has seen.
        held_out: Validation and test subjects.
        run: Folder of the generator's run, for the message.

    Raises:
        DataLeakageError: If it has.
    """
    shared = sorted(set(trained_on) & held_out)
    if shared:
        raise DataLeakageError(
            f"expected a generator of training subjects only in {run}, "
            f"found validation or test subjects {named(shared)}: train it "
            "again, or leave it out and the study trains one"
        )


def require_within(
    trained_on: Collection[str],
    allowed: set[str],
    *,
    fraction: int,
    run: str | Path,
) -> None:
    """Refuses a study's generator that saw subjects outside a fraction.

    Args:
        trained_on: The generator's training subjects.
        allowed: Every subject of the fraction.
        fraction: In percent, for the message.
        run: Folder of the generator's run, for the message.

    Raises:
        DataLeakageError: If it has.
    """
    outside = sorted(set(trained_on) - allowed)
    if outside:
        raise DataLeakageError(
            f"expected a generator of the subjects of {fraction} % in "
            f"{run}, found others {named(outside)}: leave it out and "
            "the study trains one"
        )


def named(subjects: Sequence[str]) -> str:
    """The number of subjects and the first five ids, for a line of text."""
    first = ", ".join(subjects[:5]) + (", ..." if len(subjects) > 5 else "")
    return f"{len(subjects)}: {first}"
