import numpy as np
import pytest
import tensorflow as tf

from pet_dcgan.metrics.image_quality import diversity, ms_ssim, scale_weights

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def smooth(shape, seed=0):
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=shape)
    return 1 + np.cumsum(np.cumsum(noise, axis=-2), axis=-1) / 60


@pytest.mark.parametrize(
    ("size", "scales"), [(16, 1), (32, 2), (64, 3), (128, 4), (176, 5)]
)
def test_equals_tensorflow(size, scales):
    a = smooth((3, size, size))
    b = a + 0.2 * np.random.default_rng(1).normal(size=a.shape)
    weights = np.array(WEIGHTS[:scales]) / sum(WEIGHTS[:scales])
    expected = tf.image.ssim_multiscale(
        *(tf.constant(x[..., None], tf.float32) for x in (a, b)),
        max_val=2.5,
        power_factors=weights.tolist(),
    )
    found = ms_ssim(a, b, dynamic_range=2.5)
    np.testing.assert_allclose(found, expected, atol=2e-5)
    assert np.all(found < 0.999)


def test_odd_sides_equal_tensorflow():
    a = smooth((2, 45, 51))
    b = a + 0.1 * smooth(a.shape, seed=2)
    weights = np.array(WEIGHTS[:3]) / sum(WEIGHTS[:3])
    expected = tf.image.ssim_multiscale(
        *(tf.constant(x[..., None], tf.float32) for x in (a, b)),
        max_val=2.5,
        power_factors=weights.tolist(),
    )
    np.testing.assert_allclose(
        ms_ssim(a, b, dynamic_range=2.5), expected, atol=2e-5
    )


def test_hand_computed():
    # flat images: contrast and structure are 1 at each scale, luminance
    # (C1 = 0.0004) stays to the power of the coarsest of two weights
    a = np.ones((32, 32))
    luminance = (2 * 2 + 0.0004) / (1 + 4 + 0.0004)
    expected = luminance ** (0.2856 / (0.0448 + 0.2856))
    found = ms_ssim(a, 2 * a, dynamic_range=2)
    assert found == pytest.approx(expected, rel=1e-12)


def test_one_for_equal_images_symmetric_and_within_its_range():
    a, b = smooth((2, 4, 64, 64))
    np.testing.assert_allclose(ms_ssim(a, a, dynamic_range=2.5), 1)
    there = ms_ssim(a, b, dynamic_range=2.5)
    np.testing.assert_allclose(there, ms_ssim(b, a, dynamic_range=2.5))
    inverse = ms_ssim(a, 2.5 - a, dynamic_range=2.5)
    assert np.all((inverse >= 0) & (inverse < 0.1))


@pytest.mark.parametrize(
    ("side", "scales"),
    [
        (11, 1),
        (20, 1),
        (21, 2),
        (64, 3),
        (128, 4),
        (160, 4),
        (161, 5),
        (512, 5),
    ],
)
def test_scales_by_size(side, scales):
    weights = scale_weights(side)
    assert len(weights) == scales
    assert weights.sum() == pytest.approx(1)


def test_diversity_falls_where_images_repeat():
    rng = np.random.default_rng(0)
    different = smooth((12, 32, 32)) + rng.normal(size=(12, 32, 32))
    repeated = np.repeat(different[:1], 12, axis=0)
    alike = diversity(repeated, dynamic_range=2.5)
    assert len(alike.values) == 66
    np.testing.assert_allclose(alike.values, 1)
    assert diversity(different, dynamic_range=2.5).values.mean() < 0.5


def test_diversity_pairs_are_of_different_images_and_subjects():
    images = smooth((12, 16, 16))
    subjects = np.arange(12) // 4
    found = diversity(images, dynamic_range=2.5, subjects=subjects)
    assert len(found.values) == 48
    assert np.all(subjects[found.first] != subjects[found.second])
    drawn = diversity(images, dynamic_range=2.5, pairs=20)
    assert len({*zip(drawn.first, drawn.second, strict=True)}) == 20
    assert np.all(drawn.first < drawn.second)


def test_diversity_of_a_pair_is_its_ms_ssim():
    images = smooth((300, 16, 16))
    found = diversity(images, dynamic_range=2.5, pairs=300, seed=1)
    expected = ms_ssim(
        images[found.first], images[found.second], dynamic_range=2.5
    )
    np.testing.assert_array_equal(found.values, expected)


def test_diversity_by_seed():
    images = smooth((12, 16, 16))
    one, again, other = (
        diversity(images, dynamic_range=2.5, pairs=5, seed=seed).first
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(one, again)
    assert one.tolist() != other.tolist()


@pytest.mark.parametrize(
    ("count", "options", "message"),
    [
        (1, {}, "two images of different subjects, found 1 of one"),
        (3, {"subjects": ["a", "a", "a"]}, "found 3 of one"),
        (3, {"subjects": ["a"]}, "a subject for each of 3 images"),
        (3, {"pairs": 0}, "one or more pairs"),
    ],
)
def test_diversity_of_too_little_is_refused(count, options, message):
    with pytest.raises(ValueError, match=message):
        diversity(smooth((count, 16, 16)), dynamic_range=2.5, **options)


def test_small_images_are_refused():
    with pytest.raises(ValueError, match="11 pixels or more"):
        ms_ssim(np.ones((10, 16)), np.ones((10, 16)), dynamic_range=1)
