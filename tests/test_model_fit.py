"""`DCGAN` under `model.fit` with callbacks that are not ours."""

import keras
import numpy as np
import pytest
import tensorflow as tf

REAL = np.random.default_rng(0).uniform(-1, 1, [8, 32, 32, 1]).astype("f4")


def test_ordinary_callbacks_work(tiny_model, tmp_path):
    model = tiny_model()
    csv, weights = tmp_path / "log.csv", tmp_path / "best.weights.h5"
    history = model.fit(
        tf.data.Dataset.from_tensor_slices(REAL).batch(4),
        epochs=2,
        verbose=0,
        shuffle=False,
        callbacks=[
            keras.callbacks.CSVLogger(csv),
            keras.callbacks.ModelCheckpoint(weights, save_weights_only=True),
            keras.callbacks.EarlyStopping("g_loss", patience=5, mode="min"),
            keras.callbacks.TensorBoard(tmp_path / "board", write_graph=False),
        ],
    )
    names = ["d_loss", "fake_accuracy", "g_loss", "real_accuracy"]
    assert sorted(history.history) == names
    assert csv.read_text().startswith(f"epoch,{','.join(names)}")
    assert list((tmp_path / "board").rglob("*tfevents*"))
    other = tiny_model(seed=5)
    other.load_weights(weights)
    latent = np.ones([1, 6], np.float32)
    np.testing.assert_array_equal(other(latent), model(latent))
    assert int(other.g_optimizer.iterations) == 4


class Interrupt(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2:
            raise KeyboardInterrupt


def test_backup_and_restore_ends_where_a_straight_run_ends(
    tiny_model, tmp_path
):
    def fit(model, *callbacks):
        data = tf.data.Dataset.from_tensor_slices(REAL).batch(4)
        options = {"epochs": 3, "verbose": 0, "shuffle": False}
        model.fit(data, callbacks=list(callbacks), **options)
        return np.array(model(np.ones([1, 6], np.float32)))

    straight = fit(tiny_model())
    backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
    with pytest.raises(KeyboardInterrupt):
        fit(tiny_model(), backup, Interrupt())
    backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
    np.testing.assert_array_equal(fit(tiny_model(), backup), straight)
