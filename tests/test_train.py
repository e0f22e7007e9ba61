import csv
import dataclasses
import types

import keras
import numpy as np
import pytest
import tensorflow as tf
from toy_model import make_config

from pet_dcgan.runs.run import Run
from pet_dcgan.training.callbacks import EpochLog
from pet_dcgan.training.train import train


@pytest.fixture(scope="module")
def straight(toy_set, tmp_path_factory):
    """A run of four epochs that nobody stopped."""
    config = make_config(toy_set, epochs=4, samples_every=2)
    return train(config, tmp_path_factory.mktemp("runs") / "ad", verbose=0)


def stop_before(monkeypatch, epoch, error):
    begin = EpochLog.on_epoch_begin

    def stop(self, number, logs=None):
        if number == epoch:
            raise error
        begin(self, number, logs)

    monkeypatch.setattr(EpochLog, "on_epoch_begin", stop)


def log_rows(run):
    with (run.path / "log.csv").open(newline="") as file:
        return [
            {k: v for k, v in row.items() if k != "seconds"}
            for row in csv.DictReader(file)
        ]


def test_a_run_folder_holds_what_it_should(straight):
    files = {
        str(p.relative_to(straight.path))
        for p in straight.path.rglob("*")
        if p.is_file() and "tfevents" not in p.name
    }
    assert files == {
        "config.json",
        "subjects.csv",
        "log.csv",
        "health.csv",
        "generator.keras",
        "samples/real.png",
        "samples/epoch_0001.png",
        "samples/epoch_0002.png",
        "samples/epoch_0004.png",
        "samples/montage.png",
        "checkpoint/samples_0001.npz",
        "checkpoint/samples_0002.npz",
        "checkpoint/samples_0004.npz",
        "checkpoint/state_0003.npz",
        "checkpoint/state_0004.npz",
    }
    assert len(list((straight.path / "tensorboard").iterdir())) == 1
    assert len(log_rows(straight)) == 4
    run = Run.open(straight.path)
    assert run.finished
    assert run.subjects == ["999_S_3000", "999_S_3001", "999_S_3002"]
    image = np.asarray(run.load_generator()(np.ones([2, 6], np.float32)))
    assert image.shape == (2, 32, 32, 1)
    assert np.isfinite(image).all()


def assert_same_weights(one, other):
    pairs = zip(
        one.load_generator().get_weights(),
        other.load_generator().get_weights(),
        strict=True,
    )
    for a, b in pairs:
        np.testing.assert_array_equal(a, b)


def test_a_stopped_run_ends_with_the_very_same_weights(
    straight, tmp_path, monkeypatch
):
    with monkeypatch.context() as patch:
        stop_before(patch, 2, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            train(straight.config, tmp_path / "ad", verbose=0)
    assert not Run.open(tmp_path / "ad").finished
    left = tmp_path / "ad" / "samples" / ".partial-1234.epoch_0001.png"
    left.parent.mkdir(exist_ok=True)
    left.touch()  # as a kill would have left it
    counts = []
    run = train(
        straight.config,
        tmp_path / "ad",
        resume=True,
        verbose=0,
        progress=lambda *each: counts.append(each),
    )
    assert not left.exists()
    assert counts == [(done, 4) for done in (3, 4)]
    assert_same_weights(straight, run)
    assert log_rows(run) == log_rows(straight)
    for name in ("epoch_0004.png", "montage.png", "real.png"):
        picture = (run.path / "samples" / name).read_bytes()
        assert picture == (straight.path / "samples" / name).read_bytes()


def test_a_run_stopped_after_its_last_epoch_is_completed(
    straight, tmp_path, monkeypatch
):
    def full(self, model):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Run, "save_generator", full)
        with pytest.raises(OSError, match="No space left"):
            train(straight.config, tmp_path / "ad", verbose=0)
    assert not Run.open(tmp_path / "ad").finished
    run = train(straight.config, tmp_path / "ad", resume=True, verbose=0)
    assert_same_weights(straight, run)


def test_a_diverging_run_leaves_no_generator(tiny_config, tmp_path):
    config = tiny_config(g_learning_rate=1.0, d_learning_rate=1.0, epochs=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "pet_dcgan.models.losses.generator_loss",
            lambda logits: logits[0, 0] / 0.0,
        )
        with pytest.raises(ValueError, match=r"diverged.*--set"):
            train(config, tmp_path / "ad", verbose=0)
    run = Run.open(tmp_path / "ad")
    assert not run.finished
    assert not (run.path / "checkpoint").exists()


