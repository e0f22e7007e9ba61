"""The quality control of PET scans: PETQC of ADNI1 to 2, PETC3 of ADNI3."""

import dataclasses
import datetime
from collections.abc import Sequence
from pathlib import Path

from tfds_adni.sources.spreadsheet import SheetCache
from tfds_adni.tables.delimited import (
    TableError,
    found_columns,
    is_gap,
    open_table,
    read_table,
    row_subject,
    subject_keys,
    to_date,
    to_visit,
)

# PETC3 first: its grade is SCANQLTY, whatever other columns it has.
_GRADES = ("SCANQLTY", "PASS")
_DATES = ("SCANDATE", "EXAMDATE")
_VISITS = ("VISCODE2", "VISCODE")
# Code 1 in both tables; words where the table went through another program.
_PASSED = frozenset(("1", "1.0", "pass", "passed", "yes", "true"))


@dataclasses.dataclass(frozen=True, slots=True)
class Grade:
    """What one row says of a scan.

    Attributes:
        passed: Whether the scan is good.
        wording: The cell and where it stands, such as `PASS 0 in PETQC.csv`.
        date: Day of the scan, `None` where the row has none.
        visits: Visit codes of the row as `cells.to_visit` spells them.
    """

    passed: bool
    wording: str
    date: datetime.date | None
    visits: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class QualityTable:
    """The grades of one table by image id and by key of the subject."""

    name: str
    of_image: dict[str, list[Grade]]
    of_subject: dict[str, list[Grade]]

    def grades(
        self,
        image_id: str,
        subject: str,
        date: datetime.date | None,
        visit: str,
    ) -> list[Grade]:
        """Returns the rows of a scan.

        The table's image id is that of the original image; a processed image
        has another one and is found by its subject and day, or by visit code
        where the row or the scan has no date.

        Args:
            image_id: Of the scan, without its leading I.
            subject: Subject id.
            date: Day of the scan, None where unknown.
            visit: Visit code, empty where unknown.
        """
        if found := self.of_image.get(image_id):
            return found
        rows = (self.of_subject.get(key, ()) for key in subject_keys(subject))
        return [
            grade
            for row in rows
            for grade in row
            if (
                grade.date == date
                if date and grade.date
                else visit and visit in grade.visits
            )
        ]


def read_quality(
    path: Path, *, sheets: SheetCache | None = None
) -> QualityTable:
    """Reads PETQC or PETC3.

    Args:
        path: The table under any name.
        sheets: Has the tables that are open already.

    Returns:
        Its graded rows.

    Raises:
        FileNotFoundError: If there is no such file.
        TableError: If it is no table, or one of another kind.
    """
    keys = ("RID", "PTID", "LONIUID")
    sheet = open_table(path, sheets=sheets)
    rows = read_table(sheet, (*keys, *_GRADES, *_DATES, *_VISITS))
    columns = rows[0].keys()
    grade = next((name for name in _GRADES if name in columns), None)
    if not grade or not columns & set(keys):
        raise TableError(
            "expected RID or LONIUID with PASS (PETQC) or SCANQLTY (PETC3), "
            f"found {found_columns(sheet.header)} in {path}; give one of "
            "these tables, as downloaded from LONI, with --qc"
        )
    table = QualityTable(path.name, {}, {})
    for row in rows:
        if not is_gap(row[grade]):
            _add(table, row, grade)
    return table


def judge_quality(
    tables: Sequence[QualityTable],
    image_id: str,
    subject: str,
    date: datetime.date | None,
    visit: str,
) -> str:
    """Says why quality control keeps a scan out.

    Of several rows of one scan one that passed is enough: a scan that failed
    is repeated, and what is published is made from the good one.

    Args:
        tables: The tables given; without any, nothing is kept out.
        image_id: Image id without its leading I.
        subject: Subject id.
        date: Day of the scan, `None` where unknown.
        visit: Visit code of the scan as `cells.to_visit` spells it.

    Returns:
        The reason, `""` where the scan passed.
    """
    rows = [t.grades(image_id, subject, date, visit) for t in tables]
    grades = [grade for found in rows for grade in found]
    if not tables or any(grade.passed for grade in grades):
        return ""
    if not grades:
        names = ", ".join(table.name for table in tables)
        return f"not in the tables of quality control: {names}"
    return f"failed quality control: {grades[0].wording}"


def _add(table: QualityTable, row: dict[str, str], column: str) -> None:
    """Files a row under its image id and its subject."""
    dates = (to_date(row.get(name, "")) for name in _DATES)
    visits = (to_visit(row.get(name, "")) for name in _VISITS)
    grade = Grade(
        row[column].lower() in _PASSED,
        f"{column} {row[column]} in {table.name}",
        next((date for date in dates if date), None),
        tuple(visit for visit in visits if visit),
    )
    image_id = row.get("LONIUID", "").lstrip("Ii")
    if image_id.isdigit():
        table.of_image.setdefault(image_id, []).append(grade)
    if subject := row_subject(row):
        table.of_subject.setdefault(subject, []).append(grade)
