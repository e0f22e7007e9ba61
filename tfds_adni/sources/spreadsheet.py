"""Tables in text files, as spreadsheets and archives write them.

A table's rows, and the cells as people have them: dates, ages, sexes and
missing values.
"""

import csv
import datetime
import io
import math
import re
from collections.abc import Iterator
from pathlib import Path

# A collection of every PET image of ADNI has a few megabytes.
_MAX_BYTES = 256 * 1024 * 1024
_HEADER_BYTES = 64 * 1024
_DELIMITERS = (",", ";", "\t")


class SheetError(ValueError):
    """A table that cannot be read; the text says why, in a few words."""


def read_header(path: Path) -> list[str]:
    """Reads a table's column names.

    Args:
        path: A text file with one line a row, its cells divided by commas,
            semicolons or tabs.

    Returns:
        The names without blanks around them; empty for an empty file.

    Raises:
        SheetError: If the file cannot be read.
    """
    return next(_cells(path, most=_HEADER_BYTES), [])


def read_rows(path: Path) -> Iterator[dict[str, str]]:
    """Reads a table's rows below the names.

    Args:
        path: As for `read_header`.

    Yields:
        Text by column name; a cell that is missing at the end is absent, and
        rows without any text are passed over.

    Raises:
        SheetError: If the file cannot be read.
    """
    lines = _cells(path)
    header = next(lines, [])
    for cells in lines:
        if any(cells):
            yield dict(zip(header, cells, strict=False))


def _cells(path: Path, *, most: int = _MAX_BYTES) -> Iterator[list[str]]:
    """Gives the stripped cells of each line."""
    text = _read_text(path, most)
    first = text.split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=first.count)
    lines = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=delimiter,
        skipinitialspace=True,
    )
    try:
        for row in lines:
            yield [cell.strip() for cell in row]
    except csv.Error as error:
        raise SheetError(str(error)) from None


def _read_text(path: Path, most: int) -> str:
    """Reads the beginning of a file as text, less a byte order mark."""
    try:
        with open(path, "rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise SheetError(error.strerror or type(error).__name__) from None
    if len(data) > _MAX_BYTES:
        raise SheetError(f"larger than {_MAX_BYTES >> 20} MiB")
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    encoding = "utf-16" if wide else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeError:
        # Western Windows, or cut in the middle of a letter.
        return data.decode("latin-1" if not wide else encoding, "replace")


_US_DATE = re.compile(r"(?P<m>\d{1,2})/(?P<d>\d{1,2})/(?P<y>\d{4})(?!\d)")
_ISO_DATE = re.compile(r"(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)(?!\d)")
_MISSING = {"", "n/a", "na", "nan", "none", "-4"}
_OLDEST = 130


def known(text: str) -> str:
    """Gives a cell without its blanks, `""` where the value is missing."""
    text = text.strip()
    return "" if text.lower() in _MISSING else text


def iso_date(text: str) -> str:
    """Gives M/D/YYYY or ISO, with or without a time, as an ISO date.

    Returns:
        The date, `""` where the cell holds none.

    Example:

    >>> iso_date("2/11/2016"), iso_date("2012-05-05 09:08:07.0")
    ('2016-02-11', '2012-05-05')
    """
    text = text.strip()
    match = _US_DATE.match(text) or _ISO_DATE.match(text)
    if not match:
        return ""
    try:
        return datetime.date(*(int(match[k]) for k in "ymd")).isoformat()
    except ValueError:
        return ""


def age_in_years(text: str) -> float:
    """Gives an age, -1 where the cell holds none.

    Example:

    >>> age_in_years("71.5"), age_in_years("-4"), age_in_years("old")
    (71.5, -1.0, -1.0)
    """
    try:
        age = float(text)
    except ValueError:
        return -1.0
    return age if math.isfinite(age) and 0 < age < _OLDEST else -1.0


def sex_letter(text: str) -> str:
    """Gives `F`, `M` or `""`."""
    first = text.strip().upper()[:1]
    return first if first in ("F", "M") else ""
