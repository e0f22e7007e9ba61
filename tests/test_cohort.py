"""A folder's scans and the decision on each, from its tables to its account."""

import dataclasses
import os
import re
from collections import Counter
from pathlib import Path

import adni_tables
import ida_tree
import pytest
from adni_tables import adnimerge_row, dxsum_row, verdict

from tfds_adni.cohort import COLUMNS, Cohort, Selection, gather, survey
from tfds_adni.cohort.display import (
    cohort_card,
    printable,
    warnings_of,
    warnings_of_tables,
)
from tfds_adni.cohort.splits import SPLITS, assign_splits
from tfds_adni.sources.tree import walk
from tfds_adni.tables import read_diagnosis


def reasons(cohort):
    return {d.record.image_id: d.reason for d in cohort.decisions}


def write(tmp_path, *rows):
    return ida_tree.write_tree(tmp_path / "scans", list(rows))


def test_every_scan_has_a_stage_or_a_reason(tmp_path):
    amyloid = "AV45 Co-registered, Averaged"
    broken = ida_tree.row(9, "AD", **{"Image Data ID": "I9000"})
    root = write(
        tmp_path,
        ida_tree.row(1, "CN"),
        ida_tree.row(2, "LMCI"),
        ida_tree.row(3, "AD", Description="Co-registered, Averaged"),
        ida_tree.row(4, "AD", Description=amyloid),
        ida_tree.row(5, "Patient"),
        ida_tree.row(6, ""),
        ida_tree.row(7, "SMC"),
        *(ida_tree.visit(8, name) for name in ("m12", "bl")),
        broken,
        ida_tree.row(9, "AD", **{"Acq Date": "5/5/2013"}),
    )
    ida_tree.image_path(root, broken).write_bytes(b"<html>not found</html>")
    cohort = gather(root)
    found = reasons(cohort)
    assert found.pop("9000").startswith("unreadable header")
    assert found == {
        **dict.fromkeys(["900001", "900002", "900003", "900009", "82012"], ""),
        "900004": "another tracer (AV45)",
        "900005": "no stage (collection CSV Group is Patient)",
        "900006": "no stage: no table lists the group of this scan",
        "900007": "SMC is neither NC nor MCI (--smc keep counts it as NC)",
        "82013": "later visit (baseline is used)",
    }
    stages = {"1": "NC", "2": "MCI", "3": "AD", "8": "NC", "9": "AD"}
    assert cohort.stage_of_subject == {
        f"999_S_900{n}": stage for n, stage in stages.items()
    }
    assert "processing levels" in cohort.warnings[0]
    assert repr(cohort) == "<Cohort: 11 found, 5 used>"
    assert "11 found, 5 used, 6 skipped" in cohort._repr_html_()
    assert "999_S" not in cohort._repr_html_()

    only = gather(root, Selection(levels=["averaged"]))
    assert reasons(only)["900001"] == "another level (uniform_8mm)"
    assert not any("processing levels" in line for line in only.warnings)
    other = gather(root, Selection(tracer="AV45"))
    assert [d.record.image_id for d in other.used] == ["900004"]
    kept = gather(root, Selection(smc="keep"))
    assert kept.stage_of_subject["999_S_9007"] == "NC"


def test_no_scan_to_use_gives_reasons_and_counts(tmp_path):
    root = write(tmp_path, *(ida_tree.row(n, "Patient") for n in (1, 2)))
    cohort = survey(root)
    assert (len(cohort.decisions), cohort.used, cohort.warnings) == (2, [], ())
    assert cohort.phantom
    with pytest.raises(ValueError, match=r"2 x no stage .* pet-dcgan scan"):
        gather(root)


def test_reasons_from_pixels_change_counts_and_strata(tmp_path):
    rows = [
        ida_tree.visit(1, "bl", "CN"),
        ida_tree.visit(1, "m12", "AD"),
        ida_tree.visit(2, "bl", "AD"),
    ]
    cohort = gather(write(tmp_path, *rows), Selection(visits="all"))
    assert cohort.stage_of_subject == {"999_S_9001": "NC", "999_S_9002": "AD"}
    cohort = cohort.with_reasons({"12012": "constant", "22012": "truncated"})
    assert cohort.stage_of_subject == {"999_S_9001": "AD"}
    assert cohort.summary()["constant"]["NC"] == 1
    again = cohort.with_reasons({"12012": "something else"})
    assert reasons(again) == reasons(cohort)


