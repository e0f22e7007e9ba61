"""Tables in text files, as spreadsheets and archives write them.

The csv module reads them, not pandas: the rows before a damaged one count,
ragged rows are no error, and it is faster.
"""

import codecs
import csv
import dataclasses
import io
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

# A collection of every PET image of ADNI has a few megabytes; ADNIMERGE has
# some fifteen, in 16,000 rows of a kilobyte.
_MAX_BYTES = 2**25
_MAX_KEPT = 2**27  # of all tables of a folder that are read unasked
_MAX_ROW = 2**20  # characters
_MAX_ROWS = 200_000
_HEADER_BYTES = 64 * 1024
_BLOCK = 2**20
_DELIMITERS = (",", ";", "\t")
# What zip files (and so .xlsx), gzip files and old Excel files begin with.
_ARCHIVES = (b"PK\x03\x04", b"\x1f\x8b", b"\xd0\xcf\x11\xe0")


class SheetError(ValueError):
    """A table that cannot be read, with the reason in a few words."""


class TableError(ValueError):
    """A file that is not the required table, with a line for the user."""


@dataclasses.dataclass(frozen=True)
class Sheet:
    """The content of a table when its file was opened.

    Attributes:
        path: The file.
        header: Column names without surrounding blanks; empty for an empty
            file and for one that cannot be opened.
        data: The file's bytes, `None` if only the header was read.
        error: Why the file cannot be opened, `None` if it can.
    """

    path: Path
    header: tuple[str, ...] = ()
    data: bytes | None = dataclasses.field(default=b"", repr=False)
    error: OSError | None = None

    @property
    def problem(self) -> str:
        """Why the file cannot be opened in a few words, `""` if it can."""
        if self.error is None:
            return ""
        return self.error.strerror or type(self.error).__name__

    def rows(self) -> Iterator[dict[str, str]]:
        """Reads the rows below the header.

        Yields:
            Text by column name. Cells missing at the end of a row are absent;
            rows without any text are skipped.

        Raises:
            SheetError: If the file cannot be read.
            ValueError: If only the header was read.
        """
        if self.problem:
            raise SheetError(self.problem)
        if self.data is None:
            raise ValueError(f"only the header of {self.path} was read")
        if len(self.data) > _MAX_BYTES:
            raise SheetError(f"larger than {_MAX_BYTES >> 20} MiB")
        lines = _lines(self.data)
        header = next(lines, [])
        for number, cells in enumerate(lines):
            if number == _MAX_ROWS:
                raise SheetError(f"more than {_MAX_ROWS} rows")
            if any(cells):
                yield dict(zip(header, cells, strict=False))


class SheetCache:
    """Opens each table once, however often it is used.

    Args:
        wanted: Whether to read a table with this header to its end; if
            `None`, every table is.
    """

    def __init__(
        self, wanted: Callable[[Sequence[str]], bool] | None = None
    ) -> None:
        self._wanted = wanted
        self._opened: dict[str, Sheet] = {}
        self._kept = 0  # bytes

    def open(self, path: Path, *, whole: bool = False) -> Sheet:
        """Returns a table; links to one file share its content.

        Args:
            path: A text file with one row per line, its cells separated by
                commas, semicolons or tabs.
            whole: Whether its rows are needed, whatever its header.
        """
        place = os.path.realpath(path)
        sheet = self._opened.get(place)
        if sheet is None or (whole and sheet.data is None):
            sheet = self._opened[place] = self._read(path, whole)
        return dataclasses.replace(sheet, path=path)

    def _read(self, path: Path, whole: bool) -> Sheet:
        """Reads a file, or only its header if no more is wanted."""
        try:
            with open(path, "rb") as file:
                data = file.read(_HEADER_BYTES)
                header = _header(data)
                if not whole and self._wanted and not self._wanted(header):
                    return Sheet(path, header, None)
                data += file.read(_MAX_BYTES)
            if not whole and self._kept + len(data) > _MAX_KEPT:
                # not raised: its traceback would keep the data
                words = f"over {_MAX_KEPT >> 20} MiB of tables together"
                return Sheet(path, error=OSError(0, words))
            self._kept += len(data)
            return Sheet(path, header, data)
        except OSError as error:
            return Sheet(path, error=error)


