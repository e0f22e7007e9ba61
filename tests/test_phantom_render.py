import dataclasses
import sys

import numpy as np
import pytest
from scipy import ndimage

from tfds_adni.phantom.anatomy import build_anatomy, load_maps, map_blur
from tfds_adni.phantom.regions import PUBLISHED, REGIONS, published_means
from tfds_adni.phantom.render import Grid, activity, render, smooth_field
from tfds_adni.phantom.subjects import make_subject

GRID = Grid((80, 80, 48), 3.0)


@pytest.fixture(scope="module")
def head():
    return build_anatomy(3.0)


@pytest.fixture(scope="module")
def normal(head):
    return render(make_subject("NC", 0), head, grid=GRID)


def blurred(subject, head):
    volume = ndimage.gaussian_filter(
        activity(subject, head), map_blur(3.0), truncate=3
    )
    return volume.ravel()[head.index]


def both_sides(head):
    count = len(REGIONS)
    return head.weights[:, :count] + head.weights[:, count:]


def regional_means(volumes, head):
    """Mean of each region, weighted by its grey matter."""
    weights = both_sides(head)
    sizes = np.asarray(weights.sum(axis=0)).ravel()
    return np.mean([weights.T @ v for v in volumes], axis=0) / sizes


@pytest.fixture(scope="module")
def measured(head):
    """Regional means of 15 subjects of a stage."""
    return {
        stage: regional_means(
            [blurred(make_subject(stage, n), head) for n in range(15)], head
        )
        for stage in ("NC", "AD")
    }


def still(subject, visits=1, **changes):
    """The subject with all heads straight and in the middle."""
    none = np.zeros((visits, 3))
    return dataclasses.replace(subject, tilt=none, shift=none, **changes)


def test_grey_to_white_after_blur(head):
    grey = np.asarray(head.weights.sum(axis=1)).ravel()
    for stage in ("NC", "AD"):
        for number in range(2):
            values = blurred(make_subject(stage, number), head)
            ratio = values[grey > 0.8].mean() / values[head.white > 0.9].mean()
            assert 1.5 < ratio < 2.5


def test_normal_regional_means_are_within_the_published_spread(head, measured):
    found, wanted = measured["NC"], published_means()
    found = found / np.average(found, weights=head.sizes)
    wanted = wanted / np.average(wanted, weights=head.sizes)
    spread = np.array([PUBLISHED[r.row][2] for r in REGIONS]) / 100
    off = found / wanted - 1
    assert np.abs(off).mean() < 0.03
    assert (np.abs(off) < 1.5 * spread).all()


def test_disease_shows_after_blur(measured):
    names = [r.name for r in REGIONS]
    lost = 1 - measured["AD"] / measured["NC"]
    lost = dict(zip(names, lost, strict=True))
    assert 0.08 < lost["posterior cingulate"] < 0.22
    assert lost["lateral temporal"] > 0.06
    assert abs(lost["postcentral"]) < 0.04


def test_wider_ventricles_and_thinner_cortex_take_uptake_away(head):
    subject = make_subject("NC", 0)
    for part in ("ventricle_mm", "thinning_mm"):
        less = dataclasses.replace(subject, **{part: 0.0})
        more = dataclasses.replace(subject, **{part: 2.0})
        lost = 1 - activity(more, head) / (activity(less, head) + 1e-6)
        assert activity(more, head).sum() < activity(less, head).sum()
        assert lost.max() > 0.3


def test_a_scan_is_a_head_in_the_air(normal):
    assert normal.shape == GRID.shape
    assert normal.dtype == np.float32
    assert normal.min() >= 0
    assert np.isfinite(normal).all()
    brain = normal > 0.4 * normal.max()
    middle = ndimage.center_of_mass(brain)
    np.testing.assert_allclose(middle, [39.5, 39.5, 23.5], atol=4)
    litres = brain.sum() * 27e-6
    assert 0.8 < litres < 1.8


