import dataclasses

import numpy as np
import pytest

from tfds_adni.phantom.anatomy import build_anatomy
from tfds_adni.phantom.difficulty import (
    DIFFICULTIES,
    Difficulty,
    load_difficulty,
)
from tfds_adni.phantom.disease import (
    draw_disease,
    load_patterns,
    losses,
    no_disease,
)
from tfds_adni.phantom.parameters import read_numbers, read_rows
from tfds_adni.phantom.regions import REGIONS
from tfds_adni.phantom.subjects import make_subject
from tfds_adni.tables.cells import STAGES

NAMES = [r.name for r in REGIONS]
PCC = NAMES.index("posterior cingulate")
REALISTIC, EASY = load_difficulty("realistic"), load_difficulty("easy")
MANY = 1000


def drawn(difficulty):
    return {
        stage: [
            draw_disease(stage, difficulty, np.random.default_rng([5, n]))
            for n in range(MANY)
        ]
        for stage in STAGES
    }


@pytest.fixture(scope="module")
def realistic():
    return drawn(REALISTIC)


@pytest.fixture(scope="module")
def easy():
    return drawn(EASY)


def near(share, *, of=MANY):
    """Within four standard errors of a share."""
    return pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / of))


def effect_size(a, b):
    pooled = np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2)
    return (a.mean() - b.mean()) / pooled


def test_shares_of_amyloid_are_as_published(realistic):
    shares = {s: np.mean([d.amyloid for d in realistic[s]]) for s in STAGES}
    assert shares == {"NC": near(0.3), "MCI": near(0.66), "AD": near(0.85)}


def test_shares_of_subtypes_are_as_published(realistic):
    sick = [d.subtype for d in realistic["AD"] if d.amyloid]
    assert sick.count("typical") / len(sick) == near(0.486, of=len(sick))
    assert sick.count("limbic") / len(sick) == near(0.446, of=len(sick))
    assert sick.count("cortical") / len(sick) == near(0.068, of=len(sick))


def test_half_of_those_without_amyloid_lose_nothing(realistic):
    without = [d for d in realistic["MCI"] if not d.amyloid]
    spared = [d for d in without if d.subtype == "none"]
    assert len(spared) / len(without) == near(0.5, of=len(without))
    assert all((d.loss == 0).all() and d.severity == 0 for d in spared)
    others = [d.subtype for d in without if d.subtype != "none"]
    for name, share in (
        ("late-like", 0.4),
        ("occipital", 0.25),
        ("frontal", 0.2),
        ("temporal pole", 0.15),
    ):
        assert others.count(name) / len(others) == near(share, of=len(others))


def test_the_others_without_amyloid_are_milder(realistic):
    # half to all of the severity: three quarters of it in the mean
    found = [
        d.severity / REALISTIC.of(stage, "severity")
        for stage in ("MCI", "AD")
        for d in realistic[stage]
        if d.severity and not d.amyloid
    ]
    assert np.mean(found) == pytest.approx(0.75, abs=0.08)


def test_mean_losses_are_the_tables(easy):
    for stage, column in (("MCI", "mci_pct"), ("AD", "ad_pct")):
        mean = np.mean([d.loss for d in easy[stage]], axis=(0, 1))
        np.testing.assert_allclose(mean, losses(column) / 100, rtol=0.05)
        assert np.mean([d.severity for d in easy[stage]]) == pytest.approx(
            1, abs=0.05
        )


def test_preclinical_people_lose_a_part_of_what_patients_do(realistic):
    sick = [d for d in realistic["NC"] if d.severity]
    assert all(d.amyloid for d in sick)
    part = REALISTIC.preclinical_severity * REALISTIC.mci_severity
    found = np.mean([d.severity for d in sick])
    assert found == pytest.approx(part, rel=0.1)


def test_sides_of_the_loss(realistic):
    sick = [d for d in realistic["AD"] if d.amyloid]
    right = np.array([d.loss[1, PCC] / d.loss[:, PCC].mean() for d in sick])
    tilt = right - 1
    one_sided = np.isclose(np.abs(tilt), 0.35)
    assert one_sided.mean() == near(0.15, of=len(sick))
    assert (tilt[one_sided] < 0).mean() == near(0.67, of=one_sided.sum())
    assert tilt[~one_sided].std() == pytest.approx(0.12, abs=0.015)


def test_the_left_pole_loses_more(realistic):
    pole = [
        d
        for s in ("MCI", "AD")
        for d in realistic[s]
        if d.subtype == "temporal pole"
    ]
    for disease in pole:
        left, right = disease.loss[:, NAMES.index("temporal pole")]
        assert left == pytest.approx(right * 1.7 / 0.3, rel=1e-6)


def test_patterns_are_where_their_names_say():
    def most(name):
        loss = losses("ad_pct") * load_patterns("realistic")[name].factors()
        return {NAMES[i] for i in np.argsort(-loss)[:6]}

    assert {"precuneus", "posterior cingulate"} <= most("typical")
    assert {"mesial temporal", "hippocampus"} <= most("late-like")
    assert {"lingual", "cuneus", "lateral occipital"} <= most("occipital")
    assert {"superior frontal", "dorsolateral frontal"} <= most("frontal")
    assert {"temporal pole", "amygdala"} <= most("temporal pole")
    factors = load_patterns("realistic")["limbic"].factors()
    assert factors[PCC] < 1 < factors[NAMES.index("hippocampus")]
    factors = load_patterns("realistic")["cortical"].factors()
    assert factors[PCC] > 1 > factors[NAMES.index("hippocampus")]


