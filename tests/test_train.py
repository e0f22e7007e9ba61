import dataclasses
import shutil
import types

import keras
import numpy as np
import pytest
import tensorflow as tf
from study_toy import prepare_leaky
from toy_model import make_config
from training_process import assert_same_run, log_rows

from pet_dcgan.data.leakage import DataLeakageError
from pet_dcgan.data.training_data import load_training_slices
from pet_dcgan.models.dcgan import DCGAN
from pet_dcgan.runs.run import Run
from pet_dcgan.training.callbacks import EpochLog
from pet_dcgan.training.distribution import FollowChief
from pet_dcgan.training.interrupt import StopBetweenSteps
from pet_dcgan.training.train import _Training, train

OWN = ["999_S_3000", "999_S_3001", "999_S_3002"]


@pytest.fixture(scope="module")
def straight(toy_set, tmp_path_factory):
    """A run of four epochs that was not interrupted."""
    config = make_config(toy_set, epochs=4, samples_every=2)
    return train(config, tmp_path_factory.mktemp("runs") / "ad", verbose=0)


@pytest.fixture
def stopped(straight, tmp_path):
    """`stopped(epoch)`: a copy of `straight` as it stood after an epoch."""

    def stop(epoch):
        path = tmp_path / "stopped"
        shutil.copytree(straight.path, path)
        (path / "generator.keras").unlink()
        for later in range(epoch + 1, straight.config.epochs + 1):
            (path / "checkpoint" / f"state_{later:04}.npz").unlink()
        return path

    return stop


@pytest.fixture
def trainings(monkeypatch):
    """What would be trained; nothing is."""
    found = []
    monkeypatch.setattr(_Training, "complete", lambda self: found.append(self))
    return found


def test_a_run_folder_holds_what_it_should(straight):
    files = {
        str(p.relative_to(straight.path))
        for p in straight.path.rglob("*")
        if p.is_file() and "tfevents" not in p.name
    }
    drawn = ("0001", "0002", "0004")
    assert files == {
        *("config.json", "subjects.csv", "SHA256SUMS"),
        *("log.csv", "health.csv"),
        "generator.keras",
        *("samples/real.png", "samples/montage.png"),
        *(f"samples/epoch_{epoch}.png" for epoch in drawn),
        *(f"checkpoint/samples_{epoch}.npz" for epoch in drawn),
        *("checkpoint/state_0003.npz", "checkpoint/state_0004.npz"),
    }
    assert len(list((straight.path / "tensorboard").iterdir())) == 1
    assert len(log_rows(straight.path)) == 4
    run = Run.open(straight.path)
    assert run.finished
    assert run.subjects == OWN
    image = np.asarray(run.load_generator()(np.ones([2, 6], np.float32)))
    assert image.shape == (2, 32, 32, 1)
    assert np.isfinite(image).all()


def test_a_stopped_run_ends_with_the_very_same_weights(straight, stopped):
    path = stopped(3)
    (path / "samples" / ".partial-1234.epoch_0001.png").touch()
    counts = []
    train(
        straight.config,
        path,
        resume=True,
        verbose=0,
        progress=lambda *each: counts.append(each),
    )
    assert counts == [(4, 4)]
    assert_same_run(straight.path, path)


def test_a_run_stopped_after_its_last_epoch_is_completed(straight, stopped):
    path = stopped(4)
    train(straight.config, path, resume=True, verbose=0)
    assert_same_run(straight.path, path)


def test_a_diverging_run_leaves_no_generator(
    tiny_config, tmp_path, monkeypatch
):
    monkeypatch.setattr(
        "pet_dcgan.models.losses.NonSaturating.generator_loss",
        lambda self, logits: logits[0, 0] / 0.0,
    )
    with pytest.raises(ValueError, match=r"diverged.*--set") as found:
        train(tiny_config(epochs=1), tmp_path / "ad", verbose=0)
    assert "\n" not in str(found.value)
    assert not Run.open(tmp_path / "ad").finished
    assert not list((tmp_path / "ad" / "checkpoint").iterdir())


def test_too_little_memory_is_foreseen_and_reported(
    tiny_config, tmp_path, monkeypatch, capsys
):
    def exhausted(*_, **__):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM allocating")

    monkeypatch.setattr(
        "pet_dcgan.training.devices.available_memory", lambda: 1e5
    )
    monkeypatch.setattr(EpochLog, "on_epoch_begin", exhausted)
    with pytest.raises(ValueError, match=r"batches of 4; .*--set") as caught:
        train(tiny_config(), tmp_path / "ad", verbose=0)
    assert "\n" not in str(caught.value)
    assert not Run.open(tmp_path / "ad").finished
    lines = capsys.readouterr().err
    assert "3 subjects of AD to train on, fewer than 8" in lines
    assert "batches of 4 are estimated to take" in lines
    # not even the networks fit
    monkeypatch.setattr("pet_dcgan.training.train.build_dcgan", exhausted)
    with pytest.raises(ValueError, match="lower --set width="):
        train(tiny_config(), tmp_path / "other", verbose=0)


def test_an_existing_run_is_kept(straight):
    before = (straight.path / "generator.keras").read_bytes()
    with pytest.raises(
        FileExistsError, match="a finished run: choose another --run"
    ):
        train(straight.config, straight.path, verbose=0)
    assert (straight.path / "generator.keras").read_bytes() == before


