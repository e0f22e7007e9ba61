"""Cells of tables as ADNI, the IDA and BIDS data sets write them.

Gaps, codes, ages, sexes, visits, subjects and codes of stages. Words that
name a stage are in `stages`; dates are in `dates`, since a single cell does not
tell their order.
"""

import datetime
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from tfds_adni.tables.stages import stage_of_group

# Site, `_S_`, then four digits, five from ADNI4 on.
SUBJECT_PATTERN = re.compile(r"(?<!\d)(\d{3}_S_\d{4,5})(?!\d)")
VISIT_COLUMNS = ("VISCODE2", "VISCODE")
STAGES = ("NC", "MCI", "AD")
# ADNI's data dictionary: DXCURREN is of ADNI1, DXCHANGE of ADNIGO and ADNI2,
# DIAGNOSIS of ADNI3 and of newer downloads. A change ends in a stage.
CODES = {
    "DIAGNOSIS": {1: "NC", 2: "MCI", 3: "AD"},
    "DXCHANGE": {
        **dict.fromkeys((1, 7, 9), "NC"),
        **dict.fromkeys((2, 4, 8), "MCI"),
        **dict.fromkeys((3, 5, 6), "AD"),
    },
    "DXCURREN": {1: "NC", 2: "MCI", 3: "AD"},
}
_GAPS = frozenset(("", ".", "na", "nan", "n/a", "null", "none"))
_OLDEST = 130  # years
# Characters; a search for words in more takes long, and no visit has more.
_LONGEST_VISIT = 200
_MOST_ROWS = 1000  # of a subject; ADNI has some twenty visits
# A visit code may follow words, as in `ADNI2 visit m06` or `ADNI1/GO Month 6`.
# No visit is after more; `int` refuses thousands of digits.
_MONTH = re.compile(r"(?:.*\s)?m(?:onth )?(\d{1,4})")
_BASELINE = re.compile(r"(?:.*\s)?(bl|baseline(-.*)?)")
_FIRST_YEAR = 1970  # there was no PET before
_CODE = re.compile(r"(?:.*\s)?(sc|v\d+)")


def is_gap(text: str) -> bool:
    """Whether a cell is empty or a code for missing, such as ADNI's -4."""
    text = text.strip().lower()
    return text in _GAPS or (text.startswith("-") and to_code(text) is not None)


def to_code(text: str) -> int | None:
    """Returns a whole number (`3.0` and `3,0` are 3), `None` for any other."""
    try:
        number = float(text.strip().removesuffix(",0"))
    except ValueError:
        return None
    return int(number) if number.is_integer() else None


def to_date(text: str) -> datetime.date | None:
    """Returns the date of a record, ISO; tables' own are read by `dates`.

    Returns:
        `None` where the text is no date or one that does not exist.
    """
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        return None


def true_date(text: str) -> datetime.date | None:
    """Returns what `to_date` reads, `None` before 1970.

    Such dates are an anonymiser's: BIDS shifts dates to before 1925.
    """
    date = to_date(text)
    return date if date and date.year >= _FIRST_YEAR else None


def iso_date(text: str) -> str:
    """Returns what `to_date` reads as an ISO date, `""` where it is `None`."""
    date = to_date(text)
    return date.isoformat() if date else ""


def age_in_years(text: str) -> float:
    """Returns an age between 0 and 130, -1 where the cell holds none.

    Decimals may follow a comma, as spreadsheets write them in much of Europe.
    """
    try:
        age = float(text.replace(",", "."))
    except ValueError:
        return -1.0
    return age if math.isfinite(age) and 0 < age < _OLDEST else -1.0


def sex_letter(text: str) -> str:
    """Returns `F`, `M` or `""`."""
    first = text.strip().upper()[:1]
    return first if first in ("F", "M") else ""


def to_visit(text: str) -> str:
    """Returns a visit code in one spelling, `""` for a gap.

    `bl`, `M000` and `ses-M000` become `m0`; `m06` and `Month 6` become `m6`.
    """
    text = "" if is_gap(text) else text.strip().lower().removeprefix("ses-")
    if len(text) > _LONGEST_VISIT:
        return text
    if _BASELINE.fullmatch(text):
        return "m0"
    if found := _MONTH.fullmatch(text):
        return f"m{int(found[1])}"
    found = _CODE.fullmatch(text)
    return found[1] if found else text


def months_of(visit: str) -> int | None:
    """Returns the months after baseline of a code spelled by `to_visit`.

    Screening counts as baseline; `None` for codes without a month.
    """
    if visit in ("sc", "screening"):
        return 0
    month = re.fullmatch(r"m(\d{1,4})", visit)
    return int(month[1]) if month else None


def row_visits(row: Mapping[str, str]) -> tuple[str, ...]:
    """Returns the visit codes of a row as `to_visit` spells them."""
    visits = (to_visit(row.get(name, "")) for name in VISIT_COLUMNS)
    return tuple(visit for visit in visits if visit)


def row_subject(row: Mapping[str, str]) -> str:
    """Returns the key of a row's subject: PTID, else RID, else `""`.

    A PTID such as `999-s-0042` gets ADNI's own spelling.
    """
    ptid = row.get("PTID", "").strip()
    if not is_gap(ptid):
        adni = ptid.upper().replace("-", "_")
        return adni if SUBJECT_PATTERN.fullmatch(adni) else ptid
    code = to_code(row.get("RID", ""))
    return "" if code is None or code < 0 else str(code)


def require_few_rows(rows: Mapping[str, Sequence], place: Path) -> None:
    """Refuses a table that gives one subject more rows than any visit has.

    Each scan of a subject is compared with all of them.

    Args:
        rows: By `row_subject`.
        place: The table, for the message.

    Raises:
        ValueError: If a subject has more than 1,000 rows.
    """
    most = max(map(len, rows.values()), default=0)
    if most > _MOST_ROWS:
        raise ValueError(
            f"expected at most {_MOST_ROWS} rows of one subject, found {most} "
            f"in {place}; download it again"
        )


def subject_keys(subject: str) -> tuple[str, ...]:
    """Returns the keys a scan's subject may have in tables: PTID, then RID.

    A subject id of ADNI ends in the roster id: `999_S_0042` has the RID 42.
    """
    if SUBJECT_PATTERN.fullmatch(subject):
        return subject, str(int(subject.rsplit("_", 1)[1]))
    return (subject,)


def stage_of_diagnosis(column: str, text: str) -> str | None:
    """Returns the stage of a cell of DXSUM or ADNIMERGE.

    Args:
        column: Name of the column in capitals, which says what codes mean.
        text: A code or words. ADNI's R package has `Conversion: MCI to
            Dementia` where the CSV has a code; ADNIMERGE of 2017 has `MCI to
            Dementia`. Both end in AD.
    """
    code = to_code(text)
    if code is not None:
        return CODES.get(column, {}).get(code)
    words = text.split()
    return stage_of_group(words[-1]) if words else None


def kind_of(header: Sequence[str]) -> str:
    """Recognises a table of ADNI by its columns, in any case.

    Returns:
        `"DXSUM"`, `"ADNIMERGE"`, `"PETQC"`, `"PETC3"`, or `""` for any other.
    """
    columns = {name.upper() for name in header}
    if columns.isdisjoint(("RID", "PTID")):
        return ""
    if {"DX", "DX_BL"} <= columns:
        return "ADNIMERGE"
    if columns & CODES.keys():
        return "" if "CENROLL" in columns else "DXSUM"
    if "SCANQLTY" in columns:
        return "PETC3"
    return "PETQC" if "PASS" in columns else ""
