"""Images as the search for copies compares them."""

import numpy as np
import pytest
from scipy import ndimage
from toy_brains import subjects_slices

from pet_dcgan.metrics.centring import (
    centred,
    centred_images,
    centred_volumes,
)


def test_means_of_blocks():
    # symmetric about its middle, so centred already
    small = np.zeros([32, 32])
    small[15:17, 15:17] = [[1, 2], [2, 1]]
    large = np.kron(small, [[0.5, 1.5], [1.5, 0.5]])
    np.testing.assert_allclose(centred(large[None])[0], small)


def test_a_shift_does_not_matter():
    images, *_ = subjects_slices(3, seed=0)
    shifted = np.roll(images, (1, -1), (1, 2))
    assert np.abs(images - shifted).max() > 0.5
    np.testing.assert_allclose(centred(shifted), centred(images), atol=1e-3)
    np.testing.assert_array_equal(centred(np.zeros([2, 32, 32])), 0)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.ones((2, 48, 48)), r"multiples of 32 .* \(2, 48, 48\)"),
        (np.ones((64, 64)), "n, height, width"),
        (np.full((1, 32, 32), np.inf), "NaN or infinity"),
    ],
)
def test_bad_input_is_refused(images, message):
    with pytest.raises(ValueError, match=message):
        centred(images)


def off_centre(side, seed=0):
    """Smooth images whose uptake lies beside the middle."""
    random = np.random.default_rng(seed)
    images = np.zeros([5, side, side])
    part = side // 2
    images[:, 3 : 3 + part, 7 : 7 + part] = random.uniform(
        1, 2, [5, part, part]
    )
    return ndimage.gaussian_filter(images, (0, 1, 1))


@pytest.mark.parametrize("side", [32, 64])
def test_equal_to_scipy_in_double_precision(side):
    images = off_centre(side)
    middle = (side - 1) / 2
    expected = []
    for image in images:
        shift = middle - np.array(ndimage.center_of_mass(image))
        moved = ndimage.shift(image, shift, order=1, mode="grid-constant")
        blocks = moved.reshape(32, side // 32, 32, side // 32)
        expected.append(blocks.mean(axis=(1, 3)))
    found = centred(images)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_the_centre_is_found_in_double_precision():
    # of 65,536 pixels a moment in float32 would be off in the fourth digit
    images = np.full([1, 256, 256], 1 / 3, np.float32)
    images[0, 0, 0] = 3
    exact = centred(images.astype(np.float64))
    np.testing.assert_array_equal(centred(images), exact)
    moment = 3 - np.float64(np.float32(1 / 3))
    shift = 127.5 * moment / images.sum(dtype=np.float64)
    # the first block loses the share of a pixel that moved out
    assert exact[0, -1, -1] == pytest.approx(1 / 3, rel=1e-6)
    expected = 1 / 3 * (1 - shift / 8)
    assert exact[0, 0, -1] == pytest.approx(expected, rel=1e-6)


def test_a_mirror_image_of_a_centred_image_is_centred():
    images = off_centre(64)
    np.testing.assert_array_equal(
        centred(images[:, :, ::-1]), centred(images)[:, :, ::-1]
    )
    assert np.abs(images - images[:, :, ::-1]).max() > 1


def test_images_do_not_depend_on_their_neighbours():
    images = np.tile(off_centre(32), (30, 1, 1))  # more than a chunk
    np.testing.assert_array_equal(centred(images)[:5], centred(images[:5]))
    np.testing.assert_array_equal(centred(images)[-1], centred(images[4:5])[0])


def off_centre_volumes(side, seed=0):
    """Smooth volumes whose uptake lies beside the middle."""
    random = np.random.default_rng(seed)
    volumes = np.zeros([3, side, side, side])
    part = [side // 2] * 3
    volumes[:, 3 : 3 + part[0], 7 : 7 + part[1], 4 : 4 + part[2]] = (
        random.uniform(1, 2, [3, *part])
    )
    return ndimage.gaussian_filter(volumes, (0, 1, 1, 1))


@pytest.mark.parametrize("side", [16, 32])
def test_volumes_are_centred_as_scipy_does(side):
    volumes = off_centre_volumes(side)
    middle = (side - 1) / 2
    expected = []
    for volume in volumes:
        shift = middle - np.array(ndimage.center_of_mass(volume))
        moved = ndimage.shift(volume, shift, order=1, mode="grid-constant")
        blocks = moved.reshape([16, side // 16] * 3)
        expected.append(blocks.mean(axis=(1, 3, 5)).transpose(2, 1, 0))
    found = centred_volumes(volumes)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_array_equal(centred_images(volumes), found)


def test_the_mirror_image_of_a_centred_volume_is_the_centred_mirror_image():
    volumes = off_centre_volumes(32)
    np.testing.assert_allclose(
        centred_volumes(volumes[:, ::-1]),
        centred_volumes(volumes)[..., ::-1],
        atol=1e-6,
    )


@pytest.mark.parametrize(
    ("volumes", "message"),
    [
        (np.ones((2, 24, 24, 24)), r"multiples of 16 .* \(2, 24, 24, 24\)"),
        (np.ones((32, 32, 32)), "n, x, y, z"),
        (np.full((1, 16, 16, 16), np.inf), "NaN or infinity"),
    ],
)
def test_bad_volumes_are_refused(volumes, message):
    with pytest.raises(ValueError, match=message):
        centred_volumes(volumes)
