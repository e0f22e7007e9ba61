import datetime

import adni_tables
import pytest
from adni_tables import adnimerge_row, dxsum_row

from tfds_adni.tables import (
    DiagnosisTable,
    Exam,
    TableError,
    nearest,
    read_diagnosis,
)

DAY = datetime.date(2012, 5, 5)


@pytest.fixture
def read(tmp_path):
    """`read(*rows)`: the table of these rows."""
    path = tmp_path / "DXSUM_12Oct2023.csv"
    return lambda *rows: read_diagnosis(adni_tables.write(path, *rows))


def stages(table, *subjects):
    return [[e.stage for e in table.of(f"999_S_900{n}")] for n in subjects]


def test_columns_in_any_order(read):
    row = dict(reversed(dxsum_row(DXCHANGE="5", date="12/19/2012").items()))
    table = read(row)
    assert (table.source, table.name) == ("DXSUM", "DXSUM_12Oct2023.csv")
    (exam,) = table.of("999_S_9001")
    assert exam == Exam("AD", datetime.date(2012, 12, 19), ("m0", "v03"))


def test_rows_without_a_diagnosis_or_a_subject_are_left_out(read):
    rows = (
        dxsum_row(1),
        dxsum_row(2, DIAGNOSIS="-4.0", DXCHANGE=""),
        dxsum_row(3, RID="", DIAGNOSIS="1"),
    )
    assert read(*rows).exams == {}


def test_ptid_goes_before_rid(read):
    table = read(
        dxsum_row(1, PTID="998_S_9001", DIAGNOSIS="3"),
        dxsum_row(2, PTID="", DIAGNOSIS="2"),
    )
    assert stages(table, 1, 2) == [[], ["MCI"]]
    assert [exam.stage for exam in table.of("998_S_9001")] == ["AD"]


def test_newer_column_wins_and_contradictions_are_counted(read):
    row = dxsum_row(DIAGNOSIS="1", DXCHANGE="5", DXCURREN="2")
    table = read(row, dxsum_row(2, DIAGNOSIS="1", DXCHANGE="7"))
    assert stages(table, 1, 2) == [["NC"], ["NC"]]
    assert table.contradictions == 1


def test_adnimerge_has_the_diagnosis_at_the_visit(read):
    table = read(
        adnimerge_row(1, DX="Dementia", DX_bl="SMC"),
        adnimerge_row(2, DX="MCI to Dementia"),
        adnimerge_row(3, DX=""),
    )
    assert table.source == "ADNIMERGE"
    assert stages(table, 1, 2, 3) == [["AD"], ["AD"], []]
    assert table.has_smc("999_S_9001")
    assert not table.has_smc("999_S_9002")


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"DIAGNOSIS": "5"}, "found codes 5 .* group at enrolment"),
        ({"DIAGNOSIS": "EMCI"}, "group at enrolment"),
        ({"CENROLL": "1", "DIAGNOSIS": "2"}, "found CENROLL in .* CLIELG"),
        ({"DXCHANGE": "12"}, "codes 1 to 9 in DXCHANGE, found 12 in"),
    ],
)
def test_other_codes_are_rejected(read, cells, words):
    with pytest.raises(TableError, match=words) as caught:
        read(dxsum_row() | cells, dxsum_row(2, DIAGNOSIS="1"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "row",
    [
        {"Image Data ID": "I1", "Subject": "999_S_9001", "Group": "AD"},
        {"RID": "1", "EXAMDATE": "2012-05-05", "DX": "AD"},
        {"RID": "1", "DIAGNOSIS": "1"},
        {"SUBJECT": "1", "EXAMDATE": "2012-05-05", "DIAGNOSIS": "1"},
    ],
)
def test_other_tables_are_rejected_with_their_columns(read, row):
    with pytest.raises(TableError, match=r"found the columns .*DXSUM_12"):
        read(row)


def exam(stage, days=None, *visits):
    date = None if days is None else DAY + datetime.timedelta(days)
    return Exam(stage, date, visits)


def test_rows_of_a_subject_by_either_key():
    exams = {"999_S_9001": [exam("NC")], "9001": [exam("AD")]}
    table = DiagnosisTable("DXSUM", "t.csv", exams)
    assert stages(table, 1, 2) == [["NC", "AD"], []]
    assert [e.stage for e in table.of("998_S_9001")] == ["AD"]
    assert table.of("sub-01") == []


@pytest.mark.parametrize(
    ("exams", "stages", "days"),
    [
        ([], (), None),
        ([exam("NC", -30), exam("MCI", 20), exam("AD", 90)], ("MCI",), 20),
        ([exam("AD", 90), exam("MCI", 20), exam("NC", -30)], ("MCI",), 20),
        ([exam("AD", 180)], ("AD",), 180),
        ([exam("AD", -180)], ("AD",), 180),
        ([exam("AD", 181), exam("AD", -400)], (), 181),
        # as far before as after: the earlier one
        ([exam("AD", 7), exam("MCI", -7)], ("MCI",), 7),
        ([exam("NC", 7), exam("AD", 7)], ("AD", "NC"), 7),
        ([exam("AD", 7), exam("AD", 7)], ("AD",), 7),
    ],
)
def test_nearest_by_date(exams, stages, days):
    found = nearest(exams, DAY, "", most_days=180)
    assert (found.stages, found.days) == (stages, days)


NO_DATES = [exam("NC", None, "m0"), exam("AD", None, "m12", "v11")]
OLD = [exam("AD", None, "m0"), exam("NC", 10, "m6")]


@pytest.mark.parametrize(
    ("rows", "date", "visit", "most_days", "stages"),
    [
        (NO_DATES, DAY, "v11", 180, ("AD",)),
        (NO_DATES, DAY, "m6", 180, ()),
        (NO_DATES, DAY, "", 180, ()),
        ([exam("AD", 3, "m12")], None, "m12", 180, ("AD",)),
        # the date goes before the visit
        (OLD, DAY, "m0", 180, ("NC",)),
        # too far by date: the row of the same visit that has none
        (OLD, DAY, "m0", 5, ("AD",)),
        # a row that has a date too far away is not found by its code
        ([exam("NC", 10, "m0")], DAY, "m0", 5, ()),
    ],
)
def test_nearest_by_visit_without_two_dates(
    rows, date, visit, most_days, stages
):
    assert nearest(rows, date, visit, most_days=most_days).stages == stages
