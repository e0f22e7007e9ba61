"""What an assessment says, and either side of every limit it depends on.

The limits stand here once more, so that one that moves is noticed.
"""

import copy

import pytest

from pet_dcgan.evaluation.assessment import (
    assess,
    assessment_lines,
    interval_note,
    limits,
    next_step,
)


def number(value, low=None, high=None):
    """A number whose interval is all but the number itself, if not given."""
    ends = [value if end is None else end for end in (low, high)]
    return {"value": value, "mean": value, "interval": ends}


def kid(shift, p_value=0.001, high=None):
    """A KID that stands for a shift, and for at most a shift of `high`."""
    ends = shift, shift if high is None else high
    interval = [(1 + end**2) ** 3 - 1 for end in ends]
    return {
        "value": interval[0],
        "interval": interval,
        "shift": shift,
        "p_value": p_value,
    }


def both(synthetic, real):
    return {"synthetic": synthetic, "real": real}


# real images are at 0 or 1, so that what is compared is the number itself
FINE = {
    "phantom": False,
    "stage": "AD",
    "plane": "axial",
    "images": {"held_out": 96},
    "subjects": {"held_out": 12},
    "copies": {
        "verdict": "no sign",
        "words": "No sign of copies: 0 %.",
        "held_out_subjects": 8,
        "suspects": 0,
    },
    "membership": {"auc": number(0.5, 0.3, 0.7), "words": "AUC 0.50."},
    "features": {
        "trained": {
            "kid": both(kid(0.0, 1.0), kid(0.0, 1.0)),
            "coverage": both(number(1.0), number(1.0)),
        },
        "random": {"kid": both(kid(0.0, 1.0), kid(0.0, 1.0))},
    },
    "diversity": both(number(0.0), number(0.0)),
    "regions": {
        "difference": both(
            {"front": number(0.0), "back": number(0.0)},
            {"front": number(0.0), "back": number(0.0)},
        ),
    },
    "spectrum": {"finest_detail": both(number(0.0), number(0.0))},
}
TRAINED, RANDOM = (f"features.{name}.kid" for name in ("trained", "random"))
COVERAGE, DETAIL = "features.trained.coverage", "spectrum.finest_detail"
ALIKE = "diversity.synthetic"


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
    if sign in ("caution", "unknown"):
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
    ("number", "sign"),
    [
        (kid(0.1), "good"),
        (kid(0.101), "caution"),
        (kid(0.3), "caution"),
        (kid(0.301), "bad"),
        # the p-values of two encoders count twice: 0.0249 is 0.0498
        (kid(0.5, 0.0249), "bad"),
        # what may be chance fails nobody, and passes only if it is small
        (kid(0.5, 0.0251), "unknown"),
        (kid(0.2, 0.0251, high=0.3), "good"),
        (kid(0.2, 0.0251, high=0.301), "unknown"),
        (kid(0.2, 0.0251) | {"interval": None}, "unknown"),
        (kid(0.0, 1.0, high=0.301), "unknown"),
    ],
)
def test_size_and_significance_of_the_kid(path, number, sign):
    found, words = finding("Likeness", f"{path}.synthetic", number)
    assert found == sign
    if number["shift"]:
        assert f"shifted by {number['shift']:.2f} SD" in words
        assert f"p = {2 * number['p_value']:.3f}" in words
        assert path.split(".")[1] in words


@pytest.mark.parametrize(
    ("about", "path", "value", "sign"),
    [
        ("Copies", "copies.verdict", "copies", "bad"),
        ("Copies", "copies.verdict", "suspects", "bad"),
        ("Copies", "copies.verdict", "nearer", "caution"),
        ("Copies", "copies.verdict", "too far to tell", "caution"),
        ("Copies", "copies.verdict", None, "unknown"),
        ("Copies", "copies.held_out_subjects", 7, "unknown"),
        ("Copies", "copies.suspects", 1, "unknown"),
        ("Copies", "membership.auc", number(0.9, low=0.5), "good"),
        ("Copies", "membership.auc", number(0.9, low=0.501), "caution"),
        ("Copies", "membership.auc", None, "good"),
        ("Variety", ALIKE, number(-0.5), "good"),
        ("Variety", ALIKE, number(0.05), "good"),
        ("Variety", ALIKE, number(0.0505), "caution"),
        ("Variety", ALIKE, number(0.15), "caution"),
        ("Variety", ALIKE, number(0.1515), "bad"),
        # large, but perhaps by chance; small, but perhaps large
        ("Variety", ALIKE, number(0.5, low=0.05), "caution"),
        ("Variety", ALIKE, number(0.5, low=0.0501), "bad"),
        ("Variety", ALIKE, number(0.0, high=0.15), "good"),
        ("Variety", ALIKE, number(0.0, high=0.151), "unknown"),
        ("Variety", ALIKE, number(0.5) | {"interval": None}, "unknown"),
        ("Variety", COVERAGE, both(number(0.71), number(1.0)), "good"),
        ("Variety", COVERAGE, both(number(0.693), number(1.0)), "caution"),
        ("Variety", COVERAGE, both(number(0.31), number(1.0)), "caution"),
        ("Variety", COVERAGE, both(number(0.297), number(1.0)), "bad"),
        # it is the share of the real coverage that counts
        ("Variety", COVERAGE, both(number(0.36), number(0.5)), "good"),
        ("Variety", COVERAGE, both(number(0.34), number(0.5)), "caution"),
        ("Variety", COVERAGE, both(number(0.0), number(0.0)), "unknown"),
        ("Variety", "diversity.real", None, "unknown"),
    ],
)
def test_either_side_of_a_limit(about, path, value, sign):
    assert finding(about, path, value)[0] == sign


