"""Ctrl-C in a training: after the step under way, or at once if repeated."""

import contextlib
import signal
import threading

import keras
import numpy as np
import pytest

from pet_dcgan.training.interrupt import StopBetweenSteps, held_back


class Interrupting(keras.layers.Layer):
    """Sends Ctrl-C so many times from within the step, which may fail."""

    times, ended, error = 1, False, None

    def call(self, inputs):
        for _ in range(self.times):
            signal.raise_signal(signal.SIGINT)
        type(self).ended = True
        if self.error:
            raise self.error
        return inputs


@pytest.fixture
def interrupted_fit():
    def interrupted_fit(times, error=None):
        layer = Interrupting()
        Interrupting.times, Interrupting.error = times, error
        Interrupting.ended = False
        model = keras.Sequential([layer, keras.layers.Dense(1)])
        model.compile("sgd", "mse", run_eagerly=True)
        with held_back() as callbacks:
            model.fit(
                np.ones([8, 2]),
                np.ones([8, 1]),
                batch_size=2,
                callbacks=callbacks,
                verbose=0,
            )

    return interrupted_fit


def test_the_step_is_ended_first(interrupted_fit):
    with pytest.raises(KeyboardInterrupt):
        interrupted_fit(1)
    assert Interrupting.ended


def test_a_second_one_ends_it_at_once(interrupted_fit):
    with pytest.raises(KeyboardInterrupt):
        interrupted_fit(2)
    assert not Interrupting.ended


def test_a_step_that_fails_meanwhile_was_stopped(interrupted_fit):
    """As where the other machine of a training has been stopped, too."""
    with pytest.raises(KeyboardInterrupt) as caught:
        interrupted_fit(1, OSError("another machine is gone"))
    assert "another machine is gone" in str(caught.value.__context__)
    with pytest.raises(OSError, match="another machine is gone"):
        interrupted_fit(0, OSError("another machine is gone"))


def test_only_a_first_step_is_waited_for_with_a_line(capsys):
    """TensorFlow builds its graph in it, for up to a minute."""
    with held_back() as (callback,):
        for _ in range(2):
            callback.on_train_batch_begin(0)
            signal.raise_signal(signal.SIGINT)
            with pytest.raises(KeyboardInterrupt):
                callback.on_train_batch_end(0)
    assert capsys.readouterr().err == (
        "pet-dcgan: stopping after the first step, which takes longest; "
        "Ctrl-C again stops at once\n"
    )


def test_what_ends_an_epoch_is_ended_first(capsys):
    """An evaluation computes with TensorFlow, too, and may take minutes."""
    with held_back() as (callback,):
        callback.on_epoch_begin(0)
        callback.on_train_batch_begin(0)
        callback.on_train_batch_end(0)
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            callback.on_epoch_begin(1)
    assert capsys.readouterr().err == (
        "pet-dcgan: stopping once what ends this epoch is done; "
        "Ctrl-C again stops at once\n"
    )


def test_between_two_steps_no_further_one_begins():
    with held_back() as (callback,):
        callback.on_train_batch_begin(0)
        callback.on_train_batch_end(0)
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            callback.on_train_batch_begin(1)


def test_after_the_last_epoch_it_is_handled_at_the_end():
    held = held_back()
    (callback,) = held.__enter__()
    callback.on_train_batch_begin(0)
    callback.on_train_batch_end(0)
    signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        held.__exit__(None, None, None)


def test_the_handler_is_put_back_whatever_happens():
    before = signal.getsignal(signal.SIGINT)
    with contextlib.suppress(ValueError), held_back():
        assert signal.getsignal(signal.SIGINT) != before
        raise ValueError
    assert signal.getsignal(signal.SIGINT) is before


def test_a_program_that_ignores_it_goes_on():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with held_back() as callbacks:
            assert callbacks == []
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_thread_receives_no_signals():
    found = []

    def train():
        with held_back() as callbacks:
            found.append(callbacks)

    thread = threading.Thread(target=train)
    thread.start()
    thread.join()
    assert found == [[]]


def test_a_step_without_a_signal_raises_nothing():
    callback = StopBetweenSteps()
    callback.on_train_batch_begin(0)
    callback.on_train_batch_end(0)
