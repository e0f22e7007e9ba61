import numpy as np
import pytest
from scipy import ndimage, stats

from pet_dcgan.metrics.uptake import (
    bland_altman,
    histogram_distance,
    intensity_histogram,
    joint_histogram,
    region_names,
    regional_uptake,
    wasserstein,
)


def square(size=9, margin=0, **levels):
    """One image `[1, ...]`: a square of 1 with regions of other levels."""
    side = size - 2 * margin
    third = side // 3
    inner = np.ones((side, side))
    rows = {"front": slice(0, third), "back": slice(2 * third, side)}
    columns = {
        "left": slice(0, third),
        "right": slice(2 * third, side),
        "centre": slice(third, 2 * third),
    }
    for name, level in levels.items():
        if name in rows:
            inner[rows[name]] = level
        else:
            inner[third : 2 * third, columns[name]] = level
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
    image = square(
        margin=0, front=1.0, back=2.0, left=1.2, right=1.4, centre=1.6
    )
    image = np.pad(image, [(0, 0), (4, 2), (3, 3)], constant_values=0.1)
    np.testing.assert_allclose(
        regional_uptake(image), [[1.0, 2.0, 1.2, 1.4, 1.6]]
    )


def test_moving_and_scaling_an_image(brains):
    uptake = regional_uptake(brains)
    moved = np.roll(brains, (3, -2), axis=(1, 2))
    np.testing.assert_allclose(regional_uptake(moved), uptake)
    np.testing.assert_allclose(regional_uptake(2 * brains), 2 * uptake)


def test_mirroring_exchanges_left_and_right(brains):
    image = square(18, 3, left=1.3, front=2.0, centre=1.2)
    for images, tolerance in ((image, 1e-9), (brains, 0.1)):
        np.testing.assert_allclose(
            regional_uptake(images[:, :, ::-1]),
            regional_uptake(images)[:, [0, 1, 3, 2, 4]],
            atol=tolerance,
        )


def test_stray_pixels_do_not_widen_the_box():
    image = np.repeat(square(60, 15, left=1.5), 2, axis=0)
    image[1, 0, 0] = image[1, -1, -1] = 1.0
    there, stray = regional_uptake(image)
    np.testing.assert_allclose(stray, there, atol=0.02)


def test_a_region_without_brain_takes_all_of_its_pixels():
    image = square(18, 3, centre=0.05)
    np.testing.assert_allclose(regional_uptake(image), [[1, 1, 1, 1, 0.05]])
    np.testing.assert_array_equal(regional_uptake(np.zeros((2, 9, 9))), 0)


def test_chunks_do_not_matter(brains):
    many = np.tile(brains, (10, 1, 1))
    np.testing.assert_array_equal(
        regional_uptake(many)[-30:], regional_uptake(brains)
    )


def test_names_by_plane():
    assert region_names("axial") == ("front", "back", "left", "right", "centre")
    assert region_names("coronal")[:2] == ("top", "bottom")
    assert region_names("sagittal")[2:4] == ("front", "back")
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


def test_joint_histogram_by_hand():
    x = np.array([[0.0, 0.9], [1.1, 2.5]])
    y = np.array([[0.0, 0.0], [2.0, -9.0]])
    shares = joint_histogram(x, y, suvr_max=2.0, bins=2)
    # (0, 0), (0.9, 0) | (1.1, 2) | (2.5, -9), counted in the outermost bins
    np.testing.assert_array_equal(shares, [[0.5, 0.0], [0.25, 0.25]])


def test_histograms_equal_those_of_numpy():
    x, y = np.random.default_rng(1).random((2, 3, 8, 8))
    for other in (x, y):
        expected = np.histogram2d(
            x.ravel(), other.ravel(), bins=64, range=[[0, 1], [0, 1]]
        )[0]
        found = joint_histogram(x, other, suvr_max=1)
        np.testing.assert_allclose(found, expected / x.size)
    expected = np.histogram(x[2], bins=64, range=(0, 1))[0] / 64
    np.testing.assert_allclose(intensity_histogram(x, suvr_max=1)[2], expected)


def test_intensities_by_hand():
    images = np.array([[[0.0, 0.9], [1.1, 2.5]], [[0.0, 0.0], [0.0, -9.0]]])
    shares = intensity_histogram(images, suvr_max=2.0, bins=4)
    expected = [[0.25, 0.25, 0.25, 0.25], [1, 0, 0, 0]]
    np.testing.assert_array_equal(shares, expected)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([1.0, 3.0], [3.0, 2.0], 0.5),  # 1 to 2, and 3 stays
        ([0.0], [1.0, 2.0], 1.5),
        ([0.0, 0.0, 1.0], [0.0, 1.0], 1 / 6),  # a sixth has to go from 0 to 1
    ],
)
def test_wasserstein_by_hand(a, b, expected):
    assert wasserstein(a, b) == pytest.approx(expected)
    assert wasserstein(b, a) == pytest.approx(expected)


@pytest.mark.parametrize("sizes", [(40, 40), (40, 100), (7, 11), (30, 15)])
def test_wasserstein_equals_scipy(sizes):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=sizes[0]), rng.normal(0.3, 2, size=sizes[1])
    expected = stats.wasserstein_distance(a, b)
    assert wasserstein(a, b) == pytest.approx(expected)
    assert wasserstein(a.astype(np.float32), a + 0.25) == pytest.approx(0.25)


def test_distance_of_histograms_by_hand_and_near_that_of_the_samples():
    a = [[1.0, 0, 0, 0], [0, 0, 1, 0]]
    found = histogram_distance(a, [0.0, 1, 0, 0], suvr_max=2.0)
    np.testing.assert_allclose(found, [0.5, 0.5])
    rng = np.random.default_rng(0)
    a, b = 2.5 * rng.random((6, 8, 8)), 2.5 * rng.random((4, 8, 8)) ** 2
    for bins in (5, 1000):
        shares = [
            intensity_histogram(x, suvr_max=2.5, bins=bins).mean(axis=0)
            for x in (a, b)
        ]
        found = histogram_distance(*shares, suvr_max=2.5)
        assert found == pytest.approx(wasserstein(a, b), abs=2.5 / bins)


X = np.ones((2, 2))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: regional_uptake(np.ones((9, 9))), "height, width"),
        (lambda: regional_uptake(np.ones((1, 2, 9))), "3 pixels or more"),
        (lambda: regional_uptake(np.full((1, 9, 9), np.nan)), "NaN"),
        (lambda: bland_altman([1.0], [1.0]), "two or more pairs"),
        (lambda: bland_altman([1.0, 2], [1.0, 2, 3]), r"\(2,\) and \(3,\)"),
        (lambda: bland_altman([1.0, np.nan], [1.0, 2]), "NaN or infinity"),
        (lambda: joint_histogram(X, X[:1], suvr_max=1), "one shape"),
        (lambda: joint_histogram(X, X, suvr_max=1, bins=0), "one bin"),
        (lambda: intensity_histogram(X, suvr_max=-1), "positive suvr_max"),
        (lambda: intensity_histogram(X * np.nan, suvr_max=1), "NaN"),
        (lambda: histogram_distance(X[0], X[:, :1], suvr_max=1), "same bins"),
        (lambda: wasserstein([], [1]), "two samples, found 0 and 1"),
        (lambda: wasserstein([np.nan], [1]), "NaN or infinity"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
