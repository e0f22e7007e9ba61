import matplotlib as mpl
import pytest
import tensorflow as tf
from matplotlib import pyplot
from matplotlib.figure import Figure

from pet_dcgan.evaluation.notebook import plot_history, plot_run

LOG = "epoch,d_loss,g_loss,real_accuracy\n1,1.2,0.8,0.9\n2,1.1,0.9,0.7\n"


@pytest.fixture(autouse=True)
def no_display():
    with mpl.rc_context({"backend": "agg"}):
        yield
        pyplot.close("all")


@pytest.fixture
def run(make_run):
    run = make_run(finished=False)
    (run.path / "log.csv").write_text(LOG)
    return run


def lines(axes):
    """Label to values of every line."""
    return {x.get_label(): list(x.get_ydata()) for x in axes.get_lines()}


def test_a_fit_by_epoch(tiny_model):
    model = tiny_model()
    history = model.fit(tf.zeros([4, 32, 32, 1]), epochs=2, verbose=0)
    losses, recognised = plot_history(history)
    assert lines(losses)["generator"] == history.history["g_loss"]
    assert list(losses.get_lines()[0].get_xdata()) == [1.0, 2.0]
    assert set(lines(recognised)) == {
        "real called real",
        "synthetic called synthetic",
    }


def test_a_run_that_goes_on(run):
    losses, recognised = plot_run(run)
    assert lines(losses) == {
        "discriminator": [1.2, 1.1],
        "generator": [0.8, 0.9],
    }
    assert lines(recognised) == {"real called real": [0.9, 0.7]}
    assert "(phantom)" in losses.figure.get_suptitle()


def test_a_finished_run_marks_the_generator_that_was_kept(make_run):
    run = make_run()
    (run.path / "log.csv").write_text(LOG)
    losses, _ = plot_run(run)
    assert lines(losses)["kept"] == [0, 1]
    assert losses.get_lines()[-1].get_xdata()[0] == run.config.epochs


def test_axes_of_ones_own(run):
    mine = Figure().subplots(1, 3)
    found = plot_run(run, axes=mine)
    assert found == [mine[0], mine[1]]
    assert mine[2].axison
    with pytest.raises(ValueError, match="expected 2 axes or more, found 1"):
        plot_run(run, axes=[mine[0]])


def test_nothing_to_plot(make_run):
    with pytest.raises(ValueError, match="expected losses of one epoch"):
        plot_run(make_run(finished=False))
