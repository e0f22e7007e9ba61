import datetime

import pytest

from tfds_adni.tables.cells import (
    age_in_years,
    is_gap,
    iso_date,
    months_of,
    row_subject,
    sex_letter,
    subject_keys,
    to_code,
    to_date,
    to_visit,
)


@pytest.mark.parametrize(
    ("texts", "gap"),
    [
        (["", " ", "-4", "-4.0", "-1", "NA", "n/a", ".", "NaN"], True),
        (["0", "1", "4", "CN", "-", "-x"], False),
    ],
)
def test_gaps(texts, gap):
    assert [is_gap(text) for text in texts] == [gap] * len(texts)


@pytest.mark.parametrize(
    ("text", "code"),
    [("3", 3), ("3.0", 3), ("1.5", None), ("x", None), ("nan", None)],
)
def test_codes(text, code):
    assert to_code(text) == code


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2/11/2016", "2016-02-11"),
        ("02/11/2016", "2016-02-11"),
        (" 2016-02-11 ", "2016-02-11"),
        ("2012-05-05 09:08:07.0", "2012-05-05"),
        ("2012-05-05T09:08:07", "2012-05-05"),
        ("2/30/2016", ""),
        ("13/1/2016", ""),
        ("5/5/12", ""),
        ("2/11/20167", ""),
        ("-4", ""),
        ("", ""),
    ],
)
def test_dates(text, date):
    assert iso_date(text) == date
    day = datetime.date.fromisoformat(date) if date else None
    assert to_date(text) == day


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("71", 71),
        (" 71.5", 71.5),
        ("129.9", 129.9),
        ("130", -1),
        ("-4", -1),
        ("nan", -1),
        ("inf", -1),
        ("", -1),
    ],
)
def test_ages(text, age):
    assert age_in_years(text) == age


def test_sexes():
    sexes = [sex_letter(text) for text in ("female", "M", "X", "")]
    assert sexes == ["F", "M", "", ""]


@pytest.mark.parametrize(
    ("text", "visit"),
    [
        ("bl", "m0"),
        ("BL", "m0"),
        ("M000", "m0"),
        ("ses-M000", "m0"),
        ("ADNI Baseline", "m0"),
        ("ADNI2 Baseline-New Pt", "m0"),
        ("m06", "m6"),
        ("ADNI1/GO Month 6", "m6"),
        ("ADNI2 visit m06", "m6"),
        ("ADNI2 visit v02", "v02"),
        ("sc", "sc"),
        ("12", "12"),
        ("y1", "y1"),
        ("-4", ""),
        ("", ""),
    ],
)
def test_visits_in_one_spelling(text, visit):
    assert to_visit(text) == visit
    assert to_visit(visit) == visit


def test_months_of_visits():
    known = [months_of(code) for code in ("m0", "sc", "m12", "v02", "1", "")]
    assert known == [0, 0, 12, None, None, None]


def test_subject_is_found_by_ptid_or_rid():
    assert subject_keys("999_S_0042") == ("999_S_0042", "42")
    assert subject_keys("999_S_90011") == ("999_S_90011", "90011")
    assert subject_keys("sub-01") == ("sub-01",)


@pytest.mark.parametrize(
    ("row", "key"),
    [
        ({"PTID": "999_S_0042", "RID": "42"}, "999_S_0042"),
        ({"PTID": "", "RID": "42.0"}, "42"),
        ({"RID": "0042"}, "42"),
        ({"RID": "-4"}, ""),
        ({"RID": "?"}, ""),
        ({}, ""),
    ],
)
def test_subject_of_a_row(row, key):
    assert row_subject(row) == key
