"""DICOM series made with pydicom, through dcm2niix, to scans."""

import random
import shutil

import numpy as np
import pytest
from ida_tree import DESCRIPTION, row, write_csv

from tfds_adni.cohort import survey
from tfds_adni.cohort.selection import Selection
from tfds_adni.sources import read_folder
from tfds_adni.sources.dicom import conversion
from tfds_adni.volumes.reading import Reading
from tfds_adni.volumes.volume import load_volume

pydicom = pytest.importorskip("pydicom", reason="needs the extra dicom")
pytestmark = pytest.mark.skipif(
    not conversion.find_program(), reason="needs the extra dicom"
)

from pydicom.uid import ImplicitVRLittleEndian, RLELossless  # noqa: E402
from toy_dicom import (  # noqa: E402
    AXIAL,
    CORONAL,
    INJECTED,
    SAGITTAL,
    agent,
    brain,
    clock,
    write_series,
)

SPACING = (2.0, 2.5, 3.0)


@pytest.fixture
def scans(tmp_path):
    """`scans(folder="scans")`: the records of a folder, by a cache beside."""

    def read(folder="scans"):
        return list(
            read_folder(
                tmp_path / folder, dicom_cache=tmp_path / "cache"
            ).records
        )

    return read


def load(record):
    return load_volume(record.images, timing=record.timing)


def near(volume, truth):
    return np.abs(volume - truth).max() <= 0.51 * truth.max() / 32000


def test_static_series(tmp_path, scans):
    truth = brain()
    paths = write_series(tmp_path / "scans/PATIENT/STUDY/SERIES", truth)
    (record,) = scans()
    assert record.paths == tuple(paths)
    assert not record.problem
    assert (record.subject, record.date) == ("sub-P-01", "2012-05-05")
    assert (record.sex, record.age) == ("F", 71)
    assert (record.tracer, record.description) == ("FDG", "PET Brain AC")
    assert record.timing.starts == (1800,)
    assert record.timing.durations == (300,)
    volume = load(record)
    assert near(volume.data, truth)
    assert volume.spacing == pytest.approx(SPACING)
    assert volume.affine is not None


@pytest.mark.parametrize("seed", range(12))
def test_any_plane_and_order_give_the_same_volume(tmp_path, scans, seed):
    rng = random.Random(seed)
    truth = brain(seed=seed)
    axes, _ = rng.choice((AXIAL, CORONAL, SAGITTAL))
    frames = rng.choice((1, 3))
    order = list(range(frames * truth.shape[axes[2]]))
    rng.choice((list.reverse, rng.shuffle, lambda order: None))(order)
    write_series(
        tmp_path / "scans",
        [truth] * frames,
        plane=(axes, [rng.random() < 0.5 for _ in axes]),
        order=order,
    )
    (record,) = scans()
    volume = load(record)
    assert near(volume.data, truth)
    assert volume.spacing == pytest.approx(SPACING)
    middle = -(np.array(truth.shape) - 1) / 2 * SPACING
    assert volume.affine[:3, 3] == pytest.approx(middle, abs=0.01)
    assert volume.frames == frames


@pytest.mark.parametrize(
    "elements",
    [
        {},
        # dcm2niix counts from SeriesTime, but never below 0
        {"SeriesTime": clock(INJECTED + 2100)},
        {"AcquisitionTime": clock(INJECTED + 1800)},
        {"FrameReferenceTime": None},
    ],
)
def test_frames_and_their_times(tmp_path, scans, elements):
    truth = brain()
    frames = [truth, 2 * truth, 3 * truth]
    lengths = [300, 300, 600]
    write_series(tmp_path / "scans", frames, lengths=lengths, **elements)
    (record,) = scans()
    assert record.timing.starts == pytest.approx((1800, 2100, 2400), abs=1)
    assert record.timing.durations == (300, 300, 600)
    assert not record.remark
    late = load_volume(
        record.images,
        timing=record.timing,
        reading=Reading(window=(2400, 3000)),
    )
    assert near(late.data, 3 * truth)


def test_without_a_time_of_injection(tmp_path, scans):
    item = agent(RadiopharmaceuticalStartTime="")
    write_series(
        tmp_path / "scans",
        [brain()] * 2,
        RadiopharmaceuticalInformationSequence=[item],
    )
    (record,) = scans()
    assert record.timing.starts == (0, 300)
    assert "injection" in record.remark


def test_injection_before_midnight(tmp_path, scans):
    item = agent(RadiopharmaceuticalStartTime="235000")
    write_series(
        tmp_path / "scans",
        brain(),
        AcquisitionTime="001000",
        RadiopharmaceuticalInformationSequence=[item],
    )
    assert scans()[0].timing.starts == (1200,)


@pytest.mark.parametrize(
    ("item", "description", "tracer", "problem"),
    [
        (agent("Solution"), "FDG Brain", "FDG", ""),
        (agent("Solution"), "Brain", "unknown", ""),
        (agent("Florbetapir"), "Brain", "AV45", ""),
        (agent("F18 THK5351"), "Brain", "F18 THK5351", ""),
        (agent("FDG"), "AV45 Brain", "AV45", "two tracers"),
    ],
)
def test_tracer(tmp_path, scans, item, description, tracer, problem):
    write_series(
        tmp_path / "scans",
        brain(),
        SeriesDescription=description,
        RadiopharmaceuticalInformationSequence=[item],
    )
    (record,) = scans()
    assert record.tracer == tracer
    assert problem in record.problem
    assert bool(problem) == bool(record.problem)


