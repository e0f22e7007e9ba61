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
    ("group", "stage"),
    [("CN", "NC"), ("Normal", "NC"), ("EMCI", "MCI"), ("Dementia", "AD")],
)
def test_label_of_the_download(group, stage):
    found = diagnose(record(1, group))
    assert found == Diagnosis(stage, "collection CSV Group")


def test_first_label_that_names_a_stage():
    scan = labelled(
        ("XML DX Group", "Patient"),
        ("participants.tsv", "LMCI"),
        ("collection CSV Group", "MCI"),
    )
    assert diagnose(scan) == Diagnosis("MCI", "participants.tsv")


def test_labels_that_disagree_are_named():
    scan = labelled(
        ("sessions.tsv", "AD"),
        ("participants.tsv", "MCI"),
        ("collection CSV Group", "Dementia"),
    )
    assert diagnose(scan) == Diagnosis(
        "AD", "sessions.tsv; participants.tsv says MCI"
    )


def test_rows_of_one_table_that_disagree_label_nothing():
    source = "collection CSV Group"
    scan = labelled((source, "CN"), (source, "LMCI"), (source, "SMC"))
    assert diagnose(scan) == Diagnosis(
        reason="rows of one image contradict each other: collection CSV "
        "Group says CN and LMCI and SMC"
    )
    halves = labelled((source, "EMCI"), (source, "LMCI"))
    assert diagnose(halves) == Diagnosis("MCI", source)
    above = labelled(("XML DX Group", "AD"), (source, "CN"), (source, "AD"))
    assert diagnose(above).stage == "AD"


def test_no_label():
    assert diagnose(record(1)) == Diagnosis(reason=UNLABELLED)
    assert diagnose(record(1, "Patient")) == Diagnosis(
        reason="no stage (collection CSV Group is Patient)"
    )


def test_a_cell_in_a_reason_is_one_short_line():
    reason = diagnose(record(1, "line\nbreak " * 20)).reason
    assert "\n" not in reason
    assert len(reason) < 80


def test_dxsum_goes_before_adnimerge_and_both_before_the_group():
    tables = [table("ADNIMERGE", "MCI"), table("DXSUM", "AD", days=100)]
    assert diagnose(record(1, "CN"), tables) == Diagnosis(
        "AD", "DXSUM; ADNIMERGE says MCI; collection CSV Group says CN"
    )
    assert diagnose(record(1, "AD"), tables[:1]) == Diagnosis(
        "MCI", "ADNIMERGE; collection CSV Group says AD"
    )
    assert diagnose(record(1, "LMCI"), tables[:1]).source == "ADNIMERGE"


def test_several_files_of_a_table_are_one():
    tables = [table("DXSUM", "AD", days=90), table("DXSUM", "MCI", days=-9)]
    assert diagnose(record(1), tables).stage == "MCI"


def test_beyond_the_limit_the_group_is_no_way_out():
    far = [table("DXSUM", "AD", days=181)]
    assert diagnose(record(1, "AD"), far) == Diagnosis(
        reason="no diagnosis within 180 days: the nearest in DXSUM is 181 days "
        "away"
    )
    assert diagnose(record(1, "AD"), far, label_days=181).stage == "AD"


def test_next_table_where_the_first_is_too_far():
    tables = [table("DXSUM", "AD", days=300), table("ADNIMERGE", "MCI")]
    assert diagnose(record(1), tables) == Diagnosis("MCI", "ADNIMERGE")


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ([table("DXSUM", "AD", subject="9002")], "of this subject: none in DX"),
        ([table("DXSUM", "AD", "NC")], "contradict each other: DXSUM says AD"),
    ],
)
def test_why_a_table_does_not_label(tables, words):
    assert words in diagnose(record(1, "AD"), tables).reason


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
        (labelled(("sessions.tsv", "CN"), ("participants.tsv", "SMC")), []),
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


def test_who_was_enrolled_as_smc_and_has_mci_is_mci():
    scan, tables = record(1, "SMC"), [table("DXSUM", "MCI")]
    assert diagnose(scan, tables) == Diagnosis("MCI", "DXSUM")
