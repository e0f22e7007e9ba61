"""The device of a training, its memory, and deterministic operations."""

import errno
import math
import os

import keras
import tensorflow as tf

from pet_dcgan.config import TrainConfig
from pet_dcgan.models.dcgan import DCGAN
from pet_dcgan.runs.run import Run
from pet_dcgan.utils.memory import StepMemory, available_memory, human_bytes

DEVICES = ("auto", "cpu", "gpu")


def choose_device(name: str = "auto") -> None:
    """Settles what TensorFlow runs on; call it before anything is computed.

    The memory of a GPU is taken as it is needed, and not all at once.

    Args:
        name: `"cpu"` hides every GPU, `"gpu"` demands one, `"auto"` takes a
            GPU where there is one.

    Raises:
        ValueError: If a GPU is asked for and there is none.
        RuntimeError: If TensorFlow has computed already.
    """
    if name not in DEVICES:
        raise ValueError(
            f"expected a device among {', '.join(DEVICES)}, found {name!r}"
        )
    gpus = tf.config.list_physical_devices("GPU")
    if name == "gpu" and not gpus:
        raise ValueError(
            "expected a GPU for --device gpu, found none that TensorFlow can "
            "use: see that nvidia-smi lists it and that pet-dcgan[gpu] is "
            "installed, or choose --device cpu"
        )
    if name == "cpu":
        tf.config.set_visible_devices([], "GPU")
        gpus = []
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)


def slow_settings(config: TrainConfig) -> list[str]:
    """Lines on settings that slow down the device a training runs on.

    On two CPU cores XLA took five to six times as long for the paper's step,
    and a generator in mixed_float16 five times as long as in float32.
    """
    if tf.config.list_logical_devices("GPU"):
        return []
    slow = {"xla": config.xla, "precision": config.precision != "float32"}
    return [
        f"{name} {getattr(config, name)} makes a CPU several times slower; "
        "it is meant for a GPU"
        for name, is_slow in slow.items()
        if is_slow
    ]


def be_deterministic(seed: int) -> None:
    """Makes every operation give the same bits again, from now on.

    TensorFlow cannot take this back within a process. What is slower for it
    or has no such form, on a GPU, says so.

    Args:
        seed: For operations that would draw their own.
    """
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def chosen_device() -> str:
    """Names the GPUs that are visible, or the CPU where there is none."""
    gpus = tf.config.get_visible_devices("GPU")
    if not gpus:
        return "the CPU"
    details = map(tf.config.experimental.get_device_details, gpus)
    names = (found.get("device_name", "a GPU") for found in details)
    return ", ".join(names)


_FLOAT = 4  # bytes
_HALF = 2
# Bytes an image of the batch adds, by those of all layers' outputs: kept for
# the way back, and as much again for their gradients. Measured on a CPU as
# the rise of the process's peak from one batch to another: 1.3 (128 px, width
# 64), 1.5 (128 px, width 16), 1.4 (64 px, width 16).
_TIMES_OUTPUTS = 2


def step_memory(model: DCGAN) -> StepMemory:
    """An estimate of the memory of a training step.

    Args:
        model: A compiled model.
    """
    networks = (model.generator, model.discriminator)
    held = sum(len(found) and _bytes(found) for found in model.state.values())
    # the discriminator has the gradients of two passes before they are summed
    gradients = sum(_bytes(n.trainable_variables) for n in networks)
    gradients += _bytes(model.discriminator.trainable_variables)
    outputs = sum(
        math.prod(layer.output.shape[1:]) * _width_of(layer)
        for network in networks
        for layer in network.layers
    )
    return StepMemory(
        fixed=float(held + gradients),
        per_image=float(_TIMES_OUTPUTS * outputs),
        replicas=model.distribute_strategy.num_replicas_in_sync,
    )


def memory_warning(step: StepMemory, config: TrainConfig) -> str | None:
    """A line where a CPU's memory will hardly do, else nothing.

    On a CPU there is no error to report: the system ends the process.

    Args:
        step: From `step_memory`.
        config: Its batch.
    """
    if tf.config.list_logical_devices("GPU"):
        return None
    free = available_memory()
    wanted = step.of_batch(config.batch_size)
    if wanted <= free:
        return None
    return (
        f"batches of {config.batch_size} are estimated to take "
        f"{human_bytes(wanted)}, of memory {human_bytes(free)} are free: "
        f"{_remedy(step, config.batch_size, free)}"
    )


def exhausted(
    error: tf.errors.OpError, run: Run, step: StepMemory | None
) -> Exception:
    """What to say for TensorFlow's error of a full disk or full memory.

    Args:
        error: What it raised; it has one error for both.
        run: What was trained. TensorFlow itself writes for TensorBoard only.
        step: From `step_memory`, or none where not even the networks fit.
    """
    reason = os.strerror(errno.ENOSPC)
    if reason in str(error):
        return OSError(errno.ENOSPC, reason, str(run.path / "tensorboard"))
    return ValueError(
        f"expected memory for batches of {run.config.batch_size}, found too "
        "little; train under another --run: "
        f"{_remedy(step, run.config.batch_size, _limit())}"
    )


def _remedy(step: StepMemory | None, batch_size: int, limit: float) -> str:
    """Which batch would fit instead of one that did not."""
    fitting = step and step.batch_within(limit, below=batch_size)
    if not fitting:
        return "no batch would fit, take a lower --set width="
    return f"by estimate --set batch_size={fitting} would fit"


def _limit() -> float:
    """Memory a step may take: what a GPU had given, or what a CPU leaves.

    On a GPU that is the most that was in use, just before more was refused.
    """
    gpus = tf.config.list_logical_devices("GPU")
    if not gpus:
        return available_memory()
    name = gpus[0].name.removeprefix("/device:")
    return tf.config.experimental.get_memory_info(name)["peak"]


def _bytes(variables: list) -> int:
    return sum(
        math.prod(v.shape) * tf.as_dtype(v.dtype).size for v in variables
    )


def _width_of(layer) -> int:
    return _FLOAT if layer.compute_dtype == "float32" else _HALF
