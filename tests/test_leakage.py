import pytest
from study_toy import prepare_leaky
from toy_model import make_config

from pet_dcgan.data.leakage import (
    DataLeakageError,
    require_disjoint,
    require_not_held_out,
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


@pytest.mark.parametrize("split", ["validation", "test"])
def test_no_training_slices_of_a_leaky_set(tmp_path, split):
    config = make_config(prepare_leaky(tmp_path, into=split))
    with pytest.raises(DataLeakageError, match="found 1: 999_S_3002"):
        load_training_slices(config)
