import numpy as np
import pytest

from pet_dcgan.metrics.image_quality import psnr


def test_known_error_gives_known_decibels():
    real = np.full((1, 4, 4), 2.0)
    # MSE 0.04, peak 2: 10 log10(4 / 0.04) = 20
    np.testing.assert_allclose(psnr(real, real - 0.2), [20.0])


def test_peak_is_that_of_the_real_image():
    real = np.array([[0.0, 1.0], [1.0, 0.0]])
    image = np.array([[0.0, 2.0], [1.0, 0.0]])
    # MSE 1/4: 10 log10(1 / 0.25), the other way round 10 log10(4 / 0.25)
    assert psnr(real, image) == pytest.approx(6.0206, abs=1e-4)
    assert psnr(image, real) == pytest.approx(12.0412, abs=1e-4)


def test_equal_images_are_infinitely_alike():
    assert psnr(np.ones((2, 2)), np.ones((2, 2))) == np.inf


def test_each_pair_of_a_stack_counts_alone():
    random = np.random.default_rng(0)
    real, image = random.random((2, 5, 8, 8), np.float32)
    alone = [psnr(r, i) for r, i in zip(real, image, strict=True)]
    np.testing.assert_allclose(psnr(real, image), alone)


def test_scaling_both_images_changes_nothing():
    real, image = np.random.default_rng(1).random((2, 8, 8))
    assert psnr(real, image) == pytest.approx(psnr(3 * real, 3 * image))


@pytest.mark.parametrize(
    ("real", "image", "message"),
    [
        (np.ones((2, 2)), np.ones((2, 3)), r"\(2, 2\) and \(2, 3\)"),
        (np.ones(4), np.ones(4), "height, width"),
        (np.ones((2, 2)), np.full((2, 2), np.nan), "found NaN or infinity"),
        (np.zeros((2, 2)), np.ones((2, 2)), "maximum is 0 or less"),
    ],
)
def test_bad_input_is_refused(real, image, message):
    with pytest.raises(ValueError, match=message):
        psnr(real, image)
