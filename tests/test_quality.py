import datetime

import adni_tables
import pytest

from tfds_adni.tables import TableError, quality_problem, read_quality

DAY = datetime.date(2012, 5, 5)
SCAN = ("900001", "999_S_9001", DAY, "m0")


def petqc(tmp_path, *rows):
    base = {"RID": "9001", "VISCODE": "bl", "EXAMDATE": "5/5/2012"}
    rows = [base | {"LONIUID": "I1", "PASS": "1"} | row for row in rows]
    return read_quality(adni_tables.write(tmp_path / "PETQC_1.csv", *rows))


def petc3(tmp_path, **cells):
    row = {"RID": "9001", "SCANDATE": "2012-05-05", "SCANQLTY": "1"} | cells
    return read_quality(adni_tables.write(tmp_path / "PETC3_1.csv", row))


@pytest.mark.parametrize(
    ("grade", "passed"),
    [
        *((grade, True) for grade in ("1", "1.0", "Pass", "yes")),
        *((grade, False) for grade in ("0", "2", "Fail")),
    ],
)
def test_grades(tmp_path, grade, passed):
    reason = quality_problem([petqc(tmp_path, {"PASS": grade})], *SCAN)
    failed = f"failed quality control: PASS {grade} in PETQC_1.csv"
    assert reason == ("" if passed else failed)


def test_petc3_has_its_own_columns(tmp_path):
    table = petc3(tmp_path, SCANQLTY="3", PASS="1")
    assert "SCANQLTY 3 in PETC3_1.csv" in quality_problem([table], *SCAN)


def test_row_of_the_image_goes_before_rows_of_the_day(tmp_path):
    table = petqc(
        tmp_path, {"LONIUID": "900001", "PASS": "0"}, {"LONIUID": "I900002"}
    )
    assert quality_problem([table], *SCAN).startswith("failed")
    assert quality_problem([table], "900002", *SCAN[1:]) == ""


def test_one_pass_of_a_day_is_enough(tmp_path):
    table = petqc(tmp_path, {"PASS": "0"}, {"LONIUID": "I2"})
    assert quality_problem([table], *SCAN) == ""


def test_other_days_and_subjects_and_gaps_are_no_grades(tmp_path):
    table = petqc(
        tmp_path, {"EXAMDATE": "5/6/2012"}, {"RID": "9002"}, {"PASS": "-4"}
    )
    reason = quality_problem([table], *SCAN)
    assert reason == "not in the tables of quality control: PETQC_1.csv"


@pytest.mark.parametrize(
    ("date", "visit", "words"),
    [(DAY, "m0", "failed"), (None, "m0", "failed"), (None, "", "not in the")],
)
def test_visit_code_where_a_date_is_missing(tmp_path, date, visit, words):
    table = petqc(tmp_path, {"EXAMDATE": "-4", "PASS": "0"})
    reason = quality_problem([table], *SCAN[:2], date, visit)
    assert reason.startswith(words)


def test_two_tables_cover_two_phases(tmp_path):
    tables = [petqc(tmp_path, {"RID": "9002"}), petc3(tmp_path)]
    assert quality_problem(tables, *SCAN) == ""
    assert quality_problem(tables, "900002", "999_S_9002", DAY, "m0") == ""
    reason = quality_problem(tables, "900003", "999_S_9003", DAY, "m0")
    assert reason.endswith("PETQC_1.csv, PETC3_1.csv")


def test_no_tables_exclude_nothing():
    assert quality_problem([], *SCAN) == ""


def test_another_table_is_rejected(tmp_path):
    path = adni_tables.write(tmp_path / "t.csv", {"RID": "1", "FDG": "1.2"})
    with pytest.raises(TableError, match=r"PASS \(PETQC\).*columns RID, FDG"):
        read_quality(path)
