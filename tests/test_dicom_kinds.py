"""What DICOM series show: uptake, or something else that is refused."""

import pytest

from tfds_adni.sources import read_folder
from tfds_adni.sources.dicom import conversion
from tfds_adni.sources.dicom.elements import number_of

pydicom = pytest.importorskip("pydicom", reason="needs the extra dicom")
pytestmark = pytest.mark.skipif(
    not conversion.find_program(), reason="needs the extra dicom"
)

from toy_dicom import agent, brain, write_series  # noqa: E402

SMALL = brain((8, 8, 6))


@pytest.fixture
def read(tmp_path):
    """`read(folder, **elements)`: the record of one series."""

    def record(folder="series", **elements):
        write_series(tmp_path / "scans" / folder, SMALL, **elements)
        (one,) = read_folder(
            tmp_path / "scans", dicom_cache=tmp_path / "cache"
        ).records
        return one

    return record


@pytest.mark.parametrize(
    ("elements", "reason"),
    [
        ({"SeriesDescription": "PET NAC"}, "not corrected for attenuation"),
        ({"SeriesDescription": "Brain_no-AC"}, "not corrected for attenuation"),
        ({"AttenuationCorrectionMethod": "NONE"}, "not corrected"),
        ({"CorrectedImage": ["DECY"]}, "not corrected"),
        ({"CorrectedImage": None, "SeriesDescription": "NAC"}, "not corrected"),
        ({"ImageType": ["DERIVED", "SECONDARY", "MIP"]}, "no slices of PET"),
        ({"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]}, "no slices"),
        ({"SeriesDescription": "FDG MIP"}, "no uptake"),
        ({"SeriesDescription": "SUVR z-score map"}, "no uptake"),
        ({"SeriesDescription": "Fused PET/CT"}, "no uptake"),
        ({"SeriesDescription": "Transmission scan"}, "no uptake"),
        ({"SeriesDescription": "CTAC_mumap"}, "no uptake"),
        ({"SeriesDescription": "Attenuation Map"}, "no uptake"),
        ({"Units": "1CM"}, "no uptake of a tracer (DICOM Units): attenuation"),
        ({"SeriesType": ["STATIC", "REPROJECTION"]}, "projections"),
    ],
)
def test_what_is_no_uptake_is_refused(read, elements, reason):
    assert read(**elements).problem.startswith(reason)


@pytest.mark.parametrize(
    "elements",
    [
        {"ImageType": ["DERIVED", "PRIMARY"]},
        {"ImageType": ["DERIVED", "SECONDARY", "AVERAGE"]},
        {"SeriesDescription": "BRAIN PET CTAC ACQ 2 Nacional"},
        {"AttenuationCorrectionMethod": "measured, 68Ge transmission"},
        {"CorrectedImage": None},
        {"Units": "CNTS"},
    ],
)
def test_sound_series_are_read(tmp_path, read, elements):
    assert read("sub-01", **elements).problem == ""


@pytest.mark.parametrize(
    ("folder", "name", "words", "tracer", "conflict"),
    [
        ("sub-01/AV45", "Solution", "Head", "AV45", ""),
        ("FDG/sub-01", "Solution", "Head", "FDG", ""),
        ("AV45_study/sub-01/FDG", "FDG", "Head", "FDG", ""),
        ("sub-01/AV45", "FDG", "Head", "AV45", "AV45 and FDG"),
        ("sub-01", "FDOPA", "Head FDG AC", "FDG", "FDG and FDOPA"),
        ("sub-01/FDG", "FDOPA", "Head", "FDG", "FDG and FDOPA"),
        ("sub-01", "FDOPA", "Head", "FDOPA", ""),
        ("sub-01", "Unknown", "Head FDG AC", "FDG", ""),
    ],
)
def test_tracers_of_folders_and_names_that_are_not_listed(
    read, folder, name, words, tracer, conflict
):
    record = read(
        folder,
        SeriesDescription=words,
        RadiopharmaceuticalInformationSequence=[agent(name)],
    )
    assert record.tracer == tracer
    expected = f"two tracers are named: {conflict}" if conflict else ""
    assert record.problem == expected


@pytest.mark.parametrize("date", ["19000101", "18500102", ""])
def test_the_date_of_an_anonymiser_is_none(read, date):
    days = dict.fromkeys(("AcquisitionDate", "SeriesDate", "StudyDate"), date)
    assert read(**days).date == ""


def test_a_number_without_end_is_none():
    header = pydicom.Dataset()
    header.PatientComments = "9" * 5000
    assert number_of(header, "PatientComments") == 0
