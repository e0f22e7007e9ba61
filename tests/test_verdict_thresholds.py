"""Either side of every number that a verdict turns on.

The numbers stand here once more, so that one that moves is noticed.
"""

import copy

import pytest

from pet_dcgan.evaluation.assessment import verdict


def number(value, error=0.0):
    return {"value": value, "standard_error": error}


def both(synthetic, real):
    return {"synthetic": synthetic, "real": real}


# real images are at 0 or 1, so that what is compared is the number itself
FINE = {
    "phantom": False,
    "images": {"held_out": 96},
    "subjects": {"held_out": 12},
    "copies": {"verdict": "no sign", "words": "No sign of copies: 0 %."},
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


def sign_of(about, *paths_and_values):
    """The finding about one thing; the others are good."""
    found = verdict(changed(*paths_and_values))
    signs = {each["about"]: each["sign"] for each in found["findings"]}
    sign = signs.pop(about)
    assert set(signs.values()) == {"good"}
    assert found["sign"] == sign
    return sign


@pytest.mark.parametrize("encoder", ["trained", "random"])
@pytest.mark.parametrize(
    ("errors", "sign"),
    [
        (1.98, "good"),
        (2.0, "caution"),
        (2.02, "caution"),
        (4.95, "caution"),
        (5.0, "bad"),
        (5.05, "bad"),
        (-9.0, "good"),
    ],
)
def test_standard_errors_of_the_kid(encoder, errors, sign):
    # the errors of 0.6 and 0.8 come to 1
    path = f"features.{encoder}.kid.synthetic"
    assert sign_of("Likeness", path, number(errors, 0.6)) == sign


@pytest.mark.parametrize(
    ("gap", "sign"), [(1.98e-12, "good"), (2.02e-12, "caution")]
)
def test_a_kid_without_an_error_is_held_against_a_tiny_one(gap, sign):
    kid = both(number(gap), number(0.0))
    assert sign_of("Likeness", "features.trained.kid", kid) == sign


@pytest.mark.parametrize(
    ("closer", "sign"),
    [
        (-0.5, "good"),
        (0.0495, "good"),
        (0.05, "good"),
        (0.0505, "caution"),
        (0.1485, "caution"),
        (0.15, "caution"),
        (0.1515, "bad"),
    ],
)
def test_how_much_more_alike_synthetic_images_are(closer, sign):
    assert sign_of("Variety", "diversity.synthetic.mean", closer) == sign


@pytest.mark.parametrize("real", [1.0, 0.5])
@pytest.mark.parametrize(
    ("ratio", "sign"),
    [
        (0.707, "good"),
        (0.7, "good"),
        (0.693, "caution"),
        (0.303, "caution"),
        (0.3, "caution"),
        (0.297, "bad"),
    ],
)
def test_how_much_of_the_real_coverage_there_is(real, ratio, sign):
    coverage = both(number(ratio * real), number(real))
    assert sign_of("Variety", "features.trained.coverage", coverage) == sign


def test_a_real_coverage_of_none_asks_for_none():
    coverage = both(number(0.0), number(0.0))
    assert sign_of("Variety", "features.trained.coverage", coverage) == "good"


@pytest.mark.parametrize("direction", [1, -1])
@pytest.mark.parametrize("band", ["front", "back"])
@pytest.mark.parametrize(
    ("suvr", "sign"),
    [
        (0.0495, "good"),
        (0.05, "good"),
        (0.0505, "caution"),
        (0.1485, "caution"),
        (0.15, "caution"),
        (0.1515, "bad"),
    ],
)
def test_how_far_the_uptake_of_a_band_is_off(direction, band, suvr, sign):
    found = number(direction * suvr)
    assert sign_of("Uptake", f"bands.synthetic.{band}", found) == sign


@pytest.mark.parametrize(
    ("suvr", "sign"),
    [
        (0.0099, "good"),
        (0.01, "good"),
        (0.0101, "caution"),
        (0.0495, "caution"),
        (0.05, "caution"),
        (0.0505, "bad"),
    ],
)
def test_how_much_fine_detail_is_too_much(suvr, sign):
    path = "spectrum.finest_detail.synthetic"
    assert sign_of("Texture", path, number(suvr)) == sign


@pytest.mark.parametrize(
    ("real", "synthetic", "sign"),
    [
        (0.02, 0.0101, "good"),
        (0.02, 0.01, "good"),
        (0.02, 0.0099, "caution"),
        # where real images have next to none themselves
        (0.0101, 0.0, "caution"),
        (0.01, 0.0, "good"),
        (0.0099, 0.0, "good"),
    ],
)
def test_how_little_fine_detail_is_too_smooth(real, synthetic, sign):
    path = "spectrum.finest_detail"
    detail = both(number(synthetic), number(real))
    assert sign_of("Texture", path, detail) == sign
    (words,) = (
        each["words"]
        for each in verdict(changed(path, detail))["findings"]
        if each["about"] == "Texture"
    )
    assert ("too smooth" in words) == (sign == "caution")
