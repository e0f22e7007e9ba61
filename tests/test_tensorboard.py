import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from board import events, tags_and_steps
from tensorboard.plugins.custom_scalar import layout_pb2

from pet_dcgan.training.tensorboard import CHARTS, TensorBoard, write_charts

IMAGES = np.random.default_rng(0).uniform(-1, 1, [40, 32, 32, 1])


def charts(folder):
    """Title to pattern of each chart that TensorBoard is to draw."""
    value, step = next(events(folder))
    plugin = value.metadata.plugin_data.plugin_name
    assert (value.tag, plugin, step) == (
        "custom_scalars__config__",
        "custom_scalars",
        0,
    )
    (content,) = tf.make_ndarray(value.tensor).ravel()
    layout = layout_pb2.Layout.FromString(content)
    (category,) = layout.category
    return {chart.title: chart.multiline.tag[0] for chart in category.chart}


@pytest.fixture
def patterns(tmp_path):
    writer = tf.summary.create_file_writer(str(tmp_path))
    write_charts(writer)
    writer.close()
    return charts(tmp_path)


@pytest.mark.parametrize(
    ("title", "inside"),
    [
        ("losses", ["d_loss", "g_loss", "epoch_d_loss", "epoch_g_loss"]),
        ("losses", ["val_d_loss", "val_g_loss"]),
        (
            "recognised by the discriminator",
            ["real_accuracy", "epoch_fake_accuracy"],
        ),
        ("KID", ["val_kid", "epoch_kid"]),
        ("health", ["health/diversity", "health/misfit"]),
    ],
)
def test_what_belongs_together_is_in_one_chart(patterns, title, inside):
    assert list(patterns) == list(CHARTS)
    for tag in inside:
        found = [name for name, each in patterns.items() if re.match(each, tag)]
        assert found == [title]


def test_nothing_else_is_in_a_chart(patterns):
    for tag in ("loss", "d_loss_2", "epoch_learning_rate", "kidney"):
        assert not any(re.match(each, tag) for each in patterns.values())


def test_every_tag_of_a_fit_by_hand_but_learning_rates_has_its_chart(
    tiny_model, tmp_path
):
    callback = TensorBoard(tmp_path)
    assert isinstance(callback, keras.callbacks.TensorBoard)
    tiny_model().fit(
        IMAGES, validation_data=IMAGES, callbacks=[callback], verbose=0
    )
    patterns = charts(tmp_path / "train")
    drawn = {
        (part, tag)
        for part in ("train", "validation")
        for tag, _ in tags_and_steps(tmp_path / part)
        if any(re.match(pattern, tag) for pattern in patterns.values())
    }
    names = ("d_loss", "g_loss", "real_accuracy", "fake_accuracy")
    assert drawn == {
        *(("train", f"epoch_{name}") for name in names),
        *(("validation", f"epoch_{name}") for name in (*names, "kid")),
    }
