"""The stage of a subject at the time of a scan, and which table says so.

The more specific table wins: DXSUM at the time of the scan, then ADNIMERGE;
without either, what the download itself says, in the order its source gives:
`sessions.tsv`, XML DX Group, `participants.tsv`, collection CSV Group.
"""

import dataclasses
from collections.abc import Sequence

from tfds_adni.sources import Label, ScanRecord
from tfds_adni.tables import DiagnosisTable, Nearest, nearest
from tfds_adni.tables.delimited import to_date, to_visit
from tfds_adni.tables.stages import STAGES, is_smc, stage_of_group

__all__ = ["STAGES", "Diagnosis", "diagnose", "stage_of_group"]

_SPECIFICITY = ("DXSUM", "ADNIMERGE")
UNLABELLED = "no stage: no table tells the group of this scan"
SMC_DROPPED = "SMC is neither NC nor MCI (--smc keep counts it as NC)"


@dataclasses.dataclass(frozen=True)
class Diagnosis:
    """What a scan is labelled with.

    Attributes:
        stage: `"NC"`, `"MCI"` or `"AD"`, `""` where there is a reason.
        source: The table that says it and, after a semicolon, those that say
            otherwise.
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

    Where tables are given they alone label a scan: a group at enrolment says
    nothing of a later visit. No table of diagnoses has a code for SMC, which
    is CN with a worry; a subject enrolled as SMC whom a table calls CN is SMC.

    Args:
        record: The scan.
        tables: DXSUM and ADNIMERGE, in any order.
        label_days: Most days between the scan and the row that labels it.
        smc: `"drop"` or `"keep"`, which makes SMC NC.
    """
    answers, misses = _answers(record, tables, label_days)
    if not answers:
        return Diagnosis(reason=_worded(record, tables, misses))
    label = answers[0]
    enrolled_as_smc = any(is_smc(one.text) for one in record.labels) or any(
        table.has_smc(record.subject) for table in tables
    )
    if is_smc(label.text) or (_stage(label) == "NC" and enrolled_as_smc):
        if smc == "drop":
            return Diagnosis(reason=SMC_DROPPED)
        label = Label("NC", label.source)
    others = [*answers[1:], *(record.labels if tables else ())]
    return Diagnosis(_stage(label), _with_others(label, others))


def _answers(
    record: ScanRecord, tables: Sequence[DiagnosisTable], label_days: int
) -> tuple[list[Label], list[str]]:
    """Returns what may label a scan, most specific first, and the misses."""
    if not tables:
        return _own_answers(record)
    answers, misses = [], []
    date, visit = to_date(record.date), to_visit(record.visit)
    for source in _SPECIFICITY:
        own = [table for table in tables if table.source == source]
        exams = [exam for table in own for exam in table.of(record.subject)]
        found = nearest(exams, date, visit, most_days=label_days)
        if len(found.stages) == 1:
            answers.append(Label(found.stages[0], source))
        elif exams:
            misses.append(_miss(source, found, label_days))
    return answers, misses


def _own_answers(record: ScanRecord) -> tuple[list[Label], list[str]]:
    """Returns what the download says; its first table must say one thing."""
    known = [n for n in record.labels if _stage(n) or is_smc(n.text)]
    first = [n for n in known if n.source == known[0].source]
    if len({_stage(n) for n in first} - {""}) < 2:
        return known, []
    texts = " and ".join(n.text for n in first)
    return [], [
        f"rows of one image contradict each other: {known[0].source} says "
        f"{texts}"
    ]


def _miss(source: str, found: Nearest, label_days: int) -> str:
    """Says why a table that knows the subject does not label the scan."""
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


def _worded(
    record: ScanRecord,
    tables: Sequence[DiagnosisTable],
    misses: Sequence[str],
) -> str:
    """Says why a scan has no label."""
    if misses:
        return misses[0]
    if tables:
        names = ", ".join(table.name for table in tables)
        return f"no diagnosis of this subject: none in {names}"
    if record.labels:
        label = record.labels[0]
        text = " ".join(label.text.split())[:40]
        return f"no stage ({label.source} is {text})"
    return UNLABELLED


def _stage(label: Label) -> str:
    return stage_of_group(label.text) or ""


def _with_others(label: Label, others: Sequence[Label]) -> str:
    """Words the source of a label and the sources that say otherwise."""
    stage = _stage(label)
    parts = [label.source]
    for other in others:
        says = f"{other.source} says {other.text}"
        if _stage(other) not in ("", stage) and says not in parts:
            parts.append(says)
    return "; ".join(parts)
