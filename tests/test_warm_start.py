import dataclasses

import numpy as np
import pytest

from pet_dcgan.models.dcgan import build_dcgan
from pet_dcgan.runs.run import Run
from pet_dcgan.training.checkpoint import Checkpoint
from pet_dcgan.training.resume import start_from, subjects_behind
from pet_dcgan.training.train import load_training_slices, train

EARLIER = ["999_S_2000", "999_S_2001"]


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


def warm(tiny_config, tmp_path, **changes):
    config = tiny_config(**changes)
    return dataclasses.replace(config, warm_start=str(tmp_path / "mci"))


def equal(one, other):
    for a, b in zip(one.variables, other.variables, strict=True):
        np.testing.assert_array_equal(a, b)


def test_networks_are_taken_and_the_rest_begins_anew(
    earlier, tiny_config, tmp_path
):
    _, before = earlier()
    config = warm(tiny_config, tmp_path, ema_decay=0.9, g_learning_rate=0.01)
    model = build_dcgan(config)
    start_from(model, config)
    equal(model.generator, before.generator)
    equal(model.discriminator, before.discriminator)
    equal(model.average, before.generator)
    assert int(model.step) == int(model.g_optimizer.iterations) == 0
    assert float(model.g_optimizer.learning_rate) == pytest.approx(0.01)


def test_an_average_goes_on_from_an_average(earlier, tiny_config, tmp_path):
    _, before = earlier(ema_decay=0.9)
    config = warm(tiny_config, tmp_path, ema_decay=0.5)
    model = build_dcgan(config)
    start_from(model, config)
    equal(model.average, before.average)
    assert not np.array_equal(
        model.average.variables[0], model.generator.variables[0]
    )


def test_a_run_names_all_subjects_and_goes_on_without_the_earlier_one(
    earlier, tiny_config, tmp_path
):
    run, _ = earlier()
    config = warm(tiny_config, tmp_path, epochs=2)
    straight = train(config, tmp_path / "straight", verbose=0)
    stopped = tmp_path / "ad"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Run, "save_generator", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            train(config, stopped, verbose=0)
    (stopped / "checkpoint" / "state_0002.npz").unlink()
    run.path.rename(tmp_path / "moved")
    run = train(config, stopped, resume=True, verbose=0)
    equal(straight.load_generator(), run.load_generator())
    own = ["999_S_3000", "999_S_3001", "999_S_3002"]
    assert Run.open(run.path).subjects == EARLIER + own


def _interrupted(*_):
    raise KeyboardInterrupt


def test_subjects_behind_are_its_own_without_an_earlier_run(tiny_config):
    config = tiny_config()
    found = subjects_behind(config, load_training_slices(config))
    assert found == ["999_S_3000", "999_S_3001", "999_S_3002"]


def test_an_earlier_subject_must_not_be_held_out_now(
    earlier, tiny_config, tmp_path
):
    # the toy set tests on it
    earlier(subjects=["999_S_2000", "999_S_1005"])
    config = warm(tiny_config, tmp_path)
    with pytest.raises(ValueError, match="found 1: 999_S_1005"):
        train(config, tmp_path / "ad", verbose=0)
    assert not (tmp_path / "ad").exists()


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"phantom": False}, "of phantom True, found False"),
        ({"suvr_max": 2.0}, "of suvr_max 2.5, found 2.0"),
        ({"plane": "coronal"}, "of plane axial, found coronal"),
    ],
)
def test_images_of_another_kind_are_refused(
    earlier, tiny_config, tmp_path, facts, message
):
    earlier(facts=facts)
    config = warm(tiny_config, tmp_path)
    with pytest.raises(ValueError, match=message):
        subjects_behind(config, load_training_slices(config))


def test_another_architecture_is_refused(earlier, tiny_config, tmp_path):
    earlier(width=8)
    config = warm(tiny_config, tmp_path)
    with pytest.raises(ValueError, match=r"of width 4, found 8 .*width=8"):
        train(config, tmp_path / "ad", verbose=0)
    assert not (tmp_path / "ad").exists()


def test_a_state_that_does_not_fit_is_refused(earlier, tiny_config, tmp_path):
    run, _ = earlier()
    state = run.path / "checkpoint" / "state_0001.npz"
    np.savez(state, generator_0=np.zeros(3))
    config = warm(tiny_config, tmp_path)
    with pytest.raises(ValueError, match="another architecture"):
        start_from(build_dcgan(config), config)


def test_a_run_without_a_state_is_refused(earlier, tiny_config, tmp_path):
    run, _ = earlier()
    (run.path / "checkpoint" / "state_0001.npz").unlink()
    config = warm(tiny_config, tmp_path)
    with pytest.raises(FileNotFoundError, match="come past an epoch"):
        train(config, tmp_path / "ad", verbose=0)
    assert not (tmp_path / "ad").exists()


def test_there_must_be_a_run(tiny_config, tmp_path):
    config = warm(tiny_config, tmp_path)
    with pytest.raises(FileNotFoundError, match="expected a run folder"):
        train(config, tmp_path / "ad", verbose=0)
    assert not (tmp_path / "ad").exists()
