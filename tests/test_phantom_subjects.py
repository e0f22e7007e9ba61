import numpy as np
import pytest

from tfds_adni.phantom.anatomy import build_anatomy
from tfds_adni.phantom.disease import losses
from tfds_adni.phantom.regions import (
    MIDLINE,
    PUBLISHED,
    REGIONS,
    published_means,
    spread,
)
from tfds_adni.phantom.subjects import make_subject
from tfds_adni.tables.cells import STAGES

NAMES = [r.name for r in REGIONS]
PCC = NAMES.index("posterior cingulate")


@pytest.fixture(scope="module")
def planted():
    return {s: [make_subject(s, n) for n in range(400)] for s in STAGES}


def uptake(subjects):
    return np.array([s.uptake() for s in subjects])


def test_normal_means_and_variation_are_as_published():
    subjects = [make_subject("NC", n, difficulty="easy") for n in range(400)]
    values = uptake(subjects).mean(1)
    mean, cv = values.mean(0), values.std(0) / values.mean(0)
    wanted = np.array([PUBLISHED[r.row].cv_pct for r in REGIONS]) / 100
    np.testing.assert_allclose(mean, published_means(), rtol=0.015)
    np.testing.assert_allclose(cv, wanted, rtol=0.15)


def test_sides_agree_as_published(planted):
    values = np.array([s.healthy for s in planted["NC"]])
    left, right = values[:, 0], values[:, 1]
    paired = np.array([name not in MIDLINE for name in NAMES])
    asymmetry = (2 * (right - left) / (right + left)).std(0)
    np.testing.assert_array_equal(asymmetry[~paired], 0)
    assert asymmetry[paired].min() > 0.017
    assert asymmetry[paired].max() < 0.044
    both = [
        np.corrcoef(left[:, i], right[:, i])[0, 1]
        for i in np.flatnonzero(paired)
    ]
    assert min(both) > 0.87
    assert max(both) < 0.98


def test_regions_of_a_network_vary_together(planted):
    values = uptake(planted["NC"]).mean(1)
    relative = values / values.mean(1, keepdims=True)
    names = ("lingual", "cuneus", "cerebellar cortex")
    lingual, cuneus, cerebellum = (
        relative[:, NAMES.index(name)] for name in names
    )
    near = np.corrcoef(lingual, cuneus)[0, 1]
    assert near > np.corrcoef(lingual, cerebellum)[0, 1] + 0.2


def test_spread_by_hand():
    # putamen: c = .083, s = .058, g = .072
    loading, own = spread()
    place = NAMES.index("putamen")
    assert loading[place] == pytest.approx(0.06048, abs=1e-5)
    assert own[place] == pytest.approx(0.05685, abs=1e-5)


def test_own_atrophy_is_skewed_and_goes_together(planted):
    everyone = [q for s in STAGES for q in planted[s]]
    ventricle = np.array([q.ventricle_mm for q in everyone])
    thinning = np.mean([q.thinning_mm for q in everyone], axis=1)
    standard = (ventricle - ventricle.mean()) / ventricle.std()
    assert 0.4 < (standard**3).mean() < 1.2
    assert 0.25 < np.corrcoef(ventricle, thinning)[0, 1] < 0.55


def test_thinning_differs_between_regions_of_one_person(planted):
    own = np.array([q.thinning_mm for q in planted["NC"]])
    apart = own - own.mean(axis=1, keepdims=True)
    hard = planted["NC"][0].difficulty
    assert apart.std() == pytest.approx(hard.own_region_thinning_mm, rel=0.03)


def test_age_takes_frontal_uptake_and_cortex(planted):
    people = planted["NC"]
    older = np.array([q.age for q in people]) - 74
    healthy = np.array([q.healthy.mean(0) for q in people])
    slopes = np.polyfit(older, healthy / published_means(), 1)[0]
    frontal, caudate = map(NAMES.index, ("superior frontal", "caudate"))
    assert slopes[frontal] == pytest.approx(-0.004, abs=0.0015)
    assert slopes[caudate] == pytest.approx(-0.0005, abs=0.002)
    thin = np.array([q.thinning_mm.mean() for q in people])
    assert np.polyfit(older, thin, 1)[0] == pytest.approx(0.005, abs=0.003)


def test_ages_sexes_and_visits(planted):
    everyone = [q for s in STAGES for q in planted[s]]
    assert min(q.age for q in everyone) >= 55
    assert max(q.age + q.years[-1] for q in everyone) <= 92
    assert {q.sex for q in everyone} == {"F", "M"}
    assert 0.28 < np.mean([len(q.years) > 1 for q in everyone]) < 0.38
    assert {q.years for q in everyone} == {(0,), (0, 1), (0, 1, 2)}


def test_a_later_visit_by_hand(planted):
    person = next(
        q
        for q in planted["AD"]
        if len(q.years) == 3 and q.disease.loss.max() < 0.3
    )
    sick, grown = person.disease, 1 + 2 * person.disease.a_year
    aged = 1 - 2 * 0.004  # of superior frontal cortex, 0.4 % a year
    wanted = person.healthy[0, 0] * aged * (1 - grown * sick.loss[0, 0])
    assert person.uptake(2)[0, 0] == pytest.approx(wanted, rel=1e-9)
    wider = 2 * person.difficulty.ventricle_mm_a_year
    wider += person.ventricle_mm + grown * sick.ventricle_mm
    assert person.ventricle(2) == pytest.approx(wider, rel=1e-9)
    thinner = person.thinning_mm[0] + 2 * person.difficulty.thinning_mm_a_year
    thinner += grown * sick.thinning_mm * losses("thinning")[0]
    assert person.thinning(2)[0] == pytest.approx(thinner, rel=1e-9)


def test_later_visits_lose_more(planted):
    for stage in STAGES:
        subject = next(q for q in planted[stage] if len(q.years) == 3)
        assert (subject.uptake(2) <= subject.uptake(0)).all()
        assert (
            subject.uptake(2)[:, PCC].mean() < subject.uptake()[:, PCC].mean()
        )
        assert subject.ventricle(2) > subject.ventricle(0)
        assert (subject.thinning(2) >= subject.thinning(0)).all()


def test_visits_may_be_given():
    assert make_subject("NC", 0, visits=4).years == (0, 1, 2, 3)


def test_ids_are_invented_and_stages_alternate(planted):
    ids = [planted[s][n].ptid for n in (0, 1) for s in STAGES]
    assert ids == [f"999_S_{rid}" for rid in range(9001, 9007)]
    rids = {q.rid for s in STAGES for q in planted[s]}
    assert len(rids) == sum(map(len, planted.values()))


def test_seeds_make_other_subjects():
    same, other = make_subject("AD", 3, seed=0), make_subject("AD", 3, seed=1)
    np.testing.assert_array_equal(same.healthy, make_subject("AD", 3).healthy)
    assert not np.array_equal(same.healthy, other.healthy)


def test_parts_of_a_published_row_average_to_it():
    sizes = build_anatomy(3.0).sizes
    assert {r.row for r in REGIONS} == set(PUBLISHED)
    assert len(set(NAMES)) == len(NAMES)
    for row in PUBLISHED:
        parts = [i for i, r in enumerate(REGIONS) if r.row == row]
        factors = [REGIONS[i].of_row for i in parts]
        mean = np.average(factors, weights=sizes[parts])
        assert mean == pytest.approx(1, abs=0.03), row
