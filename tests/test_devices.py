import types

import keras
import pytest
import tensorflow as tf

from pet_dcgan.training import devices
from pet_dcgan.training.devices import (
    be_deterministic,
    choose_device,
    chosen_device,
    slow_settings,
)


@pytest.fixture
def gpus(monkeypatch):
    """`gpus(2)`: as many fake ones, and the calls made on them.

    No GPU is needed: what TensorFlow is asked to do is written down.
    """
    calls = []
    found = []
    experimental = types.SimpleNamespace(
        set_memory_growth=lambda gpu, on: calls.append(("grow", gpu, on)),
        get_device_details=lambda gpu: {"device_name": f"Fake {gpu}"},
    )

    def show(which, kind):
        calls.append(("show", which, kind))
        found[:] = which

    config = types.SimpleNamespace(
        list_physical_devices=lambda kind: found if kind == "GPU" else [],
        list_logical_devices=lambda kind: found if kind == "GPU" else [],
        set_visible_devices=show,
        get_visible_devices=lambda kind: found if kind == "GPU" else [],
        experimental=experimental,
    )
    monkeypatch.setattr(devices.tf, "config", config)

    def gpus(count):
        found.extend(f"G{index}" for index in range(count))
        return calls

    return gpus


@pytest.mark.parametrize("name", ["auto", "gpu"])
def test_the_memory_of_every_gpu_grows_as_needed(gpus, name):
    calls = gpus(2)
    choose_device(name)
    assert calls == [("grow", "G0", True), ("grow", "G1", True)]
    assert chosen_device() == "Fake G0, Fake G1"


def test_cpu_hides_the_gpus_and_takes_none_of_their_memory(gpus):
    calls = gpus(1)
    choose_device("cpu")
    assert calls == [("show", [], "GPU")]
    assert chosen_device() == "the CPU"


def test_auto_takes_the_cpu_where_there_is_no_gpu(gpus):
    assert gpus(0) == []
    choose_device()
    assert chosen_device() == "the CPU"


def test_a_gpu_that_is_asked_for_must_be_there(gpus):
    gpus(0)
    with pytest.raises(ValueError, match=r"--device gpu, found none.*cpu"):
        choose_device("gpu")


def test_an_unknown_device_is_refused():
    with pytest.raises(ValueError, match="auto, cpu, gpu, found 'tpu'"):
        choose_device("tpu")


def test_slow_settings_are_said_on_a_cpu_only(tiny_config, gpus):
    config = tiny_config(xla="true", precision="mixed_float16")
    lines = slow_settings(config)
    assert [line.split()[:2] for line in lines] == [
        ["xla", "True"],
        ["precision", "mixed_float16"],
    ]
    assert slow_settings(tiny_config()) == []
    gpus(1)
    assert slow_settings(config) == []


def test_determinism_seeds_and_switches_tensorflow(monkeypatch):
    calls = []
    monkeypatch.setattr(keras.utils, "set_random_seed", calls.append)
    monkeypatch.setattr(
        tf.config.experimental,
        "enable_op_determinism",
        lambda: calls.append("on"),
    )
    be_deterministic(7)
    assert calls == [7, "on"]
