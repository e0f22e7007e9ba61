import pytest

from tfds_adni.sources.names import (
    date_in,
    description_in,
    image_id_in,
    modality_in,
    subject_in,
    subject_of_label,
)

UNIFORM = "Coreg,_Avg,_Std_Img_and_Vox_Siz,_Uniform_Resolution"
TIME = "2012-05-04_09_08_07.0"
FILE = (
    f"ADNI_999_S_9353_PT_{UNIFORM}_Br_20120506101112131_8_S900036_I900015.nii"
)
FRAME = (
    "ADNI_999_S_9353_PT_ADNI_Brain_PET__Raw_FDG_br_raw_20120506101112131_8"
    "_S900036_I900015.nii"
)


@pytest.mark.parametrize(
    ("names", "image_id"),
    [
        ([FILE], "900015"),
        (["S900036", FILE], "900015"),
        (["I7", FILE], "900015"),
        (["I900015", "NONAME.nii"], "900015"),
        (["I900015", "nifti", "NONAME.nii"], "900015"),
        (["I900015.nii.gz"], "900015"),
        (["I7_S900036_I900015.nii"], "900015"),
        (["wADNI_S900036_I900015.hdr"], "900015"),
        (["x_I900015_brain.nii"], "900015"),
        (["x_I900015 (1).nii"], "900015"),
        (["S900036", "NONAME.nii"], ""),
        (["I2", "subjects", "999_S_9001", "x.nii"], ""),
        (["xI900015.nii"], ""),
        (["I900015x", "x.nii"], ""),
    ],
)
def test_image_id(names, image_id):
    assert image_id_in(names) == image_id


@pytest.mark.parametrize(
    ("names", "subject"),
    [
        ([FILE], "999_S_9353"),
        (["999_S_9001", "x.nii"], "999_S_9001"),
        (["999_S_9001", FILE], "999_S_9353"),
        (["999_S_12345", "x.nii"], "999_S_12345"),
        (["999_S_9001_to_999_S_9002.nii"], "999_S_9002"),
        (["999_S_123456", "x.nii"], ""),
        (["sub-ADNI999S9001_ses-M000_pet.nii"], "999_S_9001"),
        (["sub-01", "x.nii"], "sub-01"),
        (["x.nii"], ""),
    ],
)
def test_subject(names, subject):
    assert subject_in(names) == subject


def test_bids_labels_of_others_stay():
    assert subject_of_label("OAS30001") == "sub-OAS30001"
    assert subject_of_label("sub-ADNI999S90011") == "999_S_90011"


@pytest.mark.parametrize(
    ("names", "description"),
    [
        ([FILE], "Coreg, Avg, Std Img and Vox Siz, Uniform Resolution"),
        ([FRAME], "ADNI Brain PET  Raw FDG"),
        (["ADNI", "999_S_9001", "AV45_x", TIME, "I1", "a.nii"], "AV45 x"),
        (["AV45_x", TIME, "a.nii"], "AV45 x"),
        (["AV45_x", "I1", "a.nii"], ""),
        ([TIME, "a.nii"], ""),
        (["a.nii"], ""),
    ],
)
def test_description(names, description):
    assert description_in(names) == description


def test_date_is_that_of_the_folder_not_of_the_upload():
    assert date_in(["x", TIME, "I900015", FILE]) == "2012-05-04"
    assert date_in([FILE]) == ""
    assert date_in(["2012-99-04_09_08_07.0", "x.nii"]) == ""


def test_modality_of_the_file():
    assert modality_in(["ADNI_999_S_9001_MR_MPRAGE_Br_2_S1_I1.nii"]) == "MR"
    assert modality_in([FILE]) == ""
