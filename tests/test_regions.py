"""Uptake of nine regions, left against right, and Bland-Altman."""

import numpy as np
import pytest
from scipy import ndimage

from pet_dcgan.metrics.regions import (
    asymmetry_names,
    bland_altman,
    brain_mask,
    left_right_asymmetry,
    region_names,
    regional_uptake,
)

LEVELS = np.array([[1.0, 1.1, 1.2], [1.3, 1.4, 1.5], [1.6, 1.7, 1.8]])


def square(levels=LEVELS, third=3, margin=0):
    """One image `[1, ...]`: nine squares of the levels."""
    inner = np.kron(levels, np.ones([third, third]))
    return np.pad(inner, margin)[None]


@pytest.fixture
def brains():
    """Ellipses of uneven uptake, each at a place and of a size of its own."""
    rng = np.random.default_rng(0)
    y, x = np.indices((48, 48))
    made = []
    for _ in range(30):
        height, width = rng.uniform(12, 18, 2)
        top, left = rng.uniform(22, 26, 2)
        inside = np.hypot((y - top) / height, (x - left) / width) < 1
        uptake = ndimage.gaussian_filter(rng.normal(size=(48, 48)), 4)
        made.append(inside * (1 + 2 * uptake))
    return np.array(made)


def test_regions_by_hand():
    # a ring of scalp of 0.1 around a box of 9x9, three pixels a third
    image = np.pad(square(), [(0, 0), (4, 2), (3, 3)], constant_values=0.1)
    np.testing.assert_allclose(regional_uptake(image), [LEVELS.ravel()])


@pytest.mark.parametrize(("scalp", "kept"), [(0.19, False), (0.21, True)])
def test_the_brain_is_above_a_fifth_of_what_is_strong(scalp, kept):
    image = np.full([1, 20, 20], scalp)
    image[0, 5:15, 5:15] = 1
    assert brain_mask(image)[0, 0, 0] == kept
    assert brain_mask(image)[0, 7, 7]
    assert not brain_mask(np.zeros([1, 4, 4])).any()


def test_moving_and_scaling_an_image(brains):
    uptake = regional_uptake(brains)
    moved = np.roll(brains, (3, -2), axis=(1, 2))
    np.testing.assert_allclose(regional_uptake(moved), uptake)
    np.testing.assert_allclose(regional_uptake(2 * brains), 2 * uptake)


def test_mirroring_exchanges_left_and_right(brains):
    for images, tolerance in ((square(third=6, margin=3), 1e-9), (brains, 0.1)):
        there = regional_uptake(images)
        mirrored = regional_uptake(images[:, :, ::-1])
        order = [2, 1, 0, 5, 4, 3, 8, 7, 6]
        np.testing.assert_allclose(mirrored, there[:, order], atol=tolerance)
    exact = square(third=6, margin=3)
    np.testing.assert_allclose(
        left_right_asymmetry(regional_uptake(exact[:, :, ::-1])),
        -left_right_asymmetry(regional_uptake(exact)),
    )


def test_asymmetry_by_hand():
    uptake = np.array([[3.0, 9, 1, 1, 9, 1, 0, 9, 0]])
    np.testing.assert_allclose(left_right_asymmetry(uptake), [[1, 0, 0]])


def test_stray_pixels_do_not_widen_the_box():
    image = np.repeat(square(third=10, margin=15), 2, axis=0)
    image[1, 0, 0] = image[1, -1, -1] = 1.0
    there, stray = regional_uptake(image)
    np.testing.assert_allclose(stray, there, atol=0.02)


def test_a_region_without_brain_takes_all_of_its_pixels():
    levels = np.ones([3, 3])
    levels[1, 1] = 0.05
    image = square(levels, third=6, margin=3)
    np.testing.assert_allclose(regional_uptake(image), [levels.ravel()])
    np.testing.assert_array_equal(regional_uptake(np.zeros((2, 9, 9))), 0)


def test_chunks_do_not_matter(brains):
    many = np.tile(brains, (10, 1, 1))
    np.testing.assert_array_equal(
        regional_uptake(many)[-30:], regional_uptake(brains)
    )


def test_names_by_plane():
    axial = region_names("axial")
    assert axial[:3] == ("front left", "front middle", "front right")
    assert axial[3:6] == ("middle left", "centre", "middle right")
    assert region_names("coronal")[6] == "bottom left"
    assert region_names("sagittal")[2] == "top back"
    assert asymmetry_names("axial") == ("front", "middle", "back")
    assert asymmetry_names("coronal") == ("top", "middle", "bottom")
    assert asymmetry_names("sagittal") == ()
    with pytest.raises(ValueError, match="expected a plane among axial, "):
        region_names("oblique")


def test_bland_altman_by_hand():
    # differences 0.1, 0.3 and 0.2: mean 0.2, SD 0.1
    found = bland_altman([1.0, 1.2, 2.0], [1.1, 1.5, 2.2])
    assert found.bias == pytest.approx(0.2)
    assert found.lower == pytest.approx(0.2 - 0.196)
    assert found.upper == pytest.approx(0.2 + 0.196)
    np.testing.assert_allclose(found.averages, [1.05, 1.35, 2.1])
    np.testing.assert_allclose(found.differences, [0.1, 0.3, 0.2])
    # columns are taken separately
    both = bland_altman([[1.0, 0], [1.2, 0], [2.0, 0]], [[1.1, 4]] * 3)
    alone = bland_altman([1.0, 1.2, 2.0], [1.1] * 3)
    assert both.lower == pytest.approx([alone.lower, 4])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: regional_uptake(np.ones((9, 9))), "height, width"),
        (lambda: regional_uptake(np.ones((1, 2, 9))), "3 pixels or more"),
        (lambda: regional_uptake(np.full((1, 9, 9), np.nan)), "NaN"),
        (lambda: left_right_asymmetry(np.ones([2, 5])), "nine regions"),
        (lambda: bland_altman([1.0], [1.0]), "two or more pairs"),
        (lambda: bland_altman([1.0, 2], [1.0, 2, 3]), r"\(2,\) and \(3,\)"),
        (lambda: bland_altman([1.0, np.nan], [1.0, 2]), "NaN or infinity"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
