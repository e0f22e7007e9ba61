"""What a training would take, found without training."""

import dataclasses
import math
import time

import keras
import numpy as np
import tensorflow as tf

from pet_dcgan.config import TrainConfig
from pet_dcgan.data.batches import steps_per_epoch
from pet_dcgan.models.dcgan import DCGAN, build_dcgan
from pet_dcgan.training.devices import step_memory
from pet_dcgan.training.resume import subjects_behind
from pet_dcgan.training.train import load_training_slices

# share of the speed of a plain matrix product that a whole step reaches;
# measured on two CPU cores: 0.92 for width and batch 64, and 0.62 for 16, with
# augmentation (docs/measured.md)
WIDE_EFFICIENCY = 0.9
NARROW_EFFICIENCY = 0.6
_WIDE = 64
_TENSORFLOW_BYTES = 700e6  # the process before it holds any network


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """A training's size, and estimates of its time and memory.

    Args:
        config: The resolved configuration.
        subjects: Subjects trained on.
        slices: Images trained on.
        steps_per_epoch: Batches in one pass.
        total_steps: Batches in all epochs.
        generator_parameters: Trainable numbers of the generator.
        discriminator_parameters: Those of the discriminator.
        gflop_per_image: Operations of one step, by image of the batch, 1e9.
        flops_per_second: What a plain matrix product reaches here.
        efficiency: Share of it that a step is assumed to reach.
        seconds: Estimate of all steps.
        memory_bytes: Estimate by part: `process`, `weights`, `activations`,
            `images`.
    """

    config: TrainConfig
    subjects: int
    slices: int
    steps_per_epoch: int
    total_steps: int
    generator_parameters: int
    discriminator_parameters: int
    gflop_per_image: float
    flops_per_second: float
    efficiency: float
    seconds: float
    memory_bytes: dict[str, float]


def plan(config: TrainConfig, *, flops_per_second: float | None = None) -> Plan:
    """Sizes up a training without starting it; nothing is written.

    Args:
        config: From `pet_dcgan.training.train.resolve_config`.
        flops_per_second: Speed of a matrix product; measured (in a fraction
            of a second) when not given.

    Raises:
        FileNotFoundError: If there is no such set, or no run to start from.
        ValueError: If data and configuration do not fit.
    """
    slices = load_training_slices(config, decode=False)
    subjects_behind(config, slices)  # or it could not start from that run
    steps = steps_per_epoch(slices, config)
    model = build_dcgan(config)
    rate = flops_per_second or matrix_product_rate()
    wide = config.width >= _WIDE
    efficiency = WIDE_EFFICIENCY if wide else NARROW_EFFICIENCY
    total = steps * config.epochs
    work = step_operations(model)
    return Plan(
        config=config,
        subjects=len(set(slices.subjects)),
        slices=len(slices.images),
        steps_per_epoch=steps,
        total_steps=total,
        generator_parameters=_parameters(model.generator),
        discriminator_parameters=_parameters(model.discriminator),
        gflop_per_image=work / 1e9,
        flops_per_second=rate,
        efficiency=efficiency,
        seconds=total * config.batch_size * work / (rate * efficiency),
        memory_bytes=_memory(model, config, slices.images.nbytes),
    )


def forward_operations(network: keras.Model) -> dict[str, int]:
    """Multiplications and additions of one image's way through each layer.

    Only dense and convolutional layers count; the others are negligible.
    Every position of a kernel counts, those on the padding too.

    Args:
        network: A functional model.

    Returns:
        Operations by layer name, in order, two for each product added.
    """
    counts = {}
    for layer in network.layers:
        kernel = getattr(layer, "kernel", None)
        if kernel is None:
            continue
        # a transposed convolution applies its kernel at each input pixel
        transposed = isinstance(layer, keras.layers.Conv2DTranspose)
        tensor = layer.input if transposed else layer.output
        places = math.prod(tensor.shape[1:-1])
        counts[layer.name] = 2 * math.prod(kernel.shape) * places
    return counts


def step_operations(model: DCGAN) -> int:
    """Operations of one training step for one image of the batch.

    A backward pass costs one forward pass for the gradient by the weights and
    one for the gradient by the input. The discriminator runs forward and back
    on a real image and on a generated one; neither needs the gradient by the
    image. The generator runs forward and back once, without the gradient by
    the latent; its loss goes through the discriminator, forward and, by the
    input alone, back. The R1 penalty goes back by the image once, and back
    through both ways again. Augmentation, averages and spectral norms are
    negligible.
    """
    generator = list(forward_operations(model.generator).values())
    judge = list(forward_operations(model.discriminator).values())
    discriminator_step = 2 * (3 * sum(judge) - judge[0])
    generator_step = 2 * sum(judge) + 3 * sum(generator) - generator[0]
    penalty = 0.0
    if model.r1_weight:
        penalty = (3 * sum(judge) + judge[0]) / model.r1_every
    return discriminator_step + generator_step + round(penalty)


def matrix_product_rate(side: int = 1500, repeats: int = 5) -> float:
    """Operations a second of a float32 matrix product, the best of a few.

    Args:
        side: Rows and columns of the matrices.
        repeats: How often it is measured.
    """
    matrix = tf.ones([side, side])
    float(tf.matmul(matrix, matrix)[0, 0])
    best = math.inf
    for _ in range(repeats):
        started = time.perf_counter()
        float(tf.matmul(matrix, matrix)[0, 0])
        best = min(best, time.perf_counter() - started)
    return 2 * side**3 / best


def describe(planned: Plan) -> str:
    """A plan as lines of text."""
    speed = planned.flops_per_second / 1e9
    memory = planned.memory_bytes
    parts = ", ".join(f"{n} {b / 1e9:.2f}" for n, b in memory.items())
    config = dataclasses.asdict(planned.config)
    sizes = {
        "data": f"{planned.subjects} subjects, {planned.slices} slices",
        "steps": f"{planned.steps_per_epoch} an epoch, "
        f"{planned.total_steps} in all",
        "parameters": f"generator {planned.generator_parameters:,}, "
        f"discriminator {planned.discriminator_parameters:,}",
        "work": f"{planned.gflop_per_image:.2f} GFLOP an image and step",
        "time, estimated": f"{_duration(planned.seconds)} at "
        f"{planned.efficiency:.0%} of the {speed:.0f} GFLOP/s of a matrix "
        "product here",
        "memory, est.": f"{sum(memory.values()) / 1e9:.1f} GB ({parts})",
    }
    width = max(map(len, (*config, *sizes)))
    return "\n".join(
        f"{name:<{width}} {value}".rstrip()
        for name, value in (*config.items(), ("", ""), *sizes.items())
    )


def _memory(
    model: DCGAN, config: TrainConfig, image_bytes: int
) -> dict[str, float]:
    step = step_memory(model)
    return {
        "process": _TENSORFLOW_BYTES,
        "weights": step.fixed,
        "activations": step.per_image * config.batch_size,
        # once as read, once as TensorFlow's
        "images": 2.0 * image_bytes,
    }


def _parameters(network: keras.Model) -> int:
    return int(sum(np.prod(w.shape) for w in network.trainable_weights))


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
