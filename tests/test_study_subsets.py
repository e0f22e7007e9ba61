import pytest

from pet_dcgan.study.settings import in_order, subset

SUBJECTS = {
    "NC": {f"999_S_1{i:03}" for i in range(16)},
    "AD": {f"999_S_3{i:03}" for i in range(9)},
}


def test_each_fraction_holds_the_smaller_ones_of_each_stage():
    before = {stage: set() for stage in SUBJECTS}
    for percent in (1, 10, 25, 50, 99, 100):
        chosen = subset(SUBJECTS, percent=percent, seed=0)
        for stage, subjects in chosen.items():
            assert before[stage] <= subjects <= SUBJECTS[stage]
            expected = max(1, round(len(SUBJECTS[stage]) * percent / 100))
            assert len(subjects) == expected
        before = chosen
    assert before == SUBJECTS


def test_the_order_is_of_the_seed_and_the_names_alone():
    names = sorted(SUBJECTS["NC"])
    ordered = in_order(names, seed=0)
    assert sorted(ordered) == names
    assert in_order(reversed(names), seed=0) == ordered != names
    assert in_order(names, seed=1) != ordered
    fewer = in_order(names[3:], seed=0)
    assert fewer == [name for name in ordered if name in names[3:]]


@pytest.mark.parametrize("percent", [0, 101])
def test_no_other_percentages(percent):
    with pytest.raises(ValueError, match=f"found {percent}"):
        subset(SUBJECTS, percent=percent, seed=0)
