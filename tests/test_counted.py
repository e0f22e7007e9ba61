import pytest

from pet_dcgan.cli.console import _SCAN_WARNINGS
from tfds_adni.cohort.counted import counted


@pytest.mark.parametrize(
    ("several", "one"),
    [
        ("1 scans have frames", "1 scan has frames"),
        ("1 more scans were skipped", "1 more scan was skipped"),
        ("in 1 scans a few voxels", "in 1 scan a few voxels"),
        ("AD of 1 scans, which", "AD of 1 scan, which"),
    ],
)
def test_one_is_singular(several, one):
    assert counted(several) == one
    assert counted(several.replace("1", "21")) == several.replace("1", "21")


@pytest.mark.parametrize("text", ["0.1 scans", "1,001 scans are", "11 rows"])
def test_other_numbers_that_end_in_1_are_several(text):
    assert counted(text) == text


@pytest.mark.parametrize("words", _SCAN_WARNINGS.values())
def test_no_warning_of_a_prepared_set_speaks_of_1_scans(words):
    found = counted(words.format(count=1, kind="slices"))
    assert "1 scans" not in found
    assert "1 scan " in found.replace(" more", "")
