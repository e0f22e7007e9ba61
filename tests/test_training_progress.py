"""What is shown of a training as a whole."""

import types

import pytest

from pet_dcgan.training import training_progress as shown
from pet_dcgan.training.training_progress import EpochLines, TrainingBar
from pet_dcgan.utils import progress as bars

LOGS = {"real_accuracy": 0.5, "d_loss": 1.3846, "g_loss": 0.7091}


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test sets forward."""
    now = types.SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(bars.time, "monotonic", lambda: now.seconds)
    return now


def epochs(callback, clock, *, first=0, epochs=4, steps=2, logs=None):
    """Calls a callback as `fit` does; a step takes three seconds."""
    callback.set_params({"epochs": epochs, "steps": steps})
    for epoch in range(first, epochs):
        callback.on_epoch_begin(epoch)
        for step in range(steps):
            clock.seconds += 3
            callback.on_train_batch_end(step, dict(LOGS))
        callback.on_epoch_end(epoch, LOGS | (logs or {}).get(epoch, {}))


class Recorded(bars.Bar):
    def __init__(self):
        super().__init__("AD epochs")
        self.shown = []

    def _show(self, done, total):
        self.shown.append((done, total, str(self.clock), self.note))


def test_the_bar_counts_epochs_and_moves_with_each_step(clock):
    bar = Recorded()
    epochs(TrainingBar(bar), clock, logs={1: {"val_kid": 3.21}})
    done = [round(each[0], 1) for each in bar.shown]
    assert done == [0, 0.5, 1, 1, 1.5, 2, 2, 2.5, 3, 3, 3.5, 4, 4]
    # an epoch is whole once its last callback was called
    assert int(bar.shown[2][0]) == 0
    assert {each[1] for each in bar.shown} == {4}
    assert bar.shown[0][2:] == ("0:00", "")
    # half an epoch in 3 s, three epochs to go
    assert bar.shown[3][2:] == ("0:06, 0:18 left", "d_loss 1.38 g_loss 0.709")
    # measured once, the KID stays
    assert bar.shown[6][3].endswith(" val_kid 3.21")
    assert bar.shown[-1][2:] == (
        "0:24",
        "d_loss 1.38 g_loss 0.709 val_kid 3.21",
    )


def test_a_resumed_training_counts_from_where_it_was(clock):
    bar = Recorded()
    epochs(TrainingBar(bar), clock, first=2)
    assert bar.shown[0][0] == 2
    assert bar.shown[3][2] == "0:06, 0:06 left"


def test_a_log_has_a_line_per_epoch_with_all_that_was_measured(clock, capsys):
    epochs(EpochLines(), clock, epochs=2)
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "epoch 1/2  0:06, 0:06 left  d_loss 1.38 g_loss 0.709 "
        "real_accuracy 0.5",
        "epoch 2/2  0:12  d_loss 1.38 g_loss 0.709 real_accuracy 0.5",
    ]
    assert err == ""


@pytest.mark.parametrize(
    ("verbose", "looked_at", "kinds"),
    [
        (0, True, []),
        (1, False, [TrainingBar]),
        (2, True, [EpochLines]),
        ("auto", True, [TrainingBar]),
        ("auto", False, [EpochLines]),
    ],
)
def test_who_looks_on_decides(monkeypatch, verbose, looked_at, kinds):
    monkeypatch.setattr(shown, "shows_bars", lambda: looked_at)
    with shown.training_progress(verbose, "AD epochs") as callbacks:
        assert [type(each) for each in callbacks] == kinds
