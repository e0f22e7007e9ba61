"""Who trains, selects generators and is tested in each split of a study.

Every subject is tested in exactly one of `--splits` splits: a K-fold partition
of the subjects within their stages, so that each of them trains in the others.
Of those who train, some are set aside for the KID of generators. By site, a
fold holds whole sites.
"""

import collections
import dataclasses
import hashlib
from collections.abc import Collection, Iterable, Sequence

import numpy as np

from pet_dcgan.data.leakage import require_disjoint_parts
from pet_dcgan.study.sites import (
    Stages,
    deal_sites,
    of_stage,
    require_sites,
    site_of,
)

VALIDATION_SHARE = 0.15  # of the subjects that are not tested, at least one
LEAST_TESTED = 2  # of each stage in every fold


@dataclasses.dataclass(frozen=True, order=True)
class Place:
    """Where something belongs in a study.

    Args:
        split: Number of the split, from 0.
        seed: Which repetition inside the split, from 0.
        fraction: Percentage of the split's training subjects.
    """

    split: int
    seed: int
    fraction: int


@dataclasses.dataclass(frozen=True)
class Split:
    """The subjects of one split.

    Args:
        number: From 0.
        training: Those that classifiers and generators may learn from.
        validation: Those that the KID of generators is measured on.
        test: Those that classifiers are tested on.

    Raises:
        DataLeakageError: If two of them share a subject.
    """

    number: int
    training: frozenset[str]
    validation: frozenset[str]
    test: frozenset[str]

    def __post_init__(self) -> None:
        require_disjoint_parts(self.parts, of=f"split {self.number}")

    @property
    def parts(self) -> dict[str, frozenset[str]]:
        """The subjects by what they do, as `splits.csv` names it."""
        names = ("training", "validation", "test")
        return {name: getattr(self, name) for name in names}


def make_splits(
    stages: Stages,
    *,
    classes: Collection[str],
    count: int,
    by_site: bool = False,
    seed: int = 0,
) -> tuple[Split, ...]:
    """Partitions of all subjects, in each of which others are tested.

    Args:
        stages: The stages of every subject.
        classes: The stages that are told apart.
        count: Number of splits, 2 or more.
        by_site: Whether subjects of one site stay together.
        seed: Another seed gives other folds. The same seed and subjects, in
            any order, give the same ones.

    Returns:
        Splits whose test subjects together are all subjects.

    Raises:
        ValueError: If there are too few subjects or sites, or ids without a
            site.
    """
    if by_site:
        require_sites(stages)
    for possible in range(count, 1, -1):
        splits = _splits(stages, count=possible, by_site=by_site, seed=seed)
        if all(_holds_enough(s, stages, classes) for s in splits):
            break
    else:
        possible = 1
    if possible == count:
        return splits
    counts = ", ".join(
        f"{len(of_stage(s, stages))} {s}" for s in sorted(classes)
    )
    sites = f" of {len(set(map(site_of, stages)))} sites" if by_site else ""
    if possible > 1:
        remedy = f"choose --splits {possible} or fewer"
    else:
        remedy = "leave out --by-site" if by_site else "choose --splits 1"
    raise ValueError(
        f"expected {LEAST_TESTED} subjects or more of each stage to test in "
        f"each of {count} splits, found {counts}{sites}: {remedy}, or prepare "
        "more scans"
    )


def rank(subjects: Iterable[str], *, seed: int, use: str = "") -> list[str]:
    """Subjects in a random order that depends on seed and names alone.

    Args:
        subjects: In any order; repeats are dropped.
        seed: Another seed gives another order.
        use: So does another purpose.
    """

    def key(subject: str) -> str:
        text = f"{use}{seed}:{subject}"
        return hashlib.sha256(text.encode()).hexdigest()

    return sorted(set(subjects), key=key)


def subset(
    subjects: Collection[str], stages: Stages, *, percent: int, seed: int
) -> set[str]:
    """A percentage of the subjects of each stage, at least one.

    A larger subset contains every smaller one of the same seed.

    Args:
        subjects: Those to choose from.
        stages: The stages of each; subjects of several count as a stage of
            their own.
        percent: From 1 to 100.
        seed: Another seed gives another subset.
    """
    chosen: set[str] = set()
    for members in _strata(subjects, stages):
        count = max(1, round(len(members) * percent / 100))
        chosen.update(rank(members, seed=seed)[:count])
    return chosen


def _splits(
    stages: Stages, *, count: int, by_site: bool, seed: int
) -> tuple[Split, ...]:
    """The splits, whether or not they hold enough subjects."""
    deal = deal_sites if by_site else _deal
    fold_of = deal(stages, count, np.random.default_rng(seed))
    splits = []
    for number in range(count):
        others = {s for s in stages if fold_of[s] != number}
        validation = _validation(others, stages, seed=1000 * seed + number)
        splits.append(
            Split(
                number,
                training=frozenset(others - validation),
                validation=frozenset(validation),
                test=frozenset(stages.keys() - others),
            )
        )
    return tuple(splits)


def _validation(
    subjects: Collection[str], stages: Stages, *, seed: int
) -> set[str]:
    """Those of each stage who are set aside; a single one is not."""
    chosen: set[str] = set()
    for members in _strata(subjects, stages):
        count = max(1, round(VALIDATION_SHARE * len(members)))
        ordered = rank(members, seed=seed, use="validation ")
        chosen.update(ordered[: min(count, len(members) - 1)])
    return chosen


def _strata(subjects: Collection[str], stages: Stages) -> list[list[str]]:
    """The subjects of each stage, or of several stages, by name."""
    strata = collections.defaultdict(list)
    for subject in sorted(subjects):
        strata[tuple(sorted(stages[subject]))].append(subject)
    return [strata[key] for key in sorted(strata)]


def _deal(
    stages: Stages, count: int, rng: np.random.Generator
) -> dict[str, int]:
    """The fold of each subject, dealt like cards, stage after stage."""
    shuffled = [
        str(subject)
        for members in _strata(stages, stages)
        for subject in rng.permutation(members)
    ]
    return {subject: place % count for place, subject in enumerate(shuffled)}


def _holds_enough(
    split: Split, stages: Stages, classes: Collection[str]
) -> bool:
    """Whether each part has subjects of each stage, and enough are tested."""
    least = {"training": 1, "validation": 1, "test": LEAST_TESTED}
    return all(
        len(of_stage(stage, stages, among=split.parts[part])) >= number
        for stage in classes
        for part, number in least.items()
    )


def split_table(
    splits: Sequence[Split], stages: Stages
) -> list[dict[str, str | int]]:
    """The rows of `splits.csv`, one for each subject.

    Args:
        splits: The splits of a study.
        stages: The stages of every subject.

    Returns:
        `subject`, `stages`, `site` (empty if its id names none), `fold` (the
        split it is tested in, empty if none), and what it does in each split.
    """
    rows = []
    for subject in sorted(stages):
        roles = {
            f"split_{split.number}": role
            for split in splits
            for role, members in split.parts.items()
            if subject in members
        }
        tested = [s.number for s in splits if subject in s.test]
        rows.append(
            {
                "subject": subject,
                "stages": " ".join(sorted(stages[subject])),
                "site": site_of(subject) or "",
                "fold": tested[0] if tested else "",
                **roles,
            }
        )
    return rows
