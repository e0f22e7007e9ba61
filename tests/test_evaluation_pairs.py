import numpy as np
import pytest

from pet_dcgan.evaluation.pair_scores import RULES, Pairs, pair_with_real


def stack(count, seed):
    return np.random.default_rng(seed).random((count, 4, 4))


def test_every_rule_pairs_every_image():
    pairs = pair_with_real(stack(5, 0), stack(7, 1), seed=0)
    assert set(pairs.partners) == set(RULES)
    rms = {
        rule: np.sqrt(((pairs.images - pairs.real[index]) ** 2).mean((1, 2)))
        for rule, index in pairs.partners.items()
    }
    np.testing.assert_allclose(rms["nearest"], pairs.distances)
    assert np.all(rms["nearest"] <= rms["random"] + 1e-12)


def test_real_images_are_paired_with_other_subjects():
    real, subjects = stack(6, 0), np.array(["a", "a", "b", "b", "c", "c"])
    pairs = pair_with_real(real, real, seed=0, subjects=subjects)
    assert set(pairs.partners) == {"nearest", "random"}
    for index in pairs.partners.values():
        assert not np.any(subjects[index] == subjects)


def test_one_subject_has_no_pairs():
    with pytest.raises(ValueError, match="of two or more subjects"):
        pair_with_real(
            stack(2, 0), stack(2, 0), seed=0, subjects=np.array(["a", "a"])
        )


@pytest.mark.parametrize("count", [3, 4])
def test_typical_pair_is_the_one_in_the_middle(count):
    distances = np.array([0.9, 0.1, 0.5, 0.7])[:count]
    partner = np.array([3, 2, 1, 0])[:count]
    images, real = stack(count, 0), stack(4, 1)
    pairs = Pairs(images, real, {"nearest": partner}, distances)
    image, nearest = pairs.typical()
    np.testing.assert_array_equal(image, images[2])
    np.testing.assert_array_equal(nearest, real[1])
