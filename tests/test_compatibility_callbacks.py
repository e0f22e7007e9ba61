"""Every callback of Keras with a DCGAN; rows of docs/compatibility.md."""

import doctest
import functools
import json

import keras
import numpy as np
import pytest
from board import tags
from compatibility import Rows
from toy_model import make_model

import pet_dcgan as pd
from pet_dcgan.training import for_optimizer as module

ROWS = Rows("Callbacks")
works, refused = ROWS.works, ROWS.refused
callbacks = keras.callbacks

RNG = np.random.default_rng(0)
REAL = RNG.uniform(-1, 1, [8, 32, 32, 1]).astype(np.float32)
RATES = 1e-3, 4e-4


@functools.cache
def shared():
    """One model for all rows: its steps are traced once."""
    model = make_model()
    model.compile(*map(keras.optimizers.Adam, RATES))
    return model


def reset():
    """The shared model with the rates that it began with."""
    model = shared()
    model.g_optimizer.learning_rate, model.d_optimizer.learning_rate = RATES
    return model


def fit(*given, model=None, epochs=2, held_out=True, **options):
    """A short training with callbacks; its logs."""
    model = model or reset()
    history = model.fit(
        REAL,
        batch_size=4,
        epochs=epochs,
        validation_data=REAL[:4] if held_out else None,
        verbose=0,
        callbacks=list(given),
        **options,
    )
    return history.history


def rates(model):
    return [
        pytest.approx(float(optimizer.learning_rate))
        for optimizer in (model.g_optimizer, model.d_optimizer)
    ]


def scripted(name, *values):
    """A callback that logs these values, one an epoch."""

    def log(epoch, logs):
        logs[name] = values[epoch]

    return callbacks.LambdaCallback(on_epoch_end=log)


