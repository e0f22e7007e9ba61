import dataclasses

import numpy as np
import pytest
from scipy import ndimage

from tfds_adni.phantom import folding
from tfds_adni.phantom.folding import Folds, fold, make_folds

BOX_MM = np.array([60.0, 60.0, 60.0])


def toy(count=4000, *, grey=0.5, white=0.3):
    """Folds of voxels all over a box, alike in their probabilities."""
    places = np.random.default_rng(0).uniform(0, 60, (count, 3))
    shares = {"grey": grey, "white": white}
    return make_folds(
        places, BOX_MM, **{n: np.full(count, v) for n, v in shares.items()}
    )


def person(number, folds=None, **options):
    folds = toy() if folds is None else folds
    return fold(folds, np.random.default_rng(number), **options)


@pytest.fixture
def alike(monkeypatch):
    """People whose folds lie elsewhere and are otherwise alike."""
    for name in ("_SPACING_SD", "_THICKNESS_SD", "_WIDTH_SD"):
        monkeypatch.setattr(folding, name, 0)


def test_sizes_of_the_field_are_quantiles():
    # half of all normal variables are smaller than .6745, 80 % than 1.2816
    folds = toy(1, grey=0.3, white=0.2)
    assert folds.fluid[0] == pytest.approx(0.6745, abs=1e-4)
    assert folds.grey[0] == pytest.approx(1.2816, abs=1e-4)


def test_a_probability_of_one_stays_finite():
    folds = make_folds(
        np.zeros((1, 3)), BOX_MM, grey=np.ones(1), white=np.zeros(1)
    )
    assert np.isfinite(folds.grey).all()
    assert person(0, folds)[0][0] > 0.5


@pytest.mark.parametrize(
    ("grey", "white"), [(0.5, 0.3), (0.2, 0.7), (0.6, 0.0)]
)
def test_mean_over_people_is_the_probability(monkeypatch, grey, white):
    # a person has some hundred folds here, so 40 people leave 1 %; soft
    # borders move 5 % more, and are left out
    monkeypatch.setattr(folding, "_EDGE_MM", 0.02)
    folds = toy(grey=grey, white=white)
    people = [person(number, folds) for number in range(40)]
    found = np.mean(people, axis=(0, 2))
    np.testing.assert_allclose(found, (grey, white), atol=0.02)


def test_soft_borders_change_the_mean_little():
    people = [person(number) for number in range(40)]
    found = np.mean(people, axis=(0, 2))
    np.testing.assert_allclose(found, (0.5, 0.3), atol=0.06)


def test_shares_add_up_to_one_at_most():
    grey, white = person(0)
    assert grey.dtype == white.dtype == np.float32
    assert grey.min() >= 0
    assert white.min() >= 0
    assert (grey + white).max() <= 1 + 1e-6


def test_thinning_takes_grey_matter_alone():
    before, after = person(1), person(1, thinning_mm=0.5)
    assert (after[0] <= before[0]).all()
    assert after[0].sum() < 0.95 * before[0].sum()
    np.testing.assert_array_equal(after[1], before[1])


def test_thinning_is_local():
    thinning = np.zeros(4000)
    thinning[:10] = 1
    before, after = person(1)[0], person(1, thinning_mm=thinning)[0]
    assert after[:10].sum() < before[:10].sum()
    np.testing.assert_allclose(after[10:], before[10:], rtol=1e-6)


def test_a_seed_is_a_person():
    one, again, other = person(3), person(3), person(4)
    np.testing.assert_array_equal(one, again)
    assert abs(np.corrcoef(one[0], other[0])[0, 1]) < 0.2


@pytest.mark.parametrize("spacing_mm", [12, 35])
def test_the_field_has_an_sd_of_one_and_waves_of_two_spacings(spacing_mm):
    noise = np.random.default_rng(0).standard_normal((64, 64, 64))
    field = folding._band_pass(noise.astype(np.float32), spacing_mm)
    places = np.random.default_rng(1).uniform(0, 63, (3, 100_000))
    read = ndimage.map_coordinates(field, places, order=1)
    assert read.std() == pytest.approx(1, abs=0.02)
    # a cosine of wavelength 2 L is as far down at L as it was up
    steps = round(spacing_mm / folding._LATTICE_MM)
    assert (field[:-steps] * field[steps:]).mean() < -0.05


def test_wider_sulci_hold_more_fluid(alike):
    folds = toy()
    wide = dataclasses.replace(folds, fluid=1.3 * folds.fluid)
    assert sum(person(2, wide)).sum() < sum(person(2, folds)).sum()


def test_people_differ_in_thickness(monkeypatch, alike):
    """One SD more of a quarter: a quarter of the band more grey matter."""
    folds = toy()
    monkeypatch.setattr(folding, "_THICKNESS_SD", 0.25)
    draws = np.random.default_rng(5).standard_normal(2)
    thick = np.exp(0.25 * draws[1])
    changed = person(5, folds)[0].mean()
    monkeypatch.setattr(folding, "_THICKNESS_SD", 0)
    band = folds.grey - folds.fluid
    by_hand = dataclasses.replace(folds, grey=folds.fluid + thick * band)
    assert changed == pytest.approx(person(5, by_hand)[0].mean(), rel=1e-5)
    assert (changed > person(5, folds)[0].mean()) == (thick > 1)


def test_a_sulcus_stands_upright_on_the_hull():
    """Voxels under one point of the hull fold alike, however deep."""
    places = np.repeat([[30.0, 30.0, 30.0]], 5, axis=0)
    grey = np.full(5, 0.5)
    shares = person(
        6, Folds(**vars(make_folds(places, BOX_MM, grey=grey, white=grey / 2)))
    )
    assert np.ptp(shares[0]) == 0
