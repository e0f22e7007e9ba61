"""What must become of each scan of a random tree, by slow, obvious rules.

It reads plans, never files, and knows nothing of the package's own code.
"""

import dataclasses

from tree_plan import Scan, apart

STAGE = {
    **dict.fromkeys(("CN", "Normal", "NL"), "NC"),
    **dict.fromkeys(("MCI", "EMCI", "LMCI"), "MCI"),
    **dict.fromkeys(("AD", "Dementia"), "AD"),
}
TABLES = ("DXSUM", "ADNIMERGE")  # the more specific first


@dataclasses.dataclass(kw_only=True)
class Planted:
    """What must be said of a scan's files.

    `kinds` are the reasons one of which must be given where it is not used;
    `used` is None where either way would do; `disputed` says that another
    table has another stage.
    """

    scan: Scan
    kinds: set[str]
    stage: str
    source: str
    disputed: bool
    used: bool | None = None


def truth(scans, exams, selection) -> list[Planted]:
    """Applies the selection to a plan, scan by scan."""
    planted = [_alone(scan, exams, selection) for scan in scans]
    usable = [one for one in planted if not one.kinds]
    for one in usable:
        for other in usable:
            if other.scan.subject != one.scan.subject:
                continue
            if _same_visit(one.scan, other.scan):
                if _rank(other, selection) < _rank(one, selection):
                    one.kinds.add("level")
            elif selection.visits == "baseline" and when(other) < when(one):
                one.kinds.add("later")
    for one in planted:
        one.used = None if one.scan.doubtful else not one.kinds
    return planted


def when(planted: Planted) -> tuple[str, str]:
    """Sorts by time."""
    return planted.scan.date or "9999", planted.scan.visit


def _alone(scan, exams, selection) -> Planted:
    """What holds of a scan whatever the others are."""
    said = _said(scan, exams, selection)
    stage, source = said[0] if said else ("", "")
    disputed = any(other not in ("SMC", stage) for other, _ in said)
    # Who is CN by one table and SMC by another is SMC: most have no such code.
    if stage == "SMC" or (stage == "NC" and _enrolled_as_smc(scan, exams)):
        stage, source = ("NC", source) if selection.smc == "keep" else ("", "")
        disputed = any(other not in ("SMC", "NC") for other, _ in said)
    reasons = {
        "tracer": scan.tracer != selection.tracer,
        "another level": scan.level not in selection.levels,
        "stage": not stage,
        "qc": selection.qc and not scan.passed,
    }
    kinds = scan.faults | {kind for kind, holds in reasons.items() if holds}
    return Planted(
        scan=scan, kinds=kinds, stage=stage, source=source, disputed=disputed
    )


def _said(scan, exams, selection) -> list[tuple[str, str]]:
    """Every stage said of a scan with its table, most specific first.

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
    near = []
    for table in TABLES:
        found = [
            (days, exam.stage)
            for exam in exams
            if (exam.table, exam.subject) == (table, scan.subject)
            and exam.stage
            and (days := apart(exam.date, scan.date)) is not None
            and days <= selection.label_days
        ]
        if found:
            near.append((min(found)[1], table))
    return [*near, *labels] if near else []


def _enrolled_as_smc(scan, exams) -> bool:
    """Whether any table calls the subject SMC."""
    return any(text == "SMC" for _, text in scan.labels) or any(
        exam.enrolled == "SMC"
        for exam in exams
        if (exam.table, exam.subject) == ("ADNIMERGE", scan.subject)
    )


def _same_visit(one: Scan, other: Scan) -> bool:
    return one.visit == other.visit or "" != one.date == other.date


def _rank(planted: Planted, selection) -> tuple:
    """Orders the scans of a visit: best level, then newest image."""
    image_id = planted.scan.image_id
    newest = [-ord(letter) for letter in image_id]
    if image_id.isdigit():
        newest = [-int(image_id)]
    return selection.levels.index(planted.scan.level), newest