@pytest.mark.parametrize("direction", [1, -1])
@pytest.mark.parametrize("region", ["front", "back"])
@pytest.mark.parametrize(
    ("suvr", "inner", "outer", "sign"),
    [
        (0.05, None, None, "good"),
        (0.0505, None, None, "caution"),
        (0.15, None, None, "caution"),
        (0.1515, None, None, "bad"),
        (0.2, 0.049, 0.3, "caution"),
        (0.01, -0.1, 0.15, "good"),
        (0.01, -0.1, 0.151, "unknown"),
        (0.01, -0.151, 0.1, "unknown"),
    ],
)
def test_how_far_the_uptake_of_a_region_is_off(
    direction, region, suvr, inner, outer, sign
):
    bias = number(direction * suvr)
    if inner is not None:
        ends = direction * inner, direction * outer
        bias["interval"] = sorted(ends)
    found, words = finding(
        "Uptake", f"regions.difference.synthetic.{region}", bias
    )
    assert found == sign
    assert f"in the region {region}: {direction * suvr:+.3f} SUVR" in words


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
    nothing = kid(0.0) | {"p_value": None}
    paths = f"{TRAINED}.synthetic", f"{RANDOM}.synthetic"
    sign, words = finding("Likeness", paths[0], nothing, paths[1], nothing)
    assert (sign, words) == ("unknown", "Too few held-out subjects.")
    sign, words = finding("Uptake", "regions.difference.real", None)
    assert (sign, "real images:" in words) == ("good", False)


@pytest.mark.parametrize("subjects", [1, 2, 7])
def test_nothing_passes_with_few_subjects(subjects):
    found = assess(changed("subjects.held_out", subjects))
    assert {each["sign"] for each in found["findings"]} == {"unknown"}
    assert found["sign"] == "unknown"
    assert found["headline"].startswith("Not enough evidence: it takes 8")
    assert f" {subjects}." in found["headline"]
    assert "nothing wrong" not in " ".join(found["may"])


def test_few_subjects_hide_no_failure():
    few = "subjects.held_out", 7
    found = assess(changed(*few, f"{TRAINED}.synthetic", kid(0.5)))
    assert found["sign"] == "bad"
    assert found["headline"].startswith("Not enough evidence")
    assert found["headline"].endswith("Even so, they fail in likeness.")
    found = assess(changed(*few, "copies.verdict", "suspects"))
    assert found["headline"].startswith("Do not share")


def test_copies_come_before_anything_else_and_two_defects_are_both_named():
    path = "regions.difference.synthetic.front"
    found = assess(changed("copies.verdict", "copies", path, number(0.5)))
    assert found["headline"].startswith("Do not share these images")
    found = assess(changed(ALIKE, number(0.9), path, number(0.5)))
    assert "variety and uptake" in found["headline"]
    assert "wrong with variety and uptake" in found["may"][2]


def test_phantoms_say_nothing_about_patients():
    found = assess(changed("phantom", True))
    assert "phantom" in found["may_not"][0]
    assert "phantom ones" in found["may"][0]


@pytest.mark.parametrize("phantom", [True, False])
def test_a_line_for_each_finding(phantom):
    metrics = changed("phantom", phantom, "copies.verdict", "nearer")
    first, *others = assessment_lines(metrics | {"assessment": assess(metrics)})
    assert first.startswith("Assessment (AD axial")
    assert ("PHANTOM" in first) == phantom
    assert others[0] == "  Copies: check. No sign of copies: 0 %. AUC 0.50."
    assert others[1].startswith("  Likeness: passed. KID 0.000")
    assert len(others) == 5


@pytest.mark.parametrize(
    ("verdict", "allowed"),
    [("no sign", False), (None, False), ("copies", True), ("suspects", True)],
)
def test_the_next_step_is_the_export_unless_there_are_copies(verdict, allowed):
    metrics = changed("copies.verdict", verdict)
    metrics["assessment"] = assess(metrics)
    step = next_step(metrics, "runs/ad")
    assert "pet-dcgan export runs/ad --to export/models" in step
    assert ("--allow-copies" in step) == ("more scans" in step) == allowed


def test_what_failed_or_was_not_evaluated_is_trained_or_prepared_first():
    failed = changed(ALIKE, number(0.9))
    few = changed("subjects.held_out", 7)
    for metrics, words in (
        (FINE, ""),
        (failed, "train longer or on more scans"),
        (few, "prepare more scans"),
    ):
        own = metrics | {"assessment": assess(metrics)}
        step = next_step(own, "run")
        command = "pet-dcgan export run --to export/models"
        assert step.endswith(command)
        assert step.startswith(command) == (not words)
        assert words in step


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
