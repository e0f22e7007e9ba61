import pytest

from tfds_adni.tables.stages import is_smc, stage_of_change, stage_of_group


@pytest.mark.parametrize(
    ("group", "stage"),
    [
        ("CN", "NC"),
        ("NL", "NC"),
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


@pytest.mark.parametrize(
    ("text", "stage"),
    [
        ("Stable: NL", "NC"),
        ("Conversion: MCI to Dementia", "AD"),
        ("Reversion: Dementia to MCI", "MCI"),
        ("NL to MCI", "MCI"),
        ("MCI", "MCI"),
        ("", None),
        ("unsure", None),
    ],
)
def test_a_change_ends_in_a_stage(text, stage):
    assert stage_of_change(text) == stage


def test_smc_is_no_stage():
    assert is_smc(" smc ")
    assert not is_smc("MCI")
