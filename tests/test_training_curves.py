import math

import keras
import matplotlib as mpl
import pytest
from matplotlib import pyplot
from matplotlib.figure import Figure

from pet_dcgan.evaluation.training_curves import (
    plot_history,
    plot_run,
    read_curves,
    save_training_curves,
    training_facts,
)

LOG = "epoch,d_loss,g_loss,real_accuracy,phantom\n1,1.2,0.8,0.9,true\n"
LOG += "2,1.1,,0.7,true\n"
SELECTION = "epoch,val_kid,standard_error,suspects,phantom\n"
SELECTION += "1,0.5,0.1,0.0,true\n2,0.25,0.1,0.1,true\n"


@pytest.fixture(autouse=True)
def no_display():
    with mpl.rc_context({"backend": "agg"}):
        yield
        pyplot.close("all")


@pytest.fixture
def run(make_run):
    """A run that is not finished, with two epochs in its log."""
    run = make_run(finished=False)
    (run.path / "log.csv").write_text(LOG)
    return run


@pytest.fixture
def selected(run):
    """The same, with a generator of epoch 2 chosen by KID."""
    (run.path / "selection.csv").write_text(SELECTION)
    return run


def lines(axes):
    """Label to values of every line."""
    return {x.get_label(): list(x.get_ydata()) for x in axes.get_lines()}


def test_columns_of_numbers_by_epoch(selected):
    log, selection, health = read_curves(selected.path).values()
    assert set(log) == {"epoch", "d_loss", "g_loss", "real_accuracy"}
    assert log["epoch"] == [1.0, 2.0]
    assert log["g_loss"][0] == 0.8
    assert math.isnan(log["g_loss"][1])
    assert selection["val_kid"] == [0.5, 0.25]
    assert health == {}


def test_damaged_files_are_empty(tmp_path):
    (tmp_path / "log.csv").write_bytes(b"\xff\xfe\x00epoch")
    (tmp_path / "health.csv").write_text("no\nwords,at,all\n")
    assert not any(read_curves(tmp_path).values())


def test_facts_are_counts_and_states(selected):
    (selected.path / "health.csv").write_text(
        "epoch,states\n5,collapse\n10,\n15,collapse memorisation\n"
    )
    facts = training_facts(selected, slices=12)
    assert facts["warnings"] == ["collapse", "memorisation"]
    assert (facts["subjects"], facts["slices"]) == (3, 12)
    assert facts["epochs"] == selected.config.epochs
    assert facts["generator"]["chosen_by"] == "val_kid + suspects"
    assert facts["generator"]["epoch"] == 2


def test_the_curves_of_a_fit():
    history = keras.callbacks.History()
    history.epoch = [0, 1]
    names = "d_loss", "g_loss", "real_accuracy", "fake_accuracy"
    history.history = {name: [0.5, 0.25] for name in names}
    losses, recognised = plot_history(history)
    assert lines(losses)["generator"] == [0.5, 0.25]
    assert list(losses.get_lines()[0].get_xdata()) == [1.0, 2.0]
    names = {"real called real", "synthetic called synthetic"}
    assert set(lines(recognised)) == names


def test_a_fit_with_validation_has_its_kid():
    history = keras.callbacks.History()
    history.epoch = [0, 1]
    history.history = {"d_loss": [1, 2], "g_loss": [1, 2], "val_kid": [3, 4]}
    _, kid = plot_history(history)
    assert lines(kid) == {"KID": [3, 4]}
    assert kid.get_ylabel() == "KID, validation"
    assert kid.get_yscale() == "linear"


def test_a_kid_of_some_epochs_is_left_out():
    """`fit(validation_freq=2)` does not say of which epochs it is."""
    history = keras.callbacks.History()
    history.epoch = [0, 1, 2, 3]
    history.history = {"d_loss": [1, 2, 3, 4], "val_kid": [5, 6]}
    (losses,) = plot_history(history)
    assert lines(losses)["discriminator"] == [1, 2, 3, 4]


def test_a_kid_that_falls_far_is_drawn_on_a_logarithmic_axis():
    history = keras.callbacks.History()
    history.epoch = [0, 1, 2]
    history.history = {"val_kid": [80_000.0, 2.0, 1.0]}
    (kid,) = plot_history(history)
    assert kid.get_yscale() == "log"
    history.history = {"val_kid": [80_000.0, -0.5, -1.0]}
    (kid,) = plot_history(history)
    assert kid.get_yscale() == "linear"


def test_the_curves_of_a_run_in_given_and_in_new_axes(run):
    losses, recognised = plot_run(run)
    assert lines(losses)["discriminator"] == [1.2, 1.1]
    assert lines(recognised) == {"real called real": [0.9, 0.7]}
    title = losses.figure.get_suptitle()
    assert title == "AD axial, demo: training (phantom)"
    mine = Figure().subplots(1, 3)
    assert plot_run(run, axes=mine) == [mine[0], mine[1]]
    assert mine[2].axison
    with pytest.raises(ValueError, match="expected 2 axes or more, found 1"):
        plot_run(run, axes=[mine[0]])


def test_the_epoch_of_the_generator_that_was_kept(make_run):
    run = make_run()
    (run.path / "log.csv").write_text(LOG)
    losses, _ = plot_run(run)
    assert lines(losses)["kept"] == [0, 1]
    # a callback may have ended it before the last epoch of its configuration
    assert losses.get_lines()[-1].get_xdata()[0] == 2


def test_nothing_to_plot(make_run, tmp_path):
    run = make_run(finished=False)
    with pytest.raises(ValueError, match="expected losses of one epoch"):
        plot_run(run)
    assert not save_training_curves(tmp_path / "a.png", run)
    assert not (tmp_path / "a.png").exists()


def test_every_file_has_a_panel_and_an_empty_place_is_hidden(selected):
    assert len(plot_run(selected)) == 3
    assert [a.axison for a in pyplot.gcf().axes] == [True] * 3 + [False]
