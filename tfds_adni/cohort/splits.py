"""Subjects to train, validation and test.

A subject's place depends on the seed and its own id alone within its stage, so
it is the same in every configuration and on every machine.
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping

SPLITS = ("train", "validation", "test")
HELD_OUT = 0.15  # of validation and of test, each


def assign_splits(
    stage_of_subject: Mapping[str, str], *, seed: int = 0
) -> dict[str, str]:
    """Splits subjects 70/15/15 within each stage.

    Args:
        stage_of_subject: Stage by subject id; of a subject in several stages
            at several visits, the one at the earliest scan used.
        seed: Another seed gives another split.

    Returns:
        Split by subject id. Validation and test get at least one subject of
        each stage.

    Raises:
        ValueError: If a stage has fewer than three subjects.
    """
    by_stage = defaultdict(list)
    for subject, stage in stage_of_subject.items():
        by_stage[stage].append(subject)
    _require_three(by_stage)
    split_of = {}
    for subjects in by_stage.values():
        held_out = max(1, round(HELD_OUT * len(subjects)))
        for rank, subject in enumerate(sorted(subjects, key=_order(seed))):
            split_of[subject] = _split_of_rank(rank, held_out)
    return split_of


def require_disjoint(subjects_of_split: Mapping[str, set[str]]) -> None:
    """Refuses a subject that is in two splits.

    Args:
        subjects_of_split: The subject ids of each split.

    Raises:
        ValueError: If two splits share subjects; it names them.
    """
    home: dict[str, str] = {}
    shared = []
    for split, subjects in subjects_of_split.items():
        for subject in sorted(subjects):
            if home.setdefault(subject, split) != split:
                shared.append(f"{subject} ({home[subject]} and {split})")
    if shared:
        raise ValueError(
            "expected every subject in one split, found "
            f"{', '.join(shared)}; split by subject, not by scan or slice"
        )


def _require_three(by_stage: Mapping[str, list[str]]) -> None:
    """Refuses a stage that cannot fill the three splits."""
    small = {s: len(v) for s, v in by_stage.items() if len(v) < len(SPLITS)}
    if small:
        found = ", ".join(f"{stage}: {n}" for stage, n in sorted(small.items()))
        raise ValueError(
            "expected at least 3 subjects of each stage that is present (one "
            f"each for train, validation and test), found {found}; add scans "
            "of that stage or leave it out altogether"
        )


def _order(seed: int):
    """Returns a sort key that shuffles ids by seed alone."""
    return lambda subject: hashlib.sha256(f"{seed}:{subject}".encode()).digest()


def _split_of_rank(rank: int, held_out: int) -> str:
    """Puts the first ranks into test and validation, the rest into train."""
    if rank < held_out:
        return "test"
    return "validation" if rank < 2 * held_out else "train"
