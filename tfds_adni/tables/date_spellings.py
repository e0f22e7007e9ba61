"""The dates that a single cell may mean, in any spelling of tables of scans.

Read are, each with a time behind it or without:

* `2016-02-11`, `2016/2/11`, `2016.02.11` and `20160211`;
* `2/11/2016` and `2/11/16`, with `/`, `-` or `.` between the numbers;
* `11-Feb-16`, `11 Feb 2016`, `11FEB2016`, `Feb 11, 2016`: English names, in
  any locale; the day stands before a year of two digits, as spreadsheets
  write it;
* `42411`, the serial number of a spreadsheet (days since 1899-12-30, the 1900
  system), from 1990 to 2050 only, so that ages and codes are no dates.

Years of two digits: 70 to 99 are of the 1900s, the others of the 2000s and
not after today. There was no PET before, and ADNI began in 2005.
"""

import datetime
import re

# Of numbers without a year of four digits in front; the last one only with
# years of two digits.
ORDERS = ("dmy", "mdy", "ymd")
_PIVOT = 70
_EPOCH = datetime.date(1899, 12, 30)
_SERIALS = (datetime.date(1990, 1, 1), datetime.date(2050, 12, 31))
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            *("jan january", "feb february", "mar march", "apr april", "may"),
            *("jun june", "jul july", "aug august", "sep sept september"),
            *("oct october", "nov november", "dec december"),
        ),
        start=1,
    )
    for name in names.split()
}
_TIME = r"(?:(?:T|,?\s+)\d.*)?"
_NUMBERS = re.compile(rf"(\d{{1,4}})([-/.])\s?(\d\d?)\2\s?(\d{{1,4}}){_TIME}")
_COMPACT = re.compile(rf"(\d{{4}})(\d\d)(\d\d)(?:\d{{6}}|{_TIME})")
_SERIAL = re.compile(r"(\d{5})(?:[.,]\d+)?")
_DAY_NAME = re.compile(
    rf"(\d\d?)\.?[-/\s]*([a-z]{{3,9}})\.?[-/,\s]*(\d{{4}}|\d\d){_TIME}", re.I
)
_NAME_DAY = re.compile(
    r"(?:[a-z]{6,9},\s)?([a-z]{3,9})\.?[-/\s]*(\d\d?)(?:,\s*|[-/\s]+)"
    rf"(\d{{4}}|\d\d){_TIME}",
    re.I,
)


def readings(text: str) -> dict[str, datetime.date]:
    """Returns the dates that a cell may mean, by the order of its numbers.

    Returns:
        Date by order: `"sure"` where the spelling has only one, `"iso"` or
        `"ydm"` where the year of four digits stands first, else those of
        `ORDERS`. Orders that give no date are left out, so that a cell without
        any is no date.

    Example:

    >>> sorted(readings("2/11/2016"))
    ['dmy', 'mdy']
    >>> readings("2/25/2016")
    {'mdy': datetime.date(2016, 2, 25)}
    """
    text = text.strip()
    if match := _SERIAL.fullmatch(text):
        date = _EPOCH + datetime.timedelta(int(match[1]))
        return {"sure": date} if _SERIALS[0] <= date <= _SERIALS[1] else {}
    made = {order: _date(*parts) for order, parts in _orders(text).items()}
    return {order: date for order, date in made.items() if date}


def has_dots(text: str) -> bool:
    """Whether dots stand between the numbers of a date."""
    match = _NUMBERS.fullmatch(text.strip())
    return bool(match and match[2] == ".")


def _orders(text: str) -> dict[str, tuple[str, str, str]]:
    """Returns year, month and day of a cell by their order."""
    if match := _COMPACT.fullmatch(text):
        return {"sure": match.groups()}
    if match := _DAY_NAME.fullmatch(text):
        return {"sure": (match[3], match[2], match[1])}
    if match := _NAME_DAY.fullmatch(text):
        return {"sure": (match[3], match[1], match[2])}
    if not (match := _NUMBERS.fullmatch(text)):
        return {}
    first, separator, second, third = match.groups()
    if len(first) == 4 and len(third) < 3:
        return {"iso": (first, second, third), "ydm": (first, third, second)}
    if len(first) > 2 or len(third) not in (2, 4):
        return {}
    orders = {"dmy": (third, second, first), "mdy": (third, first, second)}
    if len(first) == len(third) == 2 and separator != ".":
        orders["ymd"] = first, second, third
    return orders


def _date(year: str, month: str, day: str) -> datetime.date | None:
    """Returns a date, `None` where there is none; a month may be a name."""
    number = int(year)
    short = len(year) == 2
    if short:
        number += 1900 if number >= _PIVOT else 2000
    month = _MONTHS.get(month.lower(), 0) if month.isalpha() else month
    try:
        date = datetime.date(number, int(month), int(day))
    except ValueError:
        return None
    # a day more for time zones
    today = datetime.date.today() + datetime.timedelta(1)
    return None if short and date > today else date
