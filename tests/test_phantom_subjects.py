import numpy as np
import pytest

from tfds_adni.phantom.anatomy import build_anatomy
from tfds_adni.phantom.regions import (
    MIDLINE,
    PUBLISHED,
    REGIONS,
    published_means,
    spread,
)
from tfds_adni.phantom.subjects import STAGES, make_subject

NAMES = [r.name for r in REGIONS]
PCC = NAMES.index("posterior cingulate")


@pytest.fixture(scope="module")
def planted():
    return {s: [make_subject(s, n) for n in range(400)] for s in STAGES}


def uptake(subjects):
    return np.array([s.uptake() for s in subjects])


def effect_size(a, b):
    pooled = np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2)
    return (a.mean() - b.mean()) / pooled


def test_effect_sizes_in_the_posterior_cingulate(planted):
    nc, mci, ad = (uptake(planted[s])[:, :, PCC].mean(1) for s in STAGES)
    assert 1.5 < effect_size(nc, ad) < 2.2
    assert 0.4 < effect_size(nc, mci) < 1.0


def test_sensorimotor_and_visual_cortex_are_spared(planted):
    means = {s: uptake(planted[s]).mean((0, 1)) for s in STAGES}
    lost = 1 - means["AD"] / means["NC"]
    for name in ("postcentral", "pericalcarine", "cerebellar cortex"):
        assert abs(lost[NAMES.index(name)]) < 0.03
    assert lost[PCC] == pytest.approx(0.18, abs=0.02)


def test_normal_means_and_variation_are_as_published(planted):
    values = uptake(planted["NC"]).mean(1)
    mean, cv = values.mean(0), values.std(0) / values.mean(0)
    wanted = np.array([PUBLISHED[r.row][1] for r in REGIONS]) / 100
    np.testing.assert_allclose(mean, published_means(), rtol=0.015)
    np.testing.assert_allclose(cv, wanted, rtol=0.15)


def test_sides_agree_as_published(planted):
    values = uptake(planted["NC"])
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


def test_disease_widens_ventricles_and_thins_grey_matter(planted):
    for part in ("ventricle_mm", "thinning_mm"):
        nc, mci, ad = (
            np.mean([getattr(q, part) for q in planted[s]]) for s in STAGES
        )
        assert nc < mci < ad


def test_ages_sexes_and_visits(planted):
    everyone = [q for s in STAGES for q in planted[s]]
    assert min(q.age for q in everyone) >= 55
    assert max(q.age + q.years[-1] for q in everyone) <= 92
    assert {q.sex for q in everyone} == {"F", "M"}
    assert 0.28 < np.mean([len(q.years) > 1 for q in everyone]) < 0.38
    assert {q.years for q in everyone} == {(0,), (0, 1), (0, 1, 2)}


def test_later_visits_lose_more_in_disease_only(planted):
    for stage in STAGES:
        subject = next(q for q in planted[stage] if len(q.years) == 3)
        first, last = subject.uptake(0), subject.uptake(2)
        if stage == "NC":
            np.testing.assert_array_equal(first, last)
        else:
            assert (last <= first).all()
            assert last[:, PCC].mean() < first[:, PCC].mean()


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
