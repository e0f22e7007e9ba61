"""A folder's scans and the decision on each, from its tables to its account."""

import os
from collections import Counter
from pathlib import Path

import adni_tables
import ida_tree
import pytest
from adni_tables import adnimerge_row, dxsum_row, verdict

from tfds_adni.cohort import COLUMNS, Cohort, Selection, gather, survey
from tfds_adni.cohort.splits import SPLITS, assign_splits


def reasons(cohort):
    return {d.record.image_id: d.reason for d in cohort.decisions}


def write(tmp_path, *rows):
    return ida_tree.write_tree(tmp_path / "scans", list(rows))


def test_every_scan_has_a_stage_or_a_reason(tmp_path):
    amyloid = "AV45 Co-registered, Averaged"
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
    )
    cohort = gather(root)
    assert reasons(cohort) == {
        **dict.fromkeys(["900001", "900002", "900003", "82012"], ""),
        "900004": "another tracer (AV45)",
        "900005": "no stage (collection CSV Group is Patient)",
        "900006": "no stage: no table tells the group of this scan",
        "900007": "SMC is neither NC nor MCI (--smc keep counts it as NC)",
        "82013": "later visit (baseline is used)",
    }
    stages = {"1": "NC", "2": "MCI", "3": "AD", "8": "NC"}
    assert cohort.stage_of_subject == {
        f"999_S_900{n}": stage for n, stage in stages.items()
    }
    assert "processing levels" in cohort.warnings[0]
    assert repr(cohort) == "<Cohort: 9 found, 4 used>"
    assert "9 found, 4 used, 5 skipped" in cohort._repr_html_()
    assert "999_S" not in cohort._repr_html_()

    only = gather(root, Selection(levels=["averaged"]))
    assert reasons(only)["900001"] == "another level (uniform_8mm)"
    assert not any("processing levels" in line for line in only.warnings)
    other = gather(root, Selection(tracer="AV45"))
    assert [d.record.image_id for d in other.used] == ["900004"]
    kept = gather(root, Selection(smc="keep"))
    assert kept.stage_of_subject["999_S_9007"] == "NC"


def test_unreadable_scan_is_skipped_and_the_next_visit_used(tmp_path):
    bad = ida_tree.row(1, "AD", **{"Acq Date": "5/5/2011"})
    good = ida_tree.row(1, "AD", **{"Image Data ID": "I8"})
    root = write(tmp_path, bad, good)
    ida_tree.image_path(root, bad).write_bytes(b"<html>not found</html>")
    cohort = gather(root)
    assert cohort.used[0].record.image_id == "8"
    assert reasons(cohort)["900001"].startswith("unreadable header")


def test_nothing_left_gives_reasons_and_counts(tmp_path):
    patients = [ida_tree.row(n, "Patient") for n in (1, 2)]
    root = write(tmp_path, *patients)
    cohort = survey(root)
    assert (len(cohort.decisions), cohort.used, cohort.warnings) == (2, [], ())
    assert not cohort.phantom
    with pytest.raises(ValueError, match=r"2 x no stage .* pet-dcgan scan"):
        gather(root)


def test_reasons_from_pixels_join_the_others(tmp_path):
    root = write(tmp_path, ida_tree.row(1, "AD"), ida_tree.row(2, "AD"))
    cohort = gather(root).with_reasons({"900001": "constant volume"})
    assert list(cohort.stage_of_subject) == ["999_S_9002"]
    assert cohort.summary()["constant volume"]["AD"] == 1
    again = cohort.with_reasons({"900001": "something else"})
    assert reasons(again) == {"900001": "constant volume", "900002": ""}


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


def test_a_scan_that_its_pixels_drop_no_longer_stratifies(tmp_path):
    rows = [ida_tree.visit(1, "bl", "CN"), ida_tree.visit(1, "m12", "AD")]
    cohort = gather(write(tmp_path, *rows), Selection(visits="all"))
    assert cohort.stage_of_subject == {"999_S_9001": "NC"}
    assert cohort.with_reasons({"12012": "constant"}).stage_of_subject == {
        "999_S_9001": "AD"
    }


