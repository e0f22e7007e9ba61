import numpy as np
import pytest
from toy_brains import subjects_slices

from pet_dcgan.metrics.memorization import centred


def test_means_of_blocks():
    image = np.zeros([1, 4, 4], np.float32)
    image[0, 1:3, 1:3] = [[1, 2], [2, 1]]  # symmetric, so centred already
    np.testing.assert_allclose(
        centred(image, side=2)[0], [[0.25, 0.5], [0.5, 0.25]]
    )


def test_a_shifted_image_looks_the_same():
    images, *_ = subjects_slices(3, seed=0)
    shifted = np.roll(images, (1, -1), (1, 2))
    assert np.abs(images - shifted).max() > 0.5
    np.testing.assert_allclose(centred(shifted), centred(images), atol=1e-3)


def test_what_is_centred_stays_and_so_does_nothing():
    images, *_ = subjects_slices(1, seed=0)
    once = centred(images)
    np.testing.assert_allclose(centred(once), once, atol=0.05)
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
