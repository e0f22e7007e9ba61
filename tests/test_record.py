import pytest

from tfds_adni.sources.record import (
    LEVELS,
    date_in,
    description_in,
    image_id_in,
    level_of,
    modality_in,
    subject_in,
    subject_of_label,
    tracer_of,
)
from tfds_adni.sources.tracers import TRACERS, tracer_named

UNIFORM = "Coreg, Avg, Std Img and Vox Siz, Uniform Resolution"
TIME = "2012-05-04_09_08_07.0"
START = "ADNI_999_S_9353_PT_"
END = "_20120506101112131_8_S900036_I900015.nii"
FILE = f"{START}{UNIFORM.replace(' ', '_')}_Br{END}"
FRAME = f"{START}ADNI_Brain_PET__Raw_FDG_br_raw{END}"


@pytest.mark.parametrize(
    ("path", "image_id"),
    [
        (FILE, "900015"),
        (f"I7/{FILE}", "900015"),
        ("I900015/NONAME.nii", "900015"),
        ("I900015/nifti/NONAME.nii", "900015"),
        ("I7_S900036_I900015.nii.gz", "900015"),
        ("wADNI_S900036_I900015.hdr", "900015"),
        ("x_I900015_brain.nii", "900015"),
        ("x_I900015 (1).nii", "900015"),
        ("S900036/NONAME.nii", ""),
        ("I2/subjects/999_S_9001/x.nii", ""),
        ("xI900015.nii", ""),
        ("I900015x/x.nii", ""),
    ],
)
def test_image_id(path, image_id):
    assert image_id_in(path.split("/")) == image_id


@pytest.mark.parametrize(
    ("path", "subject"),
    [
        (FILE, "999_S_9353"),
        ("999_S_9001/x.nii", "999_S_9001"),
        (f"999_S_9001/{FILE}", "999_S_9353"),
        ("999_S_12345/x.nii", "999_S_12345"),
        ("999_S_9001_to_999_S_9002.nii", "999_S_9002"),
        ("999_S_123456/x.nii", ""),
        ("sub-ADNI999S9001_ses-M000_pet.nii", "999_S_9001"),
        ("sub-01/x.nii", "sub-01"),
        ("x.nii", ""),
    ],
)
def test_subject(path, subject):
    assert subject_in(path.split("/")) == subject


def test_subject_of_a_bids_label():
    assert subject_of_label("OAS30001") == "sub-OAS30001"
    assert subject_of_label("sub-ADNI999S90011") == "999_S_90011"


@pytest.mark.parametrize(
    ("path", "description"),
    [
        (FILE, UNIFORM),
        (FRAME, "ADNI Brain PET  Raw FDG"),
        (f"ADNI/999_S_9001/AV45_x/{TIME}/I1/a.nii", "AV45 x"),
        (f"AV45_x/{TIME}/a.nii", "AV45 x"),
        ("AV45_x/I1/a.nii", ""),
        (f"{TIME}/a.nii", ""),
        ("a.nii", ""),
    ],
)
def test_description(path, description):
    assert description_in(path.split("/")) == description


def test_date_is_that_of_the_folder_not_of_the_upload():
    assert date_in(["x", TIME, "I900015", FILE]) == "2012-05-04"
    assert date_in([FILE]) == ""
    assert date_in(["2012-99-04_09_08_07.0", "x.nii"]) == ""


def test_modality_of_the_file():
    assert modality_in(["ADNI_999_S_9001_MR_MPRAGE_Br_2_S1_I1.nii"]) == "MR"
    assert modality_in([FILE]) == ""


@pytest.mark.parametrize(
    ("description", "tracer", "level"),
    [
        (UNIFORM, "FDG", "uniform_8mm"),
        (UNIFORM.replace(" ", "_"), "FDG", "uniform_8mm"),
        (f"AV45 {UNIFORM}", "AV45", "uniform_8mm"),
        ("Coreg, Avg, Std Img, Uniform 6mm Res", "FDG", "uniform_6mm"),
        ("PIB Coreg, Avg, Standardized Image", "PIB", "standardised"),
        ("PT_AV1451_Co-registered,_Averaged", "AV1451", "averaged"),
        ("18F-FMM Coreg  Avg", "FMM", "averaged"),
        ("FBB Co-registered Dynamic", "FBB", "dynamic"),
        ("ADNI Brain PET: Raw FDG", "FDG", "raw"),
        ("ADNI Brain PET: Raw", "FDG", "raw"),
        ("ADNI Brain PET: Raw Tau", "AV1451", "raw"),
        ("MPRAGE, Drawn", "unknown", "unknown"),
        ("", "unknown", "unknown"),
    ],
)
def test_tracer_and_level_of_a_description(description, tracer, level):
    assert tracer_of(description) == tracer
    assert level_of(description) == level


@pytest.mark.parametrize(
    ("texts", "tracer"),
    [
        ("18FFDG|18F-FDG|[18F]FDG|fludeoxyglucose", "FDG"),
        ("Fluorodeoxyglucose F^18^", "FDG"),
        ("18FAV45|Florbetapir", "AV45"),
        ("11CPIB", "PIB"),
        ("18FFBB", "FBB"),
        ("18FAV1451", "AV1451"),
        ("18FFMM", "FMM"),
        ("18FMK6240", "MK6240"),
        ("18FPI2620", "PI2620"),
        ("18FNAV4694", "NAV4694"),
        (" CIMBI-36 ", "CIMBI-36"),
        ("", ""),
    ],
)
def test_tracer_as_bids_and_xml_spell_it(texts, tracer):
    assert {tracer_named(text) for text in texts.split("|")} == {tracer}
    assert tracer not in TRACERS or tracer_named(tracer.lower()) == tracer


def test_levels_are_best_first():
    assert LEVELS[0] == "uniform_8mm"
    assert LEVELS[-2:] == ("raw", "unknown")
