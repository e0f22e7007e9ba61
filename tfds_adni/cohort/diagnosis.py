"""How a scan gets its stage, and which table wins.

The more specific table wins: DXSUM at the time of the scan, then ADNIMERGE;
without either, the labels of the download itself in the order of its source:
`sessions.tsv`, XML DX Group, `participants.tsv`, collection CSV Group.
"""

import dataclasses
from collections.abc import Sequence

from tfds_adni.sources import Label, ScanRecord
from tfds_adni.tables import DiagnosisTable, Nearest, nearest
from tfds_adni.tables.cells import is_smc, stage_of_group, to_date, to_visit

UNLABELLED = "no stage: no table tells the group of this scan"
SMC_DROPPED = "SMC is neither NC nor MCI (--smc keep counts it as NC)"


@dataclasses.dataclass(frozen=True)
class Diagnosis:
    """The label of a scan.

    Attributes:
        stage: `"NC"`, `"MCI"` or `"AD"`, `""` where there is a reason.
        source: The table it comes from and, after a semicolon, those that
            disagree.
        reason: Why there is no label, `""` where there is one.
    """

    stage: str = ""
    source: str = ""
    reason: str = ""


def diagnose(
    record: ScanRecord,
    tables: Sequence[DiagnosisTable] = (),
    *,
    label_days: int = 180,
    smc: str = "drop",
) -> Diagnosis:
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
    """
    find = _labels_of_tables if tables else _labels_of_download
    labels, reason = find(record, tables, label_days)
    if not labels:
        return Diagnosis(reason=reason)
    label = labels[0]
    enrolled_as_smc = any(is_smc(one.text) for one in record.labels) or any(
        table.has_smc(record.subject) for table in tables
    )
    if is_smc(label.text) or (_stage(label) == "NC" and enrolled_as_smc):
        if smc == "drop":
            return Diagnosis(reason=SMC_DROPPED)
        label = Label("NC", label.source)
    stage = _stage(label)
    sources = [label.source] + [
        f"{other.source} says {other.text}"
        for other in (*labels[1:], *(record.labels if tables else ()))
        if _stage(other) not in ("", stage)
    ]
    return Diagnosis(stage, "; ".join(dict.fromkeys(sources)))


def _labels_of_tables(
    record: ScanRecord, tables: Sequence[DiagnosisTable], label_days: int
) -> tuple[list[Label], str]:
    """Returns the labels, the most specific first, or why there are none."""
    labels, reasons = [], []
    date, visit = to_date(record.date), to_visit(record.visit)
    for source in ("DXSUM", "ADNIMERGE"):
        own = [table for table in tables if table.source == source]
        exams = [exam for table in own for exam in table.of(record.subject)]
        found = nearest(exams, date, visit, most_days=label_days)
        if len(found.stages) == 1:
            labels.append(Label(found.stages[0], source))
        elif exams:
            reasons.append(_why_not(source, found, label_days))
    names = ", ".join(table.name for table in tables)
    reasons.append(f"no diagnosis of this subject: none in {names}")
    return labels, reasons[0]


def _why_not(source: str, found: Nearest, label_days: int) -> str:
    """Says why a table that has the subject does not label the scan."""
    if found.stages:
        stages = " and ".join(found.stages)
        return f"rows of one day contradict each other: {source} says {stages}"
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
    record: ScanRecord, *_: object
) -> tuple[list[Label], str]:
    """Returns the download's own labels, or why there are none."""
    known = [n for n in record.labels if _stage(n) or is_smc(n.text)]
    if known:
        first = [n for n in known if n.source == known[0].source]
        if len({_stage(n) for n in first} - {""}) < 2:
            return known, ""
        texts = " and ".join(n.text for n in first)
        return [], (
            "rows of one image contradict each other: "
            f"{known[0].source} says {texts}"
        )
    if record.labels:
        label = record.labels[0]
        text = " ".join(label.text.split())[:40]
        return [], f"no stage ({label.source} is {text})"
    return [], UNLABELLED


def _stage(label: Label) -> str:
    """Returns the stage that a label names, `""` where it names none."""
    return stage_of_group(label.text) or ""
