"""Tables in text files, as spreadsheets and archives write them.

A table's rows, and the cells as people have them: dates, ages, sexes and
missing values.
"""

import csv
import dataclasses
import datetime
import io
import math
import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

# A collection of every PET image of ADNI has a few megabytes.
_MAX_BYTES = 256 * 1024 * 1024
_HEADER_BYTES = 64 * 1024
_DELIMITERS = (",", ";", "\t")


class SheetError(ValueError):
    """A table that cannot be read; the text says why, in a few words."""


@dataclasses.dataclass(frozen=True)
class Sheet:
    """What a table held when its file was opened.

    Attributes:
        path: The file.
        header: Column names without blanks around them; empty for an empty
            file and for one that cannot be opened.
        data: What the file holds, `None` where only the header was wanted.
        error: Why the file cannot be opened, `None` where it can.
    """

    path: Path
    header: tuple[str, ...] = ()
    data: bytes | None = dataclasses.field(default=b"", repr=False)
    error: OSError | None = None

    @property
    def problem(self) -> str:
        """Why the file cannot be opened in a few words, `""` where it can."""
        if self.error is None:
            return ""
        return self.error.strerror or type(self.error).__name__

    def rows(self) -> Iterator[dict[str, str]]:
        """Reads the rows below the names.

        Yields:
            Text by column name; a cell that is missing at the end is absent,
            and rows without any text are passed over.

        Raises:
            SheetError: If the file cannot be read.
            ValueError: If only the header was wanted.
        """
        if self.problem:
            raise SheetError(self.problem)
        if self.data is None:
            raise ValueError(f"only the header of {self.path} was read")
        if len(self.data) > _MAX_BYTES:
            raise SheetError(f"larger than {_MAX_BYTES >> 20} MiB")
        lines = _cells(self.data)
        header = next(lines, [])
        for cells in lines:
            if any(cells):
                yield dict(zip(header, cells, strict=False))


def open_sheet(
    path: Path, *, wanted: Callable[[Sequence[str]], bool] | None = None
) -> Sheet:
    """Opens a table.

    Args:
        path: A text file with one line a row, its cells divided by commas,
            semicolons or tabs.
        wanted: Says by the header whether to read on; every table is read
            to its end where `None`.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(_HEADER_BYTES)
            header = tuple(next(_cells(data), []))
            if wanted and not wanted(header):
                return Sheet(path, header, None)
            return Sheet(path, header, data + file.read(_MAX_BYTES))
    except OSError as error:
        return Sheet(path, error=error)


def read_rows(path: Path) -> Iterator[dict[str, str]]:
    """Reads the rows of a table that is opened for this; see `Sheet.rows`."""
    return open_sheet(path).rows()


class SheetCache:
    """Tables that are opened once, whoever asks for them and how often.

    Args:
        wanted: As for `open_sheet`.
    """

    def __init__(
        self, wanted: Callable[[Sequence[str]], bool] | None = None
    ) -> None:
        self._wanted = wanted
        self._opened: dict[str, Sheet] = {}

    def open(self, path: Path, *, whole: bool = False) -> Sheet:
        """Returns a table, which may have been opened by another name.

        Args:
            path: As for `open_sheet`.
            whole: Whether its rows are needed, whatever its header says.
        """
        place = os.path.realpath(path)
        sheet = self._opened.get(place)
        if sheet is None or (whole and sheet.data is None):
            wanted = None if whole else self._wanted
            sheet = self._opened[place] = open_sheet(path, wanted=wanted)
        return dataclasses.replace(sheet, path=path)


def _cells(data: bytes) -> Iterator[list[str]]:
    """Yields the stripped cells of each line."""
    text = _decode(data)
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


def _decode(data: bytes) -> str:
    """Decodes a file or its beginning, less a byte order mark."""
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
    """Returns a cell without its blanks, `""` where the value is missing."""
    text = text.strip()
    return "" if text.lower() in _MISSING else text


def iso_date(text: str) -> str:
    """Returns M/D/YYYY or ISO, with or without a time, as an ISO date.

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
    """Returns an age, -1 where the cell holds none.

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
    """Returns `F`, `M` or `""`."""
    first = text.strip().upper()[:1]
    return first if first in ("F", "M") else ""
