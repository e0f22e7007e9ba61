"""States of a failing conditional training.

None is reported while the training is not yet conditional, in its transition,
nor while the images are noise. The thresholds lie between what trainings that
obeyed and that could not obey were measured to do, see
docs/training-curves.md.
"""

from collections.abc import Sequence

from pet_dcgan.training.condition_vitals import ConditionalRecord

# variety within a condition below which its images are alike
ALIKE_WITHIN = 0.45
# effect of a condition, as part of the real one, below which it is ignored
IGNORED = 0.25
# misfit above which images are noise
_NOISE = 0.7
# rise of a measure while a training learns
_RISE = 0.05


def is_failing(record: ConditionalRecord) -> bool:
    """Whether one record alone shows a sign of either state.

    Args:
        record: Of a conditional training; in its transition it shows none.
    """
    measures = record.conditional_diversity, *_effects(record).values()
    limits = ALIKE_WITHIN, *[IGNORED] * (len(measures) - 1)
    low = (x < limit for x, limit in zip(measures, limits, strict=True))
    return record.label_weight >= 1 and any(low)


def describe_collapse(records: Sequence[ConditionalRecord]) -> str:
    """Describes images of one condition that are alike.

    Args:
        records: Some in a row.

    Returns:
        Words, empty where they do not show it.
    """
    found = [record.conditional_diversity for record in records]
    if not _settled(records) or not all(x < ALIKE_WITHIN for x in found):
        return ""
    if found[-1] > found[0] + _RISE:
        return ""
    return (
        "the generator has collapsed within a condition (images of one stage "
        f"and position differ from each other only {found[-1]:.0%} as much as "
        "those of real subjects)"
    )


def describe_ignored(records: Sequence[ConditionalRecord]) -> str:
    """Describes conditions that change nothing in the images.

    Args:
        records: Some in a row.

    Returns:
        Words with the conditions, empty where the records show none.
    """
    if not _settled(records):
        return ""
    first, last = _effects(records[0]), _effects(records[-1])
    ignored = [
        name
        for name in last
        if all(_effects(record)[name] < IGNORED for record in records)
        and last[name] <= first[name] + _RISE
    ]
    if not ignored:
        return ""
    effects = " and ".join(f"{last[name]:.0%}" for name in ignored)
    return (
        f"the generator ignores the {' and the '.join(ignored)} that it is "
        f"asked for (its images change by {effects} of what real ones do)"
    )


def _settled(records: Sequence[ConditionalRecord]) -> bool:
    """Whether conditions count in full, and images are no noise."""
    counts = all(record.label_weight >= 1 for record in records)
    return counts and records[-1].misfit <= _NOISE


def _effects(record: ConditionalRecord) -> dict[str, float]:
    """The effect of each condition that is measured, NaN of no condition."""
    return {
        "stage": record.stage_effect,
        "plane": record.plane_effect,
        "position": record.position_effect,
    }
