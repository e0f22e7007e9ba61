import numpy as np
import pytest
from toy_evaluation import evaluation, slices

from pet_dcgan.evaluation import set_scores as module
from pet_dcgan.evaluation.images import Samples
from pet_dcgan.evaluation.set_scores import (
    feature_scores,
    intensity_scores,
    number,
    texture_scores,
)
from pet_dcgan.metrics.distribution import frechet_distance, kid
from pet_dcgan.metrics.uptake import wasserstein


def test_a_number_of_all_rows_with_the_interval_of_halves():
    samples = Samples({}, {"real": np.arange(20) // 2}, seed=0)
    values = {"real": np.arange(20.0)}
    found = number(np.mean, values, samples, "real")
    low, high = found["interval"]
    assert low < 9.5 < high
    assert found["value"] == 9.5
    found = number(np.mean, values, samples, "real", interval=False)
    assert found == {"value": 9.5, "interval": None}


@pytest.mark.parametrize("with_others", [True, False])
def test_texture_and_intensities_beside_real_ones(with_others):
    real, others = slices(9, 2, 0, 16), slices(9, 3, 1, 16)
    real = real._replace(images=real.images * 0.1 + 1)
    synthetic = real.images[::-1] + 0.25
    others = others._replace(images=others.images * 0.1 + 1)
    images = evaluation(real, synthetic, others if with_others else None)
    numbers, spectra = texture_scores(images)
    distances, histograms = intensity_scores(images)
    kinds = {"real", "synthetic"} | ({"others"} if with_others else set())
    assert set(spectra) == set(histograms) == kinds
    assert histograms["real"].shape == (18, 256)
    found = distances["wasserstein"]
    assert found["synthetic"]["value"] == pytest.approx(
        wasserstein(real.images, synthetic), abs=1e-6
    )
    assert found["synthetic"]["value"] == pytest.approx(0.25, abs=1e-6)
    # a shift leaves the texture as it is
    assert numbers["checkerboard"]["synthetic"]["value"] == pytest.approx(1)
    detail = numbers["finest_detail"]
    assert detail["real"]["value"] == detail["synthetic"]["value"] > 0
    for each in (found, numbers["distance"], numbers["checkerboard"]):
        assert (each["real"] is not None) is with_others


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
    value = kid(*compared).value
    assert found["kid"]["synthetic"]["value"] == pytest.approx(value, abs=1e-6)
    value = frechet_distance(*compared)
    assert found["frechet"]["synthetic"]["value"] == pytest.approx(
        value, abs=1e-6
    )
    assert found["kid"]["synthetic"]["value"] > found["kid"]["real"]["value"]
    assert found["kid"]["real"]["error_of"] == "subjects"
    for name in ("kid", "frechet", "precision", "recall", "coverage"):
        for each in found[name].values():
            low, high = each["interval"]
            assert low <= each["value"] <= high
    assert found["frechet_ratio"]["interval"] is not None


def test_error_of_slices_where_there_are_few_subjects():
    found = scores(slices(3, 8, 0), slices(3, 8, 2).images, slices(3, 8, 1))
    assert found["kid"]["synthetic"]["error_of"] == "slices"
    assert found["kid"]["synthetic"]["interval"] is None
    assert found["frechet_ratio"]["value"] > 0


def test_error_by_subjects_is_larger_where_slices_are_alike():
    real = slices(8, 4, 0)
    alike = real._replace(images=np.repeat(real.images[::4], 4, axis=0))
    synthetic = slices(32, 1, 2).images
    found = scores(alike, synthetic)["kid"]
    error = kid(*rows(alike.images, synthetic)).standard_error
    assert found["synthetic"]["standard_error"] > 1.3 * error
    assert found["real"] is None


@pytest.mark.parametrize(("each", "enough"), [(15, False), (16, True)])
def test_one_subject_and_too_few_images(each, enough):
    found = scores(slices(1, each), slices(1, each, 1).images)
    assert ("kid" in found) is enough
    words = f"features need 16 images of each kind, and there are {each}"
    assert found.get("missing") == (None if enough else words)
    assert found.get("frechet_ratio") is None


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
