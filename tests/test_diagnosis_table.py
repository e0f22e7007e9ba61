import datetime

import pytest

from tfds_adni.tables import DiagnosisTable, Exam, nearest

DAY = datetime.date(2012, 5, 5)


def exam(stage, days=None, *visits):
    date = None if days is None else DAY + datetime.timedelta(days)
    return Exam(stage, date, visits)


def ask(*exams, date=DAY, visit="", most_days=180):
    found = nearest(exams, date, visit, most_days=most_days)
    return found.stages, found.days


def test_the_nearest_row_on_either_side():
    rows = [exam("NC", -30), exam("MCI", 20), exam("AD", 90)]
    assert ask(*rows) == (("MCI",), 20)
    assert ask(*reversed(rows)) == (("MCI",), 20)


@pytest.mark.parametrize("days", [180, -180])
def test_the_limit_itself_is_near_enough(days):
    assert ask(exam("AD", days)) == (("AD",), 180)


def test_beyond_the_limit_the_distance_is_told():
    assert ask(exam("AD", 181), exam("AD", -400)) == ((), 181)


def test_as_far_before_as_after_the_earlier_counts():
    assert ask(exam("AD", 7), exam("MCI", -7)) == (("MCI",), 7)


def test_rows_of_one_day_that_contradict_each_other():
    assert ask(exam("NC", 7), exam("AD", 7)) == (("AD", "NC"), 7)
    assert ask(exam("AD", 7), exam("AD", 7)) == (("AD",), 7)


def test_visit_code_where_there_are_no_two_dates():
    rows = [exam("NC", None, "m0"), exam("AD", None, "m12", "v11")]
    assert ask(*rows, visit="v11") == (("AD",), None)
    assert ask(*rows, visit="m6") == ((), None)
    assert ask(*rows, visit="") == ((), None)
    assert ask(exam("AD", 3, "m12"), date=None, visit="m12") == (("AD",), None)


def test_a_date_goes_before_a_visit_code():
    rows = [exam("AD", None, "m0"), exam("NC", 10, "m6")]
    assert ask(*rows, visit="m0") == (("NC",), 10)
    # too far by date: the row of the same visit that has none
    assert ask(*rows, visit="m0", most_days=5) == (("AD",), 10)
    # a row that has a date too far away is not found by its code
    assert ask(exam("NC", 10, "m0"), visit="m0", most_days=5) == ((), 10)


def test_no_rows():
    assert ask() == ((), None)


def test_rows_of_a_subject_by_either_key():
    table = DiagnosisTable(
        "DXSUM", "t.csv", {"999_S_0042": [exam("NC")], "42": [exam("AD")]}
    )
    assert [e.stage for e in table.of("999_S_0042")] == ["NC", "AD"]
    assert [e.stage for e in table.of("998_S_0042")] == ["AD"]
    assert table.of("sub-01") == []
