"""Estimates the time and memory of a training without running it."""

import dataclasses
import math
import time

import keras
import tensorflow as tf

from pet_dcgan.config import TrainConfig
from pet_dcgan.data.batches import steps_per_epoch
from pet_dcgan.data.conditional_slices import conditions_for
from pet_dcgan.data.training_data import load_training_slices
from pet_dcgan.image_facts import is_volume
from pet_dcgan.models.configured_dcgan import build_dcgan
from pet_dcgan.models.dcgan import DCGAN
from pet_dcgan.models.network_config import describe
from pet_dcgan.models.own_networks import Network, layers_of, own_networks
from pet_dcgan.training.devices import step_memory

# share of the speed of a plain matrix product that a whole step reaches;
# measured on two CPU cores: 0.92 for width and batch 64, and 0.62 for 16, with
# augmentation (docs/measured.md)
WIDE_EFFICIENCY = 0.9
NARROW_EFFICIENCY = 0.6
_WIDE = 64
_TENSORFLOW_BYTES = 700e6  # the process before it holds any network
# float32 operations per second that NVIDIA's data sheets give for a T4 and an
# A100
_GPU_RATES = {"a T4": 8.1e12, "an A100": 19.5e12}
# assumed of any GPU, since none was at hand: the share of that rate, and the
# shortest step, whose hundreds of small operations are started one by one
_GPU_EFFICIENCY, _GPU_STEP = 0.3, 0.01
_GPU_BYTES = 500e6  # CUDA and its libraries
# passes of `pet_dcgan.models.volume_resampling` over a volume of each kind:
# bent, real and generated ones augmented, and these back again
_BENT, _AUGMENTED = 3, 9
_TRANSPOSED = (keras.layers.Conv2DTranspose, keras.layers.Conv3DTranspose)


def dry_run(
    config: TrainConfig,
    *,
    generator: Network | None = None,
    discriminator: Network | None = None,
) -> str:
    """Estimates a training without starting it; nothing is written.

    Args:
        config: From `pet_dcgan.data.training_data.resolve_config`.
        generator: As of `train`.
        discriminator: As of `train`.

    Returns:
        Configuration, sizes, time and memory as lines of text.

    Raises:
        FileNotFoundError: If there is no such set.
        ValueError: If data, networks and configuration do not fit.
    """
    own = own_networks(config, generator=generator, discriminator=discriminator)
    for network in own.values():
        describe(network)  # rejects what a run could not keep
    slices = load_training_slices(config, decode=False)
    steps = steps_per_epoch(slices, config)
    names = config.condition_names
    conditions = conditions_for(slices, names) if names else None
    total = steps * config.epochs
    model = build_dcgan(config, conditions=conditions, steps=total, **own)
    operations = step_operations(model)
    speed = _matrix_product_rate()
    efficiency = WIDE_EFFICIENCY if config.width >= _WIDE else NARROW_EFFICIENCY
    images = total * config.batch_size
    seconds = images * operations / (speed * efficiency)
    parameters = {
        network.name: sum(math.prod(w.shape) for w in network.trainable_weights)
        for network in (model.generator, model.discriminator)
    }
    return _table(
        dataclasses.asdict(config),
        {
            "data": f"{len(set(slices.subjects))} subjects, "
            f"{len(slices.images)} {slices.meta.noun}",
            "steps": f"{steps} per epoch, {total} in total",
            "parameters": ", ".join(
                f"{name} {count:,}" for name, count in parameters.items()
            ),
            "work": f"{operations / 1e9:.2f} GFLOP per image and step",
            "time, estimated": f"{_duration(seconds)} at {efficiency:.0%} of "
            f"the {speed / 1e9:.0f} GFLOP/s of a matrix product here",
            "memory, est.": _memory(
                model, config.batch_size, slices.images.nbytes
            ),
            "GPU, estimated": _gpu(model, config.batch_size, total, operations),
        },
    )


