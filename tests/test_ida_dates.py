"""Dates in tables and XML files of a download, against its own folders."""

import datetime
import random

import adni_tables
import ida_tree
import pytest
from adni_tables import dxsum_row

from tfds_adni import Selection, survey
from tfds_adni.sources import read_folder
from tfds_adni.tables import DateOrderError

FORMS = {
    "mdy": lambda d: f"{d.month}/{d.day}/{d.year}",
    "dmy": lambda d: f"{d.day}/{d.month}/{d.year}",
}
# What spreadsheets of other countries make of them.
SAVED = FORMS | {
    "iso": lambda d: f"{d} 00:00:00",
    "slashes": lambda d: f"{d:%Y/%m/%d}",
    "dots": lambda d: f"{d.day:02}.{d.month:02}.{d.year}",
    "dashes": lambda d: f"{d.day}-{d.month}-{d.year}",
    "short": lambda d: f"{d.month}/{d.day}/{d.year % 100:02}",
    "day short": lambda d: f"{d.day:02}/{d.month:02}/{d.year % 100:02}",
    "serial": lambda d: str((d - datetime.date(1899, 12, 30)).days),
}


def write(root, days, form=FORMS["mdy"], *, flat=False):
    """A download with a scan for each day, spelt in its table by `form`."""
    rows = []
    for number, day in enumerate(days, start=1):
        row = ida_tree.row(number, "AD", **{"Acq Date": FORMS["mdy"](day)})
        path = ida_tree.image_path(root, row)
        path = root / path.name if flat else path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")  # read by nobody here
        rows.append(row | {"Acq Date": form(day)})
    ida_tree.write_csv(root, rows)
    return root


def dates(folder, **options):
    records = read_folder(folder, **options).records
    return {int(r.image_id) - 900000: r.date for r in records}


def days_up_to(most, seed=0, count=3):
    rng = random.Random(seed)
    return [
        datetime.date(2012, rng.randint(1, 6), rng.randint(7, most))
        for _ in range(count)
    ]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("seed", range(10))
def test_paths_decide_the_order_of_a_small_table(tmp_path, form, seed):
    """The table alone decides nothing; one scan lies outside its folder."""
    days = days_up_to(12, seed)
    root = write(tmp_path, days, FORMS[form])
    moved = next(root.rglob("*_I900001.nii"))
    moved.rename(root / moved.name)
    found = read_folder(root)
    assert found.notes == ()
    assert dates(root) == dict(enumerate(map(str, days), start=1))


def test_dates_that_nothing_decides_are_refused_or_chosen(tmp_path):
    days = days_up_to(12)
    root = write(tmp_path, days, FORMS["dmy"], flat=True)
    with pytest.raises(DateOrderError, match=r"Acq Date in collection.*order"):
        read_folder(root)
    known = dates(root, date_order="dmy")
    assert list(known.values()) == list(map(str, days))
    # nothing depends on a table of other images
    (root / "collection_5_05_2012.csv").write_text(
        "Image Data ID,Subject,Group,Acq Date\nI1,999_S_9001,AD,2/3/2012\n"
    )
    assert set(dates(root).values()) == {""}


def test_xml_files_decide_too(tmp_path):
    days = days_up_to(12)
    root = write(tmp_path, days, FORMS["dmy"], flat=True)
    for number, day in enumerate(days, start=1):
        row = ida_tree.row(number, "AD", **{"Acq Date": FORMS["mdy"](day)})
        ida_tree.write_xml(root, row)
    assert list(dates(root).values()) == list(map(str, days))


def test_the_path_goes_before_a_table_that_contradicts_it(tmp_path):
    days = [datetime.date(2012, 5, day) for day in (14, 20, 25)]
    wrong = dict(zip(days, days[1:] + days[:1], strict=True))
    root = write(tmp_path, days, lambda day: FORMS["mdy"](wrong[day]))
    found = read_folder(root)
    assert [r.date for r in found.records] == list(map(str, days))
    assert found.records[0].remark == (
        "dated 2012-05-14 by its path, 2012-05-20 by a table"
    )
    (note,) = found.notes
    assert note.startswith("3 of 3 scans have several dates, more than a day")
    assert "2012-05-20 by a table" in note


def test_a_day_apart_is_no_contradiction(tmp_path):
    days = [datetime.date(2012, 5, 14)]
    later = datetime.timedelta(1)
    root = write(tmp_path, days, lambda day: FORMS["mdy"](day + later))
    found = read_folder(root)
    assert (found.records[0].date, found.notes) == ("2012-05-14", ())


def test_two_rows_of_one_image_with_two_dates(tmp_path):
    root = write(tmp_path, [datetime.date(2012, 5, 14)], flat=True)
    row = ida_tree.row(1, "AD", **{"Acq Date": "5/20/2012"})
    adni_tables.write(root / "second.csv", row)
    (note,) = read_folder(root).notes
    assert "2012-05-14 and 2012-05-20 by two rows" in note


def test_a_table_whose_dates_are_not_understood(tmp_path):
    days = [datetime.date(2012, 5, 14), datetime.date(2012, 5, 20)]
    root = write(tmp_path, days, lambda day: f"{day.day} mai 2012", flat=True)
    found = read_folder(root)
    assert {r.date for r in found.records} == {""}
    (note,) = found.notes
    assert note.startswith("dates not understood: none of the 2 cells of Acq")
    rows = [dxsum_row(n, VISCODE2="m12", DIAGNOSIS="3") for n in (1, 2)]
    table = adni_tables.write(tmp_path.parent / f"{tmp_path.name}.csv", *rows)
    cohort = survey(root, Selection(diagnosis=[table]))
    assert cohort.decisions[0].reason.endswith("no date that is understood")


