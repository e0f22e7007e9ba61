import datetime

import pytest
from adni_tables import record

from tfds_adni.cohort.diagnosis import (
    SMC_DROPPED,
    UNLABELLED,
    Diagnosis,
    diagnose,
)
from tfds_adni.sources import Label
from tfds_adni.tables import DiagnosisTable, Exam

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
    ("labels", "expected"),
    [
        ([(CSV, "CN")], Diagnosis("NC", CSV)),
        ([(CSV, "Dementia")], Diagnosis("AD", CSV)),
        # the first that names a stage
        (
            [(XML, "Patient"), (TSV, "LMCI"), (CSV, "MCI")],
            Diagnosis("MCI", TSV),
        ),
        (
            [("sessions.tsv", "AD"), (TSV, "MCI"), (CSV, "Dementia")],
            Diagnosis("AD", f"sessions.tsv; {TSV} says MCI"),
        ),
        # rows of one table
        ([(CSV, "EMCI"), (CSV, "LMCI")], Diagnosis("MCI", CSV)),
        (
            [(CSV, "CN"), (CSV, "LMCI"), (CSV, "SMC")],
            Diagnosis(
                reason="rows of one image contradict each other: collection "
                "CSV Group says CN and LMCI and SMC"
            ),
        ),
        (
            [(XML, "AD"), (CSV, "CN"), (CSV, "AD")],
            Diagnosis("AD", f"{XML}; {CSV} says CN"),
        ),
        ([], Diagnosis(reason=UNLABELLED)),
        # a cell in a reason is one short line
        (
            [(CSV, "line\nbreak " * 20)],
            Diagnosis(reason=f"no stage ({CSV} is {'line break ' * 3}line br)"),
        ),
    ],
)
def test_labels_of_the_download(labels, expected):
    assert diagnose(labelled(*labels)) == expected


def test_dxsum_goes_before_adnimerge_and_both_before_the_group():
    tables = [table("ADNIMERGE", "MCI"), table("DXSUM", "AD", days=100)]
    assert diagnose(record(1, "CN"), tables) == Diagnosis(
        "AD", f"DXSUM; ADNIMERGE says MCI; {CSV} says CN"
    )
    assert diagnose(record(1, "AD"), tables[:1]) == Diagnosis(
        "MCI", f"ADNIMERGE; {CSV} says AD"
    )
    assert diagnose(record(1, "LMCI"), tables[:1]).source == "ADNIMERGE"


def test_several_files_of_a_table_are_one():
    tables = [table("DXSUM", "AD", days=90), table("DXSUM", "MCI", days=-9)]
    assert diagnose(record(1), tables).stage == "MCI"


def test_beyond_the_limit_the_group_is_no_way_out_but_the_next_table_is():
    far = [table("DXSUM", "AD", days=181)]
    assert diagnose(record(1, "AD"), far) == Diagnosis(
        reason="no diagnosis within 180 days: the nearest in DXSUM is 181 days "
        "away"
    )
    assert diagnose(record(1, "AD"), far, label_days=181).stage == "AD"
    tables = [*far, table("ADNIMERGE", "MCI")]
    assert diagnose(record(1), tables) == Diagnosis("MCI", "ADNIMERGE")


@pytest.mark.parametrize(
    ("known", "words"),
    [
        (table("DXSUM", "AD", subject="9002"), "of this subject: none in DX"),
        (table("DXSUM", "AD", "NC"), "contradict each other: DXSUM says AD"),
    ],
)
def test_why_a_table_does_not_label(known, words):
    assert words in diagnose(record(1, "AD"), [known]).reason


def test_scan_without_a_date_by_visit_code():
    tables = [table("DXSUM", "AD", visits=("m12", "v11"))]
    undated = record(1, date="", visit="M012")
    assert diagnose(undated, tables).stage == "AD"
    reason = diagnose(record(1, date="", visit="sc"), tables).reason
    assert reason.startswith("no diagnosis of this visit: DXSUM")


@pytest.mark.parametrize(
    ("scan", "tables"),
    [
        (record(1, "SMC"), []),
        (labelled(("sessions.tsv", "CN"), (TSV, "SMC")), []),
        (record(1, "SMC"), [table("DXSUM", "NC")]),
        (record(1), [table("ADNIMERGE", "NC", smc=["9001"])]),
        (
            record(1, "CN"),
            [table("DXSUM", "NC"), table("ADNIMERGE", smc=["9001"])],
        ),
    ],
)
def test_smc_is_dropped_or_kept_as_nc(scan, tables):
    assert diagnose(scan, tables) == Diagnosis(reason=SMC_DROPPED)
    kept = diagnose(scan, tables, smc="keep")
    assert kept.stage == "NC"
    assert "says" not in kept.source


def test_a_subject_enrolled_as_smc_who_has_mci_is_mci():
    scan, tables = record(1, "SMC"), [table("DXSUM", "MCI")]
    assert diagnose(scan, tables) == Diagnosis("MCI", "DXSUM")
