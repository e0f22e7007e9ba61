"""The adversarial losses, on logits.

Islam & Zhang (2020), doi 10.1186/s40708-020-00104-2, after Goodfellow et al.
(2014), arXiv 1406.2661. With `D = sigmoid(logit)`, `-log D` is
`softplus(-logit)` and `-log(1 - D)` is `softplus(logit)`, which neither
overflow nor take the logarithm of zero.
"""

import tensorflow as tf


def real_loss(real_logits: tf.Tensor, *, smoothing: float = 0.0) -> tf.Tensor:
    """The discriminator's loss on real images, the mean of `-log D(x)`.

    With one-sided label smoothing (Salimans et al. 2016, arXiv 1606.03498)
    the label is `1 - smoothing`: `-(1 - s) log D(x) - s log(1 - D(x))`.

    Args:
        real_logits: Logits `[n, 1]` of real images.
        smoothing: By how much the label is below 1.

    Returns:
        Scalar; at least 0, or the entropy of the label if it is smoothed.
    """
    loss = tf.reduce_mean(tf.nn.softplus(-real_logits))
    if not smoothing:
        return loss
    opposite = tf.reduce_mean(tf.nn.softplus(real_logits))
    return (1.0 - smoothing) * loss + smoothing * opposite


def fake_loss(fake_logits: tf.Tensor) -> tf.Tensor:
    """The discriminator's loss on generated images: `-log(1 - D(G(z)))`.

    Args:
        fake_logits: Logits `[n, 1]` of generated images.

    Returns:
        Scalar, 0 at best.
    """
    return tf.reduce_mean(tf.nn.softplus(fake_logits))


def generator_loss(fake_logits: tf.Tensor) -> tf.Tensor:
    """The generator's loss in its non-saturating form, `-log D(G(z))`.

    Args:
        fake_logits: Logits `[n, 1]` of generated images.

    Returns:
        Scalar: their mean, 0 at best.
    """
    return tf.reduce_mean(tf.nn.softplus(-fake_logits))


def share_called_real(logits: tf.Tensor) -> tf.Tensor:
    """Share of images the discriminator calls real: logit above 0, D > 1/2.

    Args:
        logits: Logits `[n, 1]`.

    Returns:
        Scalar in [0, 1].
    """
    return tf.reduce_mean(tf.cast(logits > 0, tf.float32))


def r1_penalty(gradients: tf.Tensor) -> tf.Tensor:
    """Half the mean squared norm of the logits' gradients by real images.

    The R1 regulariser of Mescheder et al. (2018), arXiv 1801.04406, eq. 9,
    without its weight gamma.

    Args:
        gradients: `[n, size, size, channels]`, of each image's logit.

    Returns:
        Scalar, 0 where the discriminator is flat.
    """
    squares = tf.reduce_sum(tf.square(gradients), axis=[1, 2, 3])
    return tf.reduce_mean(squares) / 2
