"""What a run logs is what TensorBoard shows."""

import contextlib
import io
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from scipy.signal import fftconvolve
from tensorboard.backend.event_processing import plugin_event_accumulator
from tensorboard.util import tensor_util
from toy_model import SMALL

from pet_dcgan.training.train import resolve_config, train

CHROMIUM = next(
    filter(
        None,
        map(shutil.which, ("chromium", "chromium-browser", "google-chrome")),
    ),
    None,
)


@pytest.fixture(scope="module")
def run(toy_cohort, quick_encoder, tmp_path_factory):
    """Two epochs of a training that chooses its generator by KID."""
    settings = {
        "select_every": 1,
        "patience": 0,
        "samples_every": 1,
        # enough to be seen after two epochs
        "g_learning_rate": 0.05,
    }
    config = resolve_config(
        "demo",
        data_dir=toy_cohort,
        dataset="axial_32",
        stage="AD",
        overrides=SMALL | settings,
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
    for tag in ("real (phantom)", "synthetic (phantom)"):
        grid = last_grid(log, tag)
        # four rows of four slices of 32 pixels
        assert grid.size == (128, 128)
        assert np.ptp(grid) > 50


def last_grid(log, tag):
    event = log.Tensors(tag)[-1]
    _, _, encoded = tensor_util.make_ndarray(event.tensor_proto)
    return Image.open(io.BytesIO(encoded)).convert("L")


@contextlib.contextmanager
def tensorboard(logdir):
    """The URL of a TensorBoard of a folder."""
    words = ("--logdir", str(logdir), "--host", "127.0.0.1", "--port", "0")
    with subprocess.Popen(
        [sys.executable, "-m", "tensorboard.main", *words],
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            for line in process.stderr:
                if found := re.search(r"at (http://\S+?)/? \(", line):
                    yield found[1]
                    break
            else:
                pytest.fail("TensorBoard did not start")
        finally:
            process.terminate()


def screenshot(url, folder):
    """What a browser shows, in grey."""
    picture = folder / "page.png"
    options = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--window-size=1400,1400",
        "--virtual-time-budget=20000",
        f"--user-data-dir={folder / 'profile'}",
        f"--screenshot={picture}",
    ]
    subprocess.run(
        [CHROMIUM, *options, url], check=True, capture_output=True, timeout=280
    )
    with Image.open(picture) as image:
        return np.asarray(image.convert("L"), np.float64)


def likeness(page, picture):
    """Greatest correlation of a picture, as wide as drawn, with part of a page.

    Pixels are drawn as squares, so that even noise can be compared.
    """
    return max(
        _correlations(page, np.asarray(picture.resize([side, side], 0))).max()
        for side in range(346, 355)
    )


def _correlations(page, picture):
    """Pearson's, of a picture with each part of the page of its size."""
    ones = np.ones(picture.shape)
    sums = fftconvolve(page, ones, "valid")
    squares = fftconvolve(page**2, ones, "valid")
    spread = np.sqrt(np.maximum(squares - sums**2 / ones.size, ones.size))
    centred = picture - picture.mean()
    products = fftconvolve(page, centred[::-1, ::-1], "valid")
    return products / spread / np.linalg.norm(centred)


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")
def test_a_browser_sees_the_sample_grids(run, log, tmp_path):
    with tensorboard(run.path / "tensorboard") as url:
        page = screenshot(f"{url}/#images", tmp_path)
    real, synthetic = (
        last_grid(log, tag) for tag in ("real (phantom)", "synthetic (phantom)")
    )
    assert likeness(page, real) > 0.9
    assert likeness(page, synthetic) > 0.9
    turned = real.transpose(Image.Transpose.TRANSPOSE)
    assert likeness(page, turned) < likeness(page, real) - 0.05