def test_label_of_a_table_and_of_those_that_disagree(tmp_path):
    root = write(tmp_path, ida_tree.row(1, "CN"), ida_tree.row(2, "AD"))
    table = adni_tables.write(
        tmp_path / "M.csv",
        adnimerge_row(1, DX="Dementia"),
        adnimerge_row(2, DX="Dementia", date="2013-05-05"),
    )
    cohort = gather(root, Selection(diagnosis=[table]))
    (used,) = cohort.used
    assert (used.stage, used.label_source) == (
        "AD",
        "ADNIMERGE; collection CSV Group says CN",
    )
    assert cohort.label_sources() == {"ADNIMERGE": 1}
    assert reasons(cohort)["900002"] == (
        "no diagnosis within 180 days: the nearest in ADNIMERGE is 365 days "
        "away"
    )
    assert any("tables disagree" in line for line in cohort.warnings)
    year = Selection(diagnosis=[table], label_days=365)
    assert len(gather(root, year).used) == 2


def test_an_image_of_no_row_is_used_where_a_table_labels_it(tmp_path):
    root = write(tmp_path, ida_tree.row(1, "AD"), ida_tree.row(2, "CN"))
    collection = next(root.rglob("*.csv"))
    lines = collection.read_text().splitlines(keepends=True)
    collection.write_text("".join(lines[:-1]))
    assert reasons(survey(root))["900002"] == "not in the collection CSV"
    table = adni_tables.write(
        tmp_path / "M.csv", adnimerge_row(1), adnimerge_row(2, DX="MCI")
    )
    cohort = gather(root, Selection(diagnosis=[table]))
    assert cohort.stage_of_subject["999_S_9002"] == "MCI"


def test_quality_control(tmp_path):
    root = write(tmp_path, *(ida_tree.row(n, "AD") for n in (1, 2, 3)))
    rows = [
        {"RID": f"900{n}", "EXAMDATE": "2012-05-05", "PASS": grade}
        for n, grade in (("1", "1"), ("2", "0"))
    ]
    table = adni_tables.write(tmp_path / "Q.csv", *rows)
    assert reasons(gather(root, Selection(qc=[table]))) == {
        "900001": "",
        "900002": "failed quality control: PASS 0 in Q.csv",
        "900003": "not in the tables of quality control: Q.csv",
    }
    with pytest.raises(FileNotFoundError, match=r"nowhere\.csv"):
        gather(root, Selection(qc=[tmp_path / "nowhere.csv"]))


def test_no_table_of_groups_says_what_is_expected(tmp_path):
    root = write(tmp_path, ida_tree.row(1, "AD"))
    next(root.glob("*.csv")).unlink()
    with pytest.raises(ValueError, match="expected an IDA collection CSV"):
        gather(root)
    table = adni_tables.write(root / "D.csv", dxsum_row(1, DIAGNOSIS="3"))
    assert len(gather(root, Selection(diagnosis=[table])).used) == 1
    (line,) = survey(root).warnings
    assert line.startswith("D.csv looks like DXSUM")


def test_an_account_has_a_row_for_every_file():
    paths = (Path("/a/f1.nii"), Path("/b/f2.nii"))
    table = Cohort((verdict(1, paths=paths),)).account(Path("/a"))
    assert tuple(table.columns) == COLUMNS
    assert list(table["path"]) == ["f1.nii", "/b/f2.nii"]
    assert list(table["used"]) == [True, True]
    assert list(table.iloc[0])[1:] == [
        *("999_S_9001", "900001", "bl", "2012-05-05", "FDG", "uniform_8mm"),
        *("AD", "DXSUM", True, ""),
    ]


def test_no_scan_is_a_table_with_its_columns():
    cohort = Cohort(())
    assert tuple(cohort.account().columns) == COLUMNS
    assert cohort.summary() == {}
    assert cohort.label_sources() == {}


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


def test_names_that_are_not_utf8_can_be_written(tmp_path):
    name = os.fsdecode(b"M\xfcller.nii")
    scan = verdict(paths=(Path(name),), reason=f"odd {name}")
    Cohort((scan,)).account().to_csv(tmp_path / "scans.csv", index=False)
    text = (tmp_path / "scans.csv").read_text("utf-8")
    assert text.count(r"M\xfcller.nii") == 2
