import numpy as np
import pytest
import tensorflow as tf

from pet_dcgan.metrics.image_quality import (
    diversity,
    ms_ssim,
    psnr,
    ssim,
    windowed_ssim,
)

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
SIMILARITIES = (ssim, windowed_ssim, ms_ssim)


def smooth(shape, seed=0):
    noise = np.random.default_rng(seed).normal(size=shape)
    return 1 + np.cumsum(np.cumsum(noise, axis=-2), axis=-1) / 60


def for_tensorflow(*images):
    return [tf.constant(x[..., None], tf.float32) for x in images]


class TestPsnr:
    def test_by_hand_with_the_peak_of_the_real_image(self):
        real = np.array([[0.0, 1.0], [1.0, 0.0]])
        image = np.array([[0.0, 2.0], [1.0, 0.0]])
        # MSE 1/4: 10 log10(1 / 0.25), the other way round 10 log10(4 / 0.25)
        assert psnr(real, image) == pytest.approx(6.0206, abs=1e-4)
        assert psnr(image, real) == pytest.approx(12.0412, abs=1e-4)
        assert psnr(real, real) == np.inf

    def test_each_pair_of_a_stack_counts_alone_at_any_scale(self):
        real, image = np.random.default_rng(0).random((2, 5, 8, 8), np.float32)
        alone = [psnr(r, i) for r, i in zip(real, image, strict=True)]
        np.testing.assert_allclose(psnr(real, image), alone)
        np.testing.assert_allclose(psnr(3 * real, 3 * image), alone, rtol=1e-5)

    @pytest.mark.parametrize(
        ("real", "image", "message"),
        [
            (np.ones((2, 2)), np.ones((2, 3)), r"\(2, 2\) and \(2, 3\)"),
            (np.ones(4), np.ones(4), "height, width"),
            (np.ones((2, 2)), np.full((2, 2), np.nan), "NaN or infinity"),
            (np.zeros((2, 2)), np.ones((2, 2)), "maximum is 0 or less"),
        ],
    )
    def test_bad_input_is_refused(self, real, image, message):
        with pytest.raises(ValueError, match=message):
            psnr(real, image)


