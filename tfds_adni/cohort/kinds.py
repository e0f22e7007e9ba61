"""One kind of image for the whole cohort.

BIDS data sets hold a subject's scan in many versions: the raw image and what
each pipeline made of it, in several spaces, with correction for partial volume
or without. They differ in grid, smoothness and contrast, which a generator
would draw and a classifier could read in place of the disease. So images of one
kind are used: that with most subjects, of several the one least processed.

ADNI's processing levels are no kinds; `visits` prefers one to another. But
Clinica's pet-linear is of several: it is on a grid of its own, cropped or not,
and divided by one region or another.
"""

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence

from tfds_adni.cohort.selection import ScanDecision, Selection
from tfds_adni.sources.bids_names import kind_of_name
from tfds_adni.sources.record import ScanRecord

_SHOWN = 4


@dataclasses.dataclass(frozen=True)
class Kind:
    """What distinguishes images beside who, when and the tracer.

    Attributes:
        pipeline: The name of the derivatives, `""` for raw images.
        parts: Entities of the name, such as `("space-T1w", "pvc-MG")`.
    """

    pipeline: str = ""
    parts: tuple[str, ...] = ()

    def __str__(self) -> str:
        name, made = " ".join(self.parts), " ".join(self.pipeline.split())
        if made:
            return f"{name} of {made}" if name else made
        return name or "raw"

    def label(self, entity: str) -> str:
        """Returns the value of an entity, `""` where it has none."""
        pairs = (part.partition("-") for part in self.parts)
        return next((value for key, _, value in pairs if key == entity), "")


def kind_of(record: ScanRecord) -> Kind:
    """Returns the kind of a scan's image; one for all that are not BIDS."""
    # CAPS folders stand beside a data set, or in its derivatives
    pipeline = "" if record.level == "pet_linear" else record.pipeline
    return Kind(pipeline, kind_of_name(record.entities, record.level))


def space_named(record: ScanRecord) -> str:
    """Returns the space that a BIDS name says, `""` where it says none."""
    return record.entities.get("space", "")


def keep_one_kind(
    decisions: Sequence[ScanDecision], selection: Selection
) -> tuple[list[ScanDecision], tuple[str, ...]]:
    """Drops all images but those of one kind.

    Args:
        decisions: All scans; those with a reason are left as they are.
        selection: May name a `desc` or a `space`; of kinds with as many
            subjects that of the preferred level goes first.

    Returns:
        The decisions in their order, and a warning where there were several
        kinds: which is used and why, and how many subjects it leaves out.
    """
    decisions = [
        d if d.reason else d.with_reason(_not_selected(d.record, selection))
        for d in decisions
    ]
    kinds = {id(d): kind_of(d.record) for d in decisions if not d.reason}
    if len(set(kinds.values())) < 2:
        return decisions, ()
    usable = [d for d in decisions if not d.reason]
    subjects = _counts(usable, kinds, lambda r: r.subject)
    sessions = _counts(usable, kinds, lambda r: (r.subject, r.visit))
    levels: dict[Kind, int] = {}
    for d in usable:
        level = selection.levels.index(d.level)
        levels[kinds[id(d)]] = min(level, levels.get(kinds[id(d)], level))

    def preference(kind: Kind) -> tuple:
        least = bool(kind.pipeline), bool(kind.label("pvc")), len(kind.parts)
        rank = -subjects[kind], -sessions[kind], levels[kind]
        return *rank, *least, str(kind)

    in_order = sorted(subjects, key=preference)
    best = in_order[0]
    lost = len({d.record.subject for d in usable}) - subjects[best]
    kept = [
        d
        if kinds.get(id(d), best) == best
        else d.with_reason(
            f"another kind of image: {kinds[id(d)]} ({best} is used)"
        )
        for d in decisions
    ]
    preferred = levels[best] < levels[in_order[1]]
    return kept, (_note(in_order, subjects, lost, preferred=preferred),)


def _not_selected(record: ScanRecord, selection: Selection) -> str:
    """Returns why an image is not of the kind that options ask for."""
    for entity in ("desc", "space"):
        wanted = getattr(selection, entity)
        label = record.entities.get(entity, "")
        if wanted is not None and label != wanted:
            own = f"{entity}-{label}" if label else f"no {entity}-"
            option = f"--{entity} {wanted or 'raw'}"
            return f"another kind of image: {own} ({option})"
    return ""


def _counts(
    usable: Iterable[ScanDecision],
    kinds: dict[int, Kind],
    key: Callable[[ScanRecord], object],
) -> Counter:
    """Counts subjects, or their sessions, by kind."""
    of: dict[Kind, set] = defaultdict(set)
    for decision in usable:
        of[kinds[id(decision)]].add(key(decision.record))
    return Counter({kind: len(members) for kind, members in of.items()})


def _note(
    in_order: list[Kind], subjects: Counter, lost: int, *, preferred: bool
) -> str:
    """Returns the warning: the kinds, the one used and why, what is lost."""
    best, second = in_order[:2]
    shown = [f"{kind} ({_number(subjects[kind])})" for kind in in_order]
    if len(shown) > _SHOWN:
        shown[_SHOWN:] = [f"{len(shown) - _SHOWN} more"]
    least = "preferred level" if preferred else "least processed"
    why = f"it is the {least} of those with most subjects"
    if subjects[best] > subjects[second]:
        why = "it has most subjects"
    left_out = (
        f"of {_number(lost + subjects[best])} {lost} have no image of it and "
        "are left out; "
        if lost
        else ""
    )
    return (
        f"images of {len(in_order)} kinds: {', '.join(shown)}; never two of "
        f"them in one data set: {best} is used, since {why}; {left_out}"
        f"for another kind {_remedy(in_order)}"
    )


def _number(count: int) -> str:
    return f"{count} subject{'s' * (count != 1)}"


def _remedy(in_order: list[Kind]) -> str:
    """Returns the options that would choose another kind."""
    options = [
        f"--{entity} {label or 'raw'}"
        for entity in ("desc", "space")
        for label in dict.fromkeys(k.label(entity) for k in in_order[1:])
        if label != in_order[0].label(entity)
    ]
    if options:
        return f"add {' or '.join(options)}"
    return "put its files into a folder of their own"


def labels_found(
    decisions: Iterable[ScanDecision], entity: str
) -> tuple[str, ...]:
    """Returns the labels of an entity in the names of PET images.

    Args:
        decisions: All scans.
        entity: `"desc"` or `"space"`.

    Returns:
        Each once, in order; `"raw"` for images without the entity.
    """
    images = (d.record for d in decisions if not d.record.problem)
    found = {r.entities.get(entity, "") or "raw" for r in images if r.entities}
    return tuple(sorted(found))
