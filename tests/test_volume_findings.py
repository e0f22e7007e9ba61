"""Findings about volumes: which numbers are good, and which are not."""

import pytest

from pet_dcgan.evaluation import volume_findings as findings


def number(value, spread=0.05):
    return {"value": value, "interval": [value - spread, value + spread]}


def roughness(between=1.0, **axes):
    found = {name: number(axes.get(name, 1.0)) for name in "xyz"}
    return {"roughness": {"ratio": number(between), "axes_ratio": found}}


def diversity(ratio):
    means = {kind: {"mean": 0.1} for kind in ("synthetic", "real")}
    return {"diversity": means | {"ratio": ratio}}


def regions(error=0.01, half=0.02, spread=1.0, off=0.0):
    found = {
        "error": {
            "synthetic": number(error, 0.001),
            "real": {"value": half},
        },
        "spread": number(spread),
        "difference": {
            "left insula": number(0.01, 0.005),
            "pons": number(off, 0.005),
        },
    }
    return {"regions": found}


@pytest.mark.parametrize(
    ("ratio", "sign", "words"),
    [
        (1.0, "good", "as real ones"),
        (1.5, "caution", "slices flicker"),
        (2.5, "bad", "slices flicker"),
        (0.7, "caution", "slices are smeared"),
        (0.4, "bad", "slices are smeared"),
    ],
)
def test_slices_flicker_or_are_smeared(ratio, sign, words):
    found = findings.slices(roughness(between=ratio))
    assert found[0] == sign
    assert words in found[1]
    assert f"{ratio:.2f} times" in found[1]


def test_texture_names_the_axis_that_is_worst():
    assert findings.texture(roughness())[0] == "good"
    sign, words = findings.texture(roughness(x=0.75, y=0.45, z=0.9))
    assert sign == "bad"
    assert words.endswith("x 0.75, y 0.45, z 0.90: too smooth along y.")
    sign, words = findings.texture(roughness(z=1.6))
    assert sign == "caution"
    assert words.endswith(": noise along z.")


def test_a_wide_interval_is_not_enough_evidence():
    cell = roughness()
    cell["roughness"]["ratio"] = {"value": 1.1, "interval": [0.3, 2.5]}
    assert findings.slices(cell)[0] == "unknown"
    cell["roughness"]["ratio"] = {"value": 1.1, "interval": None}
    assert findings.slices(cell)[0] == "unknown"


def test_real_volumes_that_do_not_vary_tell_nothing():
    nothing = {"value": None, "interval": None}
    cell = roughness()
    cell["roughness"]["ratio"] = nothing
    assert findings.slices(cell)[0] == "unknown"
    cell["roughness"]["axes_ratio"]["z"] = nothing
    assert findings.texture(cell)[0] == "unknown"


@pytest.mark.parametrize(
    ("ratio", "sign"),
    [
        (number(1.0), "good"),
        (number(1.4), "good"),
        (number(0.7), "caution"),
        (number(0.3), "bad"),
        ({"value": 0.9, "interval": None}, "unknown"),
        ({"value": None, "interval": None}, "unknown"),
    ],
)
def test_volumes_that_are_too_alike(ratio, sign):
    assert findings.variety(diversity(ratio))[0] == sign


@pytest.mark.parametrize(
    ("options", "sign", "words"),
    [
        ({}, "good", "most in left insula: +0.010 SUVR"),
        ({"error": 0.03}, "caution", "halves of the real subjects by 0.020"),
        ({"error": 0.05}, "bad", "off by 0.050 SUVR"),
        ({"half": None}, "unknown", "too few real subjects to halve"),
        ({"spread": 0.5}, "caution", "they spread 0.50 times as much"),
        ({"spread": 0.3}, "bad", "they spread 0.30 times as much"),
        ({"off": -0.08}, "caution", "most in pons: -0.080 SUVR"),
        ({"off": 0.2}, "bad", "most in pons: +0.200 SUVR"),
    ],
)
def test_regional_uptake(options, sign, words):
    found = findings.uptake(regions(**options))
    assert found[0] == sign
    assert words in found[1]


def test_coverage_needs_other_real_volumes():
    numbers = {"synthetic": number(0.6), "real": None}
    found = {"features": {"trained": {"coverage": numbers}}}
    sign, words = findings.coverage(found)
    assert sign == "unknown"
    assert "too few held-out subjects" in words
