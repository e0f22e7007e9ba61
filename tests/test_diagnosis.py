import pytest

from tfds_adni.diagnosis import stage_of_group


@pytest.mark.parametrize(
    ("group", "stage"),
    [
        ("CN", "NC"),
        ("Normal", "NC"),
        (" emci ", "MCI"),
        ("LMCI", "MCI"),
        ("MCI", "MCI"),
        ("AD", "AD"),
        ("Dementia", "AD"),
        ("SMC", None),
        ("Patient", None),
        ("", None),
    ],
)
def test_stage_of_group(group, stage):
    assert stage_of_group(group) == stage
