import dataclasses
import math
import types

import numpy as np
import pytest
from study_toy import prepare_leaky
from toy_model import make_config

from pet_dcgan.data import training_data
from pet_dcgan.data.leakage import DataLeakageError
from pet_dcgan.data.prepared_set import NoSlicesError
from pet_dcgan.data.training_data import (
    few_subjects_warning,
    load_training_slices,
    load_validation_slices,
    resolve_config,
)
from pet_dcgan.presets import LEAST_STEPS, PRESETS, in_epochs


@pytest.fixture
def where(toy_set):
    return {"data_dir": toy_set, "dataset": "axial_32", "stage": "NC"}


@pytest.fixture
def volumes(toy_volumes):
    return {"data_dir": toy_volumes, "dataset": "volume_32"}


def test_a_configuration_takes_its_facts_from_the_set(where):
    config = resolve_config("paper", overrides={"epochs": "3"}, **where)
    assert (config.size, config.spacing_mm, config.suvr_max) == (32, 6.0, 2.5)
    assert config.plane == "axial"
    assert config.reference == "brain"
    assert config.phantom is True
    assert config.epochs == 3
    assert resolve_config("demo", plane="axial", seed=4, **where).seed == 4


@pytest.mark.parametrize("preset", LEAST_STEPS)
def test_few_slices_make_more_epochs(where, volumes, preset):
    # 12 slices of a stage, three batches an epoch
    batches, changes = 3, {"batch_size": 4}
    if preset == "conditional":
        where, batches = where | {"stage": None}, 9
    if PRESETS[preset]["channels"] > 3:
        # 9 volumes, two batches
        where, batches = dict(volumes), 2
        changes |= {"channels": 32}
    config = resolve_config(preset, overrides=changes, **where)
    steps, usual = LEAST_STEPS[preset], PRESETS[preset]
    assert batches * (config.epochs - 1) < steps <= batches * config.epochs
    # what happens every few epochs happens as often in total
    for name in ("select_every", "samples_every"):
        often = config.epochs / (getattr(config, name) or math.inf)
        before = usual["epochs"] / (usual[name] or math.inf)
        assert often == pytest.approx(before, rel=0.02)
    text = {name: str(value) for name, value in changes.items()}
    assert resolve_config(preset, overrides=text, **where) == config


def test_a_configuration_of_volumes(volumes):
    changes = {"channels": 32, "width": 2}
    config = resolve_config("volume", overrides=changes, **volumes)
    assert (config.stage, config.plane, config.size) == ("ALL", "volume", 32)
    assert (config.space, config.conditions) == ("native", "stage")
    slices = load_training_slices(config)
    assert slices.images.shape == (9, 32, 32, 32)
    assert slices.facts.plane == "volume"
    alone = changes | {"conditions": "none"}
    one = resolve_config("volume", overrides=alone, stage="AD", **volumes)
    assert load_training_slices(one).images.shape == (3, 32, 32, 32)
    moved = dataclasses.replace(config, space="MNI152NLin6Asym")
    with pytest.raises(ValueError, match="set of space MNI152NLin6Asym, fou"):
        load_training_slices(moved)


