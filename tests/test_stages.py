import pytest

from tfds_adni.tables.stages import is_smc, stage_of_change, stage_of_group


@pytest.mark.parametrize(
    ("groups", "stage"),
    [
        (["CN", "NL", "Normal"], "NC"),
        ([" emci ", "LMCI", "MCI"], "MCI"),
        (["AD", "Dementia"], "AD"),
        (["SMC", "Patient", ""], None),
    ],
)
def test_stage_of_group(groups, stage):
    assert {stage_of_group(group) for group in groups} == {stage}


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
def test_change_ends_in_a_stage(text, stage):
    assert stage_of_change(text) == stage


def test_smc_is_no_stage():
    assert is_smc(" smc ")
    assert not is_smc("MCI")
