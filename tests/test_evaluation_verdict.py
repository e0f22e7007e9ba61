import copy

import pytest

from pet_dcgan.evaluation.assessment import verdict


def number(value, error=0.1):
    return {"value": value, "standard_error": error, "interval": None}


FINE = {
    "phantom": False,
    "images": {"held_out": 96},
    "subjects": {"held_out": 12},
    "copies": {"verdict": "no sign", "words": "No sign of copies: 0 %."},
    "features": {
        "trained": {
            "kid": {"synthetic": number(0.2), "real": number(0.1)},
            "coverage": {"synthetic": number(0.8), "real": number(0.9)},
        },
        "random": {"kid": {"synthetic": number(0.1), "real": number(0.1)}},
    },
    "diversity": {"synthetic": {"mean": 0.5}, "real": {"mean": 0.5}},
    "bands": {
        "synthetic": {"front": number(0.01), "back": number(-0.02)},
        "real": {"front": number(0.0), "back": number(0.005)},
    },
    "spectrum": {
        "finest_detail": {"synthetic": number(0.02), "real": number(0.02)}
    },
}


def changed(path, value):
    metrics = copy.deepcopy(FINE)
    *names, last = path.split(".")
    place = metrics
    for name in names:
        place = place[name]
    place[last] = value
    return metrics


def signs(metrics):
    return {f["about"]: f["sign"] for f in verdict(metrics)["findings"]}


def test_no_defect():
    found = verdict(FINE)
    assert found["sign"] == "good"
    assert set(signs(FINE).values()) == {"good"}
    assert found["headline"].startswith("No defect found")
    assert "96 slices of 12 subjects" in found["may"][0]
    words = "copies, likeness, variety, uptake and texture"
    assert words in found["may"][1]
    assert not any("phantom" in line for line in found["may_not"])


@pytest.mark.parametrize(
    ("path", "value", "about", "sign"),
    [
        ("copies.verdict", "copies", "Copies", "bad"),
        ("copies.verdict", "nearer", "Copies", "caution"),
        ("copies.verdict", "too far to tell", "Copies", "caution"),
        ("copies.verdict", None, "Copies", "unknown"),
        ("features.trained.kid.synthetic", number(0.5), "Likeness", "caution"),
        ("features.random.kid.synthetic", number(1.5), "Likeness", "bad"),
        ("features", {"trained": {"missing": "few"}}, "Likeness", "unknown"),
        ("diversity.synthetic.mean", 0.6, "Variety", "caution"),
        ("diversity.synthetic.mean", 0.7, "Variety", "bad"),
        ("diversity.real", None, "Variety", "unknown"),
        (
            "features.trained.coverage.synthetic",
            number(0.4),
            "Variety",
            "caution",
        ),
        ("features.trained.coverage.synthetic", number(0), "Variety", "bad"),
        ("bands.synthetic.back", number(-0.1), "Uptake", "caution"),
        ("bands.synthetic.front", number(0.2), "Uptake", "bad"),
        (
            "spectrum.finest_detail.synthetic",
            number(0.05),
            "Texture",
            "caution",
        ),
        ("spectrum.finest_detail.synthetic", number(0.2), "Texture", "bad"),
        (
            "spectrum.finest_detail.synthetic",
            number(0.005),
            "Texture",
            "caution",
        ),
    ],
)
def test_one_defect_is_the_verdict(path, value, about, sign):
    metrics = changed(path, value)
    found = verdict(metrics)
    expected = dict.fromkeys(signs(FINE), "good") | {about: sign}
    assert signs(metrics) == expected
    assert found["sign"] == sign
    if sign == "caution":
        assert about.lower() in found["headline"]
    if sign == "bad":
        assert found["headline"].startswith("Do not")


def test_copies_are_said_before_anything_else():
    metrics = changed("copies.verdict", "copies")
    metrics["bands"]["synthetic"]["front"] = number(0.5)
    assert verdict(metrics)["headline"].startswith("Do not share these images")


def test_two_defects_are_both_named():
    metrics = changed("bands.synthetic.front", number(0.5))
    metrics["diversity"]["synthetic"]["mean"] = 0.9
    assert "variety and uptake" in verdict(metrics)["headline"]


def test_phantoms_say_nothing_about_patients():
    metrics = changed("phantom", True)
    assert "phantom" in verdict(metrics)["may_not"][0]
    assert "phantom ones" in verdict(metrics)["may"][0]


def test_no_baseline_is_said():
    metrics = changed("bands.real", None)
    metrics["features"]["trained"]["kid"]["real"] = None
    metrics["features"]["random"]["kid"]["real"] = None
    found = {f["about"]: f["words"] for f in verdict(metrics)["findings"]}
    assert "No validation images" in found["Likeness"]
    assert "real images:" not in found["Uptake"]
