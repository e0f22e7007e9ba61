"""Columns of one of ADNI's tables, or one line that says why not.

What the cells mean stands here as well: gaps, codes, dates, visits, subjects.
"""

import datetime
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from tfds_adni.sources.record import SUBJECT_PATTERN
from tfds_adni.sources.spreadsheet import (
    Sheet,
    SheetCache,
    SheetError,
    iso_date,
)

_GAPS = frozenset(("", ".", "na", "nan", "n/a", "null", "none"))
# A code may follow words, as in `ADNI2 visit m06` or `ADNI1/GO Month 6`.
_MONTH = re.compile(r"(?:.*\s)?m(?:onth )?(\d+)")
_BASELINE = re.compile(r"(?:.*\s)?(bl|baseline(-.*)?)")
_CODE = re.compile(r"(?:.*\s)?(sc|v\d+)")


def is_gap(text: str) -> bool:
    """Says whether a cell holds nothing; ADNI writes -4 for it."""
    text = text.strip().lower()
    return text in _GAPS or (text.startswith("-") and to_code(text) is not None)


def to_code(text: str) -> int | None:
    """Returns a whole number, `None` where the cell is none.

    Example:

    >>> to_code("3.0")
    3
    """
    try:
        number = float(text)
    except ValueError:
        return None
    return int(number) if number.is_integer() else None


def to_date(text: str) -> datetime.date | None:
    """Returns the date of a cell, `None` where it holds none."""
    iso = iso_date(text)
    return datetime.date.fromisoformat(iso) if iso else None


def to_visit(text: str) -> str:
    """Returns a visit code in one spelling, `""` for a gap.

    `bl`, `M000` and `ses-M000` are one visit, as are `m06` and `Month 6`.

    Example:

    >>> to_visit("ses-M006")
    'm6'
    """
    text = "" if is_gap(text) else text.strip().lower().removeprefix("ses-")
    if _BASELINE.fullmatch(text):
        return "m0"
    if found := _MONTH.fullmatch(text):
        return f"m{int(found[1])}"
    found = _CODE.fullmatch(text)
    return found[1] if found else text


def months_of(visit: str) -> int | None:
    """Returns the months after baseline of a code that `to_visit` gave.

    Screening counts as baseline; `None` where the code does not tell.
    """
    if visit in ("sc", "screening"):
        return 0
    known = re.fullmatch(r"m(\d+)", visit)
    return int(known[1]) if known else None


def subject_keys(subject: str) -> tuple[str, ...]:
    """Returns the keys a scan's subject may have in a table: PTID, then RID.

    A subject id of ADNI ends in the roster id.

    Example:

    >>> subject_keys("999_S_0042")
    ('999_S_0042', '42')
    """
    if SUBJECT_PATTERN.fullmatch(subject):
        return subject, str(int(subject.rsplit("_", 1)[1]))
    return (subject,)


def row_subject(row: dict[str, str]) -> str:
    """Returns the key of a table's row: its PTID, else its RID, else `""`."""
    ptid, rid = row.get("PTID", ""), row.get("RID", "")
    if not is_gap(ptid):
        return ptid
    code = to_code(rid)
    return "" if code is None or code < 0 else str(code)


# What zip files (and so .xlsx), gzip files and old Excel files begin with.
_ARCHIVES = (b"PK\x03\x04", b"\x1f\x8b", b"\xd0\xcf\x11\xe0")


class TableError(ValueError):
    """A file that is not the table it should be."""


def read_table(sheet: Sheet, wanted: Iterable[str]) -> list[dict[str, str]]:
    """Reads some columns of a table.

    Args:
        sheet: As `open_table` gives it.
        wanted: Names of columns in capitals; those the table lacks are left
            out.

    Returns:
        One dictionary for each row; a row that is too short has empty cells.

    Raises:
        TableError: If it is no table, or one without a row.
    """
    own = {name.upper(): name for name in reversed(sheet.header)}
    places = [(name, own[name]) for name in wanted if name in own]
    try:
        rows = [
            {name: row.get(place, "") for name, place in places}
            for row in sheet.rows()
        ]
    except SheetError as error:
        raise TableError(
            f"expected a table, found in {sheet.path} what cannot be read as "
            f"one ({error}); download it again as CSV"
        ) from None
    if not rows:
        raise TableError(
            f"expected rows in {sheet.path}, found none; download it again as "
            "CSV"
        )
    return rows


def found_columns(header: Sequence[str]) -> str:
    """Words the first columns of a table for an error."""
    names = [n.upper() for n in header[:6] if n and n.isprintable()]
    return f"the columns {', '.join(names)}" if names else "no column names"


def open_table(path: Path, *, sheets: SheetCache | None = None) -> Sheet:
    """Opens a table that has to be one.

    Args:
        path: A text file, as `spreadsheet.open_sheet` takes it.
        sheets: Has the tables that are open already.

    Raises:
        FileNotFoundError: If there is no such file.
        OSError: If it cannot be opened.
        TableError: If it is no file or no text.
    """
    if not path.exists():
        raise FileNotFoundError(
            f"expected a table, found nothing at {path}; give the CSV as "
            "downloaded from LONI"
        )
    if not path.is_file():
        raise TableError(
            f"expected a table, found no file at {path}; give the CSV itself"
        )
    sheet = (sheets or SheetCache()).open(path, whole=True)
    if sheet.error:
        raise sheet.error
    if sheet.data.startswith(_ARCHIVES):
        raise TableError(
            "expected a table as text, found an archive or an Excel file at "
            f"{path}; save it as CSV"
        )
    return sheet
