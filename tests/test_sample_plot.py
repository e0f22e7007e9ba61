import matplotlib as mpl
import numpy as np
import pytest
import tensorflow as tf
from matplotlib import pyplot

from pet_dcgan.data.training_data import load_training_slices
from pet_dcgan.evaluation.sample_plot import plot_samples
from pet_dcgan.image_facts import ImageFacts
from pet_dcgan.models.sampling import synthetic_slices

FACTS = ImageFacts(
    stage="AD", plane="axial", spacing_mm=6, suvr_max=2.5, phantom=True
)


@pytest.fixture(autouse=True)
def no_display():
    with mpl.rc_context({"backend": "agg"}):
        yield
        pyplot.close("all")


def pixels(axes):
    (image,) = axes.get_images()
    return np.asarray(image.get_array())


def labels(axes):
    return [label.get_text() for label in axes.get_yticklabels()]


def title(axes):
    (text,) = axes.figure.texts
    return text.get_text()


def bar(axes):
    """What is written at the colour bar."""
    return axes.figure.axes[-1].get_ylabel()


def test_sixteen_seeds_of_a_model_in_suvr(tiny_model):
    model = tiny_model(facts=FACTS, ema_decay=0.5)
    axes = plot_samples(model)
    expected = synthetic_slices(model.average, np.arange(16), suvr_max=2.5)
    shown = pixels(axes)
    assert shown.shape == (2 * 32, 8 * 32)
    np.testing.assert_array_equal(shown[:32, 32:64], expected[1])
    np.testing.assert_array_equal(shown[32:, :32], expected[8])
    assert axes.get_images()[0].get_clim() == (0, 2.5)
    assert labels(axes) == ["seeds 0 to 7", "seeds 8 to 15"]
    assert title(axes) == "AD axial, synthetic (phantom)"
    assert bar(axes) == "mean-scaled SUVR"


def test_other_seeds_and_a_row_that_is_not_full(tiny_model):
    axes = plot_samples(tiny_model(facts=FACTS), count=9, seed=5)
    assert labels(axes) == ["seeds 5 to 12", "seed 13"]
    assert not pixels(axes)[32:, 32:].any()


def test_a_run_and_a_generator_with_its_facts_give_the_same(make_run):
    run = make_run("AD")
    of_run = plot_samples(run)
    of_generator = plot_samples(run.load_generator(), facts=FACTS)
    np.testing.assert_array_equal(pixels(of_run), pixels(of_generator))
    assert title(of_run) == title(of_generator)


@pytest.mark.parametrize(
    ("options", "white", "label"),
    [
        ({"suvr_max": 2.0}, 2.0, "SUVR"),
        ({}, 1.0, "share of the largest uptake"),
    ],
)
def test_without_facts_it_says_what_white_is(tiny_model, options, white, label):
    axes = plot_samples(tiny_model().generator, **options)
    assert axes.get_images()[0].get_clim() == (0, white)
    assert (title(axes), bar(axes)) == ("synthetic", label)


def test_real_slices_lie_above_spread_over_all(tiny_model, tiny_config):
    slices = load_training_slices(tiny_config())
    axes = plot_samples(tiny_model(facts=FACTS), count=4, real=slices)
    assert labels(axes) == ["real", "seeds 0 to 3"]
    assert title(axes) == "AD axial, real above synthetic (phantom)"
    chosen = slices.images[[0, 4, 7, 11]] / 65535 * 2.5
    np.testing.assert_allclose(pixels(axes)[:32], np.hstack(chosen), rtol=1e-5)


@pytest.mark.parametrize("form", [np.asarray, tf.constant, "dataset", "pairs"])
def test_real_images_as_fit_takes_them(tiny_model, form):
    images = np.linspace(-1, 1, 8, dtype=np.float32)[:, None, None, None]
    images = np.tile(images, [1, 32, 32, 1])
    real = images if isinstance(form, str) else form(images)
    if form == "dataset":
        real = tf.data.Dataset.from_tensor_slices(images).batch(4)
    if form == "pairs":
        real = images, np.zeros(8)
    shown = pixels(plot_samples(tiny_model(facts=FACTS), real=real))
    expected = np.linspace(0, 2.5, 8)
    np.testing.assert_allclose(shown[0, ::32], expected, atol=1e-6)


def test_in_axes_of_ones_own(tiny_model):
    figure, (left, right) = pyplot.subplots(1, 2)
    assert plot_samples(tiny_model(facts=FACTS), axes=left) is left
    assert left.get_title() == "AD axial, synthetic (phantom)"
    assert not right.get_images()
    assert pyplot.get_fignums() == [figure.number]


def test_one_figure_that_can_be_saved(tiny_model, tmp_path):
    axes = plot_samples(tiny_model(facts=FACTS))
    assert pyplot.get_fignums() == [axes.figure.number]
    axes.figure.savefig(tmp_path / "samples.png")
    assert (tmp_path / "samples.png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"count": 0}, "count of 1 or more, found 0"),
        ({"suvr_max": -1.0}, "suvr_max above 0, found -1.0"),
        ({"suvr_max": 2.0}, "suvr_max 2.5 as of the images' facts, found 2"),
        ({"real": np.ones([4, 32, 32, 1])}, "found 1 to 1: scale them"),
        ({"real": -np.ones([4, 16, 16, 1])}, r"one size, found \[\(16, 16\)"),
        ({"real": iter([])}, "can be looked at, found none"),
    ],
)
def test_what_cannot_be_drawn_is_refused(tiny_model, options, words):
    with pytest.raises(ValueError, match=words):
        plot_samples(tiny_model(facts=FACTS), **options)
    assert not pyplot.get_fignums()


def test_what_is_no_generator_is_refused(tiny_model):
    with pytest.raises(ValueError, match="found str: open a run"):
        plot_samples("runs/ad")
    with pytest.raises(ValueError, match=r"from \(None, 32, 32, 1\) to"):
        plot_samples(tiny_model().discriminator)
