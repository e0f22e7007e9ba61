import dataclasses

import numpy as np
import pytest
from toy_evaluation import evaluation, slices

from pet_dcgan.evaluation.pair_scores import (
    RULES,
    image_diversity,
    pair_scores,
    real_pairs,
    rounded,
)
from pet_dcgan.metrics.image_quality import psnr


@pytest.fixture
def images():
    real = slices(3, 2, side=12)
    return evaluation(real, slices(8, 1, seed=1, side=12).images)


def rms(pairs, rule):
    apart = pairs.images - pairs.real[pairs.partners[rule]]
    return np.sqrt((apart**2).mean((1, 2)))


def test_a_number_that_is_not_finite_is_null_in_json():
    assert rounded(1 / 3) == 0.333333
    assert rounded(np.inf) is rounded(None) is None


def test_each_image_has_partners_of_other_subjects(images):
    subjects = images.real.subjects
    for pairs in real_pairs(images).values():
        assert set(pairs.partners) == set(RULES)
        np.testing.assert_allclose(rms(pairs, "nearest"), pairs.distances)
        assert np.all(pairs.distances <= rms(pairs, "random") + 1e-12)
        for index in pairs.partners.values():
            assert not np.any(subjects[index] == subjects)


@pytest.mark.parametrize("count", [3, 4])
def test_typical_pair_is_the_one_in_the_middle(images, count):
    distances = np.array([0.9, 0.1, 0.5, 0.7])[:count]
    pairs = dataclasses.replace(
        real_pairs(images)["synthetic"], distances=distances
    )
    image, nearest = pairs.typical()
    np.testing.assert_array_equal(image, pairs.images[2])
    partner = pairs.partners["nearest"][2]
    np.testing.assert_array_equal(nearest, pairs.real[partner])


def test_scores_are_means_over_pairs(images):
    pairs = real_pairs(images)
    found = pair_scores(images, pairs)["psnr"]["synthetic"]["nearest"]
    nearest = pairs["synthetic"].partners["nearest"]
    values = psnr(images.real.images[nearest], images.compared)
    assert found == {
        "mean": pytest.approx(values.mean(), abs=1e-6),
        "median": pytest.approx(np.median(values), abs=1e-6),
        "sd": pytest.approx(values.std(ddof=1), abs=1e-6),
        "n": 6,
        "interval": None,
    }


def test_equal_images_have_no_psnr_and_count_for_nothing():
    real = slices(2, 2, side=12)
    copies = evaluation(real, real.images[[2, 3, 0, 1]])
    scores = pair_scores(copies, real_pairs(copies))
    nothing = dict.fromkeys(("mean", "median", "sd", "interval"))
    assert scores["psnr"]["synthetic"]["nearest"] == nothing | {"n": 0}
    assert scores["ssim"]["synthetic"]["nearest"]["mean"] == 1
    # a pair that is equal is left out with its subjects
    copies.synthetic[0] += 0.5
    scores = pair_scores(copies, real_pairs(copies))
    assert scores["psnr"]["synthetic"]["nearest"]["n"] == 1


def test_diversity_is_of_equally_many_pairs():
    real = slices(3, 3, side=32)
    images = evaluation(real, slices(20, 1, 1, 32).images)
    found = image_diversity(images)
    # 9 images of 3 subjects make 27 pairs of two subjects
    assert found["synthetic"]["n"] == found["real"]["n"] == 27
    same = evaluation(real, np.repeat(real.images[:1], 20, axis=0))
    assert image_diversity(same)["synthetic"]["mean"] == pytest.approx(1)