def read_rows(path: Path) -> Iterator[dict[str, str]]:
    """Opens a table and reads its rows; see `Sheet.rows`."""
    return SheetCache().open(path).rows()


def read_table(
    path: Path, wanted: Iterable[str], *, sheets: SheetCache | None = None
) -> tuple[Sheet, list[dict[str, str]]]:
    """Reads some columns of a table that the user named.

    Args:
        path: A text file, as for `SheetCache.open`.
        wanted: Column names in capitals; those the table lacks are left out.
        sheets: Holds the tables that are open already.

    Returns:
        The table and its rows, text by column; missing cells are empty.

    Raises:
        FileNotFoundError: If there is no such file.
        OSError: If it cannot be opened.
        TableError: If it is no table, or one without rows.
    """
    sheet = _require_text(path, sheets or SheetCache())
    own = {name.upper(): name for name in reversed(sheet.header)}
    columns = [(name, own[name]) for name in wanted if name in own]
    try:
        rows = [
            {name: row.get(column, "") for name, column in columns}
            for row in sheet.rows()
        ]
    except SheetError as error:
        raise TableError(
            f"cannot read {path} as a table ({error}); download it again as CSV"
        ) from None
    if not rows:
        raise TableError(f"no rows in {path}; download it again as CSV")
    return sheet, rows


def _require_text(path: Path, sheets: SheetCache) -> Sheet:
    """Opens a table, or raises the error of `read_table`."""
    if not path.exists():
        raise FileNotFoundError(
            f"no table at {path}; give the CSV as downloaded from LONI"
        )
    if not path.is_file():
        raise TableError(f"{path} is not a file; give the CSV itself")
    sheet = sheets.open(path, whole=True)
    if sheet.error:
        raise sheet.error
    if sheet.data.startswith(_ARCHIVES):
        raise TableError(
            f"{path} is an archive or an Excel file, not text; save it as CSV"
        )
    return sheet


def describe_columns(header: Sequence[str]) -> str:
    """Lists the first columns of a table for an error message."""
    names = [n[:40].upper() for n in header[:6] if n and n.isprintable()]
    return f"the columns {', '.join(names)}" if names else "no column names"


def _header(data: bytes) -> tuple[str, ...]:
    """Returns the first row of the beginning of a file, none if damaged."""
    try:
        return tuple(next(_lines(data), []))
    except SheetError:
        return ()


class _Text:
    """The lines of a table, with a bound on those of a single row.

    A quote that is never closed, or a file that is no table, would make all of
    it one row.

    Args:
        data: The file.
    """

    def __init__(self, data: bytes) -> None:
        encoding, errors = _encoding(data)
        self._file = io.TextIOWrapper(
            io.BytesIO(data), encoding, errors, newline=""
        )
        self.first = self._file.readline(_MAX_ROW)
        self._again = self.first
        if self.first.lower().startswith("sep="):  # a note of Excel to itself
            self._again = self.first = self._file.readline(_MAX_ROW)
        self._left = _MAX_ROW

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line, self._again = self._again or self._file.readline(_MAX_ROW), ""
        self._left -= len(line)
        if self._left <= 0:
            raise SheetError(f"a row of more than {_MAX_ROW >> 20} MiB")
        if not line:
            raise StopIteration
        return line

    def end_row(self) -> None:
        """Notes that the lines so far made up a row."""
        self._left = _MAX_ROW


def _lines(data: bytes) -> Iterator[list[str]]:
    """Yields the stripped cells of each row."""
    text = _Text(data)
    reader = csv.reader(
        text,
        delimiter=max(_DELIMITERS, key=text.first.count),
        skipinitialspace=True,
    )
    try:
        for row in reader:
            text.end_row()
            yield [*map(str.strip, row)]
    except csv.Error as error:
        raise SheetError(str(error)) from None


def _encoding(data: bytes) -> tuple[str, str]:
    """Returns the encoding of a file or its beginning, and how to read it.

    Returns:
        Its name, less a byte order mark, and what is done about errors.
    """
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    encoding = "utf-16" if wide else "utf-8-sig"
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for start in range(0, len(data), _BLOCK):
            decoder.decode(data[start : start + _BLOCK])
        decoder.decode(b"", True)
    except UnicodeError:
        # Western Windows, or cut in the middle of a letter.
        return ("utf-16" if wide else "latin-1"), "replace"
    return encoding, "strict"
