"""Whether a conditional generator obeys, in words."""

import pytest

from pet_dcgan.evaluation import conditional_findings as module
from pet_dcgan.evaluation import findings


def number(value, half=0.02):
    return {"value": value, "interval": [value - half, value + half]}


def accuracy(synthetic, real, half=0.02):
    return {
        "missing": None,
        "chance": 0.333333,
        "accuracy": {
            "synthetic": number(synthetic, half),
            "real": number(real, half),
        },
    }


@pytest.mark.parametrize(
    ("synthetic", "real", "sign", "words"),
    [
        (0.58, 0.60, "good", "in 58% [56%, 60%] of the synthetic images"),
        (0.34, 0.60, "bad", "stage is ignored: do not use these images"),
        (0.45, 0.60, "caution", "differ less than they should"),
        (0.75, 0.60, "caution", "drawn clearer than real ones"),
        (0.99, 0.60, "bad", "caricatures"),
        (0.99, 0.97, "good", "of held-out real ones in 97%"),
        (0.34, 0.34, "unknown", "cannot tell the stages of real images"),
        (0.99, 0.34, "bad", "caricatures, or copies"),
    ],
)
def test_stage(synthetic, real, sign, words):
    found = module.stage(accuracy(synthetic, real))
    assert found[0] == sign
    assert words in found[1]


@pytest.mark.parametrize("synthetic", [0.34, 0.75])
def test_a_difference_that_may_be_chance_neither_passes_nor_fails(synthetic):
    found = accuracy(synthetic, 0.6, half=0.02)
    found["accuracy"]["real"]["interval"] = [0.4, 0.8]
    found["accuracy"]["synthetic"]["interval"] = [0.3, 0.9]
    assert module.stage(found)[0] == "caution"


def test_a_stage_that_may_be_ignored_does_not_pass():
    found = accuracy(0.58, 0.6)
    found["accuracy"]["synthetic"]["interval"] = [0.35, 0.81]
    assert module.stage(found)[0] == "unknown"


def test_stage_without_evidence():
    few = accuracy(0.6, 0.6)
    few["accuracy"]["real"]["interval"] = None
    assert module.stage(few)[0] == "unknown"
    nobody = accuracy(0.6, 0.6) | {"missing": "nobody"}
    nobody["accuracy"]["real"] = None
    sign, words = module.stage(nobody)
    assert sign == "unknown"
    assert "Not measured: nobody." in words


def at(synthetic, real=2.0, unrelated=12.0):
    return {
        "missing": None,
        "error_mm": {
            "synthetic": number(synthetic, 0.2),
            "real": real and number(real, 0.2),
        },
        "unrelated_mm": unrelated,
    }


@pytest.mark.parametrize(
    ("found", "sign", "words"),
    [
        (at(2.4), "good", "Images lie 2.4 mm [2.2, 2.6]"),
        (at(4.5), "caution", "held-out real ones 2.0 mm"),
        (at(11.5), "bad", "position is ignored: do not use these images"),
        (at(4.5, real=4.0), "good", "real ones 4.0 mm"),
        (at(11.5, real=10.0), "unknown", "cannot read real ones either"),
        (at(2.0, real=None), "unknown", "no held-out ones"),
    ],
)
def test_position(found, sign, words):
    assert module.position(found)[0] == sign
    assert words in module.position(found)[1]


@pytest.mark.parametrize(
    ("share", "sign"), [(1.0, "good"), (0.8, "caution"), (0.1, "bad")]
)
def test_identity(share, sign):
    numbers = {"stages": ["NC", "AD"], "share": number(share), "chance": 0.02}
    found, words = module.identity(numbers)
    assert found == sign
    assert ("another brain" in words) == (sign == "bad")


def contrast(value, ceiling=0.8, half=0.02, slope=0.6):
    return {
        "missing": None,
        "stages": ["NC", "AD"],
        "share": ceiling and value / ceiling,
        "correlation": {
            "synthetic": number(value, half),
            "real": {"value": ceiling},
        },
        "slope": {
            "synthetic": number(slope),
            "real": {"value": 0.64},
        },
    }


@pytest.mark.parametrize(
    ("found", "sign"),
    [
        (contrast(0.75), "good"),
        (contrast(0.5), "caution"),
        (contrast(0.1), "bad"),
        (contrast(0.75, half=0.5), "unknown"),
        (contrast(0.75, ceiling=None), "unknown"),
        (contrast(0.1, ceiling=0.2), "unknown"),
        (contrast(0.75, slope=0.25), "caution"),
        (contrast(0.75, slope=0.05), "bad"),
        (contrast(0.75, slope=1.6), "caution"),
        (contrast(0.75, slope=3.0), "bad"),
    ],
)
def test_contrast(found, sign):
    assert module.contrast(found)[0] == sign


def test_a_contrast_is_as_strong_as_its_slope_beside_a_perfect_one():
    words = module.contrast(contrast(0.75, slope=0.25))[1]
    assert "is 0.25 [0.23, 0.27] (a perfect model's about 0.64)" in words
    assert words.endswith("weaker than a real one.")
    few = contrast(0.75)
    few["slope"]["synthetic"]["interval"] = None
    assert module.contrast(few)[0] == "unknown"


def cell(ratio, half=0.05):
    return {
        "missing": None,
        "features": {},
        "variety": {"missing": None, "ratio": number(ratio, half)},
    }


@pytest.mark.parametrize(
    ("ratio", "sign"), [(1.0, "good"), (0.7, "caution"), (0.3, "bad")]
)
def test_variety(ratio, sign):
    found, words = module.variety(cell(ratio))
    assert found == sign
    assert f"differ {ratio:.2f} times" in words


def test_the_worst_of_all_stages_is_named_with_its_place():
    planes = {"axial": {"stages": {"NC": cell(1.0), "AD": cell(0.3)}}}
    sign, words = module.of_cells(planes, module.variety)
    assert sign == "bad"
    assert words.startswith("AD axial: ")


def test_a_difference_of_one_of_many_places_may_be_chance():
    kid = number(0.1) | {"p_value": 0.02, "shift": 0.2}
    features = {"trained": {"kid": {"synthetic": kid, "real": None}}}
    assert findings.likeness(features)[0] == "caution"
    sign, words = findings.likeness(features, places=3)
    assert sign == "good"
    assert "p = 0.060 by permuting subjects, times 3 stages" in words


def test_what_is_missing_is_said():
    planes = {"axial": {"contrast": {"missing": "too few"}}}
    found = module.of_planes(planes, "contrast", module.contrast)
    assert found == ("unknown", "Not measured: too few.")