@pytest.mark.parametrize(
    ("found", "kind", "message"),
    [
        ("events.out; No space left on device", OSError, "No space left"),
        ("OOM when allocating", ValueError, "batches of 4; .*batch_size="),
    ],
)
def test_a_full_disk_and_a_full_memory_are_told_apart(
    tiny_config, tmp_path, monkeypatch, found, kind, message
):
    error = tf.errors.ResourceExhaustedError(None, None, found)
    stop_before(monkeypatch, 0, error)
    with pytest.raises(kind, match=message) as caught:
        train(tiny_config(), tmp_path / "ad", verbose=0)
    assert "\n" not in str(caught.value)
    assert not Run.open(tmp_path / "ad").finished


def test_an_existing_run_is_kept(straight):
    before = (straight.path / "generator.keras").read_bytes()
    with pytest.raises(FileExistsError, match=r"--resume.*--run"):
        train(straight.config, straight.path, verbose=0)
    assert (straight.path / "generator.keras").read_bytes() == before


def test_nothing_is_made_when_the_data_do_not_fit(tiny_config, tmp_path):
    for config, message in (
        (tiny_config(batch_size=64), "--set batch_size=12"),
        (dataclasses.replace(tiny_config(), size=64), "of size 64, found 32"),
        (dataclasses.replace(tiny_config(), suvr_max=3.0), "suvr_max 3.0"),
    ):
        with pytest.raises(ValueError, match=message):
            train(config, tmp_path / "ad", verbose=0)
    assert not list(tmp_path.iterdir())


def test_slices_in_a_file_give_the_same_weights(
    straight, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr("pet_dcgan.data.records.slices_fit", lambda *_: False)
    run = train(straight.config, tmp_path / "runs" / "ad", verbose=0)
    assert f"read from a file in {tmp_path} instead" in capsys.readouterr().err
    assert_same_weights(straight, run)
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


def test_warnings_come_before_the_start(
    tiny_config, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(
        "pet_dcgan.training.devices.available_memory", lambda: 1e5
    )
    stop_before(monkeypatch, 0, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        train(tiny_config(), tmp_path / "ad", verbose=0)
    lines = capsys.readouterr().err
    assert "3 subjects of AD to train on, fewer than 8" in lines
    assert "batches of 4 are estimated to take" in lines


def test_networks_too_large_for_the_memory_name_the_remedy(
    tiny_config, tmp_path, monkeypatch
):
    def build(config):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM")

    monkeypatch.setattr("pet_dcgan.training.train.build_dcgan", build)
    with pytest.raises(ValueError, match="lower --set width="):
        train(tiny_config(), tmp_path / "ad", verbose=0)


def test_devices_that_cannot_share_a_batch_are_refused(tiny_config, tmp_path):
    five = types.SimpleNamespace(num_replicas_in_sync=5)
    with pytest.raises(ValueError, match="5 devices share equally, found 4"):
        train(tiny_config(), tmp_path / "ad", strategy=five, verbose=0)
    assert not list(tmp_path.iterdir())


def test_a_process_that_is_not_the_chief_writes_nothing(
    tiny_config, tmp_path, monkeypatch
):
    monkeypatch.setattr(
        "pet_dcgan.training.train.is_chief", lambda strategy: False
    )
    run = train(tiny_config(epochs=1), tmp_path / "ad", verbose=0)
    assert run.path == tmp_path / "ad"
    assert not list(tmp_path.iterdir())


def test_a_run_of_some_subjects_goes_on_with_these_alone(
    tiny_config, tmp_path, monkeypatch
):
    some = {"999_S_3000", "999_S_3002"}
    config = tiny_config(epochs=2)
    with monkeypatch.context() as patch:
        stop_before(patch, 1, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            train(config, tmp_path / "ad", subjects=some, verbose=0)
    assert set(Run.open(tmp_path / "ad").subjects) == some
    with pytest.raises(ValueError, match="expected the 2 subjects"):
        train(config, tmp_path / "ad", resume=True, verbose=0)
    run = train(config, tmp_path / "ad", resume=True, subjects=some, verbose=0)
    assert run.finished
    assert set(run.subjects) == some
