"""Which order of day, month and year the dates of a column have."""

import datetime
from collections.abc import Iterable, Sequence

from tfds_adni.tables.date_spellings import ORDERS, has_dots

_DAYS_APART = 1  # by a time zone, or a scan around midnight
_NO_ORDER = (
    "the dates of {place} can be read in more than one order (such as "
    "{examples}), and nothing in the table or known of the same scans decides "
    "it; say which with --date-order mdy, as in ADNI's own tables, or "
    "--date-order dmy"
)
_TWO_ORDERS = (
    "some dates of {place} can only have the day first, others only the month "
    "({examples}); download the table again, or say which order counts with "
    "--date-order dmy or --date-order mdy"
)
_CONTRADICTED = (
    "a date of {place} proves another order of day and month than most dates "
    "of the same scans elsewhere ({examples}); download the table again, or "
    "say which order counts with --date-order dmy or --date-order mdy"
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
Known = tuple[str, datetime.date]
Readings = dict[str, dict[str, datetime.date]]


def near(one: datetime.date, other: datetime.date) -> bool:
    """Whether two dates may be of the same scan: at most a day apart.

    Args:
        one: A date.
        other: Another one.
    """
    return abs((one - other).days) <= _DAYS_APART


def decide(
    dates: Readings, order: str, hint: str, known: Sequence[Known]
) -> tuple[frozenset[str], str]:
    """Decides in which orders the cells of a column are read.

    Args:
        dates: What each cell may mean, by its text.
        order: The user's, `""` for none.
        hint: That of other columns of the table, `""` for none.
        known: Cells, and the date that is known otherwise of the same scan.

    Returns:
        The orders, and a problem with `{place}` in it or `""`.
    """
    settled = frozenset(("sure", "iso"))
    numbers = {t: each for t, each in dates.items() if each.keys() & {*ORDERS}}
    others = {t: each for t, each in dates.items() if t not in numbers}
    if turned := _day_before_month(others):
        return frozenset(("sure",)), turned
    if not order and (turned := _turned(numbers, others, known)):
        return frozenset(), turned
    if not numbers:
        return settled, ""
    possible, problem = _possible(numbers, known)
    # dots go last: they are the habit of a country, not a proof
    for wish in (hint, "dmy" if all(map(has_dots, numbers)) else "", order):
        if wish in possible or (wish == order and wish and not possible):
            possible = {wish}
    if not possible:
        return settled, problem
    unclear = [
        text
        for text, each in numbers.items()
        if len({each[o] for o in possible & each.keys()}) > 1
    ]
    problem = _filled(_NO_ORDER, *unclear[:2]) if unclear else ""
    return settled | possible, problem


def _possible(
    numbers: Readings, known: Sequence[Known]
) -> tuple[set[str], str]:
    """Returns the orders that cells and known dates leave, or why none."""
    possible = set(ORDERS).intersection(*numbers.values())
    if not possible:
        one = next(t for t, each in numbers.items() if "mdy" not in each)
        two = next(t for t, each in numbers.items() if "dmy" not in each)
        return set(), _filled(_TWO_ORDERS, one, two)
    if len(possible) > 1:
        return _supported(possible, numbers, known), ""
    if wrong := _contradicting(*possible, numbers, known):
        proofs = [t for t, each in numbers.items() if {*each} == possible]
        proof = next(iter(proofs or numbers))
        return set(), _filled(_CONTRADICTED, proof, wrong)
    return possible, ""


def _supported(
    possible: set[str], numbers: Readings, known: Iterable[Known]
) -> set[str]:
    """Returns the order that most known dates agree with, else all."""
    votes = dict.fromkeys(possible, 0)
    for text, date in known:
        for order, own in numbers.get(text.strip(), {}).items():
            votes[order] = votes.get(order, 0) + near(own, date)
    most = max(votes.values())
    best = {order for order in possible if votes[order] == most}
    return best if len(best) == 1 else possible


def _contradicting(
    proved: str, numbers: Readings, known: Iterable[Known]
) -> str:
    """Returns a cell that known dates read in another order than the proved.

    Returns:
        `""` where as many cells or more agree with the proved order alone.
    """
    against, agreeing = [], 0
    for text, date in known:
        each = numbers.get(text.strip(), {})
        fitting = {order for order, own in each.items() if near(own, date)}
        agreeing += fitting == {proved}
        if fitting and proved not in fitting:
            against.append(text.strip())
    return against[0] if len(against) > agreeing else ""


def _day_before_month(others: Readings) -> str:
    """Returns the problem of a column with dates such as 2016-25-02."""
    wrong = [text for text, each in others.items() if {*each} == {"ydm"}]
    right = [text for text, each in others.items() if {*each} == {"iso"}]
    more = len(wrong) > len(right)
    return _filled(_DAY_BEFORE_MONTH, wrong[0]) if more else ""


def _turned(numbers: Readings, others: Readings, known: Iterable[Known]) -> str:
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
    examples = " and ".join(map(quoted, texts)).replace("{", "{{")
    return template.replace("{examples}", examples.replace("}", "}}"))


def quoted(text: str) -> str:
    """Returns a cell for a message, cut short and on one line.

    Args:
        text: The cell.
    """
    return repr(text[:30])
