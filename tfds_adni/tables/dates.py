"""Dates of a whole column.

A single cell such as 5/6/2012 does not say whether its day or its month stands
first, but its column does: a first number above 12 proves the day, a second
one above 12 the month. Where nothing proves it the dates that are known
otherwise decide (those of the scans' own folders), then other columns of the
table, then dots (day first, as in Germany or Russia), then the user's option;
without any of these the column is refused.
"""

import dataclasses
import datetime
from collections import Counter
from collections.abc import Iterable, Mapping

from tfds_adni.tables.cells import is_gap
from tfds_adni.tables.date_orders import Known, decide, quoted
from tfds_adni.tables.date_spellings import ORDERS, readings
from tfds_adni.tables.spreadsheet import TableError

_EXAMPLES = 3


class DateOrderError(TableError):
    """Dates that can be read in two ways, with a line for the user."""


@dataclasses.dataclass(frozen=True)
class DateColumn:
    """How the dates of a column are read.

    Attributes:
        place: The column and its table, such as `EXAMDATE in DXSUM.csv`.
        orders: Those that a cell may be read in; a cell counts if all of them
            give the same date.
        order: `"dmy"`, `"mdy"` or `"ymd"` where cells need one and it is
            known, else `""`.
        problem: Why part of the column is not read, a line for the user; `""`
            where all of it is.
        cells: How many cells hold something.
        unread: How often each text stands there that is no date.
        overruled: The user's order where dates show another, else `""`.
    """

    place: str
    orders: frozenset[str]
    order: str = ""
    problem: str = ""
    cells: int = 0
    unread: Mapping[str, int] = dataclasses.field(default_factory=dict)
    overruled: str = ""

    def read(self, text: str) -> datetime.date | None:
        """Returns the date of a cell, `None` where it has none for certain."""
        found = readings(text)
        dates = {date for order, date in found.items() if order in self.orders}
        return dates.pop() if len(dates) == 1 else None

    def refuses(self, text: str) -> bool:
        """Whether a cell is a date that is not read for `problem`."""
        return bool(self.problem and readings(text) and not self.read(text))

    @property
    def missed(self) -> str:
        """`place` where no cell at all was understood, else `""`."""
        count = sum(self.unread.values())
        return self.place if count and count == self.cells else ""

    @property
    def notes(self) -> tuple[str, ...]:
        """Warnings about the cells that are not read, a line each."""
        lines = [self.problem] if self.problem else []
        if self.overruled:
            lines.append(
                f"--date-order {self.overruled} is not used for {self.place}: "
                f"its dates, or others of the same scans, show {self.order}"
            )
        first = ", ".join(map(quoted, list(self.unread)[:_EXAMPLES]))
        if self.missed:
            lines.append(
                f"dates not understood: none of the {self.cells} cells of "
                f"{self.place} is a date (first: {first}); write them as "
                "2016-02-11"
            )
        elif self.unread:
            lines.append(
                f"{sum(self.unread.values())} of {self.cells} cells of "
                f"{self.place} are no dates (first: {first})"
            )
        return tuple(lines)


def read_column(
    texts: Iterable[str],
    place: str,
    *,
    order: str = "",
    hint: str = "",
    known: Iterable[Known] = (),
) -> DateColumn:
    """Finds out how the dates of a column are written.

    Args:
        texts: Its cells; gaps do not count.
        place: The column and its table, for messages.
        order: `"dmy"` or `"mdy"` for a column that proves neither or both,
            where nothing else decides; what a column proves goes first.
        hint: The order of other columns of the table.
        known: Cells, and the date that is known otherwise of the same scan.

    Example:

    >>> column = read_column(["2/11/2016", "2/25/2016"], "Acq Date in a.csv")
    >>> column.read("2/11/2016")
    datetime.date(2016, 2, 11)
    """
    counts = Counter(t for text in texts if not is_gap(t := text.strip()))
    found = {text: readings(text) for text in counts}
    dates = {text: each for text, each in found.items() if each}
    orders, problem = decide(dates, order, hint, tuple(known))
    chosen = orders & set(ORDERS) if not problem else ()
    own = next(iter(chosen)) if len(chosen) == 1 else ""
    return DateColumn(
        place,
        orders,
        own,
        problem.format(place=place),
        counts.total(),
        {
            text: counts[text]
            for text, each in found.items()
            if not each or not (problem or orders & each.keys())
        },
        order if own and own != order else "",
    )


def read_columns(
    rows: Iterable[Mapping[str, str]],
    names: Iterable[str],
    table: str,
    *,
    order: str = "",
) -> dict[str, DateColumn]:
    """Finds out how the dates of a table's columns are written.

    Args:
        rows: Text by column name.
        names: The columns of dates.
        table: The table, for messages.
        order: As for `read_column`.
    """
    texts = {name: [row.get(name, "") for row in rows] for name in names}
    proved = {read_column(cells, "").order for cells in texts.values()}
    hints = proved & {"dmy", "mdy"}
    hint = hints.pop() if len(hints) == 1 else ""
    return {
        name: read_column(cells, f"{name} in {table}", order=order, hint=hint)
        for name, cells in texts.items()
    }


def row_date(
    row: Mapping[str, str], columns: Mapping[str, DateColumn]
) -> datetime.date | None:
    """Returns the date of the first column that holds one.

    Args:
        row: Text by column name.
        columns: Columns of dates, the preferred one first.

    Raises:
        DateOrderError: If it can be read in two ways.
    """
    for name, column in columns.items():
        text = row.get(name, "")
        if date := column.read(text):
            return date
        if column.refuses(text):
            raise DateOrderError(column.problem)
    return None
