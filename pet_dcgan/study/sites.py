"""Sites of subjects, and folds that hold whole ones."""

import collections
import re
from collections.abc import Collection, Iterable, Mapping

import numpy as np

from pet_dcgan.data.leakage import named

# ADNI's 123_S_4567, or the same in a BIDS label
_SITE = re.compile(r"(?:sub-ADNI)?(\d{3})_?S_?\d{4,5}")

# the stages of each subject: of several visits there may be more than one
Stages = Mapping[str, frozenset[str]]


def site_of(subject: str) -> str | None:
    """The site in a subject's id, or None if it names none.

    Args:
        subject: As `123_S_4567`, or in BIDS `sub-ADNI123S4567`.
    """
    found = _SITE.fullmatch(subject)
    return found[1] if found else None


def require_sites(subjects: Iterable[str]) -> None:
    """Refuses ids that name no site, or all the same one.

    Args:
        subjects: Their ids.

    Raises:
        ValueError: If there are such.
    """
    without = sorted(s for s in subjects if site_of(s) is None)
    if without:
        raise ValueError(
            "expected ids as 123_S_4567, which begin with a site, found "
            f"others {named(without)}: leave out --by-site"
        )
    sites = sorted({site_of(s) for s in subjects})
    if len(sites) < 2:
        raise ValueError(
            f"expected subjects of several sites, found only site {sites[0]}: "
            "leave out --by-site"
        )


def deal_sites(
    stages: Stages, count: int, rng: np.random.Generator
) -> dict[str, int]:
    """The fold of each subject: whole sites, the largest first.

    Each goes where it disturbs the balance of the stages least: where the sum
    over folds and stages of (the fold's share of the stage) squared grows
    least.

    Args:
        stages: The stages of every subject.
        count: Number of folds.
        rng: Draws the order of equally large sites.
    """
    kinds = sorted(set().union(*stages.values()))
    sites = collections.defaultdict(list)
    for subject in sorted(stages):
        sites[site_of(subject)].append(subject)
    table = {
        site: np.array([len(of_stage(k, stages, among=own)) for k in kinds])
        for site, own in sites.items()
    }
    total = sum(table.values())
    order = [str(site) for site in rng.permutation(sorted(sites))]
    order.sort(key=lambda site: -len(sites[site]))  # equal ones stay shuffled
    held, fold_of = np.zeros([count, len(kinds)]), {}
    for site in order:
        share = table[site] / total
        growth = ((held / total + share) ** 2 - (held / total) ** 2).sum(axis=1)
        fold = int(growth.argmin())
        held[fold] += table[site]
        fold_of |= dict.fromkeys(sites[site], fold)
    return fold_of


def of_stage(
    stage: str, stages: Stages, *, among: Collection[str] | None = None
) -> list[str]:
    """The subjects of a stage.

    Args:
        stage: One of their stages.
        stages: The stages of every subject.
        among: Only of these; of all if unset.
    """
    return [
        s for s in (stages if among is None else among) if stage in stages[s]
    ]
