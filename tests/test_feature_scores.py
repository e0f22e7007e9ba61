import numpy as np
import pytest
from toy_evaluation import evaluation, slices

from pet_dcgan.evaluation import feature_scores as module
from pet_dcgan.evaluation.feature_scores import feature_scores
from pet_dcgan.metrics.distribution import (
    frechet_distance,
    kid,
    mean_shift,
    precision_recall_density_coverage,
)


class Pixels:
    """An encoder whose features are the pixels themselves."""

    facts = {"name": "pixels"}  # noqa: RUF012

    def features(self, images):
        return images.reshape(len(images), -1)


def scores(*args):
    return feature_scores(evaluation(*args), Pixels())


def rows(*images):
    return [x.reshape(len(x), -1) for x in images]


def test_values_are_those_of_the_metrics_with_equal_counts():
    real, others = slices(8, 4, 0), slices(9, 4, 1)
    synthetic = np.random.default_rng(2).normal(1.0, 1.0, [50, 2, 2])
    found = scores(real, synthetic, others)
    compared = rows(real.images, synthetic[:32])
    assert found["images"] == 32
    assert found["encoder"] == {"name": "pixels"}
    of_kid = found["kid"]["synthetic"]
    expected = kid(*compared, subjects=real.subjects)
    assert of_kid["value"] == pytest.approx(expected.value, abs=1e-6)
    # Student's t with 7 degrees of freedom
    reach = 2.3646 * expected.standard_error
    assert np.diff(of_kid["interval"])[0] == pytest.approx(2 * reach, rel=1e-4)
    assert of_kid["shift"] == pytest.approx(
        mean_shift(expected.value), abs=1e-6
    )
    assert of_kid["p_value"] < 0.01 < found["kid"]["real"]["p_value"]
    prdc = precision_recall_density_coverage(*compared, subjects=real.subjects)
    assert found["coverage"]["synthetic"]["value"] == pytest.approx(
        prdc.coverage, abs=1e-6
    )
    value = frechet_distance(*compared)
    assert found["frechet"]["synthetic"]["value"] == pytest.approx(
        value, abs=1e-6
    )
    assert found["kid"]["synthetic"]["value"] > found["kid"]["real"]["value"]
    for name in ("kid", "frechet", "precision", "recall", "coverage"):
        for each in found[name].values():
            low, high = each["interval"]
            assert low <= each["value"] <= high
    assert found["frechet_ratio"]["interval"] is not None


def test_no_interval_below_eight_subjects():
    found = scores(slices(7, 4, 0), slices(7, 4, 2).images, slices(8, 4, 1))
    for each in found["kid"].values():
        assert each["interval"] is None
        assert each["value"] is not None
        assert 0 < each["p_value"] <= 1
    assert found["coverage"]["synthetic"]["interval"] is None
    assert found["frechet_ratio"]["value"] > 0


def test_slices_of_a_subject_are_no_evidence():
    real = slices(8, 4, 0)
    alike = real._replace(images=np.repeat(real.images[::4], 4, axis=0))
    found = scores(alike, slices(32, 1, 2).images)["kid"]
    assert found["synthetic"]["p_value"] > 0.05
    low, high = found["synthetic"]["interval"]
    assert low < 0 < high
    assert found["real"] is None


@pytest.mark.parametrize(("each", "enough"), [(15, False), (16, True)])
def test_one_subject_and_too_few_images(each, enough):
    found = scores(slices(1, each), slices(1, each, 1).images)
    assert ("kid" in found) is enough
    words = f"features need 16 images of each kind, and there are {each}"
    assert found.get("missing") == (None if enough else words)
    assert found.get("frechet_ratio") is None


def test_of_one_subject_nothing_by_subject_is_known():
    found = scores(slices(1, 16), slices(1, 16, 1).images, slices(3, 6, 2))
    of_kid = found["kid"]["synthetic"]
    assert of_kid.pop("missing").endswith(
        "two or more subjects, and there is 1"
    )
    assert set(of_kid.values()) == {None}
    for name in ("precision", "recall", "density", "coverage"):
        assert found[name]["synthetic"]["value"] is None
        assert "images of other subjects" in found[name]["real"]["missing"]
    assert found["frechet"]["synthetic"]["value"] > 0


def test_of_two_subjects_there_are_values_and_no_intervals():
    found = scores(slices(2, 8), slices(2, 8, 1).images, slices(1, 16, 2))
    of_kid = found["kid"]["synthetic"]
    assert of_kid["interval"] is None
    assert of_kid["p_value"] > 0.1
    assert found["kid"]["real"]["value"] is None
    assert found["precision"]["synthetic"]["value"] is not None


@pytest.mark.parametrize(
    ("first", "known"), [(12, False), (11, True)], ids=["four", "five"]
)
def test_balls_need_five_images_of_other_subjects(first, known):
    real = slices(1, 16)
    subjects = np.array(["a"] * first + ["b"] * (16 - first))
    found = scores(real._replace(subjects=subjects), slices(16, 1, 1).images)
    assert (found["coverage"]["synthetic"]["value"] is not None) is known


def test_halves_with_few_images_of_other_subjects():
    real = slices(1, 24)
    subjects = np.array(["a"] * 17 + [*"bcdefgh"])
    found = scores(real._replace(subjects=subjects), slices(24, 1, 1).images)
    assert found["coverage"]["synthetic"]["interval"] is not None
    assert found["frechet_ratio"]["interval"] is None


def test_a_subject_of_one_image_is_no_half():
    real = slices(1, 16)._replace(subjects=np.array(["a"] * 15 + ["b"]))
    found = scores(real, slices(16, 1, 1).images)
    assert found["frechet_ratio"]["value"] is None


def test_constant_images_are_compared():
    real = slices(8, 2)._replace(images=np.ones([16, 2, 2]))
    found = scores(real, np.ones([16, 2, 2]))
    assert found["kid"]["synthetic"]["p_value"] == 1
    assert found["kid"]["synthetic"]["shift"] == pytest.approx(0, abs=1e-6)
    assert found["coverage"]["synthetic"]["value"] == 1


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_features_that_are_not_finite_are_named(bad):
    synthetic = slices(8, 2, 1).images
    synthetic[3, 0, 0] = bad
    found = scores(slices(8, 2), synthetic)
    assert (
        found["missing"] == "features of synthetic images hold NaN or infinity"
    )
    assert "kid" not in found


@pytest.mark.parametrize(("side", "interval"), [(4, True), (7, False)])
def test_wide_features_have_the_same_distance_and_the_widest_no_interval(
    monkeypatch, side, interval
):
    monkeypatch.setattr(module, "_WIDE", 16)
    real, synthetic = slices(9, 2, 0, side), slices(18, 1, 2, side).images
    found = scores(real, synthetic)
    distance = found["frechet"]["synthetic"]
    value = frechet_distance(*rows(real.images, synthetic))
    assert distance["value"] == pytest.approx(value, rel=1e-6)
    assert (distance["interval"] is not None) is interval
    assert found["precision"]["synthetic"]["interval"] is not None
