"""The stage of a scan, and the table that says it.

It comes from the most specific table: DXSUM at the time of the scan, then
ADNIMERGE; without either, from the labels of the download in the order of its
source: `sessions.tsv`, XML DX Group, `participants.tsv`, collection CSV Group.
A folder of one group may be given one stage for all.
"""

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence

from tfds_adni.sources import Label, ScanRecord
from tfds_adni.tables import DiagnosisTable, Nearest, nearest
from tfds_adni.tables.cells import to_visit, true_date
from tfds_adni.tables.stages import is_smc, plain_word, stage_of_group

UNLABELLED = "no stage: no table lists the group of this scan"
NO_STAGE = "no stage ("
SMC_DROPPED = "SMC is neither NC nor MCI (--smc keep counts it as NC)"
GIVEN = "--stage"


def diagnose(
    record: ScanRecord,
    tables: Sequence[DiagnosisTable] = (),
    *,
    label_days: int = 180,
    smc: str = "drop",
    stage: str = "",
    words: Mapping[str, str] | None = None,
) -> tuple[str, str, str]:
    """Finds the stage of a scan.

    Where tables are given they alone label a scan: the group at enrolment does
    not hold for a later visit. No table of diagnoses has a code for SMC, which
    is CN with a memory complaint; a subject enrolled as SMC and diagnosed as
    CN is SMC.

    Args:
        record: The scan.
        tables: DXSUM and ADNIMERGE, in any order.
        label_days: Most days between the scan and the row that labels it.
        smc: `"drop"` or `"keep"`, which makes SMC NC.
        stage: The stage of every scan, `""` where tables say it.
        words: Stage by a word of the download's tables, in any spelling.

    Returns:
        Stage, `label_source` and `reason` of a `ScanDecision`.
    """
    words = {plain_word(word): s for word, s in (words or {}).items()}

    def stage_of(label: Label) -> str:
        return stage_of_group(label.text, words) or ""

    if tables:
        labels, reason = _labels_of_tables(record, tables, label_days)
    else:
        labels, reason = _labels_of_download(record.labels, stage_of)
    if stage:
        others = dict.fromkeys((*labels, *record.labels))
        return stage, _sources(GIVEN, stage, others, stage_of), ""
    if not labels:
        return "", "", reason
    label = labels[0]
    stage = stage_of(label)
    enrolled_as_smc = any(map(_is_smc, record.labels)) or any(
        table.has_smc(record.subject) for table in tables
    )
    if not stage or (stage == "NC" and enrolled_as_smc):
        if smc == "drop":
            return "", "", SMC_DROPPED
        stage = "NC"
    others = (*labels[1:], *(record.labels if tables else ()))
    return stage, _sources(label.source, stage, others, stage_of), ""


def _sources(
    source: str,
    stage: str,
    others: Iterable[Label],
    stage_of: Callable[[Label], str],
) -> str:
    """Returns the source of a label and those that disagree."""
    disagreeing = (
        f"{other.source} says {other.text}"
        for other in others
        if stage_of(other) not in ("", stage)
    )
    return "; ".join(dict.fromkeys((source, *disagreeing)))


def _is_smc(label: Label) -> bool:
    return is_smc(label.text)


def _labels_of_tables(
    record: ScanRecord, tables: Sequence[DiagnosisTable], label_days: int
) -> tuple[list[Label], str]:
    """Returns the labels, the most specific first, or why there are none."""
    labels, reasons = [], []
    date, visit = true_date(record.date), to_visit(record.visit)
    for source in ("DXSUM", "ADNIMERGE"):
        own = [table for table in tables if table.source == source]
        exams = [exam for table in own for exam in table.of(record.subject)]
        found = nearest(exams, date, visit, most_days=label_days)
        if len(found.stages) == 1:
            labels.append(Label(found.stages[0], source))
        elif exams:
            missed = ", ".join(table.missed for table in own if table.missed)
            reasons.append(_why_not(source, found, label_days, date, missed))
    names = ", ".join(table.name for table in tables)
    reasons.append(f"no diagnosis of this subject: none in {names}")
    return labels, reasons[0]


def _why_not(
    source: str,
    found: Nearest,
    label_days: int,
    date: datetime.date | None,
    missed: str,
) -> str:
    """Explains why a table that lists the subject does not label the scan."""
    if found.stages:
        stages = " and ".join(found.stages)
        return f"rows of one day contradict each other: {source} says {stages}"
    if found.days is None and missed:
        return f"dates not understood: {missed}"
    if found.days is None and not date:
        return (
            f"no diagnosis of this visit: {source} has no row of its visit "
            "code, and the scan no date that is understood"
        )
    if found.days is None:
        return (
            f"no diagnosis of this visit: {source} and the scan share neither "
            "dates nor a visit code"
        )
    return (
        f"no diagnosis within {label_days} days: the nearest in {source} is "
        f"{found.days} days away"
    )


def _labels_of_download(
    labels: Sequence[Label], stage_of: Callable[[Label], str]
) -> tuple[list[Label], str]:
    """Returns the labels that name a group, or why there are none."""
    known = [label for label in labels if stage_of(label) or _is_smc(label)]
    if known:
        first = [n for n in known if n.source == known[0].source]
        if len({stage_of(n) for n in first} - {""}) < 2:
            return known, ""
        texts = " and ".join(n.text for n in first)
        return [], (
            "rows of one image contradict each other: "
            f"{known[0].source} says {texts}"
        )
    if labels:
        text = " ".join(labels[0].text.split())[:40]
        return [], f"{NO_STAGE}{labels[0].source} is {text})"
    return [], UNLABELLED
