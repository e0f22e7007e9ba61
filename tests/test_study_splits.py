"""The partitions of a study's subjects, and sites kept apart."""

import collections

import pytest

from pet_dcgan.data.leakage import DataLeakageError
from pet_dcgan.study.sites import site_of
from pet_dcgan.study.splits import (
    LEAST_TESTED,
    Split,
    make_splits,
    split_table,
    subset,
)

CLASSES = ("NC", "AD")


def cohort(*, each=20, sites=7, both=3):
    """`each` subjects of every stage, and some whose stage changed."""
    stages = {}
    for number in range(3 * each + both):
        names = ["NC", "MCI", "AD"][number % 3]
        own = {"MCI", "AD"} if number >= 3 * each else {names}
        stages[f"{number % sites:03}_S_{number:04}"] = frozenset(own)
    return stages


def counts(subjects, stages):
    return collections.Counter(
        stage for subject in subjects for stage in stages[subject]
    )


@pytest.fixture(params=[False, True], ids=["by subject", "by site"])
def by_site(request):
    return request.param


def test_everyone_is_tested_once_and_trains_or_selects_otherwise(by_site):
    stages = cohort()
    splits = make_splits(stages, classes=CLASSES, count=5, by_site=by_site)
    tested = collections.Counter(s for split in splits for s in split.test)
    assert set(tested) == set(stages)
    assert set(tested.values()) == {1}
    for split in splits:
        everyone = split.training | split.validation | split.test
        assert everyone == set(stages)
        for part, least in ((split.validation, 1), (split.test, LEAST_TESTED)):
            found = counts(part, stages)
            assert all(found[stage] >= least for stage in CLASSES)
        share = len(split.validation) / (len(stages) - len(split.test))
        assert 0.1 < share < 0.2


def test_folds_are_balanced_within_each_stage():
    stages = cohort(each=23, both=0)
    for split in make_splits(stages, classes=CLASSES, count=5):
        assert set(counts(split.test, stages).values()) <= {4, 5}
        assert len(split.test) in (13, 14)


def test_a_site_is_tested_in_one_split():
    stages = cohort(each=40, sites=11)
    splits = make_splits(stages, classes=CLASSES, count=5, by_site=True)
    for split in splits:
        inside = {site_of(s) for s in split.test}
        assert not inside & {site_of(s) for s in split.training}
        assert not inside & {site_of(s) for s in split.validation}
        # 11 sites of 11 subjects cannot be shared more evenly
        assert 22 <= len(split.test) <= 36


def test_splits_depend_on_the_seed_and_the_names_alone(by_site):
    stages = cohort()
    options = {"classes": CLASSES, "count": 3, "by_site": by_site}
    splits = make_splits(stages, **options)
    backwards = dict(sorted(stages.items(), reverse=True))
    assert make_splits(backwards, **options) == splits
    assert make_splits(stages, **options, seed=1) != splits


@pytest.mark.parametrize(
    ("each", "count", "remedy"),
    [
        (10, 5, None),
        (9, 5, "choose --splits 4 or fewer"),
        (4, 3, "choose --splits 2 or fewer"),
        (3, 2, "choose --splits 1"),
    ],
)
def test_too_few_subjects_name_the_most_splits(each, count, remedy):
    stages = cohort(each=each, both=0)
    if remedy is None:
        assert len(make_splits(stages, classes=CLASSES, count=count)) == count
    else:
        with pytest.raises(ValueError, match=f"found {each} AD.*: {remedy}"):
            make_splits(stages, classes=CLASSES, count=count)


def test_sites_that_cannot_be_kept_apart_are_refused():
    options = {"classes": CLASSES, "by_site": True}
    two = cohort(sites=2)
    assert len(make_splits(two, **options, count=2)) == 2
    with pytest.raises(ValueError, match="of 2 sites: choose --splits 2"):
        make_splits(two, **options, count=3)
    with pytest.raises(ValueError, match="only site 000: leave out"):
        make_splits(cohort(sites=1), **options, count=2)
    # a stage at each site: nothing to train on where it is tested
    apart = {
        f"00{CLASSES.index(stage)}_S_{n:04}": frozenset({stage})
        for stage in CLASSES
        for n in range(8)
    }
    with pytest.raises(ValueError, match="of 2 sites: leave out --by-site"):
        make_splits(apart, **options, count=2)
    named = cohort() | {"sub-01": frozenset({"AD"})}
    with pytest.raises(ValueError, match="others 1: sub-01: leave out"):
        make_splits(named, **options, count=2)


@pytest.mark.parametrize(
    ("subject", "site"),
    [
        ("123_S_4567", "123"),
        ("123_S_45678", "123"),
        ("sub-ADNI123S4567", "123"),
        ("sub-01", None),
        ("123", None),
        ("1234_S_4567", None),
    ],
)
def test_the_site_is_the_first_three_digits(subject, site):
    assert site_of(subject) == site


def test_a_split_whose_parts_share_a_subject_is_refused():
    a, b, c = (frozenset({name}) for name in "abc")
    assert Split(0, a, b, c).test == c
    for parts in ((a, a, c), (a, b, a), (a, b, b)):
        with pytest.raises(DataLeakageError, match="of split 2, found in"):
            Split(2, *parts)


def test_a_subset_contains_every_smaller_one_and_depends_on_the_seed():
    stages = cohort(each=16, both=2)
    smaller = set()
    for percent in (1, 10, 25, 50, 99, 100):
        chosen = subset(stages, stages, percent=percent, seed=0)
        assert smaller <= chosen <= set(stages)
        found = counts(chosen, stages)
        assert found["NC"] == max(1, round(16 * percent / 100))
        backwards = sorted(stages, reverse=True)
        assert chosen == subset(backwards, stages, percent=percent, seed=0)
        smaller = chosen
    assert smaller == set(stages)
    half = subset(stages, stages, percent=50, seed=0)
    assert subset(stages, stages, percent=50, seed=1) != half


def test_the_table_says_what_each_subject_does_in_each_split():
    stages = {"123_S_0001": frozenset({"AD", "MCI"}), "b": frozenset({"NC"})}
    stages["c"] = stages["b"]
    a, b, c = (frozenset({name}) for name in stages)
    rows = split_table([Split(0, a, b, c), Split(1, c, b, a)], stages)
    assert rows[0] == {
        "subject": "123_S_0001",
        "stages": "AD MCI",
        "site": "123",
        "fold": 1,
        "split_0": "training",
        "split_1": "test",
    }
    assert (rows[1]["site"], rows[1]["fold"]) == ("", "")
    assert rows[2]["fold"] == 0
