"""What a run logs is what TensorBoard shows."""

import io

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing import plugin_event_accumulator
from tensorboard.util import tensor_util
from toy_model import make_config

from pet_dcgan.training.train import train


@pytest.fixture(scope="module")
def run(toy_cohort, quick_encoder, tmp_path_factory):
    """Two epochs of a training that chooses its generator by KID."""
    config = make_config(
        toy_cohort,
        select_every=1,
        samples_every=1,
        g_learning_rate=0.01,  # more than the preset's, and no divergence
    )
    return train(config, tmp_path_factory.mktemp("runs") / "ad", verbose=0)


@pytest.fixture(scope="module")
def log(run):
    """The log as TensorBoard reads it."""
    found = plugin_event_accumulator.EventAccumulator(
        str(run.path / "tensorboard")
    )
    return found.Reload()


def tags(log, plugin):
    """Tag to steps, of one of TensorBoard's pages."""
    return {
        tag: [event.step for event in log.Tensors(tag)]
        for tag in log.Tags()["tensors"]
        if log.SummaryMetadata(tag).plugin_data.plugin_name == plugin
    }


def test_scalars_kid_and_health_are_logged(log):
    scalars = tags(log, "scalars")
    expected = {"d_loss", "g_loss", "val_kid", "real_accuracy", "fake_accuracy"}
    assert expected <= set(scalars)
    for name in expected:
        assert scalars[name] == [1, 2]
    health = [name for name in scalars if name.startswith("health/")]
    assert {"health/diversity", "health/training_distance"} <= set(health)
    for name in health:
        assert scalars[name][-1] == 2


def test_sample_grids_are_logged(log):
    assert tags(log, "images") == {
        "real (phantom)": [0],
        "synthetic (phantom)": [1, 2],
    }
    # two epochs are no training: enough that the grid is not of one grey
    for tag, least in (("real (phantom)", 50), ("synthetic (phantom)", 4)):
        event = log.Tensors(tag)[-1]
        _, _, encoded = tensor_util.make_ndarray(event.tensor_proto)
        grid = Image.open(io.BytesIO(encoded)).convert("L")
        # four rows of four slices of 32 pixels
        assert grid.size == (128, 128)
        assert np.ptp(grid) > least, tag
