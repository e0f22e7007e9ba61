import numpy as np
import pytest
from scipy import ndimage

from pet_dcgan.metrics.spectrum import (
    checkerboard_ratio,
    nyquist_power,
    radial_power_spectrum,
    spectrum_distance,
)

SIZE = 32


@pytest.fixture
def images():
    noise = np.random.default_rng(0).normal(1, 1, (270, SIZE, SIZE))
    return ndimage.gaussian_filter(noise, (0, 1, 1)) + 0.05 * noise


def blurred(images):
    return ndimage.gaussian_filter(images, (0, 1, 1), mode="wrap")


def powers(images):
    return radial_power_spectrum(images, spacing_mm=3.0).power


def checkerboard(amplitude):
    y, x = np.indices((SIZE, SIZE))
    return amplitude * (-1.0) ** (y + x)


def test_a_wave_has_its_power_at_its_frequency():
    # 4 periods in 32 pixels of 3 mm: mean square 0.5. The window leaves two
    # thirds at 4 periods and gives a sixth each to 3 and 5; these rings have
    # 16, 32 and 28 members. The mean of 1 is taken off.
    wave = 1 + np.cos(2 * np.pi * 4 * np.arange(SIZE) / SIZE)
    found = radial_power_spectrum(np.tile(wave, (1, SIZE, 1)), spacing_mm=3.0)
    assert found.frequency[3] == pytest.approx(4 / (32 * 3.0))
    expected = np.zeros(len(found.frequency))
    expected[2:5] = 0.5 / 6 / 16, 0.5 / 1.5 / 32, 0.5 / 6 / 28
    np.testing.assert_allclose(found.power[0], expected, atol=1e-20)


def test_power_is_the_mean_square_and_scales_with_it(images):
    steps = np.fft.fftfreq(SIZE, 1 / SIZE)
    rings = np.rint(np.hypot(steps[:, None], steps)).astype(int)
    total = powers(images) @ np.bincount(rings.ravel())[1:]
    slope = np.hanning(2 * SIZE + 1)[1::2]
    window = np.outer(slope, slope)
    means = (images * window).sum(axis=(1, 2)) / window.sum()
    expected = ((images - means[:, None, None]) * window) ** 2
    np.testing.assert_allclose(
        total, expected.sum(axis=(1, 2)) / (window**2).sum()
    )
    np.testing.assert_allclose(powers(3 * images), 9 * powers(images))


def test_uptake_at_the_border_does_not_hide_what_is_fine(images):
    sheared = images + np.linspace(0, 1, SIZE)
    ratio = checkerboard_ratio(nyquist_power(images), nyquist_power(sheared))
    assert ratio == pytest.approx(1, abs=0.05)


def test_a_known_factor_is_a_known_distance(images):
    power = powers(images)
    assert spectrum_distance(power, power) == 0
    assert spectrum_distance(power, 10 * power) == pytest.approx(1)
    assert spectrum_distance(power, power / 2) == pytest.approx(0.30103)


def test_blur_and_checkerboard_are_far_from_real(images):
    real, other = images[:150], images[150:]
    changed = [other, blurred(other), other + checkerboard(0.1)]
    same, smooth, damaged = (
        spectrum_distance(powers(real), powers(each)) for each in changed
    )
    assert smooth > 10 * same
    assert damaged > 2 * same
    same, smooth, damaged = (
        checkerboard_ratio(nyquist_power(real), nyquist_power(each))
        for each in changed
    )
    assert same == pytest.approx(1, abs=0.1)
    assert smooth < 0.1
    assert damaged > 4


def test_power_near_nyquist_hand_computed():
    # a checkerboard of 0.2 has all of its power, 0.04, in the very corner,
    # and so have stripes along either side on their axis
    stripes = np.tile(0.2 * (-1.0) ** np.arange(SIZE), (SIZE, 1))
    slow = np.cos(2 * np.pi * 4 * np.arange(SIZE) / SIZE) + stripes
    found = nyquist_power([checkerboard(0.2), stripes, stripes.T, slow])
    np.testing.assert_allclose(found, 0.04)


def test_black_synthetic_images_have_a_distance(images):
    black = np.zeros_like(images)
    assert 6 < spectrum_distance(powers(images), powers(black)) <= 12
    assert checkerboard_ratio(nyquist_power(images), nyquist_power(black)) == 0


def test_chunks_do_not_matter(images):
    whole, rest = powers(images), powers(images[260:])
    np.testing.assert_allclose(whole[260], rest[0], rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: powers(np.ones((2, 8, 9))), "size, size"),
        (lambda: powers(np.ones((8, 8))), "size, size"),
        (lambda: nyquist_power(np.full((1, 8, 8), np.nan)), "NaN"),
        (
            lambda: radial_power_spectrum(np.ones((1, 8, 8)), spacing_mm=0),
            "positive spacing",
        ),
        (
            lambda: spectrum_distance(np.ones((2, 8)), np.ones((2, 9))),
            "the same rings",
        ),
        (
            lambda: spectrum_distance(np.zeros((2, 8)), np.ones((2, 8))),
            "found flat ones",
        ),
        (lambda: checkerboard_ratio([0.0], [1.0]), "found flat ones"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
