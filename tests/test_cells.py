import datetime

import pytest

from tfds_adni.tables import kind_of
from tfds_adni.tables.cells import (
    age_in_years,
    is_gap,
    iso_date,
    months_of,
    row_subject,
    sex_letter,
    stage_of_diagnosis,
    subject_keys,
    to_code,
    to_date,
    to_visit,
    true_date,
)


def test_gaps():
    gaps = ["", " ", "-4", "-4.0", "-1", "NA", "n/a", ".", "NaN"]
    assert [text for text in gaps if not is_gap(text)] == []
    assert not any(map(is_gap, ["0", "1", "4", "CN", "-", "-x"]))


def test_codes():
    codes = [to_code(text) for text in ("3", "3.0", "3,0", "1,000", "x")]
    assert codes == [3, 3, 3, None, None]
    assert [to_code(text) for text in ("1.5", "nan")] == [None, None]


def test_dates_of_records_are_iso():
    assert to_date("2016-02-11") == datetime.date(2016, 2, 11)
    assert iso_date("2016-02-11") == "2016-02-11"
    texts = ("2016-02-30", "2/11/2016", "2016-02-11 09:08", "-4", "")
    assert {iso_date(text) for text in texts} == {""}


def test_dates_of_anonymisers_are_not_true():
    texts = ("1900-01-01", "1969-12-31", "1970-01-01", "2012-05-05", "")
    assert [bool(true_date(t)) for t in texts] == [0, 0, 1, 1, 0]


def test_ages_and_sexes():
    ages = [age_in_years(text) for text in ("71", " 71.5", "71,5", "129.9")]
    assert ages == [71, 71.5, 71.5, 129.9]
    unknown = ("130", "0", "-4", "nan", "inf", "")
    assert {age_in_years(text) for text in unknown} == {-1}
    sexes = [sex_letter(text) for text in ("female", "M", "X", "")]
    assert sexes == ["F", "M", "", ""]


@pytest.mark.parametrize(
    ("texts", "visit"),
    [
        ("bl|BL|M000|ses-M000|ADNI Baseline|ADNI2 Baseline-New Pt", "m0"),
        ("m06|ADNI1/GO Month 6|ADNI2 visit m06", "m6"),
        ("ADNI2 visit v02", "v02"),
        ("sc", "sc"),
        ("12", "12"),
        (f"m{'9' * 5000}", f"m{'9' * 5000}"),
        ("y1", "y1"),
        ("-4|", ""),
    ],
)
def test_visits_in_one_spelling(texts, visit):
    assert {to_visit(text) for text in (*texts.split("|"), visit)} == {visit}


def test_months_of_visits():
    known = [months_of(code) for code in ("m0", "sc", "m12", "v02", "1", "")]
    assert known == [0, 0, 12, None, None, None]
    assert months_of(f"m{'9' * 5000}") is None


def test_subject_is_found_by_ptid_or_rid():
    assert subject_keys("999_S_0042") == ("999_S_0042", "42")
    assert subject_keys("999_S_90011") == ("999_S_90011", "90011")
    assert subject_keys("sub-01") == ("sub-01",)


@pytest.mark.parametrize(
    ("row", "key"),
    [
        ({"PTID": "999_S_0042", "RID": "42"}, "999_S_0042"),
        ({"PTID": " 999_s_0042 "}, "999_S_0042"),
        ({"PTID": "999-S-0042"}, "999_S_0042"),
        ({"PTID": "sub-a-b"}, "sub-a-b"),
        ({"PTID": "", "RID": "42.0"}, "42"),
        ({"PTID": "", "RID": "9" * 5000}, ""),
        ({"RID": "0042"}, "42"),
        ({"RID": "-4"}, ""),
        ({"RID": "?"}, ""),
        ({}, ""),
    ],
)
def test_subject_of_a_row(row, key):
    assert row_subject(row) == key


@pytest.mark.parametrize(
    ("column", "cells", "stage"),
    [
        # by ADNI's data dictionary
        ("DXCURREN", "1", "NC"),
        ("DXCURREN", "2", "MCI"),
        ("DXCURREN", "3", "AD"),
        ("DIAGNOSIS", "1|1.0|CN", "NC"),
        ("DIAGNOSIS", "2", "MCI"),
        ("DIAGNOSIS", "3", "AD"),
        ("DXCHANGE", "1|7|9|Stable: NL", "NC"),
        ("DXCHANGE", "2|4|8|NL to MCI|Reversion: Dementia to MCI", "MCI"),
        ("DXCHANGE", "3|5|6|Conversion: MCI to Dementia", "AD"),
        ("DX", "MCI to Dementia", "AD"),
        ("DX", "1|unsure|", None),
    ],
)
def test_stage_of_a_diagnosis(column, cells, stage):
    found = {stage_of_diagnosis(column, cell) for cell in cells.split("|")}
    assert found == {stage}


@pytest.mark.parametrize(
    ("columns", "kind"),
    [
        ("RID,VISCODE,EXAMDATE,DXCHANGE", "DXSUM"),
        ("rid,viscode,diagnosis", "DXSUM"),
        ("RID,DIAGNOSIS,CENROLL", ""),
        ("RID,PTID,EXAMDATE,DX_bl,DXCHANGE,DX", "ADNIMERGE"),
        ("RID,PASS,LONIUID", "PETQC"),
        ("PTID,SCANQLTY,PASS", "PETC3"),
        ("Image Data ID,Subject,Group", ""),
        ("DIAGNOSIS,DXCHANGE", ""),
        ("RID", ""),
        ("", ""),
    ],
)
def test_kind_of_a_table_by_its_columns(columns, kind):
    assert kind_of(columns.split(",")) == kind
