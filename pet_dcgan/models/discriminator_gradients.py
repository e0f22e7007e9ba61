"""What one batch of images teaches a discriminator."""

from collections.abc import Callable
from typing import NamedTuple

import keras
import tensorflow as tf

from pet_dcgan.models import losses
from pet_dcgan.models.cpu_training import training_pass
from pet_dcgan.models.latents import replica_count


class Judgement(NamedTuple):
    """Of one batch.

    Args:
        gradients: By the discriminator's trainable variables, as scaled as
            its optimiser expects them.
        loss: Scalar, without a penalty.
        logits: `[n, 1]`.
    """

    gradients: list[tf.Tensor]
    loss: tf.Tensor
    logits: tf.Tensor


def judge(
    discriminator: keras.Model,
    images: tf.Tensor,
    loss_of: Callable[[tf.Tensor], tf.Tensor],
    *,
    optimizer: keras.optimizers.Optimizer,
    r1_weight: float | tf.Tensor | None = None,
) -> Judgement:
    """One pass of a batch, forward and back.

    Args:
        discriminator: Model from images to logits.
        images: float32 `[n, size, size, channels]`.
        loss_of: Loss of the logits.
        optimizer: What the gradients are for.
        r1_weight: Weight of the R1 penalty, `None` to leave it out.
    """
    with tf.GradientTape() as tape:
        if r1_weight is None:
            logits = training_pass(discriminator, images)
            total = loss = loss_of(logits)
        else:
            logits, penalty = _steepness(discriminator, images, optimizer)
            loss = loss_of(logits)
            total = loss + r1_weight * penalty
        total = scaled(total, optimizer)
    gradients = tape.gradient(total, discriminator.trainable_variables)
    return Judgement(gradients, loss, logits)


def judge_lazily(
    discriminator: keras.Model,
    images: tf.Tensor,
    loss_of: Callable[[tf.Tensor], tf.Tensor],
    *,
    optimizer: keras.optimizers.Optimizer,
    r1_weight: float,
    due: tf.Tensor | bool,
) -> Judgement:
    """As `judge`, with the penalty in some steps only.

    Args:
        discriminator: Model from images to logits.
        images: float32 `[n, size, size, channels]`.
        loss_of: Loss of the logits.
        optimizer: What the gradients are for.
        r1_weight: Weight of the R1 penalty where it is due.
        due: Whether it is.
    """

    def judged(weight: float | tf.Tensor | None) -> Judgement:
        return judge(
            discriminator,
            images,
            loss_of,
            optimizer=optimizer,
            r1_weight=weight,
        )

    if due is True:
        return judged(r1_weight)
    if replica_count() > 1:
        # replicas cannot meet inside a branch: all compute it, always
        return judged(tf.where(due, r1_weight, 0.0))
    return tf.cond(due, lambda: judged(r1_weight), lambda: judged(None))


def scaled(loss: tf.Tensor, optimizer: keras.optimizers.Optimizer) -> tf.Tensor:
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


def apply(
    optimizer: keras.optimizers.Optimizer,
    gradients: list[tf.Tensor],
    variables: list[keras.Variable],
) -> None:
    """One step of an optimiser; replicas take it or leave it together.

    Args:
        optimizer: What the gradients are for.
        gradients: Of this replica, of what `scaled` gave; each has the
            same shape as its variable.
        variables: What they are by.
    """
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        gradients = agreed(gradients)
    optimizer.apply(gradients, variables)


def agreed(gradients: list[tf.Tensor]) -> list[tf.Tensor]:
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


def _steepness(
    discriminator: keras.Model,
    images: tf.Tensor,
    optimizer: keras.optimizers.Optimizer,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Logits of real images, and the R1 penalty there."""
    with tf.GradientTape() as tape:
        tape.watch(images)
        logits = discriminator(images, training=True)
        # an image's logit depends on the others through batch normalisation
        # only, which the gradient of the sum takes in
        total = optimizer.scale_loss(tf.reduce_sum(logits))
    gradients = tape.gradient(total, images)
    return logits, losses.r1_penalty(gradients / optimizer.scale_loss(1.0))
