"""The device a training runs on, and whether its bits come out again."""

import keras
import tensorflow as tf

from pet_dcgan.config import TrainConfig

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
