"""The user's Keras callbacks in a run of `train`."""

import csv

import keras
import pytest
from toy_model import make_config
from training_process import log_rows

from pet_dcgan.evaluation.training_curves import training_facts
from pet_dcgan.runs.run import Run
from pet_dcgan.training.train import train
from pet_dcgan.training.user_callbacks import (
    require_suitable,
    with_user_callbacks,
)


class Noted(keras.callbacks.Callback):
    """Notes what it sees at the end of each epoch."""

    def __init__(self, folder=None):
        super().__init__()
        self.folder, self.seen, self.files = folder, [], []

    def on_epoch_end(self, epoch, logs=None):
        self.seen.append(dict(logs))
        logs["noted"] = float(epoch)
        if self.folder:
            self.files.append({p.name for p in self.folder.rglob("*")})


def test_they_stand_between_what_measures_and_what_is_kept():
    names = "health samples selection log checkpoint progress"
    own = {name: name for name in names.split()}
    assert with_user_callbacks(own, ["a", "b"]) == [
        *("health", "samples", "selection", "a", "b"),
        *("log", "checkpoint", "progress"),
    ]
    del own["selection"], own["progress"]
    assert with_user_callbacks(own, []) == list(own)


def test_they_see_the_kid_and_add_to_the_log(tiny_config, tmp_path):
    path = tmp_path / "ad"
    noted = Noted(path)
    train(
        tiny_config(epochs=3, select_every=2),
        path,
        callbacks=[noted],
        verbose=0,
    )
    assert ["val_kid" in logs for logs in noted.seen] == [False, True, True]
    assert [row["noted"] for row in log_rows(path)] == ["0.0", "1.0", "2.0"]
    # the state of an epoch is written after them
    for epoch, files in enumerate(noted.files, start=1):
        assert f"state_{epoch:04}.npz" not in files
        assert "samples" in files


def test_early_stopping_leaves_a_finished_run(tiny_config, tmp_path):
    stop = keras.callbacks.EarlyStopping(
        "g_loss", patience=1, baseline=0.0, mode="min"
    )
    # it ends before the first evaluation of the KID
    config = tiny_config(epochs=9, select_every=9)
    run = train(config, tmp_path / "ad", callbacks=[stop], verbose=0)
    assert 1 < len(log_rows(run.path)) < 9
    assert Run.open(run.path).finished
    kept = training_facts(run, slices=1)["generator"]
    assert kept == {
        "epoch": len(log_rows(run.path)),
        "chosen_by": "last epoch",
    }
    with pytest.raises(ValueError, match="is finished"):
        train(config, run.path, resume=True, verbose=0)


def test_what_writes_files_and_what_sets_rates_works(tiny_config, tmp_path):
    config = tiny_config(epochs=2, g_learning_rate=1e-3)
    callbacks = [
        keras.callbacks.ModelCheckpoint(tmp_path / "m_{epoch}.keras"),
        keras.callbacks.CSVLogger(tmp_path / "log.csv"),
        keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2),
        keras.callbacks.TerminateOnNaN(),
    ]
    run = train(config, tmp_path / "ad", callbacks=callbacks, verbose=0)
    assert {p.name for p in tmp_path.iterdir()} == {
        *("m_1.keras", "m_2.keras", "log.csv", "ad"),
    }
    with (tmp_path / "log.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 2
    rates = [float(row["learning_rate"]) for row in log_rows(run.path)]
    assert rates == pytest.approx([5e-4, 2.5e-4])


def test_a_rate_that_was_set_is_part_of_the_state(toy_set, tmp_path):
    config = make_config(toy_set, epochs=3)

    class Slower(keras.callbacks.Callback):
        """Sets the rate once; a resumed training does not call it again."""

        def on_epoch_end(self, epoch, logs=None):
            if epoch == 0:
                self.model.g_optimizer.learning_rate = 1e-5
            if epoch == 1 and self.stops:
                raise KeyboardInterrupt

    Slower.stops = False
    whole = train(config, tmp_path / "a", callbacks=[Slower()], verbose=0)
    Slower.stops = True
    with pytest.raises(KeyboardInterrupt):
        train(config, tmp_path / "b", callbacks=[Slower()], verbose=0)
    train(config, tmp_path / "b", resume=True, verbose=0)
    assert log_rows(whole.path) == log_rows(tmp_path / "b")


def test_what_would_break_a_run_is_refused(tiny_config, tmp_path):
    refused = (
        (keras.callbacks.BackupAndRestore(tmp_path / "b"), "resume=True"),
        (keras.callbacks.SwapEMAWeights(), "ema_decay="),
        (
            keras.callbacks.EarlyStopping(restore_best_weights=True),
            "select_every=",
        ),
    )
    for callback, remedy in refused:
        with pytest.raises(ValueError, match=remedy) as caught:
            train(tiny_config(), tmp_path / "ad", callbacks=[callback])
        assert "\n" not in str(caught.value)
    with pytest.raises(TypeError, match="found int: derive"):
        require_suitable([3])
    assert not (tmp_path / "ad").exists()
    require_suitable([keras.callbacks.EarlyStopping()])
