"""The criteria for scans, and the label that each scan gets."""

import datetime
import json
import pickle
from pathlib import Path

import pytest
from adni_tables import record

from tfds_adni import Selection
from tfds_adni.cohort.labels import SMC_DROPPED, UNLABELLED, diagnose
from tfds_adni.sources import Label
from tfds_adni.sources.record import LEVELS
from tfds_adni.tables import DiagnosisTable, Exam


def test_defaults_are_those_of_the_paper():
    assert Selection().facts() == {
        "tracer": "FDG",
        "visits": "baseline",
        "smc": "drop",
        "levels": list(LEVELS),
        "label_days": 180,
        "diagnosis": [],
        "qc": [],
        "stage": "",
        "stage_words": {},
        "date_order": "",
        "assume_tracer": "",
        "desc": None,
        "space": None,
    }


def test_facts_are_json_and_name_no_folder():
    selection = Selection(diagnosis=["/home/someone/DXSUM.csv"], qc=["a/Q.csv"])
    facts = json.loads(json.dumps(selection.facts()))
    assert (facts["diagnosis"], facts["qc"]) == (["DXSUM.csv"], ["Q.csv"])


def test_equal_hashable_and_picklable():
    selection = Selection(levels=["raw"], qc=["Q.csv"])
    assert selection == Selection(levels=("raw",), qc=(Path("Q.csv"),))
    assert hash(selection) == hash(pickle.loads(pickle.dumps(selection)))


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("tracer", "fdg", r"tracer to be one of .*FDG.* found 'fdg'"),
        ("visits", "first", "baseline, all, found 'first'"),
        ("smc", "", "drop, keep, found ''"),
        ("levels", ["8mm"], "each level to be one of uniform_8mm"),
        ("levels", [], "at least one level .* found none"),
        ("levels", ["raw", "raw"], "each only once, found raw, raw"),
        ("levels", "raw", "list of levels, found 'raw'"),
        ("diagnosis", Path("D.csv"), "list of diagnosis, found 'D.csv'"),
        ("label_days", -1, "label_days of at least 0, found -1"),
        ("label_days", 1.5, "found 1.5"),
        ("label_days", True, "found True"),
        ("stage", "CN", "expected stage to be one of .*NC, MCI, AD, found"),
        ("stage_words", {"x": "CN"}, "each stage word's stage to be one of NC"),
        ("assume_tracer", "fdg", "assume_tracer to be one of .*found 'fdg'"),
    ],
)
def test_options_that_make_no_sense(option, value, words):
    with pytest.raises(ValueError, match=words) as caught:
        Selection(**{option: value})
    assert "\n" not in str(caught.value)


# --- the label of a scan ------------------------------------------------------

DAY = datetime.date(2012, 5, 5)
CSV, XML, TSV = "collection CSV Group", "XML DX Group", "participants.tsv"


def table(source, *stages, days=0, smc=(), subject="9001", visits=("m0",)):
    """A table with a row so many days after the scan for each stage."""
    date = DAY + datetime.timedelta(days)
    exams = [Exam(stage, date, visits) for stage in stages]
    name = f"{source}.csv"
    return DiagnosisTable(source, name, {subject: exams}, frozenset(smc))


def labelled(*pairs, **known):
    labels = tuple(Label(text, source) for source, text in pairs)
    return record(labels=labels, **known)


@pytest.mark.parametrize(
    ("labels", "stage", "source"),
    [
        ([(CSV, "CN")], "NC", CSV),
        ([(CSV, "Dementia")], "AD", CSV),
        # the first that names a stage
        ([(XML, "Patient"), (TSV, "LMCI"), (CSV, "MCI")], "MCI", TSV),
        (
            [("sessions.tsv", "AD"), (TSV, "MCI"), (CSV, "Dementia")],
            "AD",
            f"sessions.tsv; {TSV} says MCI",
        ),
        (
            [(XML, "AD"), (CSV, "CN"), (CSV, "AD")],
            "AD",
            f"{XML}; {CSV} says CN",
        ),
        # rows of one table
        ([(CSV, "EMCI"), (CSV, "LMCI")], "MCI", CSV),
    ],
)
def test_labels_of_the_download(labels, stage, source):
    assert diagnose(labelled(*labels)) == (stage, source, "")


