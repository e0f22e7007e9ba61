"""Fractions of the training subjects, each holding the smaller ones."""

import hashlib
from collections.abc import Iterable, Mapping


def in_order(subjects: Iterable[str], *, seed: int) -> list[str]:
    """Subjects in an order that depends on the seed and their names alone.

    Args:
        subjects: Subject ids; repeats are dropped.
        seed: Of the order.
    """

    def place(subject: str) -> str:
        return hashlib.sha256(f"{seed}:{subject}".encode()).hexdigest()

    return sorted(set(subjects), key=place)


def subset(
    subjects_of_stage: Mapping[str, Iterable[str]],
    *,
    percent: int,
    seed: int,
) -> dict[str, set[str]]:
    """So many percent of the subjects of each stage, one or more.

    Args:
        subjects_of_stage: Training subjects by stage.
        percent: From 1 to 100; a larger one holds all of a smaller one.
        seed: Another seed gives other subjects.

    Returns:
        Subjects by stage.

    Raises:
        ValueError: If the percentage is out of range.
    """
    if not 1 <= percent <= 100:
        raise ValueError(f"expected 1 to 100 percent, found {percent}")
    chosen = {}
    for stage, subjects in subjects_of_stage.items():
        ordered = in_order(subjects, seed=seed)
        count = max(1, round(len(ordered) * percent / 100))
        chosen[stage] = set(ordered[:count])
    return chosen
