import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from pet_dcgan.evaluation.feature_scores import feature_scores
from pet_dcgan.evaluation.images import EvaluationImages, RealSlices
from pet_dcgan.metrics.distribution import frechet_distance, kid


@dataclasses.dataclass
class Pixels:
    """An encoder whose features are the pixels themselves."""

    facts: dict

    def features(self, images):
        return images.reshape(len(images), -1)


def slices(subjects, each, seed, side=2):
    rng = np.random.default_rng(seed)
    images = rng.normal(size=[subjects * each, side, side])
    return RealSlices(images, np.repeat(np.arange(subjects).astype(str), each))


def judged(real, others, synthetic):
    return EvaluationImages(
        config=SimpleNamespace(suvr_max=2.5),
        seed=0,
        real=real,
        synthetic=synthetic,
        test=real,
        validation=others,
        training=None,
    )


NOBODY = RealSlices(np.empty([0, 2, 2]), np.array([], str))


def scores(*args):
    return feature_scores(judged(*args), Pixels({"name": "pixels"}))


def test_values_are_those_of_the_metrics_with_equal_counts():
    real, others = slices(8, 4, 0), slices(9, 4, 1)
    synthetic = np.random.default_rng(2).normal(1.0, 1.0, [50, 2, 2])
    found = scores(real, others, synthetic)
    rows = [x.reshape(len(x), -1) for x in (real.images, synthetic[:32])]
    assert found["images"] == 32
    value = found["kid"]["synthetic"]["value"]
    assert value == pytest.approx(kid(*rows).value, abs=1e-6)
    value = found["frechet"]["synthetic"]["value"]
    assert value == pytest.approx(frechet_distance(*rows), abs=1e-6)
    assert found["kid"]["synthetic"]["value"] > found["kid"]["real"]["value"]
    assert found["kid"]["real"]["error_of"] == "subjects"
    assert found["encoder"] == {"name": "pixels"}


def test_every_number_has_an_interval_that_holds_it():
    found = scores(slices(8, 4, 0), slices(8, 4, 1), slices(8, 4, 2).images)
    for name in ("kid", "frechet", "precision", "recall", "coverage"):
        for kind in ("synthetic", "real"):
            low, high = found[name][kind]["interval"]
            assert low <= found[name][kind]["value"] <= high
    assert found["frechet_ratio"]["interval"] is not None


def test_error_of_slices_where_there_are_few_subjects():
    found = scores(slices(3, 8, 0), slices(3, 8, 1), slices(3, 8, 2).images)
    assert found["kid"]["synthetic"]["error_of"] == "slices"
    assert found["kid"]["synthetic"]["interval"] is None
    assert found["frechet_ratio"]["value"] > 0


def test_error_by_subjects_is_larger_where_slices_are_alike():
    real = slices(8, 4, 0)
    alike = real._replace(images=np.repeat(real.images[::4], 4, axis=0))
    synthetic = slices(32, 1, 2).images
    found = scores(alike, NOBODY, synthetic)["kid"]["synthetic"]
    rows = [x.reshape(len(x), -1) for x in (alike.images, synthetic)]
    assert found["standard_error"] > 1.3 * kid(*rows).standard_error


def test_no_validation_images_no_baseline():
    found = scores(slices(8, 4, 0), NOBODY, slices(8, 4, 2).images)
    assert found["kid"]["real"] is None
    assert found["coverage"]["synthetic"]["value"] > 0


def test_one_subject_has_no_ratio():
    found = scores(slices(1, 20, 0), NOBODY, slices(5, 4, 2).images)
    assert found["frechet_ratio"] is None


def test_too_few_images_are_said():
    found = scores(slices(2, 4, 0), slices(2, 4, 1), slices(2, 4, 2).images)
    assert found["missing"].endswith("16 images of each kind, and there are 8")
    assert "kid" not in found


def test_wide_features_give_the_same_distance():
    real, synthetic = slices(8, 2, 0, side=8), slices(16, 1, 2, side=8).images
    found = scores(real, NOBODY._replace(images=real.images[:0]), synthetic)
    rows = [x.reshape(len(x), -1) for x in (real.images, synthetic)]
    value = found["frechet"]["synthetic"]["value"]
    assert value == pytest.approx(frechet_distance(*rows), rel=1e-6)


def test_the_widest_features_have_no_interval_of_distances():
    real, synthetic = slices(75, 2, 0, 18), slices(150, 1, 2, 18).images
    none = RealSlices(real.images[:0], real.subjects[:0])
    found = scores(real, none, synthetic)
    assert found["frechet"]["synthetic"]["interval"] is None
    assert found["precision"]["synthetic"]["interval"] is not None
