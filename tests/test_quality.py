import datetime

import adni_tables
import pytest

from tfds_adni.tables import TableError, quality_problem, read_quality

DAY = datetime.date(2012, 5, 5)
SCAN = ("900001", "999_S_9001", DAY, "m0")
UNKNOWN = "not in the tables of quality control: "


def petqc(tmp_path, *rows):
    base = {"RID": "9001", "VISCODE": "bl", "EXAMDATE": "5/5/2012"}
    rows = [base | {"LONIUID": "I1", "PASS": "1"} | row for row in rows]
    return read_quality(adni_tables.write(tmp_path / "PETQC_1.csv", *rows))


def petc3(tmp_path, **cells):
    row = {"RID": "9001", "SCANDATE": "2012-05-05", "SCANQLTY": "1"} | cells
    return read_quality(adni_tables.write(tmp_path / "PETC3_1.csv", row))


@pytest.mark.parametrize("grade", ["1", "1.0", "Pass", "yes", "0", "2", "Fail"])
def test_grades(tmp_path, grade):
    reason = quality_problem([petqc(tmp_path, {"PASS": grade})], *SCAN)
    failed = f"failed quality control: PASS {grade} in PETQC_1.csv"
    assert reason == (failed if grade in ("0", "2", "Fail") else "")


def test_petc3_has_its_own_columns(tmp_path):
    table = petc3(tmp_path, SCANQLTY="3", PASS="1")
    assert "SCANQLTY 3 in PETC3_1.csv" in quality_problem([table], *SCAN)


@pytest.mark.parametrize(
    ("rows", "scan", "words"),
    [
        # one good row of the day is enough
        ([{"PASS": "0"}, {"LONIUID": "I2"}], SCAN, ""),
        # the row of the image goes before the rows of the day
        ([{"LONIUID": "900001", "PASS": "0"}, {}], SCAN, "failed"),
        ([{"LONIUID": "I900001"}, {"PASS": "0"}], SCAN, ""),
        # other days, other subjects and gaps are no grades
        ([{"EXAMDATE": "5/26/2012"}], SCAN, UNKNOWN),
        ([{"RID": "9002"}], SCAN, UNKNOWN),
        ([{"PASS": "-4"}], SCAN, UNKNOWN),
        # the visit code counts where a date is missing
        ([{"EXAMDATE": "-4", "PASS": "0"}], SCAN, "failed"),
        ([{"PASS": "0"}], (*SCAN[:2], None, "m0"), "failed"),
        ([{"PASS": "0"}], (*SCAN[:2], None, ""), UNKNOWN),
    ],
)
def test_rows_of_a_scan(tmp_path, rows, scan, words):
    reason = quality_problem([petqc(tmp_path, *rows)], *scan)
    assert reason.startswith(words)
    assert bool(reason) == bool(words)


def test_two_tables_cover_two_phases(tmp_path):
    tables = [petqc(tmp_path, {"RID": "9002"}), petc3(tmp_path)]
    for number, words in {
        1: "",
        2: "",
        3: f"{UNKNOWN}PETQC_1.csv, PETC3_1.csv",
    }.items():
        scan = (f"90000{number}", f"999_S_900{number}", DAY, "m0")
        assert quality_problem(tables, *scan) == words
    assert quality_problem([], *scan) == ""  # no table excludes nothing


def test_another_table_is_rejected(tmp_path):
    path = adni_tables.write(tmp_path / "t.csv", {"RID": "1", "FDG": "1.2"})
    with pytest.raises(TableError, match=r"PASS \(PETQC\).*columns RID, FDG"):
        read_quality(path)
