"""What a user should know of a cohort before training on it."""

import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tfds_adni.cohort.account import printable
from tfds_adni.cohort.decision import ScanDecision
from tfds_adni.cohort.selection import Selection
from tfds_adni.sources.collection import unreadable_tables
from tfds_adni.sources.spreadsheet import SheetCache
from tfds_adni.sources.tree import Tree
from tfds_adni.tables import (
    DiagnosisTable,
    TableError,
    kind_of,
    read_diagnosis,
    read_quality,
)
from tfds_adni.tables.delimited import months_of, to_visit

# Tables that tell the group at enrolment, not the stage at the scan.
_ENROLMENT = ("collection CSV Group", "XML DX Group", "participants.tsv")
_OPTION_OF = {
    "DXSUM": "--diagnosis",
    "ADNIMERGE": "--diagnosis",
    "PETQC": "--qc",
    "PETC3": "--qc",
}


def warnings_of(
    used: Sequence[ScanDecision],
    selection: Selection,
    stage_of_subject: Mapping[str, str],
) -> list[str]:
    """Returns what the scans used should make a user think of, a line each.

    Args:
        used: The scans used.
        selection: What was asked for.
        stage_of_subject: Stage of each subject's earliest scan used.
    """
    lines = (
        _mixed_levels(used),
        _disagreements(used),
        _enrolment_groups(used, selection),
        _late_baselines(used, selection),
        _stages_without_subjects(used, stage_of_subject),
        _unoriented(used),
    )
    return [line for line in lines if line]


def warnings_of_tables(
    tree: Tree, selection: Selection, tables: Iterable[DiagnosisTable]
) -> list[str]:
    """Returns what the tables given, and those not given, should make one ask.

    Args:
        tree: What lies in the download.
        selection: What was asked for.
        tables: The tables of diagnoses that were read.
    """
    lines = [
        f"{table.contradictions} rows of {table.name} name two stages in their "
        "columns; DIAGNOSIS goes before DXCHANGE, and DXCHANGE before DXCURREN"
        for table in tables
        if table.contradictions
    ]
    lines += unreadable_tables(tree)
    given = {p.resolve() for p in (*selection.diagnosis, *selection.qc)}
    for sheet in tree.tables:
        path, kind = sheet.path, kind_of(sheet.header)
        if (
            kind
            and path.resolve() not in given
            and _can_be_read(path, kind, tree.sheets)
        ):
            lines.append(
                f"{path.name} looks like {kind} and is not used; to use it, "
                f"add {_OPTION_OF[kind]} {shlex.quote(str(path))}"
            )
    return [printable(line) for line in lines]


def _can_be_read(path: Path, kind: str, sheets: SheetCache) -> bool:
    """Says whether a table is what its columns promise."""
    read = read_quality if kind.startswith("PET") else read_diagnosis
    try:
        read(path, sheets=sheets)
    except (OSError, TableError):
        return False
    return True


def _mixed_levels(used: Sequence[ScanDecision]) -> str:
    """Warns of scans of several processing levels."""
    counts = Counter(verdict.level for verdict in used)
    if len(counts) < 2:
        return ""
    found = ", ".join(f"{n} {level}" for level, n in counts.most_common())
    first = counts.most_common(1)[0][0]
    return (
        f"the scans used are of several processing levels ({found}): they "
        "differ in smoothness, grid and scale, which a GAN learns as if it "
        "were anatomy and a classifier can use in place of the disease; for "
        f"one level only: --level {first}"
    )


def _disagreements(used: Sequence[ScanDecision]) -> str:
    """Warns of scans that two tables label differently."""
    count = sum(verdict.disagrees for verdict in used)
    if not count:
        return ""
    return (
        f"tables disagree on the stage of {count} of the {len(used)} scans "
        "used; the more specific table is followed, and label_source of the "
        "account names the other"
    )


def _enrolment_groups(
    used: Sequence[ScanDecision], selection: Selection
) -> str:
    """Warns of later visits with the label of the first."""
    if selection.visits == "baseline":
        return ""
    count = sum(v.label_source.startswith(_ENROLMENT) for v in used)
    if not count:
        return ""
    return (
        f"{count} scans are labelled with the group at enrolment, whichever "
        "visit they are of; for the stage at the time of the scan add "
        "--diagnosis with DXSUM or ADNIMERGE"
    )


def _late_baselines(used: Sequence[ScanDecision], selection: Selection) -> str:
    """Warns of subjects whose baseline scan is not there to be used."""
    if selection.visits != "baseline":
        return ""
    months = (months_of(to_visit(v.record.visit)) for v in used)
    late = sum(bool(month) for month in months)
    if not late:
        return ""
    return (
        f"{late} of the {len(used)} subjects have no baseline scan that can be "
        "used; their earliest other visit is taken"
    )


def _stages_without_subjects(
    used: Sequence[ScanDecision], stage_of_subject: Mapping[str, str]
) -> str:
    """Warns of stages that only later visits have."""
    missing = {v.stage for v in used} - set(stage_of_subject.values())
    if not missing:
        return ""
    return (
        f"no subject's earliest scan is {' or '.join(sorted(missing))}: the "
        "split is stratified by the earliest scan used, so that validation or "
        "test may lack that stage"
    )


def _unoriented(used: Sequence[ScanDecision]) -> str:
    """Warns of scans whose left may be their right."""
    count = sum(not verdict.oriented for verdict in used)
    if not count:
        return ""
    return (
        f"{count} scans do not say where left and right are (Analyze, or NIfTI "
        "with sform and qform 0): axes from right to left, back to front and "
        "bottom to top are assumed; if that is not sure, convert them from the "
        "original DICOM"
    )
