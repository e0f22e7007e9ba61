"""Subjects to train, validation and test.

A subject's split depends only on the seed and its own id within its stage, so
it is the same in every configuration and on every machine.
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

SPLITS = ("train", "validation", "test")
HELD_OUT = 0.15  # of validation and of test, each


def assign_splits(
    stage_of_subject: Mapping[str, str], *, seed: int = 0
) -> dict[str, str]:
    """Splits subjects 70/15/15 within each stage.

    Args:
        stage_of_subject: Stage by subject id, at the earliest scan used.
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
    small = {s: len(v) for s, v in by_stage.items() if len(v) < len(SPLITS)}
    if small:
        found = ", ".join(f"{stage}: {n}" for stage, n in sorted(small.items()))
        raise ValueError(
            "expected at least 3 subjects of each stage that is present (one "
            f"each for train, validation and test), found {found}; add scans "
            "of that stage or leave it out altogether"
        )

    def shuffled(subject: str) -> bytes:
        return hashlib.sha256(f"{seed}:{subject}".encode()).digest()

    split_of = {}
    for subjects in by_stage.values():
        held_out = max(1, round(HELD_OUT * len(subjects)))
        for rank, subject in enumerate(sorted(subjects, key=shuffled)):
            later = "validation" if rank < 2 * held_out else "train"
            split_of[subject] = "test" if rank < held_out else later
    return split_of


def require_disjoint_splits(subjects_of_split: Mapping[str, set[str]]) -> None:
    """Rejects a subject that is in two splits.

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


def require_same_splits(sets: Path, split_of: Mapping[str, str]) -> None:
    """Rejects a split that contradicts a configuration prepared earlier.

    A generator trained on one configuration may be evaluated on another.

    Args:
        sets: The folder of all configurations, `<data_dir>/adni`.
        split_of: Split by subject id.

    Raises:
        ValueError: If a subject had another split before.
    """
    import pandas as pd

    for path in sorted(sets.glob("*/*/scans.csv")):
        account = pd.read_csv(path, dtype=str).dropna(subset=["split"])
        earlier = dict(zip(account["subject"], account["split"], strict=True))
        moved = [
            f"{subject} ({split}, now {split_of[subject]})"
            for subject, split in sorted(earlier.items())
            if split_of.get(subject, split) != split
        ]
        if moved:
            more = f" and {len(moved) - 5} more" if len(moved) > 5 else ""
            raise ValueError(
                f"expected the split of {path.parent}, found "
                f"{', '.join(moved[:5])}{more}; prepare all configurations of "
                "one --data-dir from the same scans and with the same --seed"
            )
