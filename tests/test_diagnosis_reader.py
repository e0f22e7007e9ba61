import datetime

import adni_tables
import pytest
from adni_tables import adnimerge_row, dxsum_row

from tfds_adni.tables import read_diagnosis
from tfds_adni.tables.delimited import TableError

# ADNI's data dictionary, as the page of conventions has it.
CODES = [
    *(("DXCURREN", str(n), s) for n, s in ((1, "NC"), (2, "MCI"), (3, "AD"))),
    *(("DIAGNOSIS", str(n), s) for n, s in ((1, "NC"), (2, "MCI"), (3, "AD"))),
    *(("DXCHANGE", code, "NC") for code in "179"),
    *(("DXCHANGE", code, "MCI") for code in "248"),
    *(("DXCHANGE", code, "AD") for code in "356"),
    ("DXCHANGE", "Conversion: MCI to Dementia", "AD"),
    ("DIAGNOSIS", "3.0", "AD"),
    ("DIAGNOSIS", "CN", "NC"),
]


def only_exam(path):
    """The one row with a diagnosis that a table has."""
    ((exam,),) = read_diagnosis(path).exams.values()
    return exam


@pytest.mark.parametrize(("column", "code", "stage"), CODES)
def test_codes_of_each_phase(tmp_path, column, code, stage):
    row = dxsum_row(**{column: code})
    assert only_exam(adni_tables.write(tmp_path / "t.csv", row)).stage == stage


def test_name_of_the_file_and_order_of_columns_do_not_matter(tmp_path):
    row = dict(reversed(dxsum_row(DXCHANGE="5", date="9/12/2012").items()))
    path = tmp_path / "DXSUM_PDXCONV_ADNIALL_12Oct2023.csv"
    table = read_diagnosis(adni_tables.write(path, row))
    assert (table.source, table.name) == ("DXSUM", path.name)
    (exam,) = table.of("999_S_9001")
    assert exam.date == datetime.date(2012, 9, 12)
    assert exam.visits == ("m0", "v03")


def test_rows_without_a_diagnosis_or_a_subject_say_nothing(tmp_path):
    path = adni_tables.write(
        tmp_path / "t.csv",
        dxsum_row(1),
        dxsum_row(2, DIAGNOSIS="-4.0", DXCHANGE=""),
        dxsum_row(3, RID="", DIAGNOSIS="1"),
    )
    assert read_diagnosis(path).exams == {}


def test_ptid_goes_before_rid(tmp_path):
    rows = [
        dxsum_row(1, PTID="998_S_9001", DIAGNOSIS="3"),
        dxsum_row(2, PTID="", DIAGNOSIS="2"),
    ]
    table = read_diagnosis(adni_tables.write(tmp_path / "t.csv", *rows))
    assert table.of("999_S_9001") == []
    assert [exam.stage for exam in table.of("998_S_9001")] == ["AD"]
    assert [exam.stage for exam in table.of("999_S_9002")] == ["MCI"]


def test_two_codes_of_a_row_the_newer_column_counts_and_it_is_told(tmp_path):
    row = dxsum_row(DIAGNOSIS="1", DXCHANGE="5", DXCURREN="2")
    same = dxsum_row(2, DIAGNOSIS="1", DXCHANGE="7")
    path = adni_tables.write(tmp_path / "t.csv", row, same)
    table = read_diagnosis(path)
    assert table.of("999_S_9001")[0].stage == "NC"
    assert table.contradictions == 1


def test_adnimerge_has_the_diagnosis_at_the_visit(tmp_path):
    rows = [
        adnimerge_row(1, DX="Dementia", DX_bl="SMC"),
        adnimerge_row(2, DX="MCI to Dementia"),
        adnimerge_row(3, DX=""),
    ]
    table = read_diagnosis(adni_tables.write(tmp_path / "t.csv", *rows))
    assert table.source == "ADNIMERGE"
    assert [e.stage for e in table.of("999_S_9001")] == ["AD"]
    assert [e.stage for e in table.of("999_S_9002")] == ["AD"]
    assert table.of("999_S_9003") == []
    assert table.has_smc("999_S_9001")
    assert not table.has_smc("999_S_9002")


def test_clielg_is_known_by_its_codes(tmp_path):
    rows = [
        {"RID": "9001", "VISCODE": "bl", "DIAGNOSIS": code}
        for code in ("1", "2", "5", "4")
    ]
    path = adni_tables.write(tmp_path / "DXSUM.csv", *rows)
    with pytest.raises(
        TableError, match=r"found codes 4, 5 .* CLIELG"
    ) as error:
        read_diagnosis(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("cells", [{"CENROLL": "1"}, {"DIAGNOSIS": "EMCI"}])
def test_clielg_is_known_by_its_columns_and_words_too(tmp_path, cells):
    row = {"RID": "9001", "VISCODE": "bl", "DIAGNOSIS": "2"} | cells
    path = adni_tables.write(tmp_path / "t.csv", row)
    with pytest.raises(TableError, match="group at enrolment"):
        read_diagnosis(path)


def test_unknown_codes_are_named(tmp_path):
    path = adni_tables.write(tmp_path / "t.csv", dxsum_row(DXCHANGE="12"))
    with pytest.raises(TableError, match="codes 1 to 9 in DXCHANGE, found 12"):
        read_diagnosis(path)


@pytest.mark.parametrize(
    "row",
    [
        {"Image Data ID": "I1", "Subject": "999_S_9001", "Group": "AD"},
        {"RID": "1", "EXAMDATE": "2012-05-05", "DX": "AD"},
        {"RID": "1", "DIAGNOSIS": "1"},
        {"SUBJECT": "1", "EXAMDATE": "2012-05-05", "DIAGNOSIS": "1"},
    ],
)
def test_other_tables_are_refused_with_their_columns(tmp_path, row):
    path = adni_tables.write(tmp_path / "t.csv", row)
    with pytest.raises(TableError, match=f"found the columns .*{path}"):
        read_diagnosis(path)
