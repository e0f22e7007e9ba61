"""Diagnoses by subject and date, read from DXSUM or ADNIMERGE."""

import dataclasses
import datetime
from collections.abc import Iterable, Sequence
from pathlib import Path

from tfds_adni.printable import printable
from tfds_adni.tables.cells import (
    CODES,
    VISIT_COLUMNS,
    is_gap,
    require_few_rows,
    row_subject,
    row_visits,
    stage_of_diagnosis,
    subject_keys,
)
from tfds_adni.tables.dates import DateColumn, read_columns, row_date
from tfds_adni.tables.spreadsheet import (
    SheetCache,
    TableError,
    describe_columns,
    read_table,
)
from tfds_adni.tables.stages import is_smc

_KEYS = ("RID", "PTID")
_DATES = ("EXAMDATE", "VISDATE")
# When a row was typed in: another place that shows the order of dates.
_STAMPS = ("USERDATE", "USERDATE2", "UPDATE_STAMP")
# Groups at enrolment, never a diagnosis at a visit.
_ENROLMENT = ("EMCI", "LMCI")
_REMEDY = "give DXSUM or ADNIMERGE, as downloaded from LONI, with --diagnosis"


@dataclasses.dataclass(frozen=True, slots=True)
class Exam:
    """One row that holds a diagnosis.

    Attributes:
        stage: `"NC"`, `"MCI"` or `"AD"`.
        date: Day of the examination, `None` where unknown.
        visits: Visit codes as `cells.to_visit` spells them.
    """

    stage: str
    date: datetime.date | None
    visits: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class DiagnosisTable:
    """The diagnoses of every subject in one table.

    Attributes:
        source: `"DXSUM"` or `"ADNIMERGE"`.
        name: The file's name.
        exams: Rows with a diagnosis by `cells.row_subject`.
        smc: Keys of subjects enrolled with significant memory concern.
        contradictions: Number of rows whose columns name two stages.
        notes: Warnings about its dates, a line each.
        missed: The column of dates that no cell of is understood, `""` where
            there is none.
    """

    source: str
    name: str
    exams: dict[str, list[Exam]]
    smc: frozenset[str] = frozenset()
    contradictions: int = 0
    notes: tuple[str, ...] = ()
    missed: str = ""

    def of(self, subject: str) -> list[Exam]:
        """Returns a subject's rows, in the order of the table."""
        keys = subject_keys(subject)
        return [exam for key in keys for exam in self.exams.get(key, ())]

    def has_smc(self, subject: str) -> bool:
        """Whether the table enrols a subject as SMC."""
        return any(key in self.smc for key in subject_keys(subject))


@dataclasses.dataclass(frozen=True)
class Nearest:
    """The diagnosis nearest to a day.

    Attributes:
        stages: The stages of the nearest rows; several if rows of one day
            contradict each other, none if no row is near enough.
        days: Distance of the nearest row, `None` without two dates.
    """

    stages: tuple[str, ...] = ()
    days: int | None = None


def nearest(
    exams: Sequence[Exam],
    date: datetime.date | None,
    visit: str,
    *,
    most_days: int,
) -> Nearest:
    """Finds the diagnosis nearest to a scan.

    Rows are joined by date; where the row or the scan has none, by visit
    code. Of two rows as far before as after, the earlier one counts.

    Args:
        exams: A subject's rows.
        date: Day of the scan, `None` where unknown.
        visit: Visit code of the scan as `cells.to_visit` spells it.
        most_days: Most days between the two.
    """
    dated = [exam for exam in exams if date and exam.date]
    days = min((abs(exam.date - date).days for exam in dated), default=None)
    if days is not None and days <= most_days:
        day = min(e.date for e in dated if abs(e.date - date).days == days)
        found = [exam for exam in dated if exam.date == day]
    else:
        found = [
            exam
            for exam in exams
            if visit and visit in exam.visits and not (date and exam.date)
        ]
    return Nearest(tuple(sorted({exam.stage for exam in found})), days)