@pytest.mark.parametrize(
    ("preset", "options", "message"),
    [
        ("robust", {"stage": "AD"}, "slices .channels=1.: choose --preset vol"),
        ("robust", {}, "slices .channels=1.: choose --preset volume"),
        ("conditional", {}, "slices .channels=1.: choose --preset volume"),
        ("volume", {"plane": "axial"}, "whole brains, found axial: leave out"),
        ("volume", {"plane": "ALL"}, "whole brains, found ALL: leave out --pl"),
        ("volume", {"stage": "AD"}, "stage ALL with conditions stage, found"),
    ],
)
def test_volumes_need_a_generator_of_volumes(volumes, preset, options, message):
    changes = {"channels": 32} if preset == "volume" else {}
    with pytest.raises(ValueError, match=message) as caught:
        resolve_config(preset, overrides=changes, **volumes, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("plane", [None, "axial"])
def test_slices_need_a_generator_of_slices(where, plane):
    with pytest.raises(ValueError, match=r"volumes \(channels=64\): choose"):
        resolve_config("volume", plane=plane, **where)


def test_epochs_that_are_given_or_enough_are_those(where, monkeypatch):
    given = {"batch_size": 4, "epochs": "200", "select_every": 7}
    config = resolve_config("robust", overrides=given, **where)
    assert (config.epochs, config.select_every) == (200, 7)
    # measured after as many steps as without: patience counts measurements
    del given["select_every"]
    config = resolve_config("robust", overrides=given, **where)
    assert (config.epochs, config.select_every) == (200, 67)
    longer = resolve_config("robust", overrides={"batch_size": 4}, **where)
    assert (longer.epochs, longer.select_every) == (2667, 67)
    off = {"batch_size": 4, "select_every": 0}
    config = resolve_config("robust", overrides=off, **where)
    assert (config.epochs, config.select_every, config.patience) == (2667, 0, 0)
    monkeypatch.setitem(LEAST_STEPS, "robust", 600)
    enough = resolve_config("robust", overrides={"batch_size": 4}, **where)
    assert (enough.epochs, enough.select_every) == (200, 5)
    paper = resolve_config("paper", overrides={"batch_size": 4}, **where)
    assert paper.epochs == 500


def test_without_slices_it_is_who_trains_that_refuses(where, monkeypatch):
    def none(*_, **__):
        raise NoSlicesError("none of that stage")

    monkeypatch.setattr(training_data, "load_slices", none)
    config = resolve_config("robust", **where)
    assert config.epochs == 200
    with pytest.raises(NoSlicesError):
        load_training_slices(config)


def test_other_epochs_have_as_many_events():
    values = {"epochs": 200, "select_every": 5, "samples_every": 10}
    assert in_epochs(values, 500) == {
        "epochs": 500,
        "select_every": 12,  # 12.5
        "samples_every": 25,
    }
    never = values | {"select_every": 0}
    assert in_epochs(never, 10) == {
        "epochs": 10,
        "select_every": 0,
        "samples_every": 1,
    }


def test_the_plane_must_be_one_of_the_set(where, monkeypatch):
    with pytest.raises(ValueError, match=r"among axial .*found coronal"):
        resolve_config("demo", plane="coronal", **where)
    one = training_data.open_set(where["data_dir"], "axial_32")
    meta = dataclasses.replace(one.meta, planes=("axial", "coronal"))
    several = types.SimpleNamespace(meta=meta)
    monkeypatch.setattr(training_data, "open_set", lambda *_: several)
    with pytest.raises(ValueError, match=r"--plane among axial, coronal"):
        resolve_config("demo", **where)
    assert resolve_config("demo", plane="coronal", **where).plane == "coronal"


def test_training_and_validation_slices_are_of_other_subjects(tiny_config):
    with pytest.raises(ValueError, match=r"spacing_mm 9.0, found 6.0: the set"):
        load_training_slices(dataclasses.replace(tiny_config(), spacing_mm=9.0))
    training = load_training_slices(tiny_config())
    validation = load_validation_slices(tiny_config())
    assert set(training.subjects) == {"999_S_3000", "999_S_3001", "999_S_3002"}
    assert set(validation.subjects) == {"999_S_3003"}


def test_no_training_on_a_subject_that_is_held_out(tmp_path):
    leaky = prepare_leaky(tmp_path / "data", into="test")
    with pytest.raises(DataLeakageError, match="found 1: 999_S_3002"):
        load_training_slices(make_config(leaky))


def test_given_validation_subjects_allow_those_of_any_split(tiny_config):
    config = tiny_config()
    own, others = ["999_S_3000", "999_S_3005"], ["999_S_3003", "999_S_3001"]
    slices = load_training_slices(config, subjects=own, validation=others)
    assert list(dict.fromkeys(slices.subjects)) == own
    assert len(slices.images) == 8
    found = load_validation_slices(config, subjects=others)
    assert set(found.subjects) == set(others)
    with pytest.raises(DataLeakageError, match="found 1: 999_S_3005"):
        load_training_slices(config, subjects=own, validation=own[1:])
    with pytest.raises(ValueError, match="expected validation subjects"):
        load_training_slices(config, subjects=own, validation=[])


@pytest.mark.parametrize(("count", "few"), [(7, True), (8, False)])
def test_fewer_than_eight_subjects_give_a_warning(tiny_config, count, few):
    config = tiny_config()
    slices = load_training_slices(config)
    subjects = np.array([f"999_S_{i % count:04}" for i in range(12)])
    slices = dataclasses.replace(slices, subjects=subjects)
    line = few_subjects_warning(slices, config)
    assert (line is not None) is few
    if few:
        assert line.startswith("7 subjects of AD to train on, fewer than 8: ")
        assert "copy these subjects" in line.replace("\n", " ")
        assert line.endswith("prepare more scans, and add --set bend_mm=3")
        for enough in (3.0, 4.0):
            config = dataclasses.replace(config, bend_mm=enough)
            line = few_subjects_warning(slices, config)
            assert line.endswith("; prepare more scans")