def test_scalp_is_faint_and_the_skull_darker(head):
    volume = render(still(make_subject("NC", 0)), head, grid=GRID)
    brain = volume > 0.4 * volume.max()
    upper = np.indices(GRID.shape)[2] > 20
    away = 3 * ndimage.distance_transform_edt(~brain)
    level = volume[brain].mean()
    scalp = volume[upper & (away > 10) & (away < 16)].mean() / level
    assert 0.05 < scalp < 0.25
    assert volume[upper & (away > 40)].mean() / level < 0.01


def test_right_is_right(head):
    subject = make_subject("NC", 0)
    loss = subject.loss.copy()
    loss[1] = 0.5
    volume = render(still(subject, loss=loss), head, grid=GRID)
    assert volume[40:].mean() < 0.8 * volume[:40].mean()


def test_front_and_top_are_where_they_should_be(normal):
    brain = normal > 0.4 * normal.max()
    # the cerebellum is low and behind, the frontal lobe high and in front
    behind, front = brain[:, 16:34], brain[:, 46:64]
    low, middle = slice(2, 10), slice(20, 34)
    assert behind[:, :, low].sum() > front[:, :, low].sum()
    assert front[:, :, middle].sum() > 1000


def test_a_seed_repeats_itself_and_visits_share_the_anatomy(head, normal):
    subject = make_subject("NC", 0)
    np.testing.assert_array_equal(normal, render(subject, head, grid=GRID))
    other = render(subject, head, grid=GRID, seed=1)
    assert not np.array_equal(normal, other)
    twice = next(
        s
        for s in (make_subject("AD", n) for n in range(50))
        if len(s.years) == 3
    )
    first, last, stranger = (
        render(still(s, visits=3), head, visit=v, grid=GRID).ravel()
        for s, v in ((twice, 0), (twice, 2), (make_subject("AD", 60), 0))
    )
    assert not np.array_equal(first, last)
    same = np.corrcoef(first, last)[0, 1]
    assert same > 0.98
    assert same > np.corrcoef(first, stranger)[0, 1]


def test_noise_is_a_few_per_cent(head):
    subject = still(make_subject("NC", 0), 2, years=(0, 0), progress=(1, 1))
    a, b = (render(subject, head, visit=v, grid=GRID) for v in (0, 1))
    inside = ndimage.binary_erosion(a > 0.5 * a.max(), iterations=1)
    ratio = (a / a[inside].mean())[inside] / (b / b[inside].mean())[inside]
    assert 0.015 < ratio.std() / np.sqrt(2) < 0.06


def test_doses_differ(head):
    means = [
        (v := render(make_subject("NC", n), head, grid=GRID))[
            v > 0.4 * v.max()
        ].mean()
        for n in range(4)
    ]
    assert 0.6 < np.mean(means) < 1.6
    assert np.std(means) > 0.05


def test_smooth_field_has_unit_spread():
    axes = [np.arange(20.0) * 30] * 3
    field = smooth_field(axes, np.random.default_rng(0), knot_mm=30)
    assert field.shape == (20, 20, 20)
    assert field.std() == pytest.approx(1, abs=0.1)


def test_true_uptake_is_measured_as_published(head):
    true = head.true_uptake
    level = np.average(true, weights=head.sizes) / 4
    sharp = head.fill(both_sides(head) @ true + level * head.white)
    blur = ndimage.gaussian_filter(sharp, map_blur(3.0), truncate=3)
    found = regional_means([blur.ravel()[head.index]], head)
    np.testing.assert_allclose(found, published_means(), rtol=0.15)


def test_tissue_is_shared_out_without_remainder(head):
    grey = np.asarray(head.weights.sum(axis=1)).ravel()
    total = grey + head.white
    assert total.max() < 1.02
    assert (grey >= 0).all()
    assert (head.white >= 0).all()
    litres = total.sum() * 27e-6
    assert 1.3 < litres < 2.0  # the MNI head is a large one


def test_without_nilearn_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "nilearn", None)
    with pytest.raises(ImportError, match=r'pip install "pet-dcgan\[demo\]"'):
        load_maps()
