import dataclasses
import errno
import types

import numpy as np
import pytest
import tensorflow as tf

from pet_dcgan.models.configured_dcgan import build_dcgan
from pet_dcgan.runs.run import Run
from pet_dcgan.training import devices
from pet_dcgan.training.devices import (
    choose_device,
    device_lines,
    exhaustion_error,
    memory_warning,
    step_memory,
)
from pet_dcgan.utils.memory import StepMemory

STEP = StepMemory(fixed=1e6, per_image=1e6)


@pytest.fixture
def gpus(monkeypatch):
    """`gpus(2, peak)`: as many fake ones, and the calls made on them.

    No GPU is needed: what TensorFlow is asked to do is recorded.
    """
    calls = []
    found = []

    def show(which, kind):
        calls.append(("show", which, kind))
        found[:] = which

    def listed(kind):
        return found if kind == "GPU" else []

    def gpus(count, peak=0):
        found.extend(
            types.SimpleNamespace(name=f"/device:GPU:{index}")
            for index in range(count)
        )
        experimental = types.SimpleNamespace(
            set_memory_growth=lambda gpu, on: calls.append((gpu.name, on)),
            get_device_details=lambda gpu: {"device_name": f"Fake {gpu.name}"},
            get_memory_info=lambda name: {"GPU:0": {"peak": peak}}[name],
        )
        config = types.SimpleNamespace(
            list_physical_devices=listed,
            list_logical_devices=listed,
            set_visible_devices=show,
            get_visible_devices=listed,
            experimental=experimental,
        )
        monkeypatch.setattr(devices.tf, "config", config)
        return calls

    return gpus


@pytest.mark.parametrize(
    ("name", "count", "calls"),
    [
        ("auto", 2, [("/device:GPU:0", True), ("/device:GPU:1", True)]),
        ("gpu", 1, [("/device:GPU:0", True)]),
        ("cpu", 1, [("show", [], "GPU")]),
        ("auto", 0, []),
    ],
)
def test_gpus_are_hidden_or_their_memory_grows(
    gpus, tiny_config, name, count, calls
):
    found = gpus(count)
    choose_device(name)
    assert found == calls
    names = ", ".join(f"Fake {gpu}" for gpu, *_ in calls if gpu != "show")
    lines = device_lines(tiny_config(xla="true" if names else "false"))
    assert lines == [f"runs on {names or 'the CPU'}"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gpu", "no GPU for --device gpu: .*--device cpu"),
        ("tpu", "auto, cpu, gpu, found 'tpu'"),
    ],
)
def test_a_device_that_is_not_there_is_refused(gpus, name, message):
    gpus(0)
    with pytest.raises(ValueError, match=message):
        choose_device(name)


def test_settings_that_slow_down_a_cpu_are_named(tiny_config):
    config = tiny_config(xla="true", precision="mixed_float16")
    starts = [line.split()[:2] for line in device_lines(config)[1:]]
    assert starts == [["xla", "True"], ["precision", "mixed_float16"]]


@pytest.fixture
def free(monkeypatch):
    """`free(n)`: so many bytes of memory are free."""
    return lambda count: monkeypatch.setattr(
        devices, "available_memory", lambda: count
    )


@pytest.fixture
def exhausted(tiny_config, tmp_path):
    """`exhausted(64)`: the error of batches that large."""

    def found(batch_size, step=STEP, message="OOM when allocating"):
        run = Run(tmp_path, tiny_config(batch_size=batch_size), ["999_S_3000"])
        error = tf.errors.ResourceExhaustedError(None, None, message)
        return exhaustion_error(error, run, step)

    return found


def test_a_step_holds_state_gradients_and_layer_outputs(tiny_model):
    def numbers(variables):
        return sum(int(np.prod(v.shape)) for v in variables)

    model = tiny_model()
    step = step_memory(model)
    generator, discriminator = model.generator, model.discriminator
    held = sum(numbers(variables) for variables in model.state.values())
    gradients = numbers(generator.trainable_variables)
    gradients += 2 * numbers(discriminator.trainable_variables)
    # three counts (of both optimisers and of the steps) are of eight bytes
    assert step.fixed == pytest.approx(4 * (held + gradients), abs=24)
    outputs = sum(
        np.prod(layer.output.shape[1:])
        for layer in (*generator.layers, *discriminator.layers)
    )
    assert step.per_image == 2 * 4 * outputs


def test_outputs_of_half_the_width_take_half_the_memory(tiny_config):
    whole = step_memory(build_dcgan(tiny_config()))
    half = step_memory(build_dcgan(tiny_config(precision="mixed_bfloat16")))
    assert 0.5 <= half.per_image / whole.per_image < 0.6
    assert half.fixed >= whole.fixed


def test_a_batch_that_will_hardly_fit_names_one_that_would(free, gpus):
    free(65e6)
    assert memory_warning(STEP, 64) is None
    free(64e6)
    line = memory_warning(STEP, 64)
    assert "64 are estimated to take 65 MB" in line
    assert "64 MB of memory are free" in line
    assert line.endswith("by estimate --set batch_size=32 would fit")
    gpus(1)  # reports it itself
    assert memory_warning(STEP, 64) is None


@pytest.mark.parametrize(
    ("batch", "peak", "replicas", "remedy"),
    [
        (64, 1e9, 1, "batch_size=32 would fit"),
        (64, 21e6, 1, "batch_size=16 would fit"),
        (48, 1e9, 1, "batch_size=32 would fit"),
        (64, 2e6, 1, "no batch would fit, use a lower --set width="),
        (2, 1e9, 1, "no batch would fit, use a lower --set width="),
        # of several devices each takes its part, here 16 images
        (64, 21e6, 2, "batch_size=32 would fit"),
        (96, 21e6, 3, "batch_size=48 would fit"),
        (64, 21e6, 4, "batch_size=32 would fit"),
    ],
)
def test_too_little_memory_names_the_batch_that_would_fit(
    exhausted, gpus, batch, peak, replicas, remedy
):
    gpus(1, peak)
    found = exhausted(batch, dataclasses.replace(STEP, replicas=replicas))
    assert isinstance(found, ValueError)
    start = f"too little memory for batches of {batch}; "
    assert str(found).startswith(start)
    assert str(found).endswith(remedy)


def test_on_a_cpu_the_free_memory_counts(exhausted, free):
    free(10e6)
    assert "batch_size=8 would fit" in str(exhausted(64))
    assert "lower --set width=" in str(exhausted(64, step=None))


def test_a_full_disk_is_told_apart(exhausted, tmp_path):
    found = exhausted(4, message="events.out.v2; No space left on device")
    assert isinstance(found, OSError)
    assert found.errno == errno.ENOSPC
    assert found.filename == str(tmp_path / "tensorboard")
