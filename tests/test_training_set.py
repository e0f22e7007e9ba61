import dataclasses

import numpy as np
import pytest
from study_toy import prepare_leaky
from toy_model import make_config

from pet_dcgan.data.leakage import DataLeakageError
from pet_dcgan.data.training_data import (
    few_subjects_warning,
    load_training_slices,
    load_validation_slices,
)
from pet_dcgan.training.train import train


def test_training_and_validation_slices_are_of_other_subjects(tiny_config):
    trained = load_training_slices(tiny_config())
    looked_at = load_validation_slices(tiny_config())
    assert set(trained.subjects) == {"999_S_3000", "999_S_3001", "999_S_3002"}
    assert set(looked_at.subjects) == {"999_S_3003"}


@pytest.mark.parametrize("split", ["validation", "test"])
def test_no_training_on_a_subject_that_is_held_out(tmp_path, split):
    leaky = prepare_leaky(tmp_path / "data", into=split)
    with pytest.raises(DataLeakageError, match="found 1: 999_S_3002"):
        train(make_config(leaky), tmp_path / "run", verbose=0)
    assert not (tmp_path / "run").exists()


def test_slices_that_do_not_fit_are_read_from_a_file(
    tiny_config, tmp_path, monkeypatch
):
    monkeypatch.setattr("pet_dcgan.data.records.slices_fit", lambda *_: False)
    slices = load_training_slices(tiny_config(), overflow=tmp_path)
    assert isinstance(slices.images, np.memmap)
    assert not isinstance(
        load_validation_slices(tiny_config()).images, np.memmap
    )


def test_few_subjects_are_said_with_what_suffers(tiny_config):
    config = tiny_config()
    slices = load_training_slices(config)
    line = few_subjects_warning(slices, config)
    assert line.startswith("3 subjects of AD to train on, fewer than 8: ")
    assert "copy these subjects" in line
    assert "--stage ALL" in line


@pytest.mark.parametrize(("count", "said"), [(7, True), (8, False)])
def test_eight_subjects_are_enough(tiny_config, count, said):
    config = tiny_config()
    slices = load_training_slices(config)
    subjects = np.array([f"999_S_{i % count:04}" for i in range(12)])
    slices = dataclasses.replace(slices, subjects=subjects)
    assert (few_subjects_warning(slices, config) is not None) is said
