"""Which scans are copies or belong to one visit, and which one is used."""

import dataclasses
import datetime
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from tfds_adni.cohort.selection import ScanDecision
from tfds_adni.tables.cells import months_of, to_date, to_visit, true_date

# After more days the same code belongs to another phase of the study.
_SAME_CODE_DAYS = 90
# ADNI's visits are months apart; a failed scan is repeated sooner.
_NO_CODE_DAYS = 30
# A code that counts sessions; those of ADNI's phases (`v02`) begin anew.
_NUMBERED = re.compile(r"(?!v\d)([a-z]*)(\d{1,9})")

_MANY_DIGITS = 1000

ANOTHER_LEVEL = "another level of the same visit is used"
NEWER_IMAGE = "a newer image of the same visit is used"
ANOTHER_IMAGE = "another image of the same visit is used"
LATER_VISIT = "later visit (baseline is used)"
ANOTHER_SESSION = (
    "another session is used (neither date nor number says which is earlier)"
)
UNPLACED = "neither date nor visit distinguishes it from a scan that is used"


def image_order(image_id: str) -> tuple[int, str]:
    """Returns a sort key: names (of BIDS) by text, then numbers (of the IDA).

    Returns:
        Number and text.
    """
    # `int` refuses thousands of digits.
    whole = image_id.isdecimal() and len(image_id) < _MANY_DIGITS
    return (int(image_id), "") if whole else (-1, image_id)


def keep_one_copy(decisions: Sequence[ScanDecision]) -> list[ScanDecision]:
    """Drops all copies of an image but one.

    An archive may be unpacked twice, a `.nii` kept beside its `.nii.gz`, or
    derived files put beside a scan under the same image id.

    Args:
        decisions: All scans; those with a reason are left as they are.

    Returns:
        The decisions in their order. Of each image id only the first sound
        scan of the lowest rank still has no reason.
    """
    usable = [d for d in decisions if not d.reason]
    kept: dict[str, ScanDecision] = {}
    for decision in sorted(usable, key=lambda d: d.record.rank):
        kept.setdefault(decision.record.image_id, decision)
    return [
        d
        if d.reason or kept[d.record.image_id] is d
        else d.with_reason(d.record.copy)
        for d in decisions
    ]


def keep_one_scan_per_visit(
    decisions: Sequence[ScanDecision], levels: Sequence[str], visits: str
) -> list[ScanDecision]:
    """Keeps one scan of each visit, and the selected visits.

    Args:
        decisions: All scans; those with a reason are left as they are.
        levels: Processing levels, the preferred one first.
        visits: `"baseline"` or `"all"`.

    Returns:
        The decisions in their order. Of each visit one scan has no reason: of
        the preferred level; of several the one of the task that most subjects
        have, of its runs the last, since a scan is repeated when the one
        before has failed; of the IDA's images that of the highest number. Of
        each subject either the earliest visit remains (where nothing orders
        them, the session that most subjects have), or all that can be told
        apart.
    """
    scans_of: dict[str, list[ScanDecision]] = defaultdict(list)
    for decision in decisions:
        if not decision.reason:
            scans_of[decision.record.subject].append(decision)
    common = _Common(scans_of.values())
    reasons: dict[int, str] = {}
    for scans in scans_of.values():
        in_order, known = _in_order(_visits_of(scans), common.sessions)
        reasons |= _reasons(in_order, known, levels, visits, common.tasks)
    return [d.with_reason(reasons.get(id(d), d.reason)) for d in decisions]


class _Common:
    """How many subjects have a scan of each task, and each session.

    Args:
        subjects: The scans of each subject.
    """

    def __init__(self, subjects: Iterable[list[ScanDecision]]) -> None:
        self.tasks: Counter[str] = Counter()
        self.sessions: Counter[str] = Counter()
        for scans in subjects:
            self.tasks.update({_task(scan) for scan in scans})
            self.sessions.update({to_visit(s.record.visit) for s in scans})


def _task(scan: ScanDecision) -> str:
    return scan.record.entities.get("task", "")


def _run(scan: ScanDecision) -> int:
    """Returns the number of a run, 0 where there is none."""
    run = scan.record.entities.get("run", "")
    return int(run) if run.isdecimal() and len(run) < _MANY_DIGITS else 0


def _reasons(
    in_order: list["_Visit"],
    known: bool,
    levels: Sequence[str],
    visits: str,
    tasks: Counter[str],
) -> dict[int, str]:
    """Returns why scans of a subject are dropped, by their `id`."""

    def preference(scan: ScanDecision) -> tuple:
        task = tasks[_task(scan)], _task(scan)
        number = image_order(scan.record.image_id)
        return -levels.index(scan.level), *task, _run(scan), number

    reasons, kept = {}, []
    for visit in in_order:
        best = max(visit.scans, key=preference)
        reasons |= {id(scan): _why_another(scan, best) for scan in visit.scans}
        if kept and visits == "baseline":
            first = kept[0]
            later = known or first.months == 0 or (first.date and visit.date)
            reasons[id(best)] = LATER_VISIT if later else ANOTHER_SESSION
        elif not all(visit.is_distinct_from(other) for other in kept):
            reasons[id(best)] = UNPLACED
        else:
            del reasons[id(best)]
            kept.append(visit)
    return reasons


