"""The device of a training, and the memory that a step needs on it."""

import errno
import math
import os

import tensorflow as tf

from pet_dcgan.config import TrainConfig
from pet_dcgan.image_facts import is_volume
from pet_dcgan.models.dcgan import DCGAN
from pet_dcgan.models.network_config import layer_outputs
from pet_dcgan.runs.run import Run
from pet_dcgan.utils.memory import StepMemory, available_memory, human_bytes

DEVICES = ("auto", "cpu", "gpu")
# Bytes an image of the batch adds, by those of all layers' outputs: kept for
# the backward pass, and as much again for their gradients. Measured on a CPU
# as the rise of the peak from one batch size to another: 1.3 (128 px, width
# 64), 1.5 (128 px, width 16), 1.4 (64 px, width 16).
_TIMES_OUTPUTS = 2
# bytes of a volume that its bends and augmentation add for each of a batch:
# 9 were measured, as above
_TIMES_VOLUME = 10


def choose_device(name: str = "auto") -> None:
    """Selects TensorFlow's device; call it before anything is computed.

    The memory of a GPU is taken as it is needed, and not all at once.

    Args:
        name: `"cpu"` hides every GPU, `"gpu"` requires one, `"auto"` uses a
            GPU where there is one.

    Raises:
        ValueError: If a GPU is required and there is none.
        RuntimeError: If TensorFlow has computed already.
    """
    if name not in DEVICES:
        raise ValueError(
            f"expected a device among {', '.join(DEVICES)}, found {name!r}"
        )
    gpus = tf.config.list_physical_devices("GPU")
    if name == "gpu" and not gpus:
        raise ValueError(
            "TensorFlow finds no GPU for --device gpu: check that nvidia-smi "
            "lists one and that pet-dcgan[gpu] is installed, or choose "
            "--device cpu"
        )
    if name == "cpu":
        tf.config.set_visible_devices([], "GPU")
        gpus = []
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)


def device_lines(config: TrainConfig) -> list[str]:
    """Names the device, and the settings that slow it down.

    On two CPU cores XLA took five to six times as long for the paper's step,
    and a generator in mixed_float16 five times as long as in float32.

    Args:
        config: `xla` and `precision`.
    """
    gpus = tf.config.get_visible_devices("GPU")
    if gpus:
        details = map(tf.config.experimental.get_device_details, gpus)
        names = (found.get("device_name", "a GPU") for found in details)
        return [f"runs on {', '.join(names)}"]
    slow = {"xla": config.xla, "precision": config.precision != "float32"}
    return ["runs on the CPU"] + [
        f"{name} {getattr(config, name)} makes a CPU several times slower; "
        "it is meant for a GPU"
        for name, is_slow in slow.items()
        if is_slow
    ]


def step_memory(model: DCGAN) -> StepMemory:
    """An estimate of the memory of a training step.

    Args:
        model: A compiled model.
    """
    networks = (model.generator, model.discriminator)
    held = sum(_bytes(variables) for variables in model.state.values())
    # the discriminator has the gradients of two passes before they are summed
    gradients = sum(_bytes(n.trainable_variables) for n in networks)
    gradients += _bytes(model.discriminator.trainable_variables)
    outputs = sum(
        counts[layer.name] * (4 if layer.compute_dtype == "float32" else 2)
        for network in networks
        for counts in [layer_outputs(network)]
        for layer in network.layers
    )
    changed = 0
    if model.augmenter or model.bender:
        shape = model.image_shape
        changed = 4 * math.prod(shape[1:]) if is_volume(shape) else 0
    return StepMemory(
        fixed=float(held + gradients),
        per_image=float(_TIMES_OUTPUTS * outputs + _TIMES_VOLUME * changed),
        replicas=model.distribute_strategy.num_replicas_in_sync,
    )


def memory_warning(step: StepMemory, batch_size: int) -> str | None:
    """A warning if a CPU has too little memory for a batch, else `None`.

    On a CPU there is no error to report: the system ends the process.

    Args:
        step: From `step_memory`.
        batch_size: Images per step.
    """
    if tf.config.list_logical_devices("GPU"):
        return None
    free = available_memory()
    wanted = step.of_batch(batch_size)
    if wanted <= free:
        return None
    return (
        f"batches of {batch_size} are estimated to take {human_bytes(wanted)}, "
        f"but {human_bytes(free)} of memory are free: "
        f"{_remedy(step, batch_size, free)}"
    )


def exhaustion_error(
    error: tf.errors.OpError, run: Run, step: StepMemory | None
) -> Exception:
    """Explains TensorFlow's error of a full disk or full memory.

    Args:
        error: What it raised; it has one error for both.
        run: The run. TensorFlow itself only writes its TensorBoard files.
        step: From `step_memory`, or `None` if not even the networks fit.
    """
    for number in (errno.ENOSPC, errno.EDQUOT):
        if (reason := os.strerror(number)) in str(error):
            return OSError(number, reason, str(run.path / "tensorboard"))
    gpus = tf.config.list_logical_devices("GPU")
    if gpus:
        # the most that was in use, just before more was refused
        name = gpus[0].name.removeprefix("/device:")
        limit = tf.config.experimental.get_memory_info(name)["peak"]
    else:
        limit = available_memory()
    batch_size = run.config.batch_size
    return ValueError(
        f"too little memory for batches of {batch_size}; train under another "
        f"--run: {_remedy(step, batch_size, limit)}"
    )


def _remedy(step: StepMemory | None, batch_size: int, limit: float) -> str:
    """Advice on what would fit instead."""
    fitting = step and step.batch_within(limit, below=batch_size)
    if not fitting:
        return "no batch would fit, use a lower --set width="
    return f"by estimate --set batch_size={fitting} would fit"


def _bytes(variables: list) -> int:
    """Bytes of variables."""
    return sum(
        math.prod(v.shape) * tf.as_dtype(v.dtype).size for v in variables
    )
