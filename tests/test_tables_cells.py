import datetime

import pytest

from tfds_adni.tables.delimited import (
    is_gap,
    months_of,
    row_subject,
    subject_keys,
    to_code,
    to_date,
    to_visit,
)


@pytest.mark.parametrize(
    "text", ["", " ", "-4", "-4.0", "-1", "NA", "n/a", "."]
)
def test_gaps(text):
    assert is_gap(text)


@pytest.mark.parametrize("text", ["0", "1", "4", "CN", "-", "-x"])
def test_no_gaps(text):
    assert not is_gap(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [("3", 3), ("3.0", 3), ("1.5", None), ("x", None), ("nan", None)],
)
def test_codes(text, code):
    assert to_code(text) == code


@pytest.mark.parametrize("text", ["5/9/2012", "2012-05-09", "2012-05-09 10:00"])
def test_dates(text):
    assert to_date(text) == datetime.date(2012, 5, 9)


def test_no_date():
    assert to_date("31/31/2012") is None
    assert to_date("-4") is None


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
