from collections import Counter

import adni_tables
import ida_tree
import pytest
from adni_tables import adnimerge_row, dxsum_row

from tfds_adni.cohort import (
    Cohort,
    gather,
    is_phantom,
    require_used,
    survey,
)
from tfds_adni.cohort.selection import Selection
from tfds_adni.cohort.splits import SPLITS, assign_splits


def reasons(cohort):
    return {v.record.image_id: v.reason for v in cohort.verdicts}


def write(tmp_path, *rows):
    return ida_tree.write_tree(tmp_path / "scans", list(rows))


def test_stage_by_subject(tmp_path):
    rows = [
        ida_tree.row(1, "CN"),
        ida_tree.row(2, "LMCI"),
        ida_tree.row(3, "AD"),
    ]
    cohort = gather(write(tmp_path, *rows))
    assert cohort.stage_of_subject == {
        "999_S_9001": "NC",
        "999_S_9002": "MCI",
        "999_S_9003": "AD",
    }


def test_later_visits_are_skipped(tmp_path):
    later = ida_tree.row(
        1, "AD", **{"Image Data ID": "I800000", "Acq Date": "5/5/2013"}
    )
    cohort = gather(write(tmp_path, later, ida_tree.row(1, "AD")))
    assert reasons(cohort) == {
        "900001": "",
        "800000": "later visit (baseline is used)",
    }


def test_best_level_then_newest_image_of_a_visit(tmp_path):
    def scan(image_id, description):
        cells = {"Image Data ID": image_id, "Description": description}
        return ida_tree.row(1, "AD", **cells)

    cohort = gather(
        write(
            tmp_path,
            scan("I5", ida_tree.DESCRIPTION),
            scan("I6", ida_tree.DESCRIPTION),
            scan("I7", "Co-registered, Averaged"),
        )
    )
    (used,) = cohort.used
    assert used.record.image_id == "6"
    assert reasons(cohort) == {
        "5": "a newer image of the same visit is used",
        "6": "",
        "7": "another level of the same visit is used",
    }


def test_another_tracer_and_unknown_stage_are_skipped(tmp_path):
    cohort = gather(
        write(
            tmp_path,
            ida_tree.row(1, "AD", Description="AV45 Co-registered, Averaged"),
            ida_tree.row(2, "Patient"),
            ida_tree.row(3, ""),
            ida_tree.row(4, "AD"),
        )
    )
    assert reasons(cohort) == {
        "900001": "another tracer (AV45)",
        "900002": "no stage (collection CSV Group is Patient)",
        "900003": "no stage: no table tells the group of this scan",
        "900004": "",
    }


def test_unreadable_scan_is_skipped_and_the_next_visit_used(tmp_path):
    bad = ida_tree.row(1, "AD", **{"Acq Date": "5/5/2011"})
    good = ida_tree.row(1, "AD", **{"Image Data ID": "I8"})
    root = write(tmp_path, bad, good)
    ida_tree.image_path(root, bad).write_bytes(b"<html>not found</html>")
    cohort = gather(root)
    assert cohort.used[0].record.image_id == "8"
    assert reasons(cohort)["900001"].startswith("unreadable header")


def test_nothing_left_gives_reasons_and_counts(tmp_path):
    root = write(
        tmp_path, ida_tree.row(1, "Patient"), ida_tree.row(2, "Patient")
    )
    with pytest.raises(ValueError, match=r"2 x no stage .* pet-dcgan scan"):
        gather(root)


def test_account_has_a_row_for_every_file(tmp_path):
    root = write(tmp_path, ida_tree.row(1, "AD"), ida_tree.row(2, "SMC"))
    account = gather(root).account(root)
    assert list(account["used"]) == [True, False]
    assert list(account["stage"]) == ["AD", ""]
    assert not account["path"].str.startswith("/").any()
    assert len(account) == len(list(root.rglob("*.nii")))


def test_reasons_from_pixels_join_the_account(tmp_path):
    root = write(tmp_path, ida_tree.row(1, "AD"), ida_tree.row(2, "AD"))
    cohort = gather(root).with_reasons({"900001": "constant volume"})
    assert list(cohort.stage_of_subject) == ["999_S_9002"]
    assert cohort.summary()["constant volume"]["AD"] == 1
    again = cohort.with_reasons({"900001": "something else"})
    assert reasons(again) == {"900001": "constant volume", "900002": ""}


def test_phantom_only_when_all_are():
    assert is_phantom(["999_S_9001", "999_S_9002"])
    assert not is_phantom(["999_S_9001", "998_S_0001"])
    assert not is_phantom([])


def visit(number, name, group="CN", **cells):
    """A row of a later visit, a year after the one before."""
    year = {"bl": 2012, "m12": 2013, "m24": 2014}[name]
    known = {
        "Image Data ID": f"I{number}{year}",
        "Visit": name,
        "Acq Date": f"5/5/{year}",
    }
    return ida_tree.row(number, group, **known, **cells)


