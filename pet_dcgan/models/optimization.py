"""Optimiser steps, and the exponential moving average (EMA) of weights.

The EMA evens out what single steps overshoot: Yazici et al. (2019), arXiv
1806.04498; Karras et al. (2018), arXiv 1710.10196.
"""

import keras
import tensorflow as tf

from pet_dcgan.models.replicas import replica_count
from pet_dcgan.utils.keras_settings import keras_defaults


@keras_defaults()
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
    """A loss scaled for differentiation.

    Optimisers sum the gradients of replicas, so each contributes its share;
    in 16 bits the loss is scaled up, and the optimiser undoes that.

    Args:
        loss: Scalar, the mean over this replica's images.
        optimizer: The optimiser that will apply the gradients.

    Returns:
        Scalar.
    """
    replicas = replica_count()
    loss = loss / replicas if replicas > 1 else loss
    return optimizer.scale_loss(loss)


def apply_gradients(
    optimizer: keras.optimizers.Optimizer,
    gradients: list[tf.Tensor],
    variables: list[keras.Variable],
) -> None:
    """One optimiser step, which all replicas take or skip together.

    Args:
        optimizer: The optimiser of the variables.
        gradients: This replica's, of the scaled loss; each has the same shape
            as its variable.
        variables: The variables to update.
    """
    scaled = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    if scaled and replica_count() > 1:
        # Each replica skips the step and lowers its loss scale where gradients
        # overflow; to decide alike, all get NaN then, and else 0 is added.
        own = tf.add_n([tf.reduce_sum(g * 0.0) for g in gradients])
        context = tf.distribute.get_replica_context()
        nothing = context.all_reduce(tf.distribute.ReduceOp.SUM, own)
        gradients = [gradient + nothing for gradient in gradients]
    optimizer.apply(gradients, variables)


def ema_decay_at(step: int | tf.Tensor, decay: float) -> tf.Tensor:
    """Decay of the EMA at a step.

    It rises from 0.1 to `decay`, so that the random initial weights are soon
    forgotten: `min(decay, (1 + step) / (10 + step))`, as in TensorFlow's
    `ExponentialMovingAverage` with `num_updates`.

    Args:
        step: Completed steps.
        decay: Upper bound, in [0, 1).

    Returns:
        float32 scalar.
    """
    step = tf.cast(step, tf.float32)
    return tf.minimum(decay, (1.0 + step) / (10.0 + step))


def update_ema(
    average: keras.Model, network: keras.Model, decay: tf.Tensor
) -> None:
    """Moves every weight of `average` towards that of `network`.

    Batch normalisation's moving statistics are averaged too, since they
    belong to the weights they were measured with. Seeds of dropout are not.

    Args:
        average: From `pet_dcgan.models.networks.float32_copy(network)`.
        network: The network in training.
        decay: Scalar in [0, 1], the weight of the average.
    """
    rest = 1.0 - decay

    def update(strategy, pairs) -> None:
        for kept, new in pairs:
            strategy.extended.update(kept, _move, args=(new, rest), group=False)

    pairs = [
        (kept.value, new.value)
        for kept, new in zip(average.weights, network.weights, strict=True)
    ]
    if replica_count() == 1:
        update(tf.distribute.get_strategy(), pairs)
    else:
        tf.distribute.get_replica_context().merge_call(update, args=(pairs,))


def _move(kept: tf.Variable, new: tf.Tensor, rest: tf.Tensor) -> None:
    kept.assign_sub((kept - new) * rest)
