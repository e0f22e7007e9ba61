"""The quality control of PET scans: PETQC of ADNI1 to 2, PETC3 of ADNI3."""

import dataclasses
import datetime
from collections.abc import Sequence
from pathlib import Path

from tfds_adni.printable import printable
from tfds_adni.tables.cells import (
    VISIT_COLUMNS,
    is_gap,
    require_few_rows,
    row_subject,
    row_visits,
    subject_keys,
)
from tfds_adni.tables.dates import read_columns, row_date
from tfds_adni.tables.spreadsheet import (
    SheetCache,
    TableError,
    describe_columns,
    read_table,
)

_KEYS = ("RID", "PTID", "LONIUID")
# PETC3 first: its grade is SCANQLTY, whatever other columns it has.
_GRADES = ("SCANQLTY", "PASS")
_DATES = ("SCANDATE", "EXAMDATE")
# Code 1 in both tables; words where the table went through another program.
_PASSED = frozenset(("1", "1.0", "pass", "passed", "yes", "true"))


@dataclasses.dataclass(frozen=True, slots=True)
class Grade:
    """The grade of a scan in one row.

    Attributes:
        passed: Whether the scan is good.
        wording: The cell and its place, such as `PASS 0 in PETQC.csv`.
        date: Day of the scan, `None` where unknown.
        visits: Visit codes as `cells.to_visit` spells them.
    """

    passed: bool
    wording: str
    date: datetime.date | None
    visits: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class QualityTable:
    """The grades of one table by image id and by key of the subject.

    Attributes:
        name: The file's name.
        of_image: By image id without its leading I.
        of_subject: By `cells.row_subject`.
        notes: Warnings about its dates, a line each.
    """

    name: str
    of_image: dict[str, list[Grade]]
    of_subject: dict[str, list[Grade]]
    notes: tuple[str, ...] = ()


def read_quality(
    path: Path, *, sheets: SheetCache | None = None, date_order: str = ""
) -> QualityTable:
    """Reads PETQC or PETC3.

    Args:
        path: The table under any name.
        sheets: Holds the tables that are open already.
        date_order: `"dmy"` or `"mdy"`, for dates that nothing else decides.

    Returns:
        Its graded rows.

    Raises:
        DateOrderError: If its dates can be read in two ways.
        FileNotFoundError: If there is no such file.
        TableError: If it is no table, or one of another kind.
    """
    wanted = (*_KEYS, *_GRADES, *_DATES, *VISIT_COLUMNS)
    sheet, rows = read_table(path, wanted, sheets=sheets)
    column = next((name for name in _GRADES if name in rows[0]), None)
    if not column or rows[0].keys().isdisjoint(_KEYS):
        raise TableError(
            "expected RID or LONIUID with PASS (PETQC) or SCANQLTY (PETC3), "
            f"found {describe_columns(sheet.header)} in {path}; give one of "
            "these tables, as downloaded from LONI, with --qc"
        )
    dates = read_columns(rows, _DATES, path.name, order=date_order)
    notes = (note for column in dates.values() for note in column.notes)
    table = QualityTable(path.name, {}, {}, tuple(notes))
    for row in rows:
        if is_gap(row[column]):
            continue
        grade = Grade(
            row[column].lower() in _PASSED,
            f"{column} {printable(row[column], most=40)} in {table.name}",
            row_date(row, dates),
            row_visits(row),
        )
        image_id = row.get("LONIUID", "").lstrip("Ii")
        if image_id.isdigit():
            table.of_image.setdefault(image_id, []).append(grade)
        if subject := row_subject(row):
            table.of_subject.setdefault(subject, []).append(grade)
    require_few_rows(table.of_subject, path)
    return table


def quality_problem(
    tables: Sequence[QualityTable],
    image_id: str,
    subject: str,
    date: datetime.date | None,
    visit: str,
) -> str:
    """Returns why quality control excludes a scan, `""` where it does not.

    Of several rows of one scan one that passed is enough: a scan that failed
    is repeated, and what is published is made from the good one.

    Args:
        tables: The tables given; without any, nothing is excluded.
        image_id: Image id without its leading I.
        subject: Subject id.
        date: Day of the scan, `None` where unknown.
        visit: Visit code of the scan as `cells.to_visit` spells it.
    """
    grades = [
        grade
        for table in tables
        for grade in table.of_image.get(image_id)
        or _grades_of_day(table, subject, date, visit)
    ]
    if not tables or any(grade.passed for grade in grades):
        return ""
    if not grades:
        names = ", ".join(table.name for table in tables)
        return f"not in the tables of quality control: {names}"
    return f"failed quality control: {grades[0].wording}"


def _grades_of_day(
    table: QualityTable, subject: str, date: datetime.date | None, visit: str
) -> list[Grade]:
    """Returns a subject's rows of a day or, without two dates, of a visit.

    Tables have the id of the original image, which a processed one lacks.
    """
    return [
        grade
        for key in subject_keys(subject)
        for grade in table.of_subject.get(key, ())
        if (
            grade.date == date
            if date and grade.date
            else visit and visit in grade.visits
        )
    ]