def read_diagnosis(
    path: Path, *, sheets: SheetCache | None = None, date_order: str = ""
) -> DiagnosisTable:
    """Reads ADNIMERGE or DXSUM, recognised by columns and codes.

    Args:
        path: The table under any name.
        sheets: Holds the tables that are open already.
        date_order: `"dmy"` or `"mdy"`, for dates that nothing else decides.

    Returns:
        Every row that has a subject and a diagnosis.

    Raises:
        DateOrderError: If its dates can be read in two ways.
        FileNotFoundError: If there is no such file.
        TableError: If it is no table, or one of another kind such as CLIELG,
            whose DIAGNOSIS is the group at enrolment.
    """
    wanted = (*_KEYS, *_DATES, *_STAMPS, *VISIT_COLUMNS, *CODES)
    sheet, rows = read_table(
        path, (*wanted, "DX", "DX_BL", "CENROLL"), sheets=sheets
    )
    columns = rows[0].keys()
    in_words = {"DX", "DX_BL"} <= columns
    if (
        columns.isdisjoint(_KEYS)
        or columns.isdisjoint((*_DATES, *VISIT_COLUMNS))
        or not (in_words or columns & CODES.keys())
    ):
        raise TableError(
            "expected RID or PTID, EXAMDATE, and DX with DX_bl (ADNIMERGE) or "
            f"one of {', '.join(CODES)} (DXSUM), found "
            f"{describe_columns(sheet.header)} in {path}; {_REMEDY}"
        )
    if in_words:
        source, codes, smc = "ADNIMERGE", ("DX",), _enrolled_as_smc(rows)
    else:
        source, codes, smc = "DXSUM", CODES, frozenset()
        _require_codes(path, rows)
    dates = read_columns(rows, (*_DATES, *_STAMPS), path.name, order=date_order)
    dates = {name: dates[name] for name in _DATES}
    exams = _exams(rows, codes, dates)
    require_few_rows(exams, path)
    return DiagnosisTable(
        source,
        path.name,
        exams,
        smc,
        0 if in_words else _count_contradictions(rows),
        tuple(note for column in dates.values() for note in column.notes),
        next((c.missed for c in dates.values() if c.missed), ""),
    )


def _enrolled_as_smc(rows: Iterable[dict[str, str]]) -> frozenset[str]:
    """Returns the keys of the subjects that ADNIMERGE enrols as SMC."""
    return frozenset(row_subject(row) for row in rows if is_smc(row["DX_BL"]))


def _stages(row: dict[str, str], columns: Iterable[str]) -> list[str]:
    """Returns the stages of a row, that of the newest column first."""
    found = (stage_of_diagnosis(c, row.get(c, "")) for c in columns)
    return [stage for stage in found if stage]


def _count_contradictions(rows: Iterable[dict[str, str]]) -> int:
    """Counts the rows of DXSUM whose columns name two stages."""
    return sum(len(set(_stages(row, CODES))) > 1 for row in rows)


def _exams(
    rows: Iterable[dict[str, str]],
    columns: Iterable[str],
    dates: dict[str, DateColumn],
) -> dict[str, list[Exam]]:
    """Returns exams by subject; the first column with a stage counts."""
    exams: dict[str, list[Exam]] = {}
    for row in rows:
        subject, stages = row_subject(row), _stages(row, columns)
        if subject and stages:
            exam = Exam(stages[0], row_date(row, dates), row_visits(row))
            exams.setdefault(subject, []).append(exam)
    return exams


def _require_codes(path: Path, rows: list[dict[str, str]]) -> None:
    """Rejects a table whose codes are not those of its columns."""
    for column in CODES:
        cells = {row[column] for row in rows if not is_gap(row.get(column, ""))}
        unknown = sorted(
            cell
            for cell in cells
            if cell in _ENROLMENT or not stage_of_diagnosis(column, cell)
        )
        codes = ", ".join(printable(code, most=40) for code in unknown[:5])
        if "CENROLL" in rows[0] or (unknown and column == "DIAGNOSIS"):
            raise TableError(
                "expected DIAGNOSIS with the codes 1 to 3 of DXSUM, found "
                f"{f'codes {codes}' if codes else 'CENROLL'} in {path}, whose "
                "DIAGNOSIS is the group at enrolment, as in CLIELG (2 EMCI, "
                f"3 LMCI, 5 SMC); {_REMEDY}"
            )
        if unknown:
            raise TableError(
                f"expected the codes 1 to {max(CODES[column])} in {column}, "
                f"found {codes} in {path}; {_REMEDY}"
            )