class TestSsim:
    @pytest.mark.parametrize("similarity", SIMILARITIES)
    def test_one_for_equal_images_and_symmetric(self, similarity):
        a, b = smooth((2, 4, 32, 30))
        np.testing.assert_allclose(similarity(a, a, dynamic_range=2.5), 1)
        there = similarity(a, b, dynamic_range=2.5)
        np.testing.assert_allclose(there, similarity(b, a, dynamic_range=2.5))
        assert np.all(np.abs(there) < 1)

    def test_global_by_hand(self):
        x, y = np.array([[0.0, 2.0]]), np.array([[1.0, 2.0]])
        # means 1 and 1.5, variances 1 and 0.25, covariance 0.5,
        # C1 = 0.0004 and C2 = 0.0036 for L = 2; a product, not a sum
        expected = (
            (3 + 0.0004) / (3.25 + 0.0004) * (1 + 0.0036) / (1.25 + 0.0036)
        )
        found = ssim(x, y, dynamic_range=2)
        assert found == pytest.approx(expected, rel=1e-12)

    @pytest.mark.parametrize("side", [11, 32])
    def test_windowed_and_multiscale_by_hand(self, side):
        # flat images have no variance: luminance alone, with C1 = 0.0004, of
        # one scale, or to the power of the coarsest of two weights
        flat = np.ones((side, side))
        luminance = (2 * 2 + 0.0004) / (1 + 4 + 0.0004)
        found = windowed_ssim(flat, 2 * flat, dynamic_range=2)
        assert found == pytest.approx(luminance, rel=1e-12)
        power = 1 if side == 11 else 0.2856 / (0.0448 + 0.2856)
        found = ms_ssim(flat, 2 * flat, dynamic_range=2)
        assert found == pytest.approx(luminance**power, rel=1e-12)

    def test_windowed_equals_tensorflow(self):
        a, b = smooth((2, 5, 24, 20))
        expected = tf.image.ssim(*for_tensorflow(a, b), max_val=2.5)
        found = windowed_ssim(a, b, dynamic_range=2.5)
        np.testing.assert_allclose(found, expected, atol=1e-5)

    @pytest.mark.parametrize(
        ("shape", "scales"),
        [
            *(((2, 20, 20), 1), ((2, 21, 21), 2), ((2, 45, 51), 3)),
            *(((1, 160, 160), 4), ((1, 161, 161), 5)),
        ],
    )
    def test_multiscale_equals_tensorflow_at_as_many_scales_as_fit(
        self, shape, scales
    ):
        a = smooth(shape)
        b = a + 0.2 * np.random.default_rng(1).normal(size=shape)
        weights = np.array(WEIGHTS[:scales]) / sum(WEIGHTS[:scales])
        expected = tf.image.ssim_multiscale(
            *for_tensorflow(a, b),
            max_val=2.5,
            power_factors=weights.tolist(),
        )
        found = ms_ssim(a, b, dynamic_range=2.5)
        np.testing.assert_allclose(found, expected, atol=2e-5)
        assert np.all(found < 0.999)

    def test_multiscale_takes_negative_factors_for_0(self):
        a = smooth((4, 64, 64))
        inverse = ms_ssim(a, 2.5 - a, dynamic_range=2.5)
        assert np.all((inverse >= 0) & (inverse < 0.1))
        assert np.all(ssim(a, 2.5 - a, dynamic_range=2.5) < 0)

    @pytest.mark.parametrize("similarity", SIMILARITIES)
    def test_bad_input_is_refused(self, similarity):
        images = np.ones((16, 16))
        for bad in (0, -1, float("nan")):
            with pytest.raises(ValueError, match="positive dynamic range, fou"):
                similarity(images, images, dynamic_range=bad)
        with pytest.raises(ValueError, match="pair the images first"):
            similarity(images, images[:2], dynamic_range=1)
        if similarity is not ssim:
            with pytest.raises(ValueError, match="11 pixels or more"):
                similarity(images[:10], images[:10], dynamic_range=1)


class TestDiversity:
    def test_falls_where_images_repeat(self):
        rng = np.random.default_rng(0)
        different = smooth((12, 32, 32)) + rng.normal(size=(12, 32, 32))
        repeated = np.repeat(different[:1], 12, axis=0)
        alike = diversity(repeated, dynamic_range=2.5)
        assert len(alike.values) == 66
        np.testing.assert_allclose(alike.values, 1)
        assert diversity(different, dynamic_range=2.5).values.mean() < 0.5

    def test_pairs_are_of_different_images_and_subjects(self):
        images = smooth((12, 16, 16))
        subjects = np.arange(12) // 4
        found = diversity(images, dynamic_range=2.5, subjects=subjects)
        assert len(found.values) == 48
        assert np.all(subjects[found.first] != subjects[found.second])

    def test_values_are_those_of_seeded_pairs(self):
        images = smooth((300, 16, 16))
        options = {"dynamic_range": 2.5, "pairs": 300}
        found = diversity(images, **options, seed=1)
        pairs = {*zip(found.first, found.second, strict=True)}
        assert len(pairs) == 300
        assert np.all(found.first < found.second)
        expected = ms_ssim(
            images[found.first], images[found.second], dynamic_range=2.5
        )
        np.testing.assert_array_equal(found.values, expected)
        again, other = (diversity(images, **options, seed=s) for s in (1, 2))
        np.testing.assert_array_equal(again.first, found.first)
        assert other.first.tolist() != found.first.tolist()

    @pytest.mark.parametrize(
        ("count", "options", "message"),
        [
            (1, {}, "two images of different subjects, found 1 of one"),
            (3, {"subjects": ["a", "a", "a"]}, "found 3 of one"),
            (3, {"subjects": ["a"]}, "a subject for each of 3 rows"),
            (3, {"pairs": 0}, "one or more pairs"),
        ],
    )
    def test_too_few_images_are_refused(self, count, options, message):
        with pytest.raises(ValueError, match=message):
            diversity(smooth((count, 16, 16)), dynamic_range=2.5, **options)
