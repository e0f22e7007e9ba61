"""Several people whose DICOM an anonymiser made alike."""

import pytest
from ida_tree import row, write_csv

from tfds_adni import Selection, survey
from tfds_adni.sources import read_folder
from tfds_adni.sources.dicom import conversion
from tfds_adni.volumes.reading import Reading
from tfds_adni.volumes.volume import load_volume

pydicom = pytest.importorskip("pydicom", reason="needs the extra dicom")
pytestmark = pytest.mark.skipif(
    not conversion.find_program(), reason="needs the extra dicom"
)

from toy_dicom import agent, brain, write_series  # noqa: E402

SHAPE = (12, 12, 10)


@pytest.fixture
def read(tmp_path):
    """`read()`: the folder of scans."""
    return lambda: read_folder(
        tmp_path / "scans", dicom_cache=tmp_path / "cache"
    )


@pytest.mark.parametrize(
    ("folders", "patients"),
    [
        (("P1", "P2"), ("P1", "P2")),
        (("all", "all"), ("P1", "P2")),
        (("sub-01", "sub-02"), ("ANON", "ANON")),
        (("sub-01/pet", "sub-02/pet"), ("", "")),
    ],
)
def test_one_uid_of_two_people_is_two_scans(tmp_path, read, folders, patients):
    truths = [brain(SHAPE, seed) for seed in (1, 2)]
    for number in (0, 1):
        write_series(
            tmp_path / "scans" / folders[number],
            truths[number],
            name=f"{number}_{{}}.dcm",
            PatientID=patients[number],
            SeriesInstanceUID="1.2.3.4",
        )
    records = read().records
    assert [len(record.paths) for record in records] == [10, 10]
    assert len({record.subject for record in records}) == 2
    assert len({record.image_id for record in records}) == 2
    for record, truth in zip(records, truths, strict=True):
        assert load_volume(record.images).data == pytest.approx(truth, abs=1)
    cohort = survey(
        tmp_path / "scans",
        Selection(stage="NC"),
        reading=Reading(dicom_cache=tmp_path / "cache"),
    )
    copies = [d.reason for d in cohort.decisions if "copy" in d.reason]
    assert copies == []


def test_labels_that_lost_a_character_stay_apart(tmp_path, read):
    for number, patient in enumerate(("A/B", "A_B", "A:B")):
        folder = tmp_path / f"scans/{number}"
        write_series(folder, brain(SHAPE, number), PatientID=patient)
    subjects = {record.subject for record in read().records}
    assert len(subjects) == 3
    assert "sub-A_B" in subjects
    assert all(name.startswith("sub-A_B") for name in subjects)


def test_one_patient_id_in_several_folders_is_told(tmp_path, read):
    for number in (1, 2):
        write_series(
            tmp_path / f"scans/export/person{number}/pet",
            brain(SHAPE, number),
            PatientID="ANON",
        )
    found = read()
    assert {record.subject for record in found.records} == {"sub-ANON"}
    (note,) = [note for note in found.notes if "PatientID" in note]
    assert note.startswith(
        "the PatientID ANON is in 2 folders (person1, person2), which are "
        "taken for one subject"
    )


@pytest.mark.parametrize("folder", ["P7/study{}", "sub-7/{}", "{}/P7"])
def test_folders_that_name_the_patient_are_no_surprise(tmp_path, read, folder):
    for number in (1, 2):
        place = tmp_path / "scans" / folder.format(number)
        write_series(place, brain(SHAPE, number), PatientID="P7")
    assert not any("PatientID" in note for note in read().notes)


def test_series_without_a_time_of_injection_are_counted(tmp_path, read):
    item = agent(RadiopharmaceuticalStartTime="")
    write_series(
        tmp_path / "scans/sub-01",
        [brain(SHAPE)] * 2,
        RadiopharmaceuticalInformationSequence=[item],
    )
    write_series(tmp_path / "scans/sub-02", brain(SHAPE))
    found = read()
    assert [r.timing.relative for r in found.records] == [True, False]
    assert any(
        note.startswith("1 of 2 DICOM series lack the time of injection")
        for note in found.notes
    )


def test_series_that_name_no_correction_are_counted(tmp_path, read):
    write_series(tmp_path / "scans/sub-01", brain(SHAPE), CorrectedImage=None)
    write_series(tmp_path / "scans/sub-02", brain(SHAPE))
    notes = read().notes
    assert any(note.startswith("1 of 2 DICOM series do not") for note in notes)


def _archive(root, number, date):
    """One image of the IDA in DICOM outside its time's folder."""
    subject = f"999_S_900{number}"
    name = (
        f"ADNI_{subject}_PT_PT_br_raw_20130506101112131_{{}}_S1_I{number}.dcm"
    )
    write_series(
        root / f"ADNI/{subject}/PT/x/I{number}",
        brain(SHAPE, number),
        name=name,
        PatientID=subject,
        AcquisitionDate=date,
    )


def _table(root, *dates):
    rows = [
        row(n, "AD", **{"Acq Date": date, "Image Data ID": f"I{n}"})
        for n, date in enumerate(dates, start=1)
    ]
    write_csv(root, rows)


def test_headers_decide_the_order_of_a_table_s_dates(tmp_path, read):
    for number, date in ((1, "20120605"), (2, "20120807")):
        _archive(tmp_path / "scans", number, date)
    _table(tmp_path / "scans", "5/6/2012", "7/8/2012", "1/2/2012")
    found = read()
    assert [r.date for r in found.records] == ["2012-06-05", "2012-08-07"]
    assert not any("date" in note for note in found.notes)


def test_a_header_goes_before_a_table_that_contradicts_it(tmp_path, read):
    _archive(tmp_path / "scans", 1, "20120605")
    _table(tmp_path / "scans", "2013-05-06")
    found = read()
    assert found.records[0].date == "2012-06-05"
    (note,) = [note for note in found.notes if "several dates" in note]
    assert "2012-06-05 by its DICOM header, 2013-05-06 by a table" in note


def test_an_anonymiser_s_date_in_a_header_is_none(tmp_path, read):
    _archive(tmp_path / "scans", 1, "19000101")
    _table(tmp_path / "scans", "2013-05-06")
    found = read()
    assert found.records[0].date == "2013-05-06"
    assert not any("several dates" in note for note in found.notes)
