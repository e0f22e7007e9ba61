"""The words for a stage."""

import random

import pytest

from tfds_adni.tables.stages import is_smc, plain_word, stage_of_group


@pytest.mark.parametrize(
    ("words", "stage"),
    [
        ("CN|NC|NL|Normal| hc |CU|control|Controls|Healthy control", "NC"),
        ("Cognitively normal|cognitively_unimpaired|healthy-volunteer", "NC"),
        ("MCI|EMCI|LMCI|aMCI|Mild Cognitive Impairment", "MCI"),
        ("amnestic MCI|non-amnestic MCI|MCI due to AD", "MCI"),
        ("AD|Dementia|AD Dementia|DAT|probable AD|Alzheimer", "AD"),
        ("Alzheimer's disease|Alzheimer\u2019s Disease (AD)", "AD"),
        ("dementia of the Alzheimer type|ALZHEIMERS", "AD"),
        ("SMC|Patient|patients|B|bolus|0|1|n/a||young|FTD|bvFTD", None),
        ("uncertain dementia|0.5 in memory only", None),
        ("DLBD, primary|vascular dementia|not AD|nondemented|SCD", None),
    ],
)
def test_words_that_are_known_and_words_that_are_not(words, stage):
    assert {stage_of_group(word) for word in words.split("|")} == {stage}


def test_case_blanks_and_punctuation_do_not_count():
    rng = random.Random(0)
    marks = (" ", "_", "-", "  ", ".", " - ")
    for words, stage in (
        (("healthy", "control"), "NC"),
        (("mild", "cognitive", "impairment"), "MCI"),
        (("alzheimer's", "disease"), "AD"),
    ):
        for _ in range(50):
            text = rng.choice(marks).join(words)
            text = "".join(rng.choice((c, c.upper())) for c in text)
            assert stage_of_group(f" {text} ") == stage, text


def test_given_words_go_first():
    words = {plain_word("Patient"): "AD", "dementia": "MCI"}
    assert stage_of_group("PATIENT", words) == "AD"
    assert stage_of_group("Dementia", words) == "MCI"
    assert stage_of_group("CN", words) == "NC"


def test_memory_concern_is_no_stage():
    assert [is_smc(group) for group in ("SMC", " smc ", "MCI")] == [1, 1, 0]
