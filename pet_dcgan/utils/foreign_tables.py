"""Tables from files that may be damaged or hostile."""

import csv
import io
from collections.abc import Collection
from pathlib import Path

from pet_dcgan.utils.foreign_files import read_bytes
from pet_dcgan.utils.foreign_text import fault

MOST_BYTES = 2**27  # of a CSV, with 100,000s of rows


def read_table(path: Path, columns: Collection[str]) -> list[dict[str, str]]:
    """The rows of a CSV with a heading, each a value per column.

    Args:
        path: A file of UTF-8, with or without a byte order mark.
        columns: Those that it must have; it may have others.

    Raises:
        FileNotFoundError: If it is missing.
        ValueError: If it is no such table; in one line that ends without a
            remedy.
    """
    content = read_bytes(path, most=MOST_BYTES)
    try:
        text = content.decode("utf-8-sig")
        if "\0" in text:
            raise ValueError("a zero byte")
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
        return _with_headings([row for row in rows if row], columns)
    except csv.Error:
        reason = "a cell without end, or a quotation mark out of place"
    except ValueError as error:
        reason = fault(error)
    raise ValueError(f"expected a table in {path}, found a fault: {reason}")


def _with_headings(
    rows: list[list[str]], columns: Collection[str]
) -> list[dict[str, str]]:
    """Each row under the headings of the first one."""
    headings = rows[0] if rows else []
    missing = sorted(set(columns) - set(headings))
    if missing or len(set(headings)) < len(headings):
        what = f"no {', '.join(missing)}" if missing else "a column twice"
        raise ValueError(f"{what} among its columns")
    for number, row in enumerate(rows, start=1):
        if len(row) != len(headings):
            raise ValueError(
                f"{len(row)} values for {len(headings)} columns in row {number}"
            )
    return [dict(zip(headings, row, strict=True)) for row in rows[1:]]
