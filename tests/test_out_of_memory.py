import dataclasses
import errno

import numpy as np
import pytest
import tensorflow as tf

from pet_dcgan.runs.run import Run
from pet_dcgan.training import devices
from pet_dcgan.training.devices import exhausted, memory_warning, step_memory
from pet_dcgan.utils.memory import StepMemory

STEP = StepMemory(fixed=1e6, per_image=1e6)


@pytest.fixture
def gpu(monkeypatch):
    """`gpu(peak)`: TensorFlow says it has a GPU that gave `peak` bytes."""

    def gpu(peak):
        device = tf.config.LogicalDevice("/device:GPU:0", "GPU")
        monkeypatch.setattr(
            tf.config, "list_logical_devices", lambda kind: [device]
        )
        monkeypatch.setattr(
            tf.config.experimental,
            "get_memory_info",
            lambda name: {"GPU:0": {"current": 0, "peak": peak}}[name],
        )

    return gpu


@pytest.fixture
def free(monkeypatch):
    """`free(n)`: so many bytes of memory are free."""

    def free(count):
        monkeypatch.setattr(devices, "available_memory", lambda: count)

    return free


def numbers(variables):
    return sum(int(np.prod(v.shape)) for v in variables)


def test_a_step_holds_its_state_gradients_and_layers_outputs(tiny_model):
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


def test_half_as_wide_numbers_take_half_the_room(tiny_config):
    from pet_dcgan.models.dcgan import build_dcgan

    whole = step_memory(build_dcgan(tiny_config()))
    half = step_memory(build_dcgan(tiny_config(precision="mixed_bfloat16")))
    assert 0.5 <= half.per_image / whole.per_image < 0.6
    assert half.fixed >= whole.fixed


def test_a_batch_that_will_hardly_fit_names_one_that_would(tiny_config, free):
    config = tiny_config(batch_size=64)
    free(65e6)
    assert memory_warning(STEP, config) is None
    free(64e6)
    line = memory_warning(STEP, config)
    assert "64 are estimated to take 65 MB" in line
    assert "64 MB are free" in line
    assert line.endswith("by estimate --set batch_size=32 would fit")


def test_a_gpu_is_left_to_say_so_itself(tiny_config, free, gpu):
    free(0)
    gpu(1e9)
    assert memory_warning(STEP, tiny_config()) is None


@pytest.mark.parametrize(
    ("batch", "peak", "remedy"),
    [
        (64, 1e9, "by estimate --set batch_size=32 would fit"),
        (64, 21e6, "by estimate --set batch_size=16 would fit"),
        (48, 1e9, "by estimate --set batch_size=32 would fit"),
        (64, 2e6, "no batch would fit, take a lower --set width="),
        (2, 1e9, "no batch would fit, take a lower --set width="),
    ],
)
def test_too_little_memory_names_the_batch_that_would_fit(
    tiny_config, tmp_path, gpu, batch, peak, remedy
):
    gpu(peak)
    run = Run(tmp_path, tiny_config(batch_size=batch), ["999_S_3000"])
    error = tf.errors.ResourceExhaustedError(None, None, "OOM when allocating")
    found = exhausted(error, run, STEP)
    assert isinstance(found, ValueError)
    assert str(found).startswith(f"expected memory for batches of {batch}, ")
    assert str(found).endswith(remedy)


def test_networks_that_do_not_fit_ask_for_narrower_ones(
    tiny_config, tmp_path, free
):
    free(1e9)
    run = Run(tmp_path, tiny_config(), ["999_S_3000"])
    error = tf.errors.ResourceExhaustedError(None, None, "OOM when allocating")
    assert "lower --set width=" in str(exhausted(error, run, None))


@pytest.mark.parametrize(("replicas", "batch"), [(2, 32), (3, 48), (4, 32)])
def test_every_device_takes_its_part(
    tiny_config, tmp_path, gpu, replicas, batch
):
    gpu(21e6)  # 16 images
    size = {2: 64, 3: 96, 4: 64}[replicas]
    run = Run(tmp_path, tiny_config(batch_size=size), ["999_S_3000"])
    error = tf.errors.ResourceExhaustedError(None, None, "OOM when allocating")
    step = dataclasses.replace(STEP, replicas=replicas)
    found = exhausted(error, run, step)
    assert f"batch_size={batch} would fit" in str(found)


def test_on_a_cpu_what_is_free_counts(tiny_config, tmp_path, free):
    free(10e6)
    run = Run(tmp_path, tiny_config(batch_size=64), ["999_S_3000"])
    error = tf.errors.ResourceExhaustedError(None, None, "OOM when allocating")
    assert "batch_size=8 would fit" in str(exhausted(error, run, STEP))


def test_a_full_disk_is_told_apart(tiny_config, tmp_path):
    run = Run(tmp_path, tiny_config(), ["999_S_3000"])
    text = "events.out.v2; No space left on device"
    error = tf.errors.ResourceExhaustedError(None, None, text)
    found = exhausted(error, run, STEP)
    assert isinstance(found, OSError)
    assert found.errno == errno.ENOSPC
    assert found.filename == str(tmp_path / "tensorboard")
