"""The adversarial losses, on logits.

A loss is an object with two methods: what the discriminator minimises, and
what the generator does. With `D = sigmoid(logit)`, `-log D` is
`softplus(-logit)` and `-log(1 - D)` is `softplus(logit)`, which neither
overflow nor take the logarithm of zero.
"""

from typing import Any

import keras
import tensorflow as tf

PACKAGE = "pet_dcgan"


class AdversarialLoss:
    """What two networks minimise against each other; made to be subclassed.

    A subclass that is registered with Keras is saved with the model.

    Example:
    >>> @keras.saving.register_keras_serializable("notebook")
    ... class Relaxed(AdversarialLoss):
    ...     def discriminator_loss(self, real_logits, fake_logits):
    ...         return tf.reduce_mean(tf.nn.relu(fake_logits - real_logits))
    ...
    ...     def generator_loss(self, fake_logits):
    ...         return -tf.reduce_mean(fake_logits)
    >>> float(Relaxed().generator_loss(tf.constant([[1.0], [3.0]])))
    -2.0
    """

    def discriminator_loss(
        self, real_logits: tf.Tensor, fake_logits: tf.Tensor
    ) -> tf.Tensor:
        """What the discriminator minimises.

        Args:
            real_logits: Logits `[n, 1]` of real images.
            fake_logits: Logits `[n, 1]` of generated images.

        Returns:
            Scalar.

        Raises:
            NotImplementedError: Unless a subclass computes it.
        """
        raise NotImplementedError

    def generator_loss(self, fake_logits: tf.Tensor) -> tf.Tensor:
        """What the generator minimises.

        Args:
            fake_logits: Logits `[n, 1]` of generated images, of the
                discriminator after its step.

        Returns:
            Scalar.

        Raises:
            NotImplementedError: Unless a subclass computes it.
        """
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, by name."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "AdversarialLoss":
        """The loss that `get_config` describes."""
        return cls(**config)


@keras.saving.register_keras_serializable(package=PACKAGE)
class NonSaturating(AdversarialLoss):
    """The loss of Islam & Zhang (2020), doi 10.1186/s40708-020-00104-2.

    Goodfellow et al. (2014), arXiv 1406.2661: the discriminator minimises
    `-log D(x) - log(1 - D(G(z)))`, the generator `-log D(G(z))`, which does
    not saturate where the discriminator is sure.

    Args:
        smoothing: How far the label of real images is below 1 (Salimans et
            al. 2016, arXiv 1606.03498): the first term becomes
            `-(1 - s) log D(x) - s log(1 - D(x))`.
    """

    def __init__(self, *, smoothing: float = 0.0) -> None:
        self.smoothing = smoothing

    def discriminator_loss(
        self, real_logits: tf.Tensor, fake_logits: tf.Tensor
    ) -> tf.Tensor:
        """The mean of `-log D(x) - log(1 - D(G(z)))`; 2 ln 2 at chance.

        Arguments and errors are those of `AdversarialLoss`.
        """
        real = tf.reduce_mean(tf.nn.softplus(-real_logits))
        if self.smoothing:
            opposite = tf.reduce_mean(tf.nn.softplus(real_logits))
            real = (1.0 - self.smoothing) * real + self.smoothing * opposite
        return real + tf.reduce_mean(tf.nn.softplus(fake_logits))

    def generator_loss(self, fake_logits: tf.Tensor) -> tf.Tensor:
        """The mean of `-log D(G(z))`, 0 at best and ln 2 at chance.

        Arguments and errors are those of `AdversarialLoss`.
        """
        return tf.reduce_mean(tf.nn.softplus(-fake_logits))

    def get_config(self) -> dict[str, Any]:
        """The smoothing."""
        return {"smoothing": self.smoothing}


@keras.saving.register_keras_serializable(package=PACKAGE)
class Hinge(AdversarialLoss):
    """The hinge loss of Lim & Ye (2017), arXiv 1705.02894.

    Images that the discriminator is sure of, with a logit beyond 1 on the
    right side, no longer move it.
    """

    def discriminator_loss(
        self, real_logits: tf.Tensor, fake_logits: tf.Tensor
    ) -> tf.Tensor:
        """The mean of `max(0, 1 - real) + max(0, 1 + fake)`.

        Arguments and errors are those of `AdversarialLoss`.
        """
        real = tf.reduce_mean(tf.nn.relu(1.0 - real_logits))
        return real + tf.reduce_mean(tf.nn.relu(1.0 + fake_logits))

    def generator_loss(self, fake_logits: tf.Tensor) -> tf.Tensor:
        """Minus the mean logit.

        Arguments and errors are those of `AdversarialLoss`.
        """
        return -tf.reduce_mean(fake_logits)


@keras.saving.register_keras_serializable(package=PACKAGE)
class LeastSquares(AdversarialLoss):
    """The least-squares loss of Mao et al. (2017), arXiv 1611.04076, eq. 9.

    Logits aim at 1 for real images and at 0 for generated ones.
    """

    def discriminator_loss(
        self, real_logits: tf.Tensor, fake_logits: tf.Tensor
    ) -> tf.Tensor:
        """Half the mean of `(real - 1)^2 + fake^2`.

        Arguments and errors are those of `AdversarialLoss`.
        """
        real = tf.reduce_mean(tf.square(real_logits - 1.0))
        return 0.5 * (real + tf.reduce_mean(tf.square(fake_logits)))

    def generator_loss(self, fake_logits: tf.Tensor) -> tf.Tensor:
        """Half the mean of `(fake - 1)^2`.

        Arguments and errors are those of `AdversarialLoss`.
        """
        return 0.5 * tf.reduce_mean(tf.square(fake_logits - 1.0))


@keras.saving.register_keras_serializable(package=PACKAGE)
class Wasserstein(AdversarialLoss):
    """The Wasserstein loss of Arjovsky et al. (2017), arXiv 1701.07875.

    It is a distance only where the discriminator is nearly 1-Lipschitz: give
    the model an `r1_weight`, or the discriminator `spectral_norm=True`, or the
    logits grow without end.
    """

    def discriminator_loss(
        self, real_logits: tf.Tensor, fake_logits: tf.Tensor
    ) -> tf.Tensor:
        """The mean logit of generated images minus that of real ones.

        Arguments and errors are those of `AdversarialLoss`.
        """
        return tf.reduce_mean(fake_logits) - tf.reduce_mean(real_logits)

    def generator_loss(self, fake_logits: tf.Tensor) -> tf.Tensor:
        """Minus the mean logit.

        Arguments and errors are those of `AdversarialLoss`.
        """
        return -tf.reduce_mean(fake_logits)


LOSSES: dict[str, type[AdversarialLoss]] = {
    "non_saturating": NonSaturating,
    "hinge": Hinge,
    "least_squares": LeastSquares,
    "wasserstein": Wasserstein,
}
_METHODS = ("discriminator_loss", "generator_loss")


def get_loss(loss: Any) -> AdversarialLoss:
    """The loss of a name, or a loss as it is.

    Args:
        loss: A name in `LOSSES`, or an object with the methods of
            `AdversarialLoss`.

    Raises:
        ValueError: If it is neither.
    """
    if isinstance(loss, str) and loss in LOSSES:
        return LOSSES[loss]()
    methods = (getattr(loss, name, None) for name in _METHODS)
    if all(map(callable, methods)) and not isinstance(loss, type):
        return loss
    raise ValueError(
        f"expected a loss among {', '.join(LOSSES)}, or an object with "
        f"{' and '.join(_METHODS)}, found {loss!r}: name one, or subclass "
        "pet_dcgan.AdversarialLoss"
    )


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
