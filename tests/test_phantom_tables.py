"""ADNI's tables beside a phantom, as `scan` reads them."""

import collections

import pytest
from toy_phantom import rows_of, write

from tfds_adni import Selection, survey
from tfds_adni.tables import kind_of


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    counts = {"NC": 3, "MCI": 2, "AD": 2}
    out = tmp_path_factory.mktemp("phantom") / "cohort"
    return write(out, subjects=counts)


def test_kinds_and_marks_of_the_tables(folder):
    tables = {p.name: rows_of(p) for p in sorted(folder.glob("tables/*"))}
    kinds = {name: kind_of(tuple(rows[0])) for name, rows in tables.items()}
    assert kinds == {
        "ADNIMERGE.csv": "ADNIMERGE",
        "DXSUM_01Jun2023.csv": "DXSUM",
        "PETQC_01Jun2023.csv": "PETQC",
    }
    scans = len(list(folder.rglob("*.nii")))
    assert {len(rows) for rows in tables.values()} == {scans}
    sites = {row["SITE"] for row in tables["ADNIMERGE.csv"]}
    sites |= {row["SITEID"] for row in tables["PETQC_01Jun2023.csv"]}
    ids = {row["PTID"] for row in tables["DXSUM_01Jun2023.csv"]}
    assert sites == {"999"}
    assert all(subject.startswith("999_S_9") for subject in ids)


@pytest.mark.parametrize(
    ("table", "source"),
    [("ADNIMERGE.csv", "ADNIMERGE"), ("DXSUM_01Jun2023.csv", "DXSUM")],
)
def test_each_scan_has_its_stage_by_the_table(folder, table, source):
    selection = Selection(
        diagnosis=[folder / "tables" / table],
        qc=[folder / "tables" / "PETQC_01Jun2023.csv"],
        visits="all",
        label_days=20,
    )
    cohort = survey(folder, selection)
    assert all(d.reason == "" for d in cohort.decisions)
    stages = cohort.stage_of_subject.values()
    assert collections.Counter(stages) == {"NC": 3, "MCI": 2, "AD": 2}
    used = len(cohort.used)
    assert cohort.label_sources == {f"{table} ({source})": used}


def test_a_scan_names_the_tables_that_are_not_used(folder):
    notes = survey(folder).notes
    assert [note.split(" and ")[0] for note in notes] == [
        "ADNIMERGE.csv looks like ADNIMERGE",
        "DXSUM_01Jun2023.csv looks like DXSUM",
        "PETQC_01Jun2023.csv looks like PETQC",
    ]
    assert "--diagnosis" in notes[0]
    assert "--qc" in notes[2]