def test_all_visits_each_with_its_own_label(tmp_path):
    root = write(tmp_path, *(visit(1, v) for v in ("m24", "bl", "m12")))
    table = adni_tables.write(
        tmp_path / "DXSUM_1.csv",
        dxsum_row(1, "2012-05-20", DXCHANGE="1"),
        dxsum_row(1, "2013-05-20", DXCHANGE="4"),
        dxsum_row(1, "2014-05-20", DXCHANGE="5"),
    )
    cohort = gather(root, Selection(visits="all", diagnosis=[table]))
    assert [v.stage for v in cohort.used] == ["NC", "MCI", "AD"]
    assert [v.record.visit for v in cohort.used] == ["bl", "m12", "m24"]
    # one subject, one stratum: that of the earliest scan
    assert cohort.stage_of_subject == {"999_S_9001": "NC"}


def test_a_subject_in_two_stages_is_split_by_the_first(tmp_path):
    rows = [visit(n, v) for n in range(1, 10) for v in ("bl", "m12", "m24")]
    exams = [
        dxsum_row(n, f"{year}-05-05", DIAGNOSIS=str(code))
        for n in range(1, 10)
        for year, code in ((2012, 1 + n % 3), (2013, 3), (2014, 2))
    ]
    table = adni_tables.write(tmp_path / "D.csv", *exams)
    selection = Selection(visits="all", diagnosis=[table])
    cohort = gather(write(tmp_path, *rows), selection)
    split_of = assign_splits(cohort.stage_of_subject)
    # by the stage of the last scans there would be seven to train
    assert Counter(split_of.values()) == dict.fromkeys(SPLITS, 3)
    assert len(cohort.used) == 27


def test_earliest_scan_left_stratifies(tmp_path):
    rows = [visit(1, "bl", "CN"), visit(1, "m12", "AD")]
    cohort = gather(write(tmp_path, *rows), Selection(visits="all"))
    assert cohort.stage_of_subject == {"999_S_9001": "NC"}
    assert cohort.with_reasons({"12012": "constant"}).stage_of_subject == {
        "999_S_9001": "AD"
    }


def test_label_of_a_table_is_told_with_who_says_otherwise(tmp_path):
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
    table = adni_tables.write(
        tmp_path / "Q.csv",
        {"RID": "9001", "EXAMDATE": "2012-05-05", "PASS": "1"},
        {"RID": "9002", "EXAMDATE": "2012-05-05", "PASS": "0"},
    )
    cohort = gather(root, Selection(qc=[table]))
    assert reasons(cohort) == {
        "900001": "",
        "900002": "failed quality control: PASS 0 in Q.csv",
        "900003": "not in the tables of quality control: Q.csv",
    }


def test_other_tracers_and_levels_can_be_asked_for(tmp_path):
    amyloid = "AV45 Co-registered, Averaged"
    root = write(
        tmp_path,
        ida_tree.row(1, "AD", Description=amyloid),
        ida_tree.row(2, "AD"),
        ida_tree.row(3, "AD", Description="Co-registered, Averaged"),
    )
    assert reasons(gather(root, Selection(tracer="AV45"))) == {
        "900001": "",
        "900002": "another tracer (FDG)",
        "900003": "another tracer (FDG)",
    }
    only = gather(root, Selection(levels=["averaged"]))
    assert reasons(only)["900002"] == "another level (uniform_8mm)"
    assert any("processing levels" in w for w in gather(root).warnings)
    assert not any("processing levels" in w for w in only.warnings)


def test_smc_can_be_kept(tmp_path):
    root = write(tmp_path, ida_tree.row(1, "SMC"), ida_tree.row(2, "AD"))
    assert reasons(gather(root))["900001"].startswith("SMC is neither")
    kept = gather(root, Selection(smc="keep"))
    assert kept.stage_of_subject["999_S_9001"] == "NC"


def test_table_that_lies_there_is_named(tmp_path):
    root = write(tmp_path, ida_tree.row(1, "AD"))
    adni_tables.write(root / "DXSUM.csv", dxsum_row())
    (line,) = gather(root).warnings
    assert line.startswith("DXSUM.csv looks like DXSUM")


def test_no_table_of_groups_says_what_is_expected(tmp_path):
    root = write(tmp_path, ida_tree.row(1, "AD"))
    next(root.glob("*.csv")).unlink()
    with pytest.raises(ValueError, match="expected an IDA collection CSV"):
        gather(root)
    table = adni_tables.write(tmp_path / "D.csv", dxsum_row(1, DIAGNOSIS="3"))
    assert len(gather(root, Selection(diagnosis=[table])).used) == 1


def test_survey_tells_even_where_nothing_is_used(tmp_path):
    root = write(tmp_path, ida_tree.row(1, "Patient"))
    cohort = survey(root)
    assert (len(cohort.verdicts), cohort.used) == (1, [])
    assert cohort.warnings == ()
    assert not cohort.phantom
    with pytest.raises(ValueError, match="none to use"):
        require_used(cohort, root)


def test_missing_table(tmp_path):
    root = write(tmp_path, ida_tree.row(1, "AD"))
    with pytest.raises(FileNotFoundError, match=r"nowhere\.csv"):
        gather(root, Selection(qc=[tmp_path / "nowhere.csv"]))


def test_an_empty_cohort_is_one():
    cohort = Cohort(())
    assert cohort.summary() == {}
    assert len(cohort.account()) == 0
    assert cohort.label_sources() == {}
