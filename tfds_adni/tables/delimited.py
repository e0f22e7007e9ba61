"""Some columns of a table of ADNI, or one line that says why not."""

from collections.abc import Iterable
from pathlib import Path

from tfds_adni.sources.sheet import SheetError, read_header, read_rows

# What zip files (and so .xlsx), gzip files and old Excel files begin with.
_ARCHIVES = (b"PK\x03\x04", b"\x1f\x8b", b"\xd0\xcf\x11\xe0")


class TableError(ValueError):
    """A file that is not the table it should be."""


def read_columns(path: Path) -> tuple[str, ...]:
    """Gives the column names of a file in capitals, none where it is no table.

    Only the head of the file is read.
    """
    try:
        return tuple(name.upper() for name in read_header(path))
    except SheetError:
        return ()


def read_table(path: Path, wanted: Iterable[str]) -> list[dict[str, str]]:
    """Reads some columns of a table.

    Args:
        path: A text file, as `sources.sheet` takes it.
        wanted: Names of columns in capitals; those the table lacks are left
            out.

    Returns:
        One dictionary for each row; a row that is too short has empty cells.

    Raises:
        FileNotFoundError: If there is no such file.
        TableError: If it is no table, or one without a row.
    """
    _require_text(path)
    try:
        own = {name.upper(): name for name in reversed(read_header(path))}
        places = [(name, own[name]) for name in wanted if name in own]
        rows = [
            {name: row.get(place, "") for name, place in places}
            for row in read_rows(path)
        ]
    except SheetError as error:
        raise TableError(
            f"expected a table, found in {path} what cannot be read as one "
            f"({error}); download it again as CSV"
        ) from None
    if not rows:
        raise TableError(
            f"expected rows in {path}, found none; download it again as CSV"
        )
    return rows


def found_columns(path: Path) -> str:
    """Words the first columns of a table for an error."""
    names = [n for n in read_columns(path)[:6] if n and n.isprintable()]
    return f"the columns {', '.join(names)}" if names else "no column names"


def _require_text(path: Path) -> None:
    """Refuses what is no file and what is no text."""
    if not path.exists():
        raise FileNotFoundError(
            f"expected a table, found nothing at {path}; give the CSV as "
            "downloaded from LONI"
        )
    if not path.is_file():
        raise TableError(
            f"expected a table, found no file at {path}; give the CSV itself"
        )
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith(_ARCHIVES):
        raise TableError(
            "expected a table as text, found an archive or an Excel file at "
            f"{path}; save it as CSV"
        )