def forward_operations(network: keras.Model) -> dict[str, int]:
    """Multiplications and additions of one image's forward pass, by layer.

    Only dense and convolutional layers count, those of networks within it
    too; the others are negligible. Every position of a kernel counts, those on
    the padding too.

    Args:
        network: A functional model.

    Returns:
        Operations by layer name, in order; a multiply-add counts as two.
    """
    counts = {}
    for layer in layers_of(network):
        kernel = getattr(layer, "kernel", None)
        if kernel is None:
            continue
        # a transposed convolution applies its kernel at each input pixel
        transposed = isinstance(layer, _TRANSPOSED)
        node = layer._inbound_nodes[0]
        tensor = (node.input_tensors if transposed else node.output_tensors)[0]
        positions = math.prod(tensor.shape[1:-1])
        operations = 2 * math.prod(kernel.shape) * positions
        # networks within it may use a name again
        counts[layer.name] = counts.get(layer.name, 0) + operations
    return counts


def step_operations(model: DCGAN) -> int:
    """Operations of one training step per image of the batch.

    A backward pass costs one forward pass for the gradient by the weights and
    one for the gradient by the input. The discriminator runs forward and back
    on a real and on a generated image, without the gradient by the image. The
    generator runs forward and back once, without the gradient by the latent;
    its loss passes through the discriminator, forward and, by the input alone,
    back. EMA is negligible, and so are bends and augmentation but of volumes,
    which are resampled by matrix products.
    """
    generator = list(forward_operations(model.generator).values())
    discriminator = list(forward_operations(model.discriminator).values())
    all_layers, first = sum(discriminator), sum(discriminator[:1])
    discriminator_step = 2 * (3 * all_layers - first)
    generator_step = 2 * all_layers + 3 * sum(generator) - sum(generator[:1])
    return discriminator_step + generator_step + _resampling_operations(model)


def _resampling_operations(model: DCGAN) -> int:
    """Operations that move and bend a volume of the batch, 0 of a slice."""
    if not is_volume(model.image_shape):
        return 0
    moved = {"translate", "rotate", "scale"}
    augmented = model.augmenter and moved & {*model.augmenter.names}
    passes = _BENT * bool(model.bender) + _AUGMENTED * bool(augmented)
    return passes * 2 * model.image_shape[1] ** 4


def _gpu(model: DCGAN, batch_size: int, steps: int, operations: int) -> str:
    """Time and memory of a training on a GPU, and what is assumed."""
    step = step_memory(model)
    held = _GPU_BYTES + step.of_batch(batch_size)
    times = ", ".join(
        f"{_duration(steps * max(_GPU_STEP, work / rate))} on {name}"
        for name, rate in _GPU_RATES.items()
        for work in [batch_size * operations / _GPU_EFFICIENCY]
    )
    rates = " and ".join(f"{r / 1e12:g}" for r in _GPU_RATES.values())
    return (
        f"{times}, {held / 1e9:.1f} GB on it (never measured: assumed are "
        f"{_GPU_EFFICIENCY:.0%} of {rates} TFLOP/s in float32, and steps of "
        f"{1000 * _GPU_STEP:.0f} ms or more)"
    )


def _memory(model: DCGAN, batch_size: int, image_bytes: int) -> str:
    """Estimated memory by part, in GB."""
    step = step_memory(model)
    parts = {
        "process": _TENSORFLOW_BYTES,
        "weights": step.fixed,
        "activations": step.per_image * batch_size,
        # once as read, once as TensorFlow's
        "images": 2.0 * image_bytes,
    }
    listed = ", ".join(f"{name} {b / 1e9:.2f}" for name, b in parts.items())
    return f"{sum(parts.values()) / 1e9:.1f} GB ({listed})"


def _table(*parts: dict[str, object]) -> str:
    """Names and values in two columns, a blank line between parts."""
    width = max(len(name) for part in parts for name in part)
    return "\n\n".join(
        "\n".join(
            f"{name:<{width}} {value}".rstrip() for name, value in part.items()
        )
        for part in parts
    )


def _matrix_product_rate(side: int = 1500) -> float:
    """Operations per second of a float32 matrix product, the best of five."""
    matrix = tf.ones([side, side])
    float(tf.matmul(matrix, matrix)[0, 0])
    seconds = []
    for _ in range(5):
        started = time.perf_counter()
        float(tf.matmul(matrix, matrix)[0, 0])
        seconds.append(time.perf_counter() - started)
    return 2 * side**3 / min(seconds)


def _duration(seconds: float) -> str:
    """Seconds in the unit that suits them."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