def test_several_series_of_a_folder(tmp_path, scans):
    """As on a disk from a hospital: PET, CT and more under one folder."""
    one, two = brain(seed=1), brain(seed=2)
    folder = tmp_path / "scans/IMAGES"
    write_series(folder, one, name="1_{:03d}", SeriesNumber=3)
    write_series(folder, two, name="2_{:03d}", SeriesNumber=4)
    write_series(folder, one, name="3_{:03d}", Modality="CT")
    write_series(folder, one, name="4_{:03d}", CorrectedImage=["DECY"])
    reprojection = ["STATIC", "REPROJECTION"]
    write_series(folder, one, name="5_{:03d}", SeriesType=reprojection)
    (tmp_path / "scans/DICOMDIR").write_bytes(bytes(128) + b"DICM" + bytes(20))
    records = {record.paths[0].name[0]: record for record in scans()}
    counts = {name: len(record.paths) for name, record in records.items()}
    assert counts == dict.fromkeys("12345", 20) | {"D": 1}
    assert near(load(records["1"]).data, one)
    assert near(load(records["2"]).data, two)
    assert records["1"].image_id < records["2"].image_id
    assert records["3"].problem == "not PET (CT)"
    assert "attenuation" in records["4"].problem
    assert "projections" in records["5"].problem
    assert "no header" in records["D"].problem


def test_series_in_several_folders(tmp_path, scans):
    """Some archives put a number of files into each folder."""
    truth = brain()
    paths = write_series(tmp_path / "scans/0", truth)
    (tmp_path / "scans/1").mkdir()
    for path in paths[7:]:
        path.rename(tmp_path / "scans/1" / path.name)
    shutil.copytree(tmp_path / "scans/1", tmp_path / "copy")
    (record,) = scans()
    assert len(record.paths) == 20
    assert near(load(record).data, truth)
    shutil.copytree(tmp_path / "scans", tmp_path / "scans/again")
    first, second = scans()
    assert (first.rank, second.rank) == (0, 1)
    assert "second copy" in second.copy


def test_archive_of_the_ida(tmp_path, scans):
    truth = brain()
    write_csv(tmp_path / "scans", [row(1, "CN", **{"Acq Date": "5/6/2012"})])
    folder = "ADNI/999_S_9001/PT/2012-05-06_09_08_07.0/I900001"
    name = "ADNI_999_S_9001_PT_PT_br_raw_20120506101112131_{}_S1_I900001.dcm"
    elements = {"PatientID": "999_S_9001", "SeriesDescription": "x"}
    paths = write_series(
        tmp_path / "scans" / folder, truth, name=name, **elements
    )
    (record,) = scans()
    assert (record.image_id, record.subject) == ("900001", "999_S_9001")
    assert (record.date, record.description) == ("2012-05-06", DESCRIPTION)
    assert [label.text for label in record.labels] == ["CN"]
    assert (record.age, record.tracer) == (71, "FDG")
    assert set(record.paths) == set(paths)
    assert near(load(record).data, truth)
    cohort = survey(
        tmp_path / "scans", reading=Reading(dicom_cache=tmp_path / "cache")
    )
    assert [d.stage for d in cohort.used] == ["NC"]
    assert len(cohort.account()) == len(paths)


def test_numbers_of_files_are_no_image_ids(tmp_path, scans):
    truths = [brain(seed=1)[:, :, :8], brain(seed=2)[:, :, :8]]
    for number, truth in enumerate(truths):
        folder = tmp_path / f"scans/PA{number}/SE0"
        paths = write_series(folder, truth, name="I{}", PatientID=f"P{number}")
        assert paths[0].name == "I1"
    records = scans()
    assert [record.subject for record in records] == ["sub-P0", "sub-P1"]
    assert len({record.image_id for record in records}) == 2
    for record, truth in zip(records, truths, strict=True):
        assert near(load(record).data, truth)


@pytest.mark.parametrize("syntax", ["implicit", "RLE"])
def test_other_transfer_syntaxes(tmp_path, scans, syntax):
    for path in write_series(tmp_path / "scans", brain()):
        file = pydicom.dcmread(path)
        if syntax == "RLE":
            file.compress(RLELossless)
        else:
            file.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
        file.save_as(path)
    assert near(load(scans()[0]).data, brain())


def test_another_subject_in_the_headers(tmp_path, scans):
    folder = tmp_path / "scans/999_S_9001/I900001"
    write_series(folder, brain(), PatientID="999_S_9002")
    assert "two subjects" in scans()[0].problem


def test_one_stage_and_no_table(tmp_path):
    for number in (1, 2):
        folder = tmp_path / f"scans/{number}"
        write_series(folder, brain(seed=number), PatientID=f"P{number}")
    cohort = survey(
        tmp_path / "scans",
        Selection(stage="NC"),
        reading=Reading(dicom_cache=tmp_path / "cache"),
    )
    assert {d.stage for d in cohort.used} == {"NC"}
    assert [d.record.subject for d in cohort.used] == ["sub-P1", "sub-P2"]
    assert any("2 series converted" in note for note in cohort.notes)


def test_in_a_bids_folder_the_nifti_files_are_read(tmp_path, scans):
    (tmp_path / "scans/sub-01/pet").mkdir(parents=True)
    (tmp_path / "scans/sub-01/pet/sub-01_trc-FDG_pet.nii").write_bytes(b"x")
    write_series(tmp_path / "scans/sourcedata", brain())
    problems = [record.problem for record in scans()]
    assert sum("dcm2niix" in problem for problem in problems) == 1
    assert not (tmp_path / "cache").exists()
