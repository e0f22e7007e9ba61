"""What an assessment says, and either side of every limit it depends on.

The limits stand here once more, so that one that moves is noticed.
"""

import copy

import pytest

from pet_dcgan.evaluation.assessment import assess, interval_note, limits


def number(value, error=0.0):
    return {"value": value, "standard_error": error}


def both(synthetic, real):
    return {"synthetic": synthetic, "real": real}


# real images are at 0 or 1, so that what is compared is the number itself
FINE = {
    "phantom": False,
    "images": {"held_out": 96},
    "subjects": {"held_out": 12},
    "copies": {
        "verdict": "no sign",
        "words": "No sign of copies: 0 %.",
        "held_out_subjects": 12,
    },
    "features": {
        "trained": {
            "kid": both(number(0.0, 0.6), number(0.0, 0.8)),
            "coverage": both(number(1.0), number(1.0)),
        },
        "random": {"kid": both(number(0.0, 0.6), number(0.0, 0.8))},
    },
    "diversity": both({"mean": 0.0}, {"mean": 0.0}),
    "bands": both(
        {"front": number(0.0), "back": number(0.0)},
        {"front": number(0.0), "back": number(0.0)},
    ),
    "spectrum": {"finest_detail": both(number(0.0), number(0.0))},
}
TRAINED, RANDOM = (f"features.{name}.kid" for name in ("trained", "random"))
COVERAGE, DETAIL = "features.trained.coverage", "spectrum.finest_detail"
ALIKE = "diversity.synthetic.mean"


def changed(*paths_and_values):
    metrics = copy.deepcopy(FINE)
    for path, value in zip(
        paths_and_values[::2], paths_and_values[1::2], strict=True
    ):
        *names, last = path.split(".")
        place = metrics
        for name in names:
            place = place[name]
        place[last] = value
    return metrics


def finding(about, *paths_and_values):
    """Sign and words about one thing; the others are good."""
    found = assess(changed(*paths_and_values))
    signs = {f["about"]: (f["sign"], f["words"]) for f in found["findings"]}
    sign, words = signs.pop(about)
    assert {each for each, _ in signs.values()} == {"good"}
    assert found["sign"] == sign
    if sign == "caution":
        assert about.lower() in found["headline"]
    assert (sign == "bad") == found["headline"].startswith("Do not")
    return sign, words


def test_no_defect():
    found = assess(FINE)
    assert found["sign"] == "good"
    assert found["headline"].startswith("No defect found")
    assert "96 slices of 12 subjects" in found["may"][0]
    words = "copies, likeness, variety, uptake and texture"
    assert words in found["may"][1]
    assert len(found["may"]) == 2
    assert not any("phantom" in line for line in found["may_not"])


@pytest.mark.parametrize("path", [TRAINED, RANDOM])
@pytest.mark.parametrize(
    ("errors", "sign"),
    [
        (1.98, "good"),
        (2.0, "caution"),
        (4.95, "caution"),
        (5.0, "bad"),
        (-9.0, "good"),
    ],
)
def test_standard_errors_of_the_kid(path, errors, sign):
    # the errors of 0.6 and 0.8 come to 1
    found, words = finding("Likeness", f"{path}.synthetic", number(errors, 0.6))
    assert found == sign
    assert ("no difference beyond chance" in words) == (sign == "good")
    if sign != "good":
        assert f"{errors:.1f} standard errors farther" in words


def coverage(synthetic, real):
    return both(number(synthetic), number(real))


