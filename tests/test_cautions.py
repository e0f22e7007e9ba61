import adni_tables
import pytest
from adni_tables import adnimerge_row, dxsum_row, verdict
from tfds_adni.cohort.warnings import warnings_of, warnings_of_tables

from tfds_adni.cohort.selection import Selection
from tfds_adni.sources.tree import walk
from tfds_adni.tables import read_diagnosis


def lines(*used, stages=("NC", "MCI", "AD"), **options):
    people = dict(enumerate(stages))
    return warnings_of(used, Selection(**options), people)


def test_nothing_to_say():
    assert lines(verdict(1), verdict(2)) == []


def test_mixed_levels_and_what_they_do():
    (line,) = lines(
        verdict(1), verdict(2), verdict(3, level="averaged", stage="NC")
    )
    assert "2 uniform_8mm, 1 averaged" in line
    assert "smoothness" in line
    assert line.endswith("--level uniform_8mm")
    assert "\n" not in line


def test_disagreements_are_counted():
    other = "DXSUM; collection CSV Group says MCI"
    (line,) = lines(verdict(1), verdict(2, label_source=other))
    assert "1 of the 2 scans used" in line


@pytest.mark.parametrize(
    "source", ["collection CSV Group", "XML DX Group", "participants.tsv"]
)
def test_group_at_enrolment_for_later_visits(source):
    scans = [verdict(1, label_source=source), verdict(2)]
    (line,) = lines(*scans, visits="all")
    assert line.startswith("1 scans are labelled with the group at enrolment")
    assert lines(*scans) == []
    assert lines(verdict(1, label_source="sessions.tsv"), visits="all") == []


def test_baseline_that_is_none():
    scans = [verdict(1, visit="m12"), verdict(2, visit="sc"), verdict(3)]
    (line,) = lines(*scans, verdict(4, visit="v11"))
    assert line.startswith("1 of the 4 subjects have no baseline scan")
    assert lines(*scans, visits="all") == []


def test_stage_that_no_subject_starts_with():
    (line,) = lines(verdict(1, "AD"), stages=("NC", "MCI"))
    assert "no subject's earliest scan is AD" in line


def test_tables_that_lie_there_and_are_not_given(tmp_path):
    given = adni_tables.write(tmp_path / "a" / "D1.csv", dxsum_row())
    adni_tables.write(tmp_path / "b" / "D2.csv", dxsum_row(DXCHANGE="1"))
    adni_tables.write(tmp_path / "M.CSV", adnimerge_row())
    quality = {"RID": "1", "PASS": "1", "EXAMDATE": "2012-05-05"}
    adni_tables.write(tmp_path / "Q.csv", quality)
    adni_tables.write(tmp_path / "other.csv", {"RID": "1", "FDG": "1.2"})
    enrolment = {"RID": "1", "VISCODE": "bl", "DIAGNOSIS": "5"}
    adni_tables.write(tmp_path / "CLIELG.csv", enrolment)
    selection = Selection(diagnosis=[given])
    found = warnings_of_tables(walk(tmp_path), selection, [])
    assert [line.split(" and ")[0] for line in found] == [
        "M.CSV looks like ADNIMERGE",
        "Q.csv looks like PETQC",
        "D2.csv looks like DXSUM",
    ]
    assert f"--qc {tmp_path / 'Q.csv'}" in found[1]
    assert f"--diagnosis {tmp_path / 'M.CSV'}" in found[0]


def test_rows_whose_columns_contradict_each_other(tmp_path):
    row = dxsum_row(DIAGNOSIS="1", DXCHANGE="3")
    path = adni_tables.write(tmp_path / "elsewhere" / "D.csv", row)
    (tmp_path / "scans").mkdir()
    (line,) = warnings_of_tables(
        walk(tmp_path / "scans"), Selection(), [read_diagnosis(path)]
    )
    assert line.startswith("1 rows of D.csv name two stages")


def test_collection_that_cannot_be_read_to_its_end(tmp_path):
    head = "Image Data ID,Subject,Group\nI1,999_S_0001,CN\n"
    (tmp_path / "a.csv").write_text(head)
    assert warnings_of_tables(walk(tmp_path), Selection(), []) == []
    # longer than any cell that Python reads
    (tmp_path / "b.csv").write_text(head + "I2,999_S_0002," + "x" * 200_000)
    (line,) = warnings_of_tables(walk(tmp_path), Selection(), [])
    assert line.startswith("b.csv cannot be read to its end (field larger")
    assert line.endswith("download it again")