def test_a_loss_by_hand():
    # nothing differs between patients but their severity
    still = dataclasses.replace(
        EASY, regional_sd=0.0, tilt_sd=0.0, ad_severity=2.0
    )
    disease = draw_disease("AD", still, np.random.default_rng(3))
    # posterior cingulate loses 18 % at a severity of 1
    assert disease.loss[0, PCC] == pytest.approx(0.18 * disease.severity)
    assert disease.thinning_mm == pytest.approx(0.5 * disease.severity / 2)
    assert disease.ventricle_mm == pytest.approx(1.5 * disease.severity / 2)
    person = make_subject("AD", 0)
    person = dataclasses.replace(person, disease=disease)
    left = 1 - min(0.18 * disease.severity, 0.6)
    assert person.uptake()[1, PCC] == pytest.approx(
        person.healthy[1, PCC] * left
    )


def test_no_region_loses_more_than_the_most():
    loss = np.full((2, len(REGIONS)), 0.5)
    disease = dataclasses.replace(no_disease(), loss=loss, a_year=1.0)
    np.testing.assert_array_equal(disease.remaining(0), 0.5)
    np.testing.assert_allclose(disease.remaining(4), 0.4)


def test_progress_differs_between_patients_and_never_reverses(realistic):
    rates = np.array([d.a_year for d in realistic["AD"] if d.severity])
    assert rates.min() == 0
    assert rates.mean() == pytest.approx(0.12, rel=0.1)
    assert rates.std() > 0.05


def test_effect_sizes_that_are_planted():
    groups = {s: [make_subject(s, n) for n in range(MANY)] for s in STAGES}

    def of(trait):
        values = {s: np.array([trait(q) for q in groups[s]]) for s in STAGES}
        return [effect_size(values["NC"], values[s]) for s in ("MCI", "AD")]

    mci, ad = of(lambda q: q.uptake()[:, PCC].mean())
    assert 0.4 < mci < 0.9
    assert 1.2 < ad < 1.7
    _, ad = of(lambda q: q.uptake()[:, NAMES.index("postcentral")].mean())
    assert ad < 0.3
    mci, ad = of(lambda q: -q.ventricle())
    assert 0.2 < mci < 0.6
    assert 0.7 < ad < 1.1
    cortex = losses("thinning") > 0
    mci, ad = of(lambda q: -q.thinning()[cortex].mean())
    assert 0.2 < mci < 0.6
    assert 0.7 < ad < 1.2


def test_subtypes_differ_in_age():
    people = [make_subject("AD", n) for n in range(MANY)]
    ages = {
        name: np.array([q.age for q in people if q.disease.subtype == name])
        for name in ("typical", "limbic", "cortical")
    }
    typical = ages["typical"].mean()
    assert ages["limbic"].mean() - typical == pytest.approx(3, abs=2)
    assert ages["cortical"].mean() - typical == pytest.approx(-6, abs=4)


def test_the_healthy_twin_is_the_same_person():
    person = make_subject("AD", 3)
    twin = person.without_disease()
    assert twin.stage == "NC"
    assert twin.disease.severity == 0
    np.testing.assert_array_equal(twin.uptake(), person.healthy)
    for field in dataclasses.fields(person):
        if field.name not in ("stage", "disease"):
            here, there = (getattr(q, field.name) for q in (person, twin))
            np.testing.assert_array_equal(here, there)
    assert (twin.uptake() >= person.uptake()).all()
    assert (twin.thinning() <= person.thinning()).all()
    assert twin.ventricle() <= person.ventricle()


def test_a_disease_takes_no_random_number_from_its_subject():
    easy, hard = (make_subject("AD", 3, difficulty=d) for d in DIFFICULTIES)
    assert easy.sex == hard.sex
    np.testing.assert_array_equal(easy.scale, hard.scale)


def test_seeds_make_other_diseases():
    one, same, other = (
        draw_disease("AD", REALISTIC, np.random.default_rng(seed))
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one.loss, same.loss)
    assert one.severity != other.severity
    here, there = (make_subject("AD", 3, seed=seed) for seed in (0, 1))
    assert here.disease.severity != there.disease.severity


def test_easy_has_one_pattern_and_more_atrophy(easy):
    for stage in ("MCI", "AD"):
        assert {d.subtype for d in easy[stage]} == {"typical"}
        assert all(d.amyloid for d in easy[stage])
    assert not any(d.severity or d.amyloid for d in easy["NC"])
    assert EASY.ad_thinning_mm > 2 * REALISTIC.ad_thinning_mm


def test_the_tables_columns_are_the_difficultys_fields():
    rows = read_rows("difficulty.csv")
    fields = [f.name for f in dataclasses.fields(Difficulty)]
    assert ["name", *(row["name"] for row in rows)] == fields
    assert all(row["source"] for row in read_rows("patterns.csv"))


def test_a_difficulty_that_there_is_not():
    with pytest.raises(ValueError, match="easy, realistic, found 'Easy'"):
        load_difficulty("Easy")


def test_patterns_have_all_regions_and_shares_add_up():
    assert {r["region"] for r in read_rows("losses.csv")} == set(NAMES)
    for amyloid in (True, False):
        shares = [
            p.share
            for p in load_patterns("realistic").values()
            if p.amyloid == amyloid
        ]
        assert sum(shares) == pytest.approx(1)
    people = read_numbers("people.csv")
    assert people["once_share"] + people["twice_share"] < 1


def test_planted_thinning_is_the_mean_of_the_cerebral_cortex():
    cortex = losses("thinning") > 0
    assert {NAMES[i] for i in np.flatnonzero(~cortex)} == {
        r.name
        for r in REGIONS
        if r.tissue == "nucleus" or r.name == "cerebellar cortex"
    }
    sizes = build_anatomy(3.0).sizes[cortex]
    mean = np.average(losses("thinning")[cortex], weights=sizes)
    assert mean == pytest.approx(1, abs=0.03)
