"""What cells of ADNI's tables mean: gaps, codes, dates, visits, subjects."""

import datetime
import re

from tfds_adni.sources.cells import iso_date
from tfds_adni.sources.record import SUBJECT_PATTERN

_GAPS = frozenset(("", ".", "na", "nan", "n/a", "null", "none"))
# A code may follow words, as in `ADNI2 visit m06` or `ADNI1/GO Month 6`.
_MONTH = re.compile(r"(?:.*\s)?m(?:onth )?(\d+)")
_BASELINE = re.compile(r"(?:.*\s)?(bl|baseline(-.*)?)")
_CODE = re.compile(r"(?:.*\s)?(sc|v\d+)")


def is_gap(text: str) -> bool:
    """Says whether a cell holds nothing; ADNI writes -4 for it."""
    text = text.strip().lower()
    return text in _GAPS or (text.startswith("-") and to_code(text) is not None)


def to_code(text: str) -> int | None:
    """Gives a whole number, `None` where the cell is none.

    Example:

    >>> to_code("3.0")
    3
    """
    try:
        number = float(text)
    except ValueError:
        return None
    return int(number) if number.is_integer() else None


def to_date(text: str) -> datetime.date | None:
    """Gives the date of a cell, `None` where it holds none."""
    iso = iso_date(text)
    return datetime.date.fromisoformat(iso) if iso else None


def to_visit(text: str) -> str:
    """Gives a visit code in one spelling, `""` for a gap.

    `bl`, `M000` and `ses-M000` are one visit, as are `m06` and `Month 6`.

    Example:

    >>> to_visit("ses-M006")
    'm6'
    """
    text = "" if is_gap(text) else text.strip().lower().removeprefix("ses-")
    if _BASELINE.fullmatch(text):
        return "m0"
    if found := _MONTH.fullmatch(text):
        return f"m{int(found[1])}"
    found = _CODE.fullmatch(text)
    return found[1] if found else text


def months_of(visit: str) -> int | None:
    """Gives the months after baseline of a code that `to_visit` gave.

    Screening counts as baseline; `None` where the code does not tell.
    """
    if visit in ("sc", "screening"):
        return 0
    known = re.fullmatch(r"m(\d+)", visit)
    return int(known[1]) if known else None


def subject_keys(subject: str) -> tuple[str, ...]:
    """Gives the keys a scan's subject may have in a table: PTID, then RID.

    A subject id of ADNI ends in the roster id.

    Example:

    >>> subject_keys("999_S_0042")
    ('999_S_0042', '42')
    """
    if SUBJECT_PATTERN.fullmatch(subject):
        return subject, str(int(subject.rsplit("_", 1)[1]))
    return (subject,)


def row_subject(row: dict[str, str]) -> str:
    """Gives the key of a table's row: its PTID, else its RID, else `""`."""
    ptid, rid = row.get("PTID", ""), row.get("RID", "")
    if not is_gap(ptid):
        return ptid
    code = to_code(rid)
    return "" if code is None or code < 0 else str(code)
