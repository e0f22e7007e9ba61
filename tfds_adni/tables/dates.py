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
from tfds_adni.tables.date_spellings import ORDERS, has_dots, readings
from tfds_adni.tables.spreadsheet import TableError

_DAYS_APART = 1  # by a time zone, or a scan around midnight
_EXAMPLES = 3
_NO_ORDER = (
    "the dates of {place} can be read in more than one order (such as "
    "{examples}), and nothing decides it; say which with --date-order mdy, as "
    "in ADNI's own tables, or --date-order dmy"
)
_TWO_ORDERS = (
    "some dates of {place} can only have the day first, others only the month "
    "({examples}); download the table again, or say which order counts with "
    "--date-order dmy or --date-order mdy"
)
_TURNED = (
    "a spreadsheet seems to have taken days for months in {place}: it changed "
    "the spelling of every date with a day up to 12 and of no other "
    "({examples}); download the table again"
)
_DAY_BEFORE_MONTH = (
    "the dates of {place} have the year first and then the day ({examples}); "
    "write them as 2016-02-11"
)
# A text and the date known otherwise of the same thing.
_Known = tuple[str, datetime.date]
_Readings = dict[str, dict[str, datetime.date]]


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
    """

    place: str
    orders: frozenset[str]
    order: str = ""
    problem: str = ""
    cells: int = 0
    unread: Mapping[str, int] = dataclasses.field(default_factory=dict)

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
        first = ", ".join(map(_quoted, list(self.unread)[:_EXAMPLES]))
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
    known: Iterable[_Known] = (),
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
    orders, problem = _decide(dates, order, hint, tuple(known))
    chosen = orders & set(ORDERS) if not problem else ()
    return DateColumn(
        place,
        orders,
        next(iter(chosen)) if len(chosen) == 1 else "",
        problem.format(place=place),
        counts.total(),
        {
            text: counts[text]
            for text, each in found.items()
            if not each or not (problem or orders & each.keys())
        },
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


def near(one: datetime.date, other: datetime.date) -> bool:
    """Whether two dates may be of the same scan: at most a day apart.

    Args:
        one: A date.
        other: Another one.
    """
    return abs((one - other).days) <= _DAYS_APART


def _decide(
    dates: _Readings, order: str, hint: str, known: tuple[_Known, ...]
) -> tuple[frozenset[str], str]:
    """Returns the orders to read a column in, and its problem."""
    settled = frozenset(("sure", "iso"))
    numbers = {t: each for t, each in dates.items() if each.keys() & {*ORDERS}}
    others = {t: each for t, each in dates.items() if t not in numbers}
    if turned := _day_before_month(others):
        return frozenset(("sure",)), turned
    if not order and (turned := _turned(numbers, others, known)):
        return frozenset(), turned
    if not numbers:
        return settled, ""
    possible = set(ORDERS).intersection(*numbers.values())
    if len(possible) > 1:
        possible = _supported(possible, numbers, known)
    # dots go last: they are the habit of a country, not a proof
    for wish in (hint, "dmy" if all(map(has_dots, numbers)) else "", order):
        if wish in possible or (wish == order and wish and not possible):
            possible = {wish}
    if not possible:
        one = next(t for t, each in numbers.items() if "mdy" not in each)
        two = next(t for t, each in numbers.items() if "dmy" not in each)
        return settled, _filled(_TWO_ORDERS, one, two)
    unclear = [
        text
        for text, each in numbers.items()
        if len({each[o] for o in possible & each.keys()}) > 1
    ]
    problem = _filled(_NO_ORDER, *unclear[:2]) if unclear else ""
    return settled | possible, problem


def _supported(
    possible: set[str], numbers: _Readings, known: Iterable[_Known]
) -> set[str]:
    """Returns the order that most known dates agree with, else all."""
    votes = dict.fromkeys(possible, 0)
    for text, date in known:
        for order, own in numbers.get(text.strip(), {}).items():
            votes[order] = votes.get(order, 0) + near(own, date)
    most = max(votes.values())
    best = {order for order in possible if votes[order] == most}
    return best if len(best) == 1 else possible


def _day_before_month(others: _Readings) -> str:
    """Returns the problem of a column with dates such as 2016-25-02."""
    wrong = [text for text, each in others.items() if {*each} == {"ydm"}]
    right = [text for text, each in others.items() if {*each} == {"iso"}]
    more = len(wrong) > len(right)
    return _filled(_DAY_BEFORE_MONTH, wrong[0]) if more else ""


def _turned(
    numbers: _Readings, others: _Readings, known: Iterable[_Known]
) -> str:
    """Returns the problem of a column that a spreadsheet turned in part.

    A spreadsheet set to another order takes 11/2/2016 for another day and
    spells it anew, while 25/2/2016, which is none to it, stays text.
    """
    spelt = {t: each.get("sure", each.get("iso")) for t, each in others.items()}
    spelt = {text: date for text, date in spelt.items() if date}
    if not (numbers and spelt) or any(len(e) > 1 for e in numbers.values()):
        return ""
    confirmed = any(t in spelt and near(spelt[t], date) for t, date in known)
    if confirmed or any(date.day > 12 for date in spelt.values()):
        return ""
    return _filled(_TURNED, next(iter(spelt)), next(iter(numbers)))


def _filled(template: str, *texts: str) -> str:
    """Puts examples into a problem; its place is filled in later."""
    examples = " and ".join(map(_quoted, texts)).replace("{", "{{")
    return template.replace("{examples}", examples.replace("}", "}}"))


def _quoted(text: str) -> str:
    """Returns a cell for a message, cut short and on one line."""
    return repr(text[:30])
