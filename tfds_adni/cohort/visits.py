"""Which scans of a subject are of one visit, and which of them is used.

Of several copies of an image one is used.
"""

import datetime
import itertools
from collections import defaultdict
from collections.abc import Iterable, Sequence

from tfds_adni.cohort.decision import ScanDecision
from tfds_adni.tables.delimited import months_of, to_date, to_visit


def keep_one_copy(verdicts: Sequence[ScanDecision]) -> list[ScanDecision]:
    """Drops all copies of an image but one.

    People unpack an archive twice, keep a `.nii` beside its `.nii.gz`, or lay
    what they made of a scan beside it under the same image id. A copy that is
    broken does not stand in the way of one that is not.

    Args:
        verdicts: All scans; those that have a reason are left as they are.

    Returns:
        The verdicts in their order. Of each image id the scan of the lowest
        rank that had no reason still has none.
    """
    first: dict[str, ScanDecision] = {}
    for verdict in verdicts:
        if not verdict.reason:
            best = first.setdefault(verdict.record.image_id, verdict)
            if verdict.record.rank < best.record.rank:
                first[verdict.record.image_id] = verdict
    return [
        v.with_reason(v.record.copy)
        if not v.reason and first[v.record.image_id] is not v
        else v
        for v in verdicts
    ]


# A code that comes again later is that of another phase of the study.
SAME_CODE_DAYS = 90
# ADNI's visits are months apart; a scan that failed is repeated sooner.
NO_CODE_DAYS = 30

ANOTHER_LEVEL = "another level of the same visit is used"
NEWER_IMAGE = "a newer image of the same visit is used"
LATER_VISIT = "later visit (baseline is used)"
UNPLACED = "neither date nor visit tells it from a scan that is used"


class Visit:
    """Scans of one subject that were made at one visit.

    Args:
        scans: The scans, in any order.
        date: The first day, `None` where no scan has a date.
    """

    def __init__(
        self, scans: list[ScanDecision], date: datetime.date | None = None
    ) -> None:
        self.scans = scans
        self.date = date

    @property
    def codes(self) -> set[str]:
        """The visit codes of the scans, in one spelling."""
        return {to_visit(scan.record.visit) for scan in self.scans} - {""}

    @property
    def months(self) -> int | None:
        """Months after baseline as the codes tell, `None` where they do not."""
        known = (months_of(code) for code in self.codes)
        return min((m for m in known if m is not None), default=None)

    def can_be_told_from(self, other: "Visit") -> bool:
        """Whether dates or codes can show that two visits are two."""
        dated = bool(self.date and other.date)
        return dated or bool(self.codes and other.codes)


def keep_one_scan_a_visit(
    verdicts: Sequence[ScanDecision], levels: Sequence[str], visits: str
) -> list[ScanDecision]:
    """Selects among the scans that are usable by themselves.

    Args:
        verdicts: All scans; those that have a reason are left as they are.
        levels: Processing levels, the preferred one first.
        visits: `"baseline"` or `"all"`.

    Returns:
        The verdicts in their order. Of each visit one scan has no reason: the
        preferred level, the highest image id on a tie. Of each subject either
        the earliest visit remains, or all that can be told apart.
    """
    reasons: dict[int, str] = {}
    for scans in _by_subject(verdicts):
        kept = []
        for visit in in_order(group_visits(scans)):
            best = max(visit.scans, key=lambda v: _preference(v, levels))
            for scan in visit.scans:
                if scan is not best:
                    same = scan.level == best.level
                    reasons[id(scan)] = NEWER_IMAGE if same else ANOTHER_LEVEL
            if kept and visits == "baseline":
                reasons[id(best)] = LATER_VISIT
            elif not all(visit.can_be_told_from(other) for other in kept):
                reasons[id(best)] = UNPLACED
            else:
                kept.append(visit)
    return [
        v.with_reason(reasons[id(v)]) if id(v) in reasons else v
        for v in verdicts
    ]


def group_visits(scans: Iterable[ScanDecision]) -> list[Visit]:
    """Groups the scans of one subject by visit.

    Scans of one day are of one visit, and so are scans of one visit code at
    most 90 days apart. Where one of two scans has no code they are of one
    visit up to 30 days apart. A scan without a date belongs to the first
    visit of its code; scans that have neither are of one visit.
    """
    days: dict[datetime.date, list[ScanDecision]] = defaultdict(list)
    undated: dict[str, list[ScanDecision]] = defaultdict(list)
    for scan in scans:
        date = to_date(scan.record.date)
        if date:
            days[date].append(scan)
        else:
            undated[to_visit(scan.record.visit)].append(scan)
    visits = _join([Visit(days[day], day) for day in sorted(days)])
    for code, others in undated.items():
        home = next((v for v in visits if code in v.codes), None)
        if home:
            home.scans.extend(others)
        else:
            visits.append(Visit(others))
    return visits


def in_order(visits: list[Visit]) -> list[Visit]:
    """Puts visits in order of time.

    By date where all have one, else by the months of their codes where all
    tell, else those with a date first.
    """
    months = [visit.months for visit in visits]
    dated = all(visit.date for visit in visits)
    if not dated and None not in months:
        return sorted(visits, key=lambda v: (v.months, _day(v), _codes(v)))
    return sorted(visits, key=lambda v: (_day(v), v.months or 0, _codes(v)))


def _join(days: list[Visit]) -> list[Visit]:
    """Joins the days of one visit; days are in order."""
    visits: list[Visit] = []
    for day in days:
        late = itertools.takewhile(
            lambda v, day=day: (day.date - v.date).days <= SAME_CODE_DAYS,
            reversed(visits),
        )
        home = next((v for v in late if _same_visit(v, day)), None)
        if home:
            home.scans.extend(day.scans)
        else:
            visits.append(day)
    return visits


def _same_visit(visit: Visit, day: Visit) -> bool:
    """Whether a day, at most 90 later, is of the same visit."""
    apart = (day.date - visit.date).days
    if visit.codes and day.codes:
        return bool(visit.codes & day.codes)
    return apart <= NO_CODE_DAYS


def _by_subject(
    verdicts: Iterable[ScanDecision],
) -> Iterable[list[ScanDecision]]:
    """Groups what has no reason yet by subject."""
    groups: dict[str, list[ScanDecision]] = defaultdict(list)
    for verdict in verdicts:
        if not verdict.reason:
            groups[verdict.record.subject].append(verdict)
    return groups.values()


def _preference(verdict: ScanDecision, levels: Sequence[str]) -> tuple:
    """Orders the scans of a visit: the best level, then the newest image."""
    return -levels.index(verdict.level), image_order(verdict.record.image_id)


def image_order(image_id: str) -> tuple[int, str]:
    """Returns a sort key: image ids are numbers in the IDA, names in BIDS.

    Returns:
        Number and text; names come first.
    """
    return (int(image_id), "") if image_id.isdecimal() else (-1, image_id)


def _day(visit: Visit) -> datetime.date:
    return visit.date or datetime.date.max


def _codes(visit: Visit) -> list[str]:
    return sorted(visit.codes)
