import pytest

from tfds_adni.cohort.splits import SPLITS, assign_splits, require_disjoint


def cohort(count, stage="AD", first=9001):
    return {f"999_S_{first + n}": stage for n in range(count)}


def counts(split_of):
    return [list(split_of.values()).count(split) for split in SPLITS]


def test_fractions_of_a_hundred():
    assert counts(assign_splits(cohort(100))) == [70, 15, 15]


@pytest.mark.parametrize(
    ("subjects", "expected"), [(3, [1, 1, 1]), (24, [16, 4, 4])]
)
def test_small_cohorts(subjects, expected):
    assert counts(assign_splits(cohort(subjects))) == expected


def test_stratified_by_stage():
    people = cohort(20) | cohort(40, "NC", first=9500)
    split_of = assign_splits(people)
    test = [s for s, split in split_of.items() if split == "test"]
    stages = [people[s] for s in test]
    assert (stages.count("AD"), stages.count("NC")) == (3, 6)


def test_order_of_subjects_does_not_matter():
    people = cohort(30)
    backwards = dict(reversed(people.items()))
    assert assign_splits(people) == assign_splits(backwards)


def test_seed_changes_the_split_and_repeats_it():
    people = cohort(30)
    assert assign_splits(people, seed=1) == assign_splits(people, seed=1)
    assert assign_splits(people, seed=1) != assign_splits(people, seed=2)


def test_too_few_subjects_are_named_by_stage():
    with pytest.raises(ValueError, match=r"at least 3 .* found AD: 2"):
        assign_splits(cohort(2))


def test_a_subject_in_two_splits_is_named():
    with pytest.raises(ValueError, match=r"999_S_9002 \(train and test\)"):
        require_disjoint(
            {"train": {"999_S_9001", "999_S_9002"}, "test": {"999_S_9002"}}
        )


def test_disjoint_splits_pass():
    require_disjoint({"train": {"a"}, "validation": {"b"}, "test": {"c"}})


def test_written_down_for_ever():
    """Another place for a subject mixes up sets prepared before and after."""
    held_out = {
        seed: sorted(s for s, split in split_of.items() if split == "test")
        for seed in (0, 1)
        for split_of in [assign_splits(cohort(20), seed=seed)]
    }
    assert held_out == {
        0: ["999_S_9007", "999_S_9009", "999_S_9018"],
        1: ["999_S_9007", "999_S_9012", "999_S_9020"],
    }
