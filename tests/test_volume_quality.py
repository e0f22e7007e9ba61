"""Similarity and diversity of volumes."""

import numpy as np
import pytest
from scipy import ndimage
from skimage.metrics import structural_similarity

from pet_dcgan.metrics import volume_quality as quality

RANGE = {"dynamic_range": 2.5}


def blobs(count=6, size=32, seed=0):
    """Smooth random volumes `[count, size, size, size]` in SUVR."""
    rng = np.random.default_rng(seed)
    rough = rng.uniform(0, 1, [count, size, size, size])
    smooth = ndimage.gaussian_filter(rough, (0, 2, 2, 2), mode="wrap")
    return (1 + 8 * (smooth - 0.5)).astype(np.float32)


def test_one_scale_is_that_of_scikit_image():
    a, b = blobs(2).astype(float)
    _, places = structural_similarity(
        a,
        b,
        data_range=2.5,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )
    inside = places[5:-5, 5:-5, 5:-5].mean()
    assert quality.ssim_3d(a, b, **RANGE) == pytest.approx(inside, abs=1e-9)


def test_scales_as_written_out():
    """Two scales of 32 voxels, with the first two weights of the paper."""
    a, b = blobs(2).astype(float)
    fine, coarse = 0.0448 / 0.3304, 0.2856 / 0.3304

    def half(x):
        return x.reshape(16, 2, 16, 2, 16, 2).mean(axis=(1, 3, 5))

    structure = quality._similarity(a, b, 2.5)[1].mean()
    wanted = structure**fine * quality.ssim_3d(half(a), half(b), **RANGE) ** (
        coarse
    )
    found = quality.ms_ssim_3d(a, b, **RANGE)
    assert found == pytest.approx(wanted, abs=1e-12)


def test_value_of_constant_volumes_by_hand():
    """Without structure only luminance at the coarsest of two scales is left.

    (2 * 1 * 2 + C1) / (1 + 4 + C1) with C1 = 0.025^2, to the power 0.8644.
    """
    one, two = np.ones([1, 32, 32, 32]), np.full([1, 32, 32, 32], 2.0)
    c1 = 0.025**2
    wanted = ((4 + c1) / (5 + c1)) ** (0.2856 / 0.3304)
    assert quality.ms_ssim_3d(one, two, **RANGE) == pytest.approx([wanted])


def test_equal_volumes_are_alike_and_order_does_not_matter():
    a, b = blobs(4), blobs(4, seed=1)
    assert quality.ms_ssim_3d(a, a, **RANGE) == pytest.approx(np.ones(4))
    found = quality.ms_ssim_3d(a, b, **RANGE)
    assert found.dtype == np.float32
    assert found == pytest.approx(quality.ms_ssim_3d(b, a, **RANGE))
    turned = [x[:, ::-1].transpose(0, 3, 1, 2) for x in (a, b)]
    assert found == pytest.approx(
        quality.ms_ssim_3d(*turned, **RANGE), abs=1e-5
    )
    doubles = [x.astype(float) for x in (a, b)]
    exact = quality.ms_ssim_3d(*doubles, **RANGE)
    assert found == pytest.approx(exact, abs=1e-5)


def test_diversity_pairs_different_subjects():
    volumes = np.repeat(blobs(4), 2, axis=0)
    subjects = np.repeat(np.arange(4), 2)
    found = quality.volume_diversity(volumes, subjects=subjects, **RANGE)
    assert len(found.values) == 24
    assert (subjects[found.first] != subjects[found.second]).all()
    assert found.values.max() < 0.99
    alone = quality.volume_diversity(volumes, pairs=5, **RANGE)
    assert len(alone.values) == 5


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: quality.ms_ssim_3d(blobs(2), blobs(3), **RANGE),
            "of one shape",
        ),
        (
            lambda: quality.ms_ssim_3d(
                np.ones([8] * 3), np.ones([8] * 3), **RANGE
            ),
            "11 voxels or more",
        ),
        (
            lambda: quality.ssim_3d(
                np.full([16] * 3, np.nan), np.ones([16] * 3), **RANGE
            ),
            "finite values",
        ),
        (
            lambda: quality.ssim_3d(blobs(1), blobs(1), dynamic_range=0),
            "positive dynamic range",
        ),
        (
            lambda: quality.volume_diversity(
                blobs(2), subjects=[1, 1], **RANGE
            ),
            "different subjects",
        ),
    ],
)
def test_refuses(call, words):
    with pytest.raises(ValueError, match=words):
        call()
