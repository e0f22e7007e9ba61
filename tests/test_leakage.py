import pytest
from study_toy import prepare_leaky
from toy_model import make_config

from pet_dcgan.data.leakage import (
    DataLeakageError,
    require_disjoint,
    require_disjoint_splits,
    require_not_held_out,
    require_unseen,
    require_within,
)
from pet_dcgan.data.training_data import load_training_slices


def test_shared_subjects_are_named():
    require_disjoint(["a", "b"], ["c"])
    with pytest.raises(DataLeakageError, match="found 2: b, c: "):
        require_disjoint(["a", "c", "b"], ["c", "b"])
    with pytest.raises(ValueError, match=r"found 9: 0, 1, 2, 3, 4, \.\.\.:"):
        require_disjoint("012345678", "876543210")


@pytest.mark.parametrize("held_out", ["999_S_3003", "999_S_1005"])
def test_a_subject_that_a_set_holds_out_is_named(toy_set, held_out):
    require_not_held_out(["999_S_3000", "other"], toy_set, "axial_32")
    with pytest.raises(DataLeakageError, match=f"found 1: {held_out}"):
        require_not_held_out([held_out, "other"], toy_set, "axial_32")


def test_subjects_that_a_studys_generator_must_not_have_seen_are_named():
    require_unseen(["a"], {"b"}, run="runs/a")
    with pytest.raises(DataLeakageError, match=r"in runs/a, .* 1: b: train it"):
        require_unseen(["a", "b"], {"b"}, run="runs/a")
    require_within(["a"], {"a", "b"}, fraction=25, run="runs/a")
    with pytest.raises(DataLeakageError, match=r"of 25 % in runs/a, .* 1: c: "):
        require_within(["a", "c"], {"a", "b"}, fraction=25, run="runs/a")


def test_two_splits_of_a_set_share_no_subject(toy_set, tmp_path):
    subjects = require_disjoint_splits(toy_set, "axial_32")
    assert {split: len(found) for split, found in subjects.items()} == {
        "train": 9,
        "validation": 3,
        "test": 6,
    }
    leaky = prepare_leaky(tmp_path, into="validation")
    with pytest.raises(DataLeakageError, match="in train and validation 3: "):
        require_disjoint_splits(leaky, "axial_32")
    # nor is there anything to train on
    with pytest.raises(DataLeakageError, match="found 1: 999_S_3002"):
        load_training_slices(make_config(leaky))
