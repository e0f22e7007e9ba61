"""Optimiser steps, and the exponential moving average (EMA) of weights.

Averaged over its last steps, a generator leaves out what each step overshoots:
Yazici et al. (2019), arXiv 1806.04498; Karras et al. (2018), arXiv 1710.10196.
"""

import keras
import tensorflow as tf

from pet_dcgan.models.latents import replica_count


def paper_adam(
    learning_rate: float = 1e-4, *, beta_1: float = 0.5, beta_2: float = 0.999
) -> keras.optimizers.Adam:
    """Adam with the values that Islam & Zhang (2020) state.

    Args:
        learning_rate: Step size.
        beta_1: Decay of the first moment.
        beta_2: Decay of the second moment.
    """
    return keras.optimizers.Adam(learning_rate, beta_1=beta_1, beta_2=beta_2)


def scale_loss(
    loss: tf.Tensor, optimizer: keras.optimizers.Optimizer
) -> tf.Tensor:
    """A loss as its gradients are to be taken of.

    Optimisers add up the gradients of replicas, so each gives its share; and
    gradients in 16 bits are scaled up, and down again by the optimiser.

    Args:
        loss: Scalar, the mean over this replica's images.
        optimizer: What the gradients are for.
    """
    replicas = replica_count()
    loss = loss / replicas if replicas > 1 else loss
    return optimizer.scale_loss(loss)


def apply_gradients(
    optimizer: keras.optimizers.Optimizer,
    gradients: list[tf.Tensor],
    variables: list[keras.Variable],
) -> None:
    """One step of an optimiser; replicas take it or leave it together.

    Args:
        optimizer: What the gradients are for.
        gradients: Of this replica, of what `scale_loss` gave; each has the
            same shape as its variable.
        variables: What they are by.
    """
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        gradients = agree_on_overflow(gradients)
    optimizer.apply(gradients, variables)


def agree_on_overflow(gradients: list[tf.Tensor]) -> list[tf.Tensor]:
    """Gradients that are not finite on any replica where they are not on one.

    A loss scale is lowered, and the step left out, where a replica finds its
    own gradients too large; all have to find the same.

    Args:
        gradients: Of this replica, of any shape.
    """
    if replica_count() == 1:
        return gradients
    # a sum is finite where all of it is, or else it is inf or nan
    own = tf.add_n([tf.reduce_sum(g * 0.0) for g in gradients])
    context = tf.distribute.get_replica_context()
    nothing = context.all_reduce(tf.distribute.ReduceOp.SUM, own)
    return [gradient + nothing for gradient in gradients]


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
