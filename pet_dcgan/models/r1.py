"""The R1 penalty on real images, and when it is due."""

import keras
import tensorflow as tf

from pet_dcgan.models import losses
from pet_dcgan.models.layers import replica_count


def real_pass(
    discriminator: keras.Model,
    real: tf.Tensor,
    *,
    optimizer: keras.optimizers.Optimizer,
    step: tf.Tensor,
    weight: float,
    every: int,
) -> tuple[tf.Tensor, float | tf.Tensor]:
    """The discriminator's pass of real images, with the penalty when it is due.

    Args:
        discriminator: Twice differentiable.
        real: float32 `[n, size, size, channels]` in [-1, 1].
        optimizer: The discriminator's, whose loss scale is used.
        step: Completed steps.
        weight: Weight gamma of the penalty; 0 for none.
        every: Steps between two penalties, each multiplied by it.

    Returns:
        Logits `[n, 1]`, and the weighted penalty, a scalar.
    """

    def plain() -> tuple[tf.Tensor, tf.Tensor]:
        return discriminator(real, training=True), tf.constant(0.0)

    def penalised(due: float | tf.Tensor = 1.0) -> tuple[tf.Tensor, tf.Tensor]:
        logits, penalty = _logits_and_penalty(discriminator, real, optimizer)
        return logits, due * weight * every * penalty

    if not weight:
        return discriminator(real, training=True), 0.0
    if every == 1:
        return penalised()
    due = tf.equal(step % every, 0)
    if replica_count() > 1:
        # replicas cannot meet inside a branch: all compute it, always
        return penalised(tf.cast(due, tf.float32))
    return tf.cond(due, penalised, plain)


def _logits_and_penalty(
    discriminator: keras.Model,
    images: tf.Tensor,
    optimizer: keras.optimizers.Optimizer,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Logits of real images and their R1 penalty."""
    scaled = optimizer.scale_loss
    with tf.GradientTape() as tape:
        tape.watch(images)
        logits = discriminator(images, training=True)
        # other images affect a logit through batch normalisation only,
        # which the gradient of the sum includes
        total = scaled(tf.reduce_sum(logits))
    gradients = tape.gradient(total, images)
    return logits, losses.r1_penalty(gradients / scaled(1.0))