@pytest.mark.parametrize(
    ("subjects", "phantom"),
    [(["999_S_1", "999_S_2"], True), (["999_S_1", "998_S_1"], False)],
)
def test_phantom_only_when_all_are(subjects, phantom):
    cohort = Cohort(tuple(verdict(subject=subject) for subject in subjects))
    assert cohort.phantom == phantom


def test_all_visits_each_with_its_own_label(tmp_path):
    """And each subject in the stratum of its earliest scan."""
    rows = [
        ida_tree.visit(n, v) for n in range(1, 10) for v in ("m24", "bl", "m12")
    ]
    exams = [
        dxsum_row(n, f"{year}-05-20", DIAGNOSIS=str(code))
        for n in range(1, 10)
        for year, code in ((2012, 1 + n % 3), (2013, 3), (2014, 2))
    ]
    table = adni_tables.write(tmp_path / "D.csv", *exams)
    selection = Selection(visits="all", diagnosis=[table])
    cohort = gather(write(tmp_path, *rows), selection)
    assert [d.record.visit for d in cohort.used] == ["bl", "m12", "m24"] * 9
    assert [d.stage for d in cohort.used][:3] == ["MCI", "AD", "MCI"]
    # by the stage of the last scans there would be seven to train
    split_of = assign_splits(cohort.stage_of_subject)
    assert Counter(split_of.values()) == dict.fromkeys(SPLITS, 3)


def test_tables_given_label_and_reject(tmp_path):
    """Also an image that no row of the collection lists."""
    root = write(tmp_path, *(ida_tree.row(n, "CN") for n in (1, 2, 3)))
    collection = next(root.rglob("*.csv"))
    lines = collection.read_text().splitlines(keepends=True)
    collection.write_text("".join(lines[:-1]))
    assert reasons(survey(root))["900003"] == "not in the collection CSV"
    diagnoses = adni_tables.write(
        tmp_path / "M.csv",
        adnimerge_row(1, DX="Dementia"),
        adnimerge_row(2, DX="Dementia", date="2013-05-05"),
        adnimerge_row(3, DX="MCI"),
    )
    cohort = gather(root, Selection(diagnosis=[diagnoses]))
    assert cohort.label_sources == {"M.csv (ADNIMERGE)": 2}
    assert "labels: 2 by M.csv (ADNIMERGE)" in cohort._repr_html_()
    assert cohort.stage_of_subject == {"999_S_9001": "AD", "999_S_9003": "MCI"}
    assert cohort.used[0].label_source == (
        "ADNIMERGE; collection CSV Group says CN"
    )
    assert reasons(cohort)["900002"] == (
        "no diagnosis within 180 days: the nearest in ADNIMERGE is 365 days "
        "away"
    )
    assert any("tables disagree" in line for line in cohort.warnings)
    year = Selection(diagnosis=[diagnoses], label_days=365)
    assert len(gather(root, year).used) == 3

    grade = {"RID": "9001", "EXAMDATE": "2012-05-05", "PASS": "0"}
    quality = adni_tables.write(tmp_path / "Q.csv", grade)
    both = Selection(diagnosis=[diagnoses], label_days=365, qc=[quality])
    found = reasons(survey(root, both))
    assert found["900001"] == "failed quality control: PASS 0 in Q.csv"
    assert found["900002"] == "not in the tables of quality control: Q.csv"
    with pytest.raises(FileNotFoundError, match=r"nowhere\.csv"):
        gather(root, Selection(qc=[tmp_path / "nowhere.csv"]))


def test_no_table_of_groups_says_what_is_expected(tmp_path):
    root = write(tmp_path, ida_tree.row(1, "AD"))
    next(root.glob("*.csv")).unlink()
    with pytest.raises(ValueError, match="expected an IDA collection CSV"):
        gather(root)


# --- how a cohort is shown ----------------------------------------------------


def test_an_account_has_a_row_for_every_file(tmp_path):
    name = os.fsdecode(b"M\xfcller.nii")
    paths = (Path("/a/f1.nii"), Path("/b", name))
    table = Cohort((verdict(1, paths=paths),)).account(Path("/a"))
    assert tuple(table.columns) == COLUMNS
    assert list(table["path"]) == ["f1.nii", r"/b/M\xfcller.nii"]
    assert list(table["used"]) == [True, True]
    assert list(table.iloc[0])[1:] == [
        *("999_S_9001", "900001", "bl", "2012-05-05", "", ""),
        *("FDG", "uniform_8mm", "AD", "DXSUM", True, ""),
    ]
    assert tuple(Cohort(()).account().columns) == COLUMNS
    known = dataclasses.replace(verdict(1).record, age=71.25, sex="F")
    verdicts = (dataclasses.replace(verdict(1), record=known), verdict(2))
    people = Cohort(verdicts).account()
    assert list(people["age"]) == ["71.25", ""]
    assert list(people["sex"]) == ["F", ""]
    assert printable("Fälle/データ.nii") == "Fälle/データ.nii"


