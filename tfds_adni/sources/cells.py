"""Cells of tables as people have them: dates, ages, sexes, missing values."""

import datetime
import math
import re

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
