import copy
import dataclasses

import pytest
from test_model_info import FACTS

from pet_dcgan.serving.model_card import has_copies, model_card

NOT_EVALUATED = {"evaluated": False}


@pytest.fixture
def metrics(evaluated):
    return {"evaluated": True, **copy.deepcopy(evaluated[1])}


def card(metrics, *, facts=FACTS, slices=12):
    return model_card(
        facts, version="4", subjects=3, slices=slices, metrics=metrics
    )


def row(text, label):
    """Cells of the only row of that label."""
    lines = [x for x in text.splitlines() if x.startswith(f"| {label} |")]
    assert len(lines) == 1
    return lines[0].strip("| ").split(" | ")


def words(text):
    """Without line ends, which fall where they may."""
    return " ".join(text.replace("\n> ", " ").split())


def test_says_what_it_is_and_is_not(metrics):
    text = card(metrics)
    for part in (
        "# ad: ",
        "| version | 4 |",
        "| training subjects | 3 |",
        "| training slices | 12 |",
        "| preset | demo |",
        "| SUVR | PNG value / 65535 x 2.5 |",
        "| images a request | at most 64 |",
        "**Not for diagnosis",
        "MIT licence",
        "10.1186/s40708-020-00104-2",
    ):
        assert part in text
    assert text.endswith("\n")
    assert not any(line.endswith(" ") for line in text.splitlines())
    assert "\n\n\n" not in text
    prose = [x for x in text.splitlines() if x[:1] not in "|#"]
    assert max(map(len, prose)) < 80


@pytest.mark.parametrize(
    ("reference", "part"),
    [
        ("brain", "mean-scaled: each volume is divided by the mean of its own"),
        ("mask", "each volume is divided by its mean inside a mask"),
        ("none", "as supplied: volumes were not scaled"),
    ],
)
def test_what_suvr_is_a_ratio_to_is_told(metrics, reference, part):
    facts = dataclasses.replace(FACTS, reference=reference)
    (found,) = row(card(metrics, facts=facts), "SUVR reference")[1:]
    assert found.startswith(part)


def test_numbers_have_the_real_ones_beside(metrics):
    text = card(metrics)
    for label, name, digits in (
        ("PSNR, nearest (dB)", "psnr", 2),
        ("SSIM (whole image), nearest", "ssim", 3),
    ):
        cells = [
            f"{metrics[name][kind]['nearest']['mean']:.{digits}f}"
            for kind in ("synthetic", "real")
        ]
        found = row(text, label)
        assert [cell.split(" [")[0] for cell in found[1:3]] == [
            cell.replace("-", "−") for cell in cells
        ]
    assert "| as real | 32.83 dB |" in text
    for part in ("### Variety", "### Intensities and texture", "| KID | "):
        assert part in text
    widths = {
        line.count(" | ")
        for line in text.split("### Variety")[1].splitlines()
        if line.startswith("| ") and line != "| | |"
    }
    assert widths == {3}


def test_intervals_stand_behind_and_missing_numbers_are_a_dash(metrics):
    metrics["ssim"]["synthetic"]["nearest"] |= {
        "mean": 0.25,
        "interval": [-0.1, 0.75],
    }
    metrics["ssim"]["real"] = None
    found = row(card(metrics), "SSIM (whole image), nearest")
    assert found[1:3] == ["0.250 [−0.100, 0.750]", "–"]


def test_verdict_and_what_it_rests_on(metrics):
    text = words(card(metrics))
    assert metrics["assessment"]["headline"] in text
    for finding in metrics["assessment"]["findings"]:
        assert finding["words"] in text
    _, rest = text.split("## What may not be concluded")
    for limit in metrics["assessment"]["may_not"]:
        assert limit in rest.split("## Limits")[0]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"verdict": "copies", "certain": 1}, "are copies of training"),
        ({"verdict": "suspects", "certain": 0}, "are suspected to be copies"),
    ],
)
def test_copies_are_told_of_first(metrics, found, said):
    metrics["copies"] |= found | {"words": "Copies: 12 % are."}
    assert has_copies(metrics)
    text = card(metrics)
    head = text.split("Generator of a DCGAN")[0]
    assert "> **COPIES.** " in head
    assert said in words(head).replace("> ", "")
    assert head.index("COPIES") < head.index("PHANTOM")
    assert "\n## Copies\n\nCopies: 12 % are.\n" in text


@pytest.mark.parametrize("verdict", ["no sign", "nearer", None])
def test_other_verdicts_are_given_in_their_words(metrics, verdict):
    metrics["copies"] |= {
        "verdict": verdict,
        "words": "It was looked for.",
        "certain": 0,
    }
    assert not has_copies(metrics)
    text = card(metrics)
    assert "\n## Copies\n\nIt was looked for.\n" in text
    assert "COPIES" not in text


def test_not_evaluated_and_slices_unknown():
    text = card(NOT_EVALUATED, slices=None)
    assert "## Evaluation\n\nNot evaluated.\n" in text
    assert "## Copies\n\nNot checked.\n" in text
    assert "| training slices | not recorded |" in text
    assert not has_copies(NOT_EVALUATED)


def test_copies_that_were_counted_in_another_way_are_refused(metrics):
    metrics["copies"] = {"verdict": "no sign", "words": "", "twins": 0.0}
    with pytest.raises(KeyError):
        has_copies(metrics)


def test_phantom_and_stage_are_those_of_the_model():
    text = card(NOT_EVALUATED)
    assert "\n> **PHANTOM.**" in text
    assert "at the stage AD." in text
    facts = dataclasses.replace(FACTS, phantom=False, stage="ALL")
    text = card(NOT_EVALUATED, facts=facts)
    assert "PHANTOM" not in text
    assert "| phantom | no |" in text
    assert "# all: " in text
    assert "of all stages together" in words(text)


HOSTILE = (
    "ok\n\n# Approved\n| a | b |\n<script>alert(1)</script><img src=x>"
    " [click](javascript:1) ![x](http://evil.example/p.png)\x1b[2J"
    " <https://evil.example> www.evil.example [a]: x `code`"
)


def tampered(value):
    """All texts and names of entries that can be any text, replaced."""
    if isinstance(value, dict):
        return {name: tampered(each) for name, each in value.items()}
    if isinstance(value, list):
        return [tampered(each) for each in value]
    return HOSTILE if isinstance(value, str) else value


def test_texts_of_others_stay_text(metrics):
    metrics["features"]["x\n# y <b>"] = metrics["features"]["random"]
    plain, text = card(metrics), card(tampered(metrics))
    assert HOSTILE not in text
    for part in ("<script", "</script", "<img", "<b>", "<https", "\x1b"):
        assert part not in text
    for part in ("](", "]:", "://", "www."):
        assert text.count(part) == plain.count(part), part

    def headings(text):
        return [line for line in text.splitlines() if line[:1] == "#"]

    def rows(text):
        return [line for line in text.splitlines() if line[:1] == "|"]

    assert len(headings(text)) == len(headings(plain))
    assert len(rows(text)) == len(rows(plain))


def test_what_evaluate_writes_needs_no_escapes(metrics):
    assert "\\" not in card(metrics)
    assert "&lt;" not in card(metrics)
