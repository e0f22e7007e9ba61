"""What must become of each scan of a random tree, by slow, obvious rules.

It reads plans, never files, and knows nothing of the package's own code.
"""

import dataclasses
from datetime import date

STAGE = {
    **dict.fromkeys(("CN", "Normal", "NL"), "NC"),
    **dict.fromkeys(("MCI", "EMCI", "LMCI"), "MCI"),
    **dict.fromkeys(("AD", "Dementia"), "AD"),
}
TABLES = ("DXSUM", "ADNIMERGE")  # the more specific first


@dataclasses.dataclass(kw_only=True)
class Scan:
    """A scan as planned.

    `faults` are kinds of reason that hold whatever the selection is;
    `labels` pairs of source and text, the most specific first; `copies` lists
    of files that hold the same; of them and `paths` one list is used as a
    whole, but none of the files `broken`.
    """

    subject: str
    image_id: str
    visit: str
    date: str
    tracer: str
    level: str
    group: str
    labels: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    form: str = "nii"
    faults: set[str] = dataclasses.field(default_factory=set)
    passed: bool | None = None
    doubtful: bool = False
    paths: list[str] = dataclasses.field(default_factory=list)
    copies: list[list[str]] = dataclasses.field(default_factory=list)
    broken: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(kw_only=True)
class Exam:
    """A row of DXSUM or ADNIMERGE; stage "" where it is missing.

    `enrolled` is the group at baseline, which ADNIMERGE repeats in each row.
    """

    table: str
    subject: str
    date: str
    stage: str
    enrolled: str = "CN"


@dataclasses.dataclass(kw_only=True)
class Planted:
    """What must be said of a scan's files.

    `kinds` are the reasons one of which must be given where it is not used;
    `used` is None where either way would do; `disputed` says that another
    table has another stage.
    """

    scan: Scan
    used: bool | None
    kinds: set[str]
    stage: str
    source: str
    disputed: bool


def judge(scans, exams, selection) -> list[Planted]:
    """Applies the selection to a plan, scan by scan."""
    planted = [_alone(scan, exams, selection) for scan in scans]
    usable = [one for one in planted if one.used]
    for one in usable:
        rivals = [p for p in usable if _same_visit(p, one)]
        if any(_better(r, one, selection.levels) for r in rivals):
            one.kinds.add("level")
        if selection.visits == "baseline" and any(
            _earlier(p, one) for p in usable
        ):
            one.kinds.add("later")
    for one in planted:
        one.used = None if one.scan.doubtful else not one.kinds
    return planted


def _alone(scan, exams, selection) -> Planted:
    """Judges a scan whatever the others are."""
    said = _said(scan, exams, selection)
    stage, source = said[0] if said else ("", "")
    disputed = any(other not in ("SMC", stage) for other, _ in said)
    # Who is CN by one table and SMC by another is SMC: most have no such code.
    if stage == "SMC" or (stage == "NC" and _enrolled_as_smc(scan, exams)):
        stage, source = ("NC", source) if selection.smc == "keep" else ("", "")
        disputed = any(other not in ("SMC", "NC") for other, _ in said)
    kinds = set(scan.faults)
    if scan.tracer != selection.tracer:
        kinds.add("tracer")
    if scan.level not in selection.levels:
        kinds.add("another level")
    if not stage:
        kinds.add("stage")
    if selection.qc and not scan.passed:
        kinds.add("qc")
    return Planted(
        scan=scan,
        used=not kinds,
        kinds=kinds,
        stage=stage,
        source=source,
        disputed=disputed,
    )


def _said(scan, exams, selection) -> list[tuple[str, str]]:
    """Returns every stage said of a scan with its table, most specific first.

    Where tables of diagnoses are given, one of them must have the first word.
    """
    labels = [
        (STAGE.get(text, text), source)
        for source, text in scan.labels
        if text in STAGE or text == "SMC"
    ]
    if not selection.diagnosis:
        first = {stage for stage, source in labels if source == labels[0][1]}
        return [] if len(first - {"SMC"}) > 1 else labels
    near = [_nearest(t, scan, exams, selection.label_days) for t in TABLES]
    near = [said for said in near if said]
    return [*near, *labels] if near else []


def _nearest(table, scan, exams, days: int) -> tuple[str, str] | None:
    """Returns what a table says of the day of a scan."""
    near = [
        (apart(exam.date, scan.date), exam.stage)
        for exam in exams
        if (exam.table, exam.subject) == (table, scan.subject)
        and exam.stage
        and exam.date
        and scan.date
        and apart(exam.date, scan.date) <= days
    ]
    return (min(near)[1], table) if near else None


def _enrolled_as_smc(scan, exams) -> bool:
    """Whether any table calls the subject SMC."""
    return any(text == "SMC" for _, text in scan.labels) or any(
        exam.enrolled == "SMC"
        for exam in exams
        if (exam.table, exam.subject) == ("ADNIMERGE", scan.subject)
    )


def apart(one: str, other: str) -> int:
    """Days between two ISO dates."""
    return abs((date.fromisoformat(one) - date.fromisoformat(other)).days)


def _same_visit(one: Planted, other: Planted) -> bool:
    return one.scan.subject == other.scan.subject and (
        one.scan.visit == other.scan.visit
        or "" != one.scan.date == other.scan.date
    )


def _better(one: Planted, other: Planted, levels) -> bool:
    """Whether one scan goes before another of its visit."""

    def rank(planted):
        return levels.index(planted.scan.level), _newest_first(planted.scan)

    return rank(one) < rank(other)


def _newest_first(scan: Scan):
    if scan.image_id.isdigit():
        return -int(scan.image_id)
    return [-ord(letter) for letter in scan.image_id]


def _earlier(one: Planted, other: Planted) -> bool:
    """Whether one visit goes before another of its subject."""
    return (
        one.scan.subject == other.scan.subject
        and not _same_visit(one, other)
        and (one.scan.date or "9999", one.scan.visit)
        < (other.scan.date or "9999", other.scan.visit)
    )
