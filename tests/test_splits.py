import pytest

from tfds_adni.cohort.splits import (
    SPLITS,
    assign_splits,
    require_disjoint_splits,
    require_same_splits,
)


def cohort(count, stage="AD", first=9001):
    return {f"999_S_{first + n}": stage for n in range(count)}


@pytest.mark.parametrize(
    ("subjects", "expected"),
    [(3, [1, 1, 1]), (24, [16, 4, 4]), (100, [70, 15, 15])],
)
def test_fractions(subjects, expected):
    splits = list(assign_splits(cohort(subjects)).values())
    assert [splits.count(split) for split in SPLITS] == expected


def test_stratified_by_stage():
    people = cohort(20) | cohort(40, "NC", first=9500)
    split_of = assign_splits(people)
    test = [people[s] for s, split in split_of.items() if split == "test"]
    assert (test.count("AD"), test.count("NC")) == (3, 6)


def test_order_of_subjects_does_not_matter():
    people = cohort(30)
    backwards = dict(reversed(people.items()))
    assert assign_splits(people) == assign_splits(backwards)


def test_too_few_subjects_are_named_by_stage():
    with pytest.raises(ValueError, match=r"at least 3 .* found AD: 2"):
        assign_splits(cohort(2))


def test_a_subject_in_two_splits_is_named():
    with pytest.raises(ValueError, match=r"999_S_9002 \(train and test\)"):
        require_disjoint_splits(
            {"train": {"999_S_9001", "999_S_9002"}, "test": {"999_S_9002"}}
        )
    require_disjoint_splits(
        {"train": {"a"}, "validation": {"b"}, "test": {"c"}}
    )


def test_another_split_than_before_is_refused(tmp_path):
    earlier = tmp_path / "axial_64" / "2.0.0" / "scans.csv"
    earlier.parent.mkdir(parents=True)
    rows = [f"s{n},train" for n in range(7)]
    earlier.write_text("\n".join(["subject,split", "unused,", *rows]))
    require_same_splits(tmp_path, {"s1": "train", "new": "test"})
    moved = r"s0 \(train, now test\), .*s4 .* and 2 more; .* same --seed"
    with pytest.raises(ValueError, match=moved):
        require_same_splits(tmp_path, {f"s{n}": "test" for n in range(7)})


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