@pytest.mark.parametrize(
    ("about", "path", "value", "sign"),
    [
        ("Copies", "copies.verdict", "copies", "bad"),
        ("Copies", "copies.verdict", "suspects", "bad"),
        ("Copies", "copies.verdict", "nearer", "caution"),
        ("Copies", "copies.verdict", "too far to tell", "caution"),
        ("Copies", "copies.verdict", None, "unknown"),
        ("Copies", "copies.held_out_subjects", 8, "good"),
        ("Copies", "copies.held_out_subjects", 7, "unknown"),
        # without an error of its own, a KID has a tiny one
        ("Likeness", TRAINED, both(number(1.98e-12), number(0.0)), "good"),
        ("Likeness", TRAINED, both(number(2.02e-12), number(0.0)), "caution"),
        ("Variety", ALIKE, -0.5, "good"),
        ("Variety", ALIKE, 0.05, "good"),
        ("Variety", ALIKE, 0.0505, "caution"),
        ("Variety", ALIKE, 0.15, "caution"),
        ("Variety", ALIKE, 0.1515, "bad"),
        ("Variety", COVERAGE, coverage(0.7, 1.0), "good"),
        ("Variety", COVERAGE, coverage(0.693, 1.0), "caution"),
        ("Variety", COVERAGE, coverage(0.3, 1.0), "caution"),
        ("Variety", COVERAGE, coverage(0.297, 1.0), "bad"),
        # it is the share of the real coverage that counts
        ("Variety", COVERAGE, coverage(0.35, 0.5), "good"),
        ("Variety", COVERAGE, coverage(0.3465, 0.5), "caution"),
        ("Variety", COVERAGE, coverage(0.0, 0.0), "good"),
        ("Variety", "diversity.real", None, "unknown"),
    ],
)
def test_either_side_of_a_limit(about, path, value, sign):
    assert finding(about, path, value)[0] == sign


@pytest.mark.parametrize("direction", [1, -1])
@pytest.mark.parametrize("region", ["front", "back"])
@pytest.mark.parametrize(
    ("suvr", "sign"),
    [(0.05, "good"), (0.0505, "caution"), (0.15, "caution"), (0.1515, "bad")],
)
def test_how_far_the_uptake_of_a_region_is_off(direction, region, suvr, sign):
    bias = number(direction * suvr)
    found, words = finding("Uptake", f"bands.synthetic.{region}", bias)
    assert found == sign
    assert f"in the {region} band: {direction * suvr:+.3f} SUVR" in words


@pytest.mark.parametrize(
    ("real", "synthetic", "sign"),
    [
        (0.0, 0.01, "good"),
        (0.0, 0.0101, "caution"),
        (0.0, 0.05, "caution"),
        (0.0, 0.0505, "bad"),
        # too smooth
        (0.02, 0.01, "good"),
        (0.02, 0.0099, "caution"),
        # where real images have next to none themselves
        (0.0101, 0.0, "caution"),
        (0.01, 0.0, "good"),
    ],
)
def test_how_much_fine_detail_there_is(real, synthetic, sign):
    detail = both(number(synthetic), number(real))
    found, words = finding("Texture", DETAIL, detail)
    assert found == sign
    assert ("too smooth" in words) == (sign != "good" and real > 0)
    assert ("Noise" in words) == (sign != "good" and real == 0)


def test_what_could_not_be_measured():
    no_features = {"trained": {"missing": "few"}}
    found = finding("Likeness", "features", no_features)
    assert found == ("unknown", "few.")
    no_others = (f"{TRAINED}.real", None, f"{RANDOM}.real", None)
    sign, words = finding("Likeness", *no_others)
    assert (sign, "No validation images" in words) == ("unknown", True)
    sign, words = finding("Uptake", "bands.real", None)
    assert (sign, "real images:" in words) == ("good", False)


def test_copies_come_before_anything_else_and_two_defects_are_both_named():
    path = "bands.synthetic.front"
    found = assess(changed("copies.verdict", "copies", path, number(0.5)))
    assert found["headline"].startswith("Do not share these images: some are")
    found = assess(changed("copies.verdict", "suspects", path, number(0.5)))
    assert "before you have looked at those suspected" in found["headline"]
    found = assess(changed(ALIKE, 0.9, path, number(0.5)))
    assert "variety and uptake" in found["headline"]
    assert "wrong with variety and uptake" in found["may"][2]


def test_phantoms_say_nothing_about_patients():
    found = assess(changed("phantom", True))
    assert "phantom" in found["may_not"][0]
    assert "phantom ones" in found["may"][0]


@pytest.mark.parametrize("missing", [None, "they need 8 subjects"])
def test_limits_and_intervals_in_words(missing):
    metrics = {
        "intervals": {"level": 0.95, "missing": missing},
        "subjects": {"held_out": 2},
        "missing": {"real_pairs": missing, "real_samples": None},
    }
    words = interval_note(metrics)
    assert "95%" in words
    assert ("No 95%" in words) == ("they need 8" in words) == bool(missing)
    lines = limits(metrics)
    assert "of 2 subjects" in lines[0]
    assert (lines[-1] == f"Not measured: {missing}.") == bool(missing)
