"""The phantom's numbers, read from the tables in `data`.

`data/README.md` says what each number is and where it is from.
"""

import csv
import functools
from importlib import resources


def read_rows(name: str) -> list[dict[str, str]]:
    """The rows of one of the package's tables.

    Args:
        name: Its file in `data`.

    Raises:
        ValueError: If a row has more or fewer cells than there are columns.
    """
    path = resources.files("tfds_adni.phantom") / "data" / name
    with path.open(newline="", encoding="utf-8") as file:
        columns, *rows = csv.reader(file)
    for number, row in enumerate(rows, start=2):
        if len(row) != len(columns):
            raise ValueError(
                f"expected {len(columns)} cells in row {number} of {name}, "
                f"found {len(row)}: mend the table"
            )
    return [dict(zip(columns, row, strict=True)) for row in rows]


@functools.cache
def read_numbers(name: str, column: str = "value") -> dict[str, float]:
    """A column of numbers of one of the package's tables.

    Args:
        name: Its file in `data`.
        column: Its name.

    Returns:
        The numbers by the first cell of their rows.

    Raises:
        ValueError: If a cell holds no number, or a row is damaged.
    """
    numbers = {}
    for row in read_rows(name):
        first = next(iter(row.values()))
        try:
            numbers[first] = float(row[column])
        except ValueError:
            raise ValueError(
                f"expected a number under {column} for {first!r} in {name}, "
                f"found {row[column]!r}: mend the table"
            ) from None
    return numbers


PEOPLE = read_numbers("people.csv")  # whatever the difficulty
ACQUISITION = read_numbers("acquisition.csv")
