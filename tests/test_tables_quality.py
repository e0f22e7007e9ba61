import datetime

import adni_tables
import pytest

from tfds_adni.tables import judge_quality, read_quality
from tfds_adni.tables.delimited import TableError

DAY = datetime.date(2012, 5, 5)
SCAN = ("900001", "999_S_9001", DAY, "m0")


def petqc(tmp_path, *rows, name="PETQC_1.csv"):
    base = {"RID": "9001", "VISCODE": "bl", "EXAMDATE": "5/5/2012"}
    rows = [base | {"LONIUID": "I1", "PASS": "1"} | row for row in rows]
    return read_quality(adni_tables.write(tmp_path / name, *rows))


def petc3(tmp_path, *rows):
    base = {"RID": "9001", "SCANDATE": "2012-05-05", "SCANQLTY": "1"}
    rows = [base | row for row in rows]
    return read_quality(adni_tables.write(tmp_path / "PETC3_1.csv", *rows))


@pytest.mark.parametrize("grade", ["1", "1.0", "Pass", "yes"])
def test_passed(tmp_path, grade):
    assert judge_quality([petqc(tmp_path, {"PASS": grade})], *SCAN) == ""


@pytest.mark.parametrize("grade", ["0", "2", "Fail"])
def test_failed_with_the_cell_that_says_so(tmp_path, grade):
    table = petqc(tmp_path, {"PASS": grade})
    reason = judge_quality([table], *SCAN)
    assert reason == f"failed quality control: PASS {grade} in PETQC_1.csv"


def test_petc3_has_its_own_columns(tmp_path):
    table = petc3(tmp_path, {"SCANQLTY": "3", "PASS": "1"})
    assert "SCANQLTY 3 in PETC3_1.csv" in judge_quality([table], *SCAN)


def test_row_of_the_image_goes_before_rows_of_the_day(tmp_path):
    table = petqc(
        tmp_path, {"LONIUID": "900001", "PASS": "0"}, {"LONIUID": "I900002"}
    )
    assert judge_quality([table], *SCAN).startswith("failed")
    assert judge_quality([table], "900002", *SCAN[1:]) == ""


def test_repeated_scan_of_a_day_one_pass_is_enough(tmp_path):
    table = petqc(tmp_path, {"PASS": "0"}, {"LONIUID": "I2"})
    assert judge_quality([table], *SCAN) == ""


def test_another_day_another_subject_and_no_grade_are_no_row(tmp_path):
    table = petqc(
        tmp_path,
        {"EXAMDATE": "5/6/2012"},
        {"RID": "9002"},
        {"PASS": "-4"},
    )
    reason = judge_quality([table], *SCAN)
    assert reason == "not in the tables of quality control: PETQC_1.csv"


def test_visit_code_where_a_date_is_missing(tmp_path):
    table = petqc(tmp_path, {"EXAMDATE": "-4", "PASS": "0"})
    assert judge_quality([table], *SCAN).startswith("failed")
    undated = ("900001", "999_S_9001", None, "m0")
    assert judge_quality([table], *undated).startswith("failed")
    elsewhere = ("900001", "999_S_9001", None, "")
    assert judge_quality([table], *elsewhere).startswith("not in the tables")


def test_two_tables_cover_two_phases(tmp_path):
    tables = [petqc(tmp_path, {"RID": "9002"}), petc3(tmp_path, {})]
    assert judge_quality(tables, *SCAN) == ""
    assert judge_quality(tables, "900002", "999_S_9002", DAY, "m0") == ""
    reason = judge_quality(tables, "900003", "999_S_9003", DAY, "m0")
    assert reason.endswith("PETQC_1.csv, PETC3_1.csv")


def test_no_tables_keep_nothing_out():
    assert judge_quality([], *SCAN) == ""


def test_another_table_is_refused(tmp_path):
    path = adni_tables.write(tmp_path / "t.csv", {"RID": "1", "FDG": "1.2"})
    with pytest.raises(TableError, match=r"PASS \(PETQC\).*columns RID, FDG"):
        read_quality(path)
