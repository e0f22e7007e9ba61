"""A running average of a generator's weights.

Averaged over its last steps, a generator leaves out what each step overshoots:
Yazici et al. (2019), arXiv 1806.04498; Karras et al. (2018), arXiv 1710.10196.
"""

import keras
import tensorflow as tf

from pet_dcgan.models.latents import replica_count


def ema_decay_at(step: int | tf.Tensor, decay: float) -> tf.Tensor:
    """Share of the average that a step keeps.

    It starts at a tenth and rises towards `decay`, so that the first, random
    weights are soon forgotten: `min(decay, (1 + step) / (10 + step))`, as
    TensorFlow's `ExponentialMovingAverage` has it with `num_updates`.

    Args:
        step: Completed steps.
        decay: What it rises to.

    Returns:
        float32 scalar.
    """
    step = tf.cast(step, tf.float32)
    return tf.minimum(decay, (1.0 + step) / (10.0 + step))


def update_ema(
    average: keras.Model, network: keras.Model, decay: tf.Tensor
) -> None:
    """Moves every variable of `average` towards that of `network`.

    Batch normalisation's moving statistics are averaged too, since they
    describe the weights they were measured with. Two operations a variable;
    TensorFlow has none for several variables at once.

    Args:
        average: From `pet_dcgan.models.networks.float32_copy(network)`.
        network: What is trained.
        decay: Scalar, the share of the average that is kept.
    """
    rest = 1.0 - decay

    def update(strategy, pairs) -> None:
        for kept, new in pairs:
            strategy.extended.update(kept, _move, args=(new, rest), group=False)

    pairs = [
        (kept.value, new.value)
        for kept, new in zip(average.variables, network.variables, strict=True)
    ]
    if replica_count() == 1:
        update(tf.distribute.get_strategy(), pairs)
    else:
        tf.distribute.get_replica_context().merge_call(update, args=(pairs,))


def _move(kept: tf.Variable, new: tf.Tensor, rest: tf.Tensor) -> None:
    kept.assign_sub((kept - new) * rest)