def test_the_reason_says_that_a_table_s_dates_were_not_understood(tmp_path):
    root = write(tmp_path / "scans", [datetime.date(2012, 5, 14)])
    row = dxsum_row(1, "14 mai 2012", VISCODE="v9", VISCODE2="", DIAGNOSIS="3")
    table = adni_tables.write(tmp_path / "D.csv", row)
    cohort = survey(root, Selection(diagnosis=[table]))
    assert cohort.decisions[0].reason == (
        "dates not understood: EXAMDATE in D.csv"
    )
    assert any("'14 mai 2012'" in line for line in cohort.warnings)


def test_a_table_of_diagnoses_that_nothing_decides(tmp_path):
    root = write(tmp_path / "scans", [datetime.date(2012, 5, 14)])
    rows = [dxsum_row(n, f"{n}/2/2012", DIAGNOSIS="3") for n in (1, 3)]
    table = adni_tables.write(root / "D.csv", *rows)
    with pytest.raises(DateOrderError) as caught:
        survey(root, Selection(diagnosis=[table]))
    line = str(caught.value)
    assert "EXAMDATE in D.csv" in line
    assert "'1/2/2012' and '3/2/2012'" in line
    assert "--date-order" in line
    chosen = Selection(diagnosis=[table], date_order="mdy", label_days=90)
    assert survey(root, chosen).decisions[0].reason.startswith("no diagnosis w")
    chosen = Selection(diagnosis=[table], date_order="dmy", label_days=105)
    assert survey(root, chosen).decisions[0].stage == "AD"
    # nobody gave it: it is named, and no reason to stop
    (note,) = survey(root).notes
    assert note.startswith("D.csv looks like DXSUM and is not used")


def test_quality_tables_need_an_order_too(tmp_path):
    root = write(tmp_path / "scans", [datetime.date(2012, 5, 14)])
    row = {"RID": "9001", "PASS": "1", "SCANDATE": "14/5/2012"}
    table = adni_tables.write(tmp_path / "Q.csv", row)
    reason = survey(root, Selection(qc=[table])).decisions[0].reason
    assert not reason.startswith("not in the tables")
    adni_tables.write(tmp_path / "Q.csv", row | {"SCANDATE": "4/5/2012"})
    with pytest.raises(DateOrderError, match=r"SCANDATE in Q\.csv"):
        survey(root, Selection(qc=[table]))


def test_another_table_of_the_same_scans_decides(tmp_path):
    days = days_up_to(12)
    root = write(tmp_path, days, FORMS["dmy"], flat=True)
    rows = [ida_tree.row(n, "AD") for n in range(1, 4)]
    rows = [
        row | {"Acq Date": str(day)}
        for row, day in zip(rows, days, strict=True)
    ]
    adni_tables.write(root / "second.csv", *rows[:1])
    found = read_folder(root)
    assert found.notes == ()
    assert list(dates(root).values()) == list(map(str, days))


def test_only_the_scan_whose_date_is_open_is_refused(tmp_path):
    days = [datetime.date(2012, 5, day) for day in (6, 7, 8)]
    forms = dict(zip(days, ("iso", "iso", "dmy"), strict=True))
    root = write(tmp_path, days, lambda day: SAVED[forms[day]](day), flat=True)
    records = read_folder(root).records
    assert [bool(record.problem) for record in records] == [False, False, True]
    assert records[2].problem.startswith("a date that can be read in two ways:")


def test_the_date_of_an_image_that_is_no_pet_stops_nothing(tmp_path):
    days = days_up_to(12)
    root = write(tmp_path, days, FORMS["dmy"], flat=True)
    table = next(root.glob("*.csv"))
    text = table.read_text()
    assert "PET" in text
    table.write_text(text.replace("PET", "MRI"))
    found = read_folder(root)
    assert {r.problem for r in found.records} == {"not PET (MRI)"}
    assert any("--date-order" in note for note in found.notes)


@pytest.mark.parametrize("form", SAVED)
@pytest.mark.parametrize("flat", [False, True])
def test_stages_are_right_or_the_table_is_refused(tmp_path, form, flat):
    """A wrong date would find the diagnosis half a year later, or none."""
    rng = random.Random(form)
    right = 0
    for trial in range(8):
        start = datetime.date(2006, 1, 1)
        days = [
            start + datetime.timedelta(rng.randrange(2500))
            for _ in range(rng.choice((2, 6, 20)))
        ]
        root = write(tmp_path / str(trial), days, SAVED[form], flat=flat)
        exams = [
            dxsum_row(
                number,
                SAVED[form](day + datetime.timedelta(apart)),
                VISCODE=f"x{apart}",
                VISCODE2="",
                DIAGNOSIS=code,
            )
            for number, day in enumerate(days, start=1)
            for apart, code in ((-20, "2"), (150, "3"))
        ]
        table = adni_tables.write(tmp_path / f"D{trial}.csv", *exams)
        try:
            cohort = survey(root, Selection(diagnosis=[table], visits="all"))
        except DateOrderError:
            continue
        right += 1
        assert {d.stage for d in cohort.decisions} == {"MCI"}
        assert sorted(d.record.date for d in cohort.decisions) == sorted(
            map(str, days)
        )
    assert right > 3
