"""How smoothly slices follow each other."""

import numpy as np
import pytest
from scipy import ndimage
from test_volume_quality import blobs

from pet_dcgan.metrics import roughness


def test_roughness_by_hand():
    """Along z 0, 1, 0, 1, ... has second differences of 2; x and y none."""
    stack = np.ones([1, 4, 4, 8])
    stack[..., ::2] = 2
    assert roughness.axis_roughness(stack) == pytest.approx(
        np.array([[0, 0, 2.0]])
    )
    assert np.isinf(roughness.roughness(stack)).all()
    turned = np.swapaxes(stack, 1, 3)
    assert roughness.roughness(turned) == pytest.approx([0])
    ramp = np.ones([1, 8, 8, 8]) + np.arange(8) / 8
    assert roughness.axis_roughness(ramp) == pytest.approx(np.zeros([1, 3]))


def test_flicker_is_seen_and_blur_is_not_rewarded():
    real, other = blobs(20), blobs(20, seed=1)
    rng = np.random.default_rng(2)

    def ratio(volumes):
        return roughness.roughness_ratio(
            *map(roughness.axis_roughness, (real, volumes))
        )

    same = ratio(other)
    assert same.interval.low < 1 < same.interval.high
    flickering = ratio(other * rng.normal(1, 0.02, [20, 1, 1, 32]))
    assert flickering.ratio > 1.2
    assert flickering.interval.low > 1
    along = ratio(ndimage.gaussian_filter1d(other, 1, axis=3))
    assert along.ratio < 0.85
    everywhere = ratio(ndimage.gaussian_filter(other, (0, 1, 1, 1)))
    assert everywhere.ratio == pytest.approx(1, abs=0.05)
    assert (everywhere.axes < 0.9).all()
    noisy = ratio(other + rng.normal(0, 0.05, other.shape))
    assert noisy.ratio < 1.1
    assert (noisy.axes > 1.2).all()


def test_roughness_of_each_slice():
    stack = np.ones([2, 4, 4, 8])
    stack[:, :, :, 4] = 2
    stack[:, :, :, 7] = 0  # no brain
    found = roughness.slice_roughness(stack)
    np.testing.assert_array_equal(
        roughness.slice_roughness(stack.tolist()), found
    )
    assert found.shape == (2, 6)
    assert found[0, :5] == pytest.approx([0, 0, 1, 2, 1])
    assert np.isnan(found[:, 5]).all()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: roughness.roughness(np.ones([4, 4, 4])), r"\[n, x, y, z\]"),
        (
            lambda: roughness.roughness_ratio(np.ones([4, 2]), np.ones([4, 3])),
            r"\[n, 3\]",
        ),
    ],
)
def test_refuses(call, words):
    with pytest.raises(ValueError, match=words):
        call()
