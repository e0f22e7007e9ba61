import dataclasses
import sys

import numpy as np
import pytest
from scipy import ndimage

from tfds_adni.phantom import render as rendering
from tfds_adni.phantom.anatomy import build_anatomy
from tfds_adni.phantom.imaging import Grid, blur_mm
from tfds_adni.phantom.levels import LEVELS
from tfds_adni.phantom.maps import load_maps
from tfds_adni.phantom.regions import PUBLISHED, REGIONS, published_means
from tfds_adni.phantom.render import activity, render
from tfds_adni.phantom.scanners import acquire
from tfds_adni.phantom.subjects import FOLDS, make_subject

GRID = Grid((80, 80, 48), 3.0)
NAMES = [region.name for region in REGIONS]


@pytest.fixture(scope="module")
def head():
    return build_anatomy(3.0)


@pytest.fixture(scope="module")
def normal(head):
    return render(make_subject("NC", 0), head, grid=GRID)


def still(subject, **changes):
    """The subject, whose head lies straight and in the middle at all visits."""
    straight = dataclasses.replace(
        subject.difficulty, turn_deg=0.0, shift_mm=0.0
    )
    return dataclasses.replace(subject, difficulty=straight, **changes)


def blurred(subject, head):
    """A head that is not bent, `[v]`, so that its regions' place is known."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rendering, "bend", lambda head, *_: head)
        sharp = activity(subject, head)
    volume = ndimage.gaussian_filter(sharp, blur_mm() / 3, truncate=3)
    return volume.ravel()[head.index]


def grey_of(grey, head):
    """Grey matter of each region, both sides, `[v, r]`."""
    cortex, nuclei = (
        matrix[:, : len(REGIONS)] + matrix[:, len(REGIONS) :]
        for matrix in (head.cortex, head.nuclei)
    )
    return cortex.multiply(grey[:, None]).tocsr() + nuclei


def means_of(values, grey, head):
    """Mean of each region, weighted by a person's own grey matter."""
    weights = grey_of(grey, head)
    sizes = np.asarray(weights.sum(axis=0)).ravel()
    return (weights.T @ values) / sizes


def regional_means(subjects, head):
    """Means over subjects, with the folds of each."""
    return np.mean(
        [
            means_of(blurred(s, head), head.tissue(s.stream(FOLDS))[0], head)
            for s in subjects
        ],
        axis=0,
    )


def test_grey_to_white_after_blur(head):
    for stage in ("NC", "AD"):
        for number in range(2):
            subject = make_subject(stage, number)
            grey, white = head.tissue(subject.stream(FOLDS))
            grey = np.asarray(grey_of(grey, head).sum(axis=1)).ravel()
            values = blurred(subject, head)
            ratio = values[grey > 0.8].mean() / values[white > 0.9].mean()
            assert 1.5 < ratio < 2.5


def test_normal_regional_means_are_within_the_published_spread(head):
    normals = [make_subject("NC", n) for n in range(8)]
    found, wanted = regional_means(normals, head), published_means()
    found = found / np.average(found, weights=head.sizes)
    wanted = wanted / np.average(wanted, weights=head.sizes)
    spread = np.array([PUBLISHED[r.row].cv_pct for r in REGIONS]) / 100
    off = found / wanted - 1
    assert np.abs(off).mean() < 0.03
    assert (np.abs(off) < 1.5 * spread).all()


def test_a_twin_has_the_same_head_pose_and_noise(head):
    """A patient who loses nothing is the healthy twin, voxel by voxel."""
    spared = next(
        subject
        for subject in (make_subject("MCI", n) for n in range(60))
        if not subject.disease.severity
    )
    scan, twin = (
        render(each, head, grid=GRID)
        for each in (spared, spared.without_disease())
    )
    np.testing.assert_array_equal(scan, twin)


@pytest.mark.parametrize("difficulty", ["easy", "realistic"])
def test_disease_shows_after_blur(head, difficulty):
    """Against the same people without it, so that chance has no say."""
    ill = [make_subject("AD", n, difficulty=difficulty) for n in range(8)]
    well = [subject.without_disease() for subject in ill]
    lost = 1 - regional_means(ill, head) / regional_means(well, head)
    lost = dict(zip(NAMES, lost, strict=True))
    assert 0.08 < lost["posterior cingulate"] < 0.3
    assert lost["lateral temporal"] > 0.06
    assert lost["postcentral"] < 0.5 * lost["posterior cingulate"]
    assert 0 <= lost["pons"] < 0.04


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
    loss = subject.disease.loss.copy()
    loss[1] = 0.5
    disease = dataclasses.replace(subject.disease, loss=loss)
    volume = render(still(subject, disease=disease), head, grid=GRID)
    assert volume[40:].mean() < 0.8 * volume[:40].mean()


def test_front_and_top_are_where_they_should_be(normal):
    brain = normal > 0.4 * normal.max()
    # the cerebellum is low and behind, the frontal lobe high and in front
    behind, front = brain[:, 16:34], brain[:, 46:64]
    low, middle = slice(2, 10), slice(20, 34)
    assert behind[:, :, low].sum() > front[:, :, low].sum()
    assert front[:, :, middle].sum() > 1000


def test_a_seed_repeats_itself(head, normal):
    subject = make_subject("NC", 0)
    np.testing.assert_array_equal(normal, render(subject, head, grid=GRID))
    other = render(make_subject("NC", 0, seed=1), head, grid=GRID)
    assert not np.array_equal(normal, other)


def test_visits_share_the_anatomy(head):
    subject, stranger = (make_subject("AD", n, visits=3) for n in (0, 60))
    first, last, other = (
        render(still(s), head, visit=v, grid=GRID).ravel()
        for s, v in ((subject, 0), (subject, 2), (stranger, 0))
    )
    assert not np.array_equal(first, last)
    same = np.corrcoef(first, last)[0, 1]
    assert same > 0.98
    assert same > np.corrcoef(first, other)[0, 1]


def test_noise_is_that_of_the_scanner(head):
    """Between two visits that differ by noise alone, in grey matter."""
    subject = still(make_subject("NC", 0), years=(0, 0))
    exact = dataclasses.replace(
        subject.difficulty, scan_gain_sd=0.0, resolution_sd=0.0, noise_sd=0.0
    )
    subject = dataclasses.replace(subject, difficulty=exact)
    a, b = (render(subject, head, visit=v, grid=GRID) for v in (0, 1))
    inside = a + b > 0.7 * (a + b).max()
    wanted = LEVELS["uniform_8mm"].noise_cv(acquire(subject))
    ratio = (a / a[inside].mean())[inside] / (b / b[inside].mean())[inside]
    assert 0.02 < wanted < 0.1
    assert ratio.std() / np.sqrt(2) == pytest.approx(wanted, rel=0.3)


def test_a_processed_scan_has_nearly_one_scale(head):
    means = [
        (v := render(make_subject("NC", n), head, grid=GRID))[
            v > 0.4 * v.max()
        ].mean()
        for n in range(4)
    ]
    assert 0.6 < np.mean(means) < 1.6
    assert 0.01 < np.std(means) < 0.15


def test_without_nilearn_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "nilearn", None)
    with pytest.raises(ImportError, match=r'pip install "pet-dcgan\[demo\]"'):
        load_maps()