def test_words_and_a_stage_that_are_given():
    scan = labelled((TSV, "patient"), (CSV, "CN"))
    words = {"Patient ": "AD"}
    assert diagnose(scan, words=words) == ("AD", f"{TSV}; {CSV} says CN", "")
    assert diagnose(scan, stage="MCI") == ("MCI", f"--stage; {CSV} says CN", "")
    assert diagnose(labelled(), stage="NC") == ("NC", "--stage", "")
    told = diagnose(record(1), [table("DXSUM", "AD")], stage="NC")
    assert told == ("NC", "--stage; DXSUM says AD", "")
    concern = labelled((TSV, "SMC"))
    assert diagnose(concern, words={"smc": "MCI"}) == ("MCI", TSV, "")


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        (
            [(CSV, "CN"), (CSV, "LMCI"), (CSV, "SMC")],
            "rows of one image contradict each other: collection CSV Group "
            "says CN and LMCI and SMC",
        ),
        ([], UNLABELLED),
        # a cell in a reason is one short line
        (
            [(CSV, "line\nbreak " * 20)],
            f"no stage ({CSV} is {'line break ' * 3}line br)",
        ),
    ],
)
def test_downloads_without_a_label(labels, reason):
    assert diagnose(labelled(*labels)) == ("", "", reason)


@pytest.mark.parametrize(
    ("group", "tables", "stage", "source"),
    [
        # DXSUM goes before ADNIMERGE, and both before the group
        (
            "CN",
            [table("ADNIMERGE", "MCI"), table("DXSUM", "AD", days=100)],
            "AD",
            f"DXSUM; ADNIMERGE says MCI; {CSV} says CN",
        ),
        ("AD", [table("ADNIMERGE", "MCI")], "MCI", f"ADNIMERGE; {CSV} says AD"),
        ("LMCI", [table("ADNIMERGE", "MCI")], "MCI", "ADNIMERGE"),
        # several files of one table
        (
            "MCI",
            [table("DXSUM", "AD", days=90), table("DXSUM", "MCI", days=-9)],
            "MCI",
            "DXSUM",
        ),
        # beyond the limit the next table counts
        (
            "MCI",
            [table("DXSUM", "AD", days=181), table("ADNIMERGE", "MCI")],
            "MCI",
            "ADNIMERGE",
        ),
        # no longer SMC
        ("SMC", [table("DXSUM", "MCI")], "MCI", "DXSUM"),
    ],
)
def test_labels_of_tables(group, tables, stage, source):
    assert diagnose(record(1, group), tables) == (stage, source, "")


@pytest.mark.parametrize(
    ("known", "words"),
    [
        (table("DXSUM", "AD", subject="9002"), "of this subject: none in DX"),
        (table("DXSUM", "AD", "NC"), "contradict each other: DXSUM says AD"),
        (
            table("DXSUM", "AD", days=181),
            "no diagnosis within 180 days: the nearest in DXSUM is 181 days",
        ),
    ],
)
def test_why_a_table_does_not_label(known, words):
    """The group at enrolment does not take its place."""
    stage, _, reason = diagnose(record(1, "AD"), [known])
    assert stage == ""
    assert words in reason


def test_label_days_are_inclusive():
    far = table("DXSUM", "AD", days=181)
    assert diagnose(record(1), [far], label_days=181)[0] == "AD"


def test_scan_without_a_date_by_visit_code():
    tables = [table("DXSUM", "AD", visits=("m12", "v11"))]
    undated = record(1, date="", visit="M012")
    assert diagnose(undated, tables) == ("AD", "DXSUM", "")
    _, _, reason = diagnose(record(1, date="", visit="sc"), tables)
    assert reason.startswith("no diagnosis of this visit: DXSUM")


@pytest.mark.parametrize(
    ("scan", "tables"),
    [
        (record(1, "SMC"), []),
        (labelled(("sessions.tsv", "CN"), (TSV, "SMC")), []),
        (record(1, "SMC"), [table("DXSUM", "NC")]),
        (
            record(1, "CN"),
            [table("DXSUM", "NC"), table("ADNIMERGE", smc=["9001"])],
        ),
    ],
)
def test_smc_is_dropped_or_kept_as_nc(scan, tables):
    assert diagnose(scan, tables) == ("", "", SMC_DROPPED)
    stage, source, _ = diagnose(scan, tables, smc="keep")
    assert stage == "NC"
    assert "says" not in source
