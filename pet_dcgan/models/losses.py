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
    """

    def discriminator_loss(
        self, real_logits: tf.Tensor, fake_logits: tf.Tensor
    ) -> tf.Tensor:
        """The mean of `-log D(x) - log(1 - D(G(z)))`; 2 ln 2 at chance.

        Arguments and errors are those of `AdversarialLoss`.
        """
        real = tf.reduce_mean(tf.nn.softplus(-real_logits))
        return real + tf.reduce_mean(tf.nn.softplus(fake_logits))

    def generator_loss(self, fake_logits: tf.Tensor) -> tf.Tensor:
        """The mean of `-log D(G(z))`, 0 at best and ln 2 at chance.

        Arguments and errors are those of `AdversarialLoss`.
        """
        return tf.reduce_mean(tf.nn.softplus(-fake_logits))


_METHODS = ("discriminator_loss", "generator_loss")


def as_loss(loss: AdversarialLoss | None) -> AdversarialLoss:
    """The loss that `compile` was given, the paper's without one.

    Args:
        loss: An object with the methods of `AdversarialLoss`, or None.

    Raises:
        ValueError: If it is none.
    """
    if loss is None:
        return NonSaturating()
    methods = (getattr(loss, name, None) for name in _METHODS)
    if all(map(callable, methods)) and not isinstance(loss, type):
        return loss
    raise ValueError(
        f"expected a loss, an object with {' and '.join(_METHODS)}, found "
        f"{loss!r}: subclass pet_dcgan.AdversarialLoss"
    )


def share_called_real(logits: tf.Tensor) -> tf.Tensor:
    """Share of images the discriminator calls real: logit above 0, D > 1/2.

    Args:
        logits: Logits `[n, 1]`.

    Returns:
        Scalar in [0, 1].
    """
    return tf.reduce_mean(tf.cast(logits > 0, tf.float32))