def test_counts_by_reason_and_stage():
    scans = (
        verdict(1),
        verdict(2, "NC", "no diagnosis: 200 days away"),
        verdict(3, "", "no diagnosis: 300 days away"),
    )
    assert Cohort(scans).summary() == {
        "used": {"AD": 1},
        "no diagnosis": {"NC": 1, "?": 1},
    }
    assert Cohort(()).summary() == {}


def test_a_card_counts_by_stage_and_escapes_what_users_wrote():
    counts = {"used": Counter(NC=1, AD=2), "<b>odd</b>" * 9: Counter("?")}
    shown = cohort_card(counts, ["<i>a</i>"], phantom=True)
    assert "4 found, 3 used, 1 skipped" in shown
    used = shown[shown.index(">used<") :].split("</tr>")[0]
    assert re.findall("<td>(.*?)<", used) == ["1", "0", "2", "0", "3"]
    assert "Phantom" in shown
    assert "&lt;b&gt;odd&lt;/b&gt;" * 9 in shown
    assert "&lt;i&gt;a" in shown
    assert "<b>odd" not in shown
    plain = cohort_card({}, [], phantom=False)
    assert "0 found" in plain
    assert "Phantom" not in plain


def lines(*used, stages=("NC", "MCI", "AD"), **options):
    people = dict(enumerate(stages))
    return warnings_of(used, Selection(**options), people)


@pytest.mark.parametrize(
    ("used", "options", "words"),
    [
        (
            [verdict(1), verdict(2), verdict(3, "NC", level="averaged")],
            {},
            r"2 uniform_8mm, 1 averaged\): .* --level uniform_8mm$",
        ),
        (
            [verdict(1), verdict(2, label_source="DXSUM; other says MCI")],
            {},
            "disagree on the stage of 1 of the 2 scans used",
        ),
        (
            [verdict(1, visit="m12"), verdict(2, visit="sc"), verdict(3)],
            {},
            "^1 of the 3 subjects have no baseline scan",
        ),
        ([verdict(1)], {"stages": ("NC",)}, "earliest scan is AD: the split"),
        *(
            (
                [verdict(1, label_source=source), verdict(2)],
                {"visits": "all"},
                "^1 scan is labelled with the group at enrolment",
            )
            for source in ("collection CSV Group", "participants.tsv")
        ),
    ],
)
def test_one_warning(used, options, words):
    (line,) = lines(*used, **options)
    assert "\n" not in line
    assert re.search(words, line)


def test_no_warning():
    assert lines(verdict(1), verdict(2, visit="v11")) == []
    assert lines(verdict(1, label_source="XML DX Group")) == []
    assert lines(verdict(1, label_source="sessions.tsv"), visits="all") == []
    assert lines(verdict(1, visit="m12"), visits="all") == []


def test_warnings_name_tables_that_were_overlooked(tmp_path):
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
    (tmp_path / "M.CSV").rename(tmp_path / "M.tsv")
    assert warnings_of_tables(walk(tmp_path), selection, [])[0] == (
        found[0].replace("M.CSV", "M.tsv")
    )


def test_warnings_of_odd_tables(tmp_path):
    """Rows that contradict themselves, and a cell that Python cannot read."""
    row = dxsum_row(DIAGNOSIS="1", DXCHANGE="3")
    path = adni_tables.write(tmp_path / "elsewhere" / "D.csv", row)
    root = tmp_path / "scans"
    head = "Image Data ID,Subject,Group\nI1,999_S_0001,CN\n"
    ida_tree.put(root, **{"a.csv": head.encode()})
    (line,) = warnings_of_tables(
        walk(root), Selection(), [read_diagnosis(path)]
    )
    assert line.startswith("1 rows of D.csv name two stages")
    (root / "b.csv").write_text(head + "I2,999_S_0002," + "x" * 200_000)
    (line,) = warnings_of_tables(walk(root), Selection(), [])
    assert line.startswith("b.csv cannot be read to its end (field larger")
    assert line.endswith("download it again")
