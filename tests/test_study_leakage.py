import pytest
from study_toy import make_settings, prepare_leaky

from pet_dcgan.data.leakage import (
    DataLeakageError,
    require_splits_apart,
    require_unseen,
    require_within,
)
from pet_dcgan.study.study import run_study


def test_a_set_whose_splits_share_a_subject_is_refused(tmp_path):
    leaky = prepare_leaky(tmp_path / "data")
    with pytest.raises(DataLeakageError, match="and test 3: 999_S_1002"):
        require_splits_apart(leaky, "axial_32")
    out = tmp_path / "study"
    with pytest.raises(DataLeakageError, match=r"3: 999_S_1002, 999_S_2002"):
        run_study(make_settings(leaky), out)
    assert not out.exists()


def test_a_sound_set_gives_its_splits(toy_set):
    subjects = require_splits_apart(toy_set, "axial_32")
    counts = {split: len(found) for split, found in subjects.items()}
    assert counts == {"train": 9, "validation": 3, "test": 6}


def test_a_generator_that_saw_held_out_subjects_is_refused(make_run):
    run = make_run("AD", subjects=["999_S_3000", "999_S_3004", "999_S_3005"])
    held_out = {"999_S_3003", "999_S_3004", "999_S_3005"}
    with pytest.raises(DataLeakageError, match="2: 999_S_3004, 999_S_3005"):
        require_unseen(run.subjects, held_out, run=run.path)
    require_unseen(run.subjects, {"999_S_3003"}, run=run.path)


def test_a_generator_that_saw_more_than_its_fraction_is_refused(make_run):
    run = make_run("AD")
    with pytest.raises(DataLeakageError, match=r"of 25 % in .*1: 999_S_3002"):
        require_within(
            run.subjects,
            {"999_S_3000", "999_S_3001"},
            fraction=25,
            run=run.path,
        )
    allowed = set(run.subjects) | {"999_S_1000"}
    require_within(run.subjects, allowed, fraction=25, run=run.path)


def test_a_leak_is_a_value_error():
    assert issubclass(DataLeakageError, ValueError)
