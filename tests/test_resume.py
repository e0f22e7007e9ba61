import dataclasses

import numpy as np
import pytest

from pet_dcgan.data.training_data import load_training_slices
from pet_dcgan.models.dcgan import build_dcgan
from pet_dcgan.runs.run import Run
from pet_dcgan.training.checkpoint import Checkpoint
from pet_dcgan.training.resume import all_subjects, continued_run, start_from
from pet_dcgan.training.train import train

EARLIER = ["999_S_2000", "999_S_2001"]
OWN = ["999_S_3000", "999_S_3001", "999_S_3002"]


@pytest.fixture
def earlier(tiny_config, tmp_path):
    """`earlier(**changes)`: a run of MCI with one state, and its model."""

    def make(subjects=EARLIER, facts=None, **changes):
        config = tiny_config(stage="MCI", seed=5, **changes)
        config = dataclasses.replace(config, **facts or {})
        run = Run.create(tmp_path / "mci", config, subjects)
        model = build_dcgan(config)
        for variable in model.generator.variables:
            variable.assign_add(np.full(variable.shape, 0.5))
        model.step.assign(9)
        callback = Checkpoint(run.path / "checkpoint")
        callback.set_model(model)
        callback.on_epoch_end(0)
        return run, model

    return make


@pytest.fixture
def warm(tiny_config, tmp_path):
    """`warm(**changes)`: the configuration of a start from `earlier`."""

    def make(**changes):
        start = str(tmp_path / "mci")
        return dataclasses.replace(tiny_config(**changes), warm_start=start)

    return make


def subjects_of(config):
    return all_subjects(config, load_training_slices(config))


def equal(one, other):
    for a, b in zip(one.variables, other.variables, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("averaged", [False, True])
def test_networks_are_taken_and_the_rest_begins_anew(earlier, warm, averaged):
    _, before = earlier(ema_decay=0.9 if averaged else 0.0)
    config = warm(ema_decay=0.5, g_learning_rate=0.01)
    model = build_dcgan(config)
    start_from(model, config)
    equal(model.generator, before.generator)
    equal(model.discriminator, before.discriminator)
    equal(model.average, before.average if averaged else before.generator)
    assert int(model.step) == int(model.g_optimizer.iterations) == 0
    assert float(model.g_optimizer.learning_rate) == pytest.approx(0.01)


def test_a_run_names_all_subjects_and_resumes_without_the_earlier_one(
    earlier, warm, tmp_path, monkeypatch
):
    def interrupt(*_):
        raise KeyboardInterrupt

    run, _ = earlier()
    config = warm(epochs=2)
    straight = train(config, tmp_path / "straight", verbose=0)
    stopped = tmp_path / "ad"
    with monkeypatch.context() as patch:
        patch.setattr(Run, "save_generator", interrupt)
        with pytest.raises(KeyboardInterrupt):
            train(config, stopped, verbose=0)
    (stopped / "checkpoint" / "state_0002.npz").unlink()
    run.path.rename(tmp_path / "moved")
    run = train(config, stopped, resume=True, verbose=0)
    equal(straight.load_generator(), run.load_generator())
    assert Run.open(run.path).subjects == EARLIER + OWN


def test_without_a_warm_start_a_training_has_its_own_subjects(tiny_config):
    assert subjects_of(tiny_config()) == OWN


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"phantom": False}, "of phantom True, found False"),
        ({"suvr_max": 2.0}, "of suvr_max 2.5, found 2.0"),
        ({"plane": "coronal"}, "of plane axial, found coronal"),
        ({"width": 8}, r"of width 4, found 8 .*--set width=8"),
    ],
)
def test_a_start_from_another_kind_of_run_is_refused(
    earlier, warm, facts, message
):
    earlier(facts=facts)
    with pytest.raises(ValueError, match=message):
        subjects_of(warm())


def test_an_earlier_subject_must_not_be_held_out_now(earlier, warm, tmp_path):
    # the toy set tests on it
    earlier(subjects=["999_S_2000", "999_S_1005"])
    with pytest.raises(ValueError, match="found 1: 999_S_1005"):
        train(warm(), tmp_path / "ad", verbose=0)
    assert not (tmp_path / "ad").exists()


def test_a_start_needs_a_run_with_a_state_that_fits(earlier, warm):
    with pytest.raises(FileNotFoundError, match="expected a run folder"):
        subjects_of(warm())
    run, _ = earlier()
    state = run.path / "checkpoint" / "state_0001.npz"
    np.savez(state, generator_0=np.zeros(3))
    with pytest.raises(ValueError, match="another architecture"):
        start_from(build_dcgan(warm()), warm())
    state.unlink()
    with pytest.raises(FileNotFoundError, match="has completed an epoch"):
        subjects_of(warm())


def test_only_the_same_unfinished_run_is_resumed(tiny_config, tmp_path):
    def resume(config, path=tmp_path / "ad"):
        return continued_run(path, config, load_training_slices(tiny_config()))

    with pytest.raises(FileNotFoundError, match="expected a run folder"):
        resume(tiny_config())
    moved = dataclasses.replace(tiny_config(), data_dir="/elsewhere")
    run = Run.create(tmp_path / "ad", moved, OWN)
    assert resume(tiny_config()).subjects == OWN
    with pytest.raises(ValueError, match="epochs 3 instead of 2: resume"):
        resume(tiny_config(epochs=3))
    (run.path / "generator.keras").touch()
    with pytest.raises(ValueError, match="is finished: leave out --resume"):
        resume(tiny_config())
    Run.create(tmp_path / "other", moved, OWN[:1])
    with pytest.raises(ValueError, match=r"expected the 1 subjects.*anew"):
        resume(tiny_config(), tmp_path / "other")
