"""The template head: maps, shapes and calibration."""

import numpy as np
import pytest
from scipy import ndimage

from tfds_adni.phantom import maps, shapes
from tfds_adni.phantom.anatomy import GREY_TO_WHITE, build_anatomy
from tfds_adni.phantom.imaging import blur_mm
from tfds_adni.phantom.regions import REGIONS, published_means

NAMES = [region.name for region in REGIONS]
COUNT = len(REGIONS)


@pytest.fixture(scope="module")
def head():
    return build_anatomy(3.0)


@pytest.fixture(scope="module")
def normal(head):
    """The mean blurred head of six, and the measured mean of each region."""
    cortex, nuclei, labels = (
        matrix[:, :COUNT] + matrix[:, COUNT:]
        for matrix in (head.cortex, head.nuclei, head.labels)
    )
    uptake = head.true_uptake
    level = np.average(uptake, weights=head.sizes) / GREY_TO_WHITE
    mean, found, size = 0, 0, 0
    for number in range(6):
        grey, white = head.tissue(np.random.default_rng([3, number]))
        sharp = grey * (cortex @ uptake) + nuclei @ uptake + level * white
        volume = ndimage.gaussian_filter(head.fill(sharp), blur_mm() / 3)
        blurred = volume.ravel()[head.index]
        found += cortex.T @ (grey * blurred) + labels.T @ blurred
        size += cortex.T @ grey + np.asarray(labels.sum(axis=0)).ravel()
        mean += volume / 6
    return mean, found / size


def both_sides(volume, *place):
    """The mean of a place in mm, MNI, and of that across the midline."""
    axes = maps.box_axes(3.0)
    x, *others = place
    places = [
        [(p - a[0]) / 3 for p, a in zip((s * x, *others), axes, strict=True)]
        for s in (-1, 1)
    ]
    values = ndimage.map_coordinates(volume, np.transpose(places), order=1)
    return float(values.mean())


def test_the_box_begins_at_its_corner_and_ends_before_its_end():
    for axis, low, high in zip(
        maps.box_axes(2.5), maps.LOW, maps.HIGH, strict=True
    ):
        assert axis[0] == low
        assert high - 2.5 <= axis[-1] < high


def test_maps_are_shares_and_none_is_above_the_nose():
    grey, white = maps.tissue_maps(3.0)
    assert min(grey.min(), white.min()) >= 0
    assert max(grey.max(), white.max()) <= 1
    _, y, z = maps.box_axes(3.0)
    nose = np.ix_(np.arange(len(grey)), y > 35, z < -22)
    assert not grey[nose].any()
    assert not white[nose].any()


def test_a_brain_keeps_what_it_encloses_and_narrow_sulci():
    tissue = np.zeros((30, 30, 30), np.float32)
    tissue[5:25, 5:25, 5:25] = 0.9
    tissue[14:16, 14:16, 10:14] = 0  # a ventricle
    tissue[14:16, :, 20:25] = 0  # a sulcus 6 mm wide, open above
    tissue[5, 5, 5] = 0.4
    brain = maps.brain_of(tissue, 3.0)
    assert brain[14:16, 14:16, 10:14].all()
    assert brain[14:16, 10:20, 21].all()
    assert not brain[:4].any()


def test_only_fluid_in_the_middle_is_ventricle():
    axes = [np.array([0.0, 60.0]), np.array([-12.0, -40.0]), np.array([14.0])]
    fluid = np.ones((2, 2, 1), bool)
    found = maps.ventricle_of(fluid, axes)
    # beside the middle, or behind in the cistern, it is none
    np.testing.assert_array_equal(found[..., 0], [[True, False], [False] * 2])


def test_signed_distance_counts_from_the_edge_between_voxels():
    mask = np.zeros((9, 9, 9), bool)
    mask[:4] = True
    found = maps.signed_distance(mask, 2.0)[:, 4, 4]
    np.testing.assert_allclose(found[2:6], [-3, -1, 1, 3])
    nowhere = maps.signed_distance(np.zeros((2, 2, 2), bool), 2.0)
    assert nowhere.min() == 99


def test_a_blur_within_a_mask_keeps_what_is_constant():
    mask = np.zeros((12, 12, 12), bool)
    mask[3:9, 3:9, 3:9] = True
    values = np.where(mask, 0.7, 50.0)
    found = maps.within(values, mask, 2.0)
    np.testing.assert_allclose(found[mask], 0.7, rtol=1e-5)
    assert not found[~mask].any()


def test_sharpened_shares_take_the_side_of_the_larger():
    grey, white = np.array([0.6, 0.5, 0.1]), np.array([0.3, 0.5, 0.1])
    sharp = maps.sharpened(grey, white)
    # .6^6 over .6^6 + .3^6 + .1^6 is 64 over 65, nearly
    np.testing.assert_allclose(sharp[0], [0.98460, 0.5, 0], atol=1e-4)
    np.testing.assert_allclose(sharp[1], [0.01538, 0.5, 0], atol=1e-4)