@works("`BackupAndRestore`")
def _(folder):
    class Stop(callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

    def train(*given):
        model = make_model()
        model.compile(run_eagerly=True)
        fit(*given, model=model, held_out=False, shuffle=False)
        return model.get_weights()

    backup, begun = folder / "backup", []
    seeing = callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: begun.append(epoch)
    )
    with pytest.raises(KeyboardInterrupt):
        train(callbacks.BackupAndRestore(backup), Stop())
    resumed = train(callbacks.BackupAndRestore(backup), seeing)
    assert begun == [1]
    for one, other in zip(resumed, train(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


@works("`CSVLogger`")
def _(folder):
    fit(callbacks.CSVLogger(folder / "log.csv"))
    header, *rows = (folder / "log.csv").read_text().splitlines()
    assert {"d_loss", "g_loss", "val_kid"} < set(header.split(","))
    assert len(rows) == 2


@works('`EarlyStopping("val_kid")`')
def _(folder):
    early = callbacks.EarlyStopping(
        "val_kid", patience=1, restore_best_weights=True
    )
    kept = []

    def keep(epoch, logs):
        kept.append(early.model.generator.get_weights())

    keeping = callbacks.LambdaCallback(on_epoch_end=keep)
    fit(scripted("val_kid", 3.0, 1.0, 2.0, 0.5), keeping, early, epochs=4)
    assert (early.stopped_epoch, early.best_epoch) == (2, 1)
    for one, other in zip(kept[1], shared().generator.get_weights(), strict=1):
        np.testing.assert_array_equal(one, other)


@refused("`EarlyStopping()`, whose monitor is `val_loss`", "monitor='val_kid'")
def _(folder):
    fit(callbacks.EarlyStopping())


@refused(
    '`EarlyStopping("real_accuracy")` without a `mode`',
    "mode='max'",
    by_keras=True,
)
def _(folder):
    fit(callbacks.EarlyStopping("real_accuracy"))


@works("`History`")
def _(folder):
    history = callbacks.History()
    assert fit(history, epochs=1) == history.history


@works("`LambdaCallback`")
def _(folder):
    seen = []
    fit(
        callbacks.LambdaCallback(
            on_train_begin=lambda logs: seen.append("begin"),
            on_train_batch_end=lambda step, logs: seen.append(sorted(logs)[0]),
        ),
        epochs=1,
    )
    assert seen == ["begin", "d_loss", "d_loss"]


@works("`LearningRateScheduler`")
def _(folder):
    half = callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    logs = fit(half)
    assert rates(shared()) == [RATES[0] / 4, RATES[1] / 4]
    assert logs["learning_rate"] == pytest.approx([RATES[0] / 2, RATES[0] / 4])


@refused("`LearningRateScheduler` that returns 0", "learning rate above 0")
def _(folder):
    fit(callbacks.LearningRateScheduler(lambda epoch: 0.0))


@works('`ForOptimizer("discriminator", LearningRateScheduler(...))`')
def _(folder):
    half = callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    logs = fit(pd.ForOptimizer("discriminator", half))
    assert rates(shared()) == [RATES[0], RATES[1] / 4]
    assert logs["d_learning_rate"] == pytest.approx(
        [RATES[1] / 2, RATES[1] / 4]
    )
    assert "learning_rate" not in logs


@works("`ModelCheckpoint`, whole model")
def _(folder):
    path = folder / "{epoch:02d}.keras"
    fit(callbacks.ModelCheckpoint(path))
    saved = keras.saving.load_model(folder / "02.keras")
    assert int(saved.step) == int(shared().step)
    assert sorted(p.name for p in folder.iterdir()) == ["01.keras", "02.keras"]


@works("`ModelCheckpoint(save_weights_only=True)`")
def _(folder):
    path = folder / "last.weights.h5"
    fit(callbacks.ModelCheckpoint(path, save_weights_only=True), epochs=1)
    other = make_model(seed=5)
    other.load_weights(path)
    assert int(other.g_optimizer.iterations) == int(
        shared().g_optimizer.iterations
    )


@works('`ModelCheckpoint(monitor="val_kid", save_best_only=True)`')
def _(folder):
    path = folder / "{epoch:02d}-{val_kid:.1f}.weights.h5"
    best = callbacks.ModelCheckpoint(
        path, monitor="val_kid", save_best_only=True, save_weights_only=True
    )
    fit(scripted("val_kid", 3.0, 1.0, 2.0), best, epochs=3)
    names = sorted(p.name for p in folder.iterdir())
    assert names == ["01-3.0.weights.h5", "02-1.0.weights.h5"]


@refused("`ModelCheckpoint(save_best_only=True)`", "found 'val_loss'")
def _(folder):
    fit(callbacks.ModelCheckpoint(folder / "x.keras", save_best_only=True))


@works("`ModelCheckpoint(save_freq=...)` by batches")
def _(folder):
    path = folder / "{batch}.weights.h5"
    fit(
        callbacks.ModelCheckpoint(path, save_weights_only=True, save_freq=2),
        epochs=1,
    )
    assert [p.name for p in folder.iterdir()] == ["2.weights.h5"]


@refused("`OrbaxCheckpoint`, `get_state_tree()`", "use ModelCheckpoint")
def _(folder):
    shared().get_state_tree()


@works("`ProgbarLogger`")
def _(folder):
    fit(callbacks.ProgbarLogger(), epochs=1)


@works('`ReduceLROnPlateau("val_kid")`')
def _(folder):
    plateau = callbacks.ReduceLROnPlateau("val_kid", patience=1, factor=0.5)
    fit(scripted("val_kid", 1.0, 2.0), plateau)
    assert rates(shared()) == [RATES[0] / 2, RATES[1] / 2]


@works('`ForOptimizer("generator", ReduceLROnPlateau("val_kid"))`')
def _(folder):
    plateau = callbacks.ReduceLROnPlateau("val_kid", patience=1, factor=0.5)
    logs = fit(
        scripted("val_kid", 1.0, 2.0), pd.ForOptimizer("generator", plateau)
    )
    assert rates(shared()) == [RATES[0] / 2, RATES[1]]
    assert len(logs["g_learning_rate"]) == 2


@works("`RemoteMonitor`")
def _(folder):
    sent = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("requests.post", lambda url, **what: sent.append(what))
        fit(callbacks.RemoteMonitor(send_as_json=True), epochs=1)
    (what,) = sent
    assert "g_loss" in json.dumps(what["json"])


@refused("`SwapEMAWeights`", "ForOptimizer")
def _(folder):
    fit(callbacks.SwapEMAWeights(swap_on_epoch=True), epochs=1)


@works('`ForOptimizer("generator", SwapEMAWeights())`')
def _(folder):
    model = make_model()
    model.compile(
        keras.optimizers.Adam(1e-3, use_ema=True, ema_momentum=0.9),
        run_eagerly=True,
    )
    kernel, seen = model.generator.trainable_variables[0], {}

    def see(name):
        return lambda *_, **__: seen.update({name: kernel.numpy()})

    swap = pd.ForOptimizer("generator", callbacks.SwapEMAWeights())
    seeing = callbacks.LambdaCallback(
        on_train_batch_end=see("trained"),
        on_test_begin=see("average"),
        on_test_end=see("again"),
    )
    fit(swap, seeing, model=model, epochs=1)
    assert not np.allclose(seen["average"], seen["trained"], atol=1e-5)
    np.testing.assert_allclose(seen["again"], seen["trained"], atol=1e-6)
    # as in Keras, the average becomes the weights at the end
    np.testing.assert_allclose(kernel, seen["average"], atol=1e-6)


@works("`TensorBoard`")
def _(folder):
    fit(callbacks.TensorBoard(folder, write_graph=False))
    assert {"epoch_g_loss", "evaluation_kid_vs_iterations"} < tags(folder)


@works("`TensorBoard(histogram_freq=1, write_images=True)`")
def _(folder):
    fit(
        callbacks.TensorBoard(
            folder, histogram_freq=1, write_images=True, write_graph=False
        ),
        epochs=1,
    )
    names = tags(folder)
    assert any("kernel/image" in name for name in names)
    assert any("kernel/histogram" in name for name in names)


@works("`TensorBoard(write_graph=True)`")
def _(folder):
    fit(callbacks.TensorBoard(folder), epochs=1)
    assert "epoch_g_loss" in tags(folder)


@works('`TensorBoard(update_freq="batch", write_steps_per_second=True)`')
def _(folder):
    fit(
        callbacks.TensorBoard(
            folder,
            update_freq="batch",
            write_steps_per_second=True,
            write_graph=False,
        ),
        epochs=1,
    )
    names = tags(folder)
    assert {"batch_g_loss", "batch_steps_per_second"} < names
    assert "epoch_steps_per_second" in names


@works("`TensorBoard(profile_batch=...)`")
def _(folder):
    fit(
        callbacks.TensorBoard(folder, profile_batch=2, write_graph=False),
        epochs=1,
    )
    assert list(folder.rglob("*.xplane.pb"))


@works("`TerminateOnNaN`")
def _(folder):
    model = make_model()
    model.compile(run_eagerly=True)
    kernel = model.discriminator.trainable_variables[0]
    kernel.assign(kernel * np.nan)
    logs = fit(
        callbacks.TerminateOnNaN(), model=model, held_out=False, epochs=3
    )
    assert len(logs["d_loss"]) == 1


@works("a subclass of `Callback`")
def _(folder):
    class Seen(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.images = self.model.predict(np.zeros([2, 6]), verbose=0)
            self.model.stop_training = True

    seen = Seen()
    assert len(fit(seen)["g_loss"]) == 1
    assert seen.images.shape == (2, 32, 32, 1)


@works("`CallbackList`")
def _(folder):
    history = callbacks.History()
    model = reset()
    given = callbacks.CallbackList([history], model=model)
    model.fit(REAL, batch_size=4, verbose=0, callbacks=given)
    assert "g_loss" in history.history


@ROWS.each()
def test_callback(row, tmp_path):
    row.run(tmp_path)


def test_every_callback_of_keras_has_a_row():
    named = " ".join(row.name for row in ROWS)
    for name in dir(callbacks):
        if not name.startswith("_"):
            assert name in named


# --- ForOptimizer -------------------------------------------------------------


def test_the_example_runs():
    assert doctest.testmod(module).failed == 0


def test_what_is_no_network_or_no_callback_is_refused():
    plateau = callbacks.ReduceLROnPlateau("val_kid")
    with pytest.raises(ValueError, match="'generator', 'discriminator'"):
        pd.ForOptimizer("critic", plateau)
    with pytest.raises(ValueError, match="make it first"):
        pd.ForOptimizer("generator", callbacks.ReduceLROnPlateau)


def test_a_callback_for_one_optimiser_may_stop_the_training():
    early = callbacks.EarlyStopping("g_loss", patience=0, start_from_epoch=0)
    logs = fit(
        scripted("g_loss", 1.0, 2.0, 3.0),
        pd.ForOptimizer("generator", early),
        epochs=3,
    )
    assert logs["g_loss"] == [1.0, 2.0]
