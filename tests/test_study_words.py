import pytest
from study_summary import make_summary

from pet_dcgan.study.report import conclusions


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-0.1, 0.2, "whether they help cannot be told"),
        (0.01, 0.1, "they helped"),
        (-0.2, -0.1, "they harmed"),
    ],
)
def test_a_gain_is_called_what_its_interval_allows(low, high, verdict):
    lines = conclusions(make_summary(low=low, high=high))
    gains = [line for line in lines if "adding synthetic" in line]
    assert len(gains) == 2 * 3
    assert all(line.endswith(f": {verdict}.") for line in gains)
    assert "+0.050 (95 % interval" in gains[0]


def test_too_few_subjects_are_told_instead_of_an_interval():
    lines = conclusions(make_summary(low=None, high=None))
    assert any("+0.050; an interval needs 8 or more" in line for line in lines)


def test_arms_and_the_share_of_the_signal():
    text = " ".join(conclusions(make_summary()))
    assert "25 % of the training subjects (1 NC, 1 AD): AUC real 0.800" in text
    assert "At 25 % synthetic images alone kept 81 %" in text
    assert "At 100 % synthetic images alone" not in text
    assert "9 held-out subjects" in text


def test_phantoms_parts_and_controls_are_called_so():
    whole = conclusions(make_summary(phantom=False))
    assert not any("Phantom" in line or "Partial" in line for line in whole)
    summary = make_summary(complete=False)
    summary["settings"]["shuffle_labels"] = True
    lines = conclusions(summary)
    assert lines[0].startswith("Phantom")
    assert lines[1].startswith("Partial: 7 of 16")
    assert lines[2].startswith("Control")


def test_a_study_without_answers_still_speaks():
    empty = make_summary(arms=[], differences=[], kept_signal=[])
    assert len(conclusions(empty)) == 2