def test_depth_in_an_ellipsoid():
    ball = (1, 2, 3), (5, 5, 5)
    places = np.array([[1, 2, 3], [4, 2, 3], [1, 2, 10]], float).T
    np.testing.assert_allclose(shapes.depth(ball, places), [5, 2, -2])
    egg = (0, 0, 0), (2, 3, 4)
    places = np.array([[0, 0, 6], [1, 0, 0], [0, 3, 0]], float).T
    np.testing.assert_allclose(shapes.depth(egg, places), [-2, 1, 0])


def test_shares_go_to_the_region_at_its_side():
    points = np.array([[12, -20, 8], [-25, 7, 0], [40, -23, 52.0]])
    cortex, nuclei, labels = (
        m.toarray() for m in shapes.regional_shares(points)
    )
    right, left = COUNT + NAMES.index("thalamus"), NAMES.index("putamen")
    assert nuclei[0, right] > 0.9
    assert nuclei[1, left] > 0.9
    assert cortex[2, COUNT + NAMES.index("postcentral")] > 0.9
    assert (labels.sum(axis=1) >= nuclei.sum(axis=1) - 0.05).all()


def test_shares_add_up(head):
    cortex = np.asarray(head.cortex.sum(axis=1)).ravel()
    assert cortex.min() > 0.85  # shares below .02 are dropped
    assert cortex.max() < 1.0001
    nuclei = np.asarray(head.nuclei.sum(axis=1)).ravel()
    assert nuclei.min() >= 0
    assert nuclei.max() < 1.0001
    grey, white = head.tissue(np.random.default_rng(0))
    assert (grey + white + nuclei).max() < 1.01
    litres = (grey + white + nuclei).sum() * 27e-6
    assert 1.3 < litres < 2.0  # the MNI head is a large one
    assert min(grey.min(), white.min()) >= 0


def test_no_shape_reaches_over_a_region_of_the_other_kind(head):
    kinds = np.array([region.tissue for region in REGIONS] * 2)
    assert not head.cortex[:, kinds == "nucleus"].sum()
    assert not head.nuclei[:, kinds == "cortex"].sum()
    assert not head.labels[:, kinds == "cortex"].sum()


def test_what_is_measured_after_blur_is_as_published(normal):
    _, found = normal
    np.testing.assert_allclose(found, published_means(), rtol=0.09)
    assert np.abs(found / published_means() - 1).mean() < 0.02


def test_nuclei_are_as_bright_as_cortex_and_apart(head, normal):
    volume, _ = normal
    cortex = np.average(
        published_means(),
        weights=head.sizes * [r.tissue == "cortex" for r in REGIONS],
    )
    thalamus = both_sides(volume, 12, -20, 8)
    putamen = both_sides(volume, 25, 6, 0)
    caudate = both_sides(volume, 12, 11, 7)
    assert min(thalamus, putamen, caudate) > cortex
    assert putamen > max(thalamus, caudate)
    capsule = both_sides(volume, 21, -13, 9)  # its posterior limb
    assert capsule < 0.75 * min(thalamus, putamen)


def test_white_matter_is_dark_and_the_cortex_is_not(head, normal):
    volume, _ = normal
    white = both_sides(volume, 26, -20, 32)
    level = np.average(published_means(), weights=head.sizes)
    assert 0.25 < white / level < 0.5


def test_sizes_are_those_of_people(head):
    """Each side in ml, brought to a head of .915 of the template's size."""
    millilitres = head.sizes * 0.027 / 2 * 0.915**3
    size = dict(zip(NAMES, millilitres, strict=True))
    assert 4.5 < size["thalamus"] < 8
    assert 2.5 < size["caudate"] < 5
    assert 3.5 < size["putamen"] < 6.5
    assert 1.5 < size["pericalcarine"] < 4.5
    assert 3 < size["hippocampus"] < 5


def test_people_share_the_template_and_not_the_folding(head):
    one, again, other = (
        head.tissue(np.random.default_rng(seed))[0] for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, again)
    folded = head.own > 0.9
    assert np.corrcoef(one[folded], other[folded])[0, 1] < 0.85
    np.testing.assert_array_equal(one[head.own == 0], other[head.own == 0])
    assert one.sum() == pytest.approx(other.sum(), rel=0.03)


def test_around_is_a_volume_of_the_box(head):
    around = head.around(np.random.default_rng(0))
    assert around.shape == head.shape
    assert not around.ravel()[head.index].any()


def test_a_head_is_built_once():
    assert build_anatomy(3.0) is build_anatomy(3.0)
