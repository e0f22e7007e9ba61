"""Regional uptake of volumes."""

import numpy as np
import pytest

from pet_dcgan.metrics import atlas
from pet_dcgan.metrics import volume_regions as regions

MM = {"spacing_mm": 7.0}


def volumes(count=12, size=32, seed=0):
    """Volumes whose regions differ from one to the next."""
    rng = np.random.default_rng(seed)
    masks = atlas.region_masks(size, **MM) > 0
    found = np.ones([count, size, size, size], np.float32)
    for mask in masks:
        found[:, mask] += rng.normal(0, 0.1, [count, 1]).astype(np.float32)
    return found


def test_a_region_is_a_sphere_in_mm():
    """Of 3.5 mm voxels 98 lie within 10 mm: 4/3 pi (10 / 3.5)^3 is 97.7."""
    names = atlas.region_names()
    masks = atlas.region_masks(64, spacing_mm=3.5)
    assert masks.shape == (len(names), 64, 64, 64)
    assert masks.sum(axis=(1, 2, 3)) == pytest.approx(np.ones(len(names)))
    inside = masks[names.index("precuneus")] > 0
    assert 90 <= np.count_nonzero(inside) <= 104
    # (0, -56, 48) mm about the centre at (0, -17.5, 7)
    centre = np.argwhere(inside).mean(axis=0) - 32
    assert centre * 3.5 == pytest.approx([0, -38.5, 41], abs=1.0)


def test_left_is_left():
    names = atlas.region_names()
    volume = np.zeros([1, 32, 32, 32])
    volume[:, :16] = 1  # x runs to the right
    means = regions.regional_means(volume, **MM)[0]
    found = dict(zip(names, means, strict=True))
    assert found["left insula"] == pytest.approx(1)
    assert found["right insula"] == pytest.approx(0)
    # mirrored about voxel 16, where the centre is
    both = volumes(3)
    mirrored = np.roll(both[:, ::-1], 1, axis=1)
    a, b = (regions.regional_means(x, **MM) for x in (both, mirrored))
    swapped = [
        names.index(
            n.replace("left", "L")
            .replace("right", "left")
            .replace("L", "right")
        )
        for n in names
    ]
    assert a == pytest.approx(b[:, swapped], abs=1e-5)


def test_means_are_of_the_voxels_inside():
    rng = np.random.default_rng(0)
    volume = rng.uniform(0, 2, [2, 32, 32, 32])
    inside = atlas.region_masks(32, **MM) > 0
    wanted = [[v[m].mean() for m in inside] for v in volume]
    found = regions.regional_means(volume, **MM)
    assert found == pytest.approx(np.array(wanted), abs=1e-6)


def test_agreement_by_hand():
    """Two regions, off by 3 and 4: their root mean square is 3.536."""
    real = np.array([[0.0, 0], [2, 2], [0, 2], [2, 0]])
    synthetic = 2 * real + [2, 3]
    found = regions.regional_agreement(real, synthetic)
    assert found.differences == pytest.approx([3, 4])
    assert found.error == pytest.approx(np.sqrt(12.5))
    assert found.spread == pytest.approx(2)
    # four times the covariance: three times its norm away
    assert found.covariance == pytest.approx(3)
    assert found.interval.low is None
    assert len(found.intervals) == 2


def test_a_perfect_generator_is_nearer_than_halves_are():
    rng = np.random.default_rng(0)
    real, other = (rng.normal(1, 0.1, [n, 20]) for n in (40, 200))
    found = regions.regional_agreement(real, other)
    assert 0.3 < found.error_ratio < 0.9
    assert found.spread_interval.low < 1 < found.spread_interval.high
    inside = [i.low < 0 < i.high for i in found.intervals]
    assert sum(inside) >= 17
    off = regions.regional_agreement(real, other + 0.1)
    assert off.error_ratio > 2
    narrow = regions.regional_agreement(
        real, other.mean(axis=0) + 0.3 * (other - other.mean(axis=0))
    )
    assert narrow.error == pytest.approx(found.error)
    assert narrow.spread_interval.high < 0.7


def test_several_volumes_of_a_subject_count_as_one():
    rng = np.random.default_rng(0)
    real = rng.normal(1, 0.1, [10, 5])
    synthetic = rng.normal(1, 0.1, [50, 5])
    once = regions.regional_agreement(real, synthetic)
    twice = regions.regional_agreement(
        np.repeat(real, 2, axis=0),
        synthetic,
        subjects=np.repeat(np.arange(10), 2),
    )
    widths = [
        [i.high - i.low for i in each.intervals] for each in (once, twice)
    ]
    assert widths[0] == pytest.approx(widths[1], rel=0.05)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: atlas.region_masks(0, spacing_mm=1), "size and a spacing"),
        (
            lambda: regions.regional_means(np.ones([2, 32, 32, 16]), **MM),
            r"\[n, size, size, size\]",
        ),
        (
            lambda: regions.regional_means(
                np.ones([1, 16, 16, 16]), spacing_mm=3.5
            ),
            "without .*superior frontal.*larger cube",
        ),
        (
            lambda: regions.regional_means(
                np.full([1, 32, 32, 32], np.inf), **MM
            ),
            "finite",
        ),
        (
            lambda: regions.regional_agreement(
                np.ones([4, 3]), np.ones([4, 2])
            ),
            "same regions",
        ),
        (
            lambda: regions.regional_agreement(
                np.ones([1, 3]), np.ones([4, 3])
            ),
            "two or more",
        ),
    ],
)
def test_refuses(call, words):
    with pytest.raises(ValueError, match=words):
        call()