def test_nothing_is_made_when_the_data_do_not_fit(tiny_config, tmp_path):
    five = types.SimpleNamespace(num_replicas_in_sync=5)
    for changes, strategy, message in (
        ({"batch_size": 64}, None, "--set batch_size=12"),
        ({"size": 64}, None, "of size 64, found 32"),
        ({"suvr_max": 3.0}, None, "suvr_max 3.0"),
        ({}, five, "5 devices share equally, found 4"),
    ):
        config = dataclasses.replace(tiny_config(), **changes)
        with pytest.raises(ValueError, match=message):
            train(config, tmp_path / "ad", strategy=strategy, verbose=0)
    assert not list(tmp_path.iterdir())


def test_nobody_is_both_trained_on_and_held_out(tiny_config, tmp_path):
    leaky = prepare_leaky(tmp_path / "data", into="test")
    for config, given, found in (
        (tiny_config(), {"validation": {OWN[1]}}, OWN[1]),
        (make_config(leaky), {}, OWN[2]),
    ):
        for resume in (False, True):
            with pytest.raises(DataLeakageError, match=f"found 1: {found}"):
                train(config, tmp_path / "ad", resume=resume, **given)
    assert not (tmp_path / "ad").exists()


def test_slices_beyond_the_memory_are_read_from_the_disk_of_the_run(
    tiny_config, tmp_path, monkeypatch, capsys, trainings
):
    config = tiny_config()
    monkeypatch.setattr("pet_dcgan.data.records.images_fit", lambda *_: False)
    train(config, tmp_path / "runs" / "ad", verbose=0)
    place = tmp_path / "runs"
    assert f"read from a file in {place} instead" in capsys.readouterr().err
    expected = load_training_slices(config)
    np.testing.assert_array_equal(trainings[0].slices.images, expected.images)
    assert [p.name for p in tmp_path.iterdir()] == ["runs"]


def test_determinism_is_enabled_first(tiny_config, tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(keras.utils, "set_random_seed", calls.append)
    monkeypatch.setattr(
        tf.config.experimental,
        "enable_op_determinism",
        lambda: calls.append("on"),
    )
    (tmp_path / "other").touch()
    for options in ({"deterministic": "true", "seed": 5}, {}):
        with pytest.raises(FileExistsError):
            train(tiny_config(**options), tmp_path)
    assert calls == [5, "on"]


def test_a_process_that_is_not_the_chief_writes_nothing(
    tiny_config, tmp_path, monkeypatch
):
    fitted = []
    monkeypatch.setattr(
        DCGAN, "fit", lambda self, batches, **given: fitted.append(given)
    )
    monkeypatch.setattr(
        "pet_dcgan.training.train.is_chief", lambda strategy: False
    )
    run = train(tiny_config(), tmp_path / "ad", verbose=2)
    assert run.path == tmp_path / "ad"
    (given,) = fitted
    kinds = [type(each) for each in given["callbacks"]]
    assert kinds == [FollowChief, StopBetweenSteps]
    assert given["verbose"] == 0
    assert not list(tmp_path.iterdir())


def test_a_run_of_some_subjects_goes_on_with_these_alone(
    tiny_config, tmp_path, trainings
):
    some, path = set(OWN[::2]), tmp_path / "ad"
    train(tiny_config(), path, subjects=some, verbose=0)
    assert set(Run.open(path).subjects) == some
    with pytest.raises(ValueError, match="expected the 2 subjects"):
        train(tiny_config(), path, resume=True, verbose=0)
    train(tiny_config(), path, resume=True, subjects=some, verbose=0)
    for training in trainings:
        assert set(training.slices.subjects) == some


def test_a_run_goes_on_with_the_validation_subjects_it_was_given(
    tiny_config, tmp_path, trainings
):
    # of any split of the set
    given = {"subjects": {OWN[0], "999_S_3005"}, "validation": {"999_S_3004"}}
    config, path = tiny_config(), tmp_path / "ad"
    run = train(config, path, **given, verbose=0)
    assert set(run.subjects) == given["subjects"]
    assert run.validation == ["999_S_3004"]
    for others in ({"999_S_3003"}, None):
        changed = given | {"validation": others}
        with pytest.raises(ValueError, match="expected the 2 subjects"):
            train(config, path, resume=True, **changed, verbose=0)
    train(config, path, resume=True, **given, verbose=0)
    assert len(trainings) == 2


def test_only_the_same_unfinished_run_is_resumed(
    tiny_config, tmp_path, trainings
):
    def resume(config, name="ad"):
        train(config, tmp_path / name, resume=True, verbose=0)

    with pytest.raises(FileNotFoundError, match="expected a run folder"):
        resume(tiny_config())
    moved = dataclasses.replace(tiny_config(), data_dir="/elsewhere")
    run = Run.create(tmp_path / "ad", moved, OWN)
    resume(tiny_config())
    assert len(trainings) == 1
    with pytest.raises(ValueError, match="epochs 3 instead of 2: resume"):
        resume(tiny_config(epochs=3))
    (run.path / "generator.keras").touch()
    with pytest.raises(ValueError, match="is finished: leave out --resume"):
        resume(tiny_config())
    Run.create(tmp_path / "other", moved, OWN[:1])
    with pytest.raises(ValueError, match=r"expected the 1 subjects.*anew"):
        resume(tiny_config(), "other")