def _why_another(scan: ScanDecision, best: ScanDecision) -> str:
    """Explains why another scan of the same visit is used."""
    if scan.level != best.level:
        return ANOTHER_LEVEL
    if scan.record.image_id.isdecimal() and best.record.image_id.isdecimal():
        return NEWER_IMAGE
    for entity in ("task", "run"):
        label = best.record.entities.get(entity, "")
        if scan.record.entities.get(entity, "") != label:
            named = f"{entity}-{label}" if label else f"no {entity}-"
            return f"another {entity} of the same visit is used: {named}"
    return f"{ANOTHER_IMAGE}: {best.record.image_id}"


@dataclasses.dataclass
class _Visit:
    """Scans of one subject at one visit; `date` is the first day, if known."""

    scans: list[ScanDecision]
    date: datetime.date | None = None

    @property
    def codes(self) -> set[str]:
        """The visit codes of the scans, in one spelling."""
        return {to_visit(scan.record.visit) for scan in self.scans} - {""}

    @property
    def months(self) -> int | None:
        """Months after baseline by the codes, `None` where unknown."""
        known = (months_of(code) for code in self.codes)
        return min((m for m in known if m is not None), default=None)

    @property
    def number(self) -> tuple[str, int] | None:
        """Letters and number of its one code, `None` where it has no such."""
        codes = list(self.codes)
        found = _NUMBERED.fullmatch(codes[0]) if len(codes) == 1 else None
        return (found[1], int(found[2])) if found else None

    def is_distinct_from(self, other: "_Visit") -> bool:
        """Whether dates or codes can show that these are two visits."""
        return bool((self.date and other.date) or (self.codes and other.codes))

    def includes(self, day: "_Visit") -> bool:
        """Whether a later day is still part of this visit."""
        apart = (day.date - self.date).days
        if self.codes and day.codes:
            return apart <= _SAME_CODE_DAYS and bool(self.codes & day.codes)
        return apart <= _NO_CODE_DAYS


def _visits_of(scans: Iterable[ScanDecision]) -> list[_Visit]:
    """Groups the scans of one subject by visit.

    Scans of one day are of one visit, and so are scans of one visit code at
    most 90 days apart. Where one of two scans has no code they are of one
    visit up to 30 days apart. A scan without a date belongs to the first
    visit of its code; scans that have neither are of one visit. A day before
    1970 that several codes share is an anonymiser's, and no date.
    """
    scans = list(scans)
    codes: dict[str, set[str]] = defaultdict(set)
    for scan in scans:
        codes[scan.record.date].add(to_visit(scan.record.visit))
    days: dict[datetime.date, list[ScanDecision]] = defaultdict(list)
    undated: dict[str, list[ScanDecision]] = defaultdict(list)
    for scan in scans:
        date = to_date(scan.record.date)
        if date and (true_date(scan.record.date) or len(codes[str(date)]) < 2):
            days[date].append(scan)
        else:
            undated[to_visit(scan.record.visit)].append(scan)
    visits: list[_Visit] = []
    for date in sorted(days):
        day = _Visit(days[date], date)
        home = next((v for v in reversed(visits) if v.includes(day)), None)
        if home:
            home.scans.extend(day.scans)
        else:
            visits.append(day)
    for code, others in undated.items():
        home = next((v for v in visits if code in v.codes), None)
        if home:
            home.scans.extend(others)
        else:
            visits.append(_Visit(others))
    return visits


def _in_order(
    visits: list[_Visit], sessions: Counter[str]
) -> tuple[list[_Visit], bool]:
    """Sorts visits by time.

    By date where all have one, else by the months of their codes where all
    are known, else by the numbers of codes that begin alike. Otherwise those
    with a date come first, then a baseline, then the codes that most subjects
    have.

    Args:
        visits: Of one subject.
        sessions: How many subjects have each code.

    Returns:
        The visits, and whether their order is known.
    """
    numbers = [visit.number for visit in visits]
    numbered = None not in numbers and len({n[0] for n in numbers}) == 1
    coded = all(visit.months is not None for visit in visits)
    dated = all(visit.date for visit in visits)

    def order(visit: _Visit) -> tuple:
        codes = sorted(visit.codes)
        if not dated and (coded or numbered):
            by_code = visit.months if coded else visit.number
            return by_code, visit.date or datetime.date.max, codes
        most = max((sessions[code] for code in codes), default=0)
        when = visit.date or datetime.date.max, visit.months or 0
        return *when, visit.months != 0, 0 if dated else -most, codes

    in_order = sorted(visits, key=order)
    return in_order, dated or coded or numbered or len(visits) == 1
