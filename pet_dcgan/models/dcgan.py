"""The deep convolutional GAN: the step that trains two networks."""

from typing import Any

import keras
import tensorflow as tf

from pet_dcgan.data.real_images import model_images
from pet_dcgan.image_facts import ImageFacts
from pet_dcgan.models import losses
from pet_dcgan.models.augmentation import Augmenter
from pet_dcgan.models.bending import Bender
from pet_dcgan.models.gan import GAN
from pet_dcgan.models.metric_group import reported
from pet_dcgan.models.networks import float32_copy
from pet_dcgan.models.optimization import (
    apply_gradients,
    ema_decay_at,
    scale_loss,
    update_ema,
)
from pet_dcgan.models.sampling import FAKE, REAL
from pet_dcgan.utils.keras_settings import keras_defaults


@keras.saving.register_keras_serializable(package=losses.PACKAGE)
class DCGAN(GAN):
    """A generator and a discriminator trained against each other.

    One step follows Islam & Zhang (2020), doi 10.1186/s40708-020-00104-2: a
    pass of real images and a separate pass of generated ones through the
    discriminator (so they share no batch statistics), one optimiser step on
    the sum of their losses; then the generator's step through the updated
    discriminator. That it sees the same generated images is our reading.

    Everything else is off by default. Real and generated images are augmented
    alike, by separate draws; the generator's step sees the images that the
    discriminator has seen.

    Latents, bends and augmentations depend on the seed, the step and the
    place in the batch alone, so a run can be repeated, resumed, and shared by
    several replicas. `save` and `keras.saving.load_model` keep all of it,
    optimisers included; `sampler_network` is the network that images come
    from.

    Args:
        generator: Model from latents `[n, latent_dim]` to images.
        discriminator: Model from images to logits `[n, 1]`.
        facts: What the images mean, which `export` needs; `fit` on `Slices`
            fills it in.
        seed: Fixes the latents of every step; bends and augmentations have
            seeds of their own.
        ema_decay: Decay of the generator's exponential moving average (EMA)
            after the warm-up of `ema_decay_at`; 0 for none.
        augmenter: Augmentation of all images that the discriminator sees; an
            adaptive probability is logged.
        bender: Bends the real images, before they are augmented.

    Call arguments:
        inputs: Latents `[n, latent_dim]`; the result is `generator`'s.

    Raises:
        ValueError: If the discriminator does not take the generator's images.

    Example:
    >>> from pet_dcgan.models.networks import (
    ...     build_discriminator,
    ...     build_generator,
    ... )
    >>> options = {"size": 32, "channels": 1, "width": 4}
    >>> model = DCGAN(
    ...     build_generator(**options), build_discriminator(**options)
    ... )
    >>> model.compile()
    >>> images = tf.zeros([2, 32, 32, 1])
    >>> history = model.fit(images, verbose=0)
    >>> sorted(history.history)
    ['d_loss', 'fake_accuracy', 'g_loss', 'real_accuracy']
    """

    @keras_defaults()
    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        facts: ImageFacts | None = None,
        seed: int = 0,
        ema_decay: float = 0.0,
        augmenter: Augmenter | None = None,
        bender: Bender | None = None,
        **kwargs,
    ) -> None:
        super().__init__(
            generator, discriminator, facts=facts, seed=seed, **kwargs
        )
        self.ema_decay = ema_decay
        self.average = float32_copy(generator) if ema_decay else None
        self.augmenter = augmenter
        self.bender = bender
        # not the optimisers' counts, which leave out skipped steps
        self.step = self.add_weight(
            name="step",
            shape=(),
            initializer="zeros",
            dtype="int64",
            trainable=False,
            aggregation="only_first_replica",
        )
        if augmenter is not None and augmenter.target:
            self.strength = keras.metrics.Mean(name="augment_probability")
        # callbacks that save weights need a built model
        self.build((None, self.latent_dim))

    @property
    def state(self) -> dict[str, list[keras.Variable]]:
        """All variables that later steps depend on, by part."""
        parts = {
            "generator": self.generator,
            "discriminator": self.discriminator,
            "average": self.average,
            "augmenter": self.augmenter,
            "g_optimizer": self.g_optimizer,
            "d_optimizer": self.d_optimizer,
        }
        kept = {n: p.variables for n, p in parts.items() if p is not None}
        return kept | {"step": [self.step]}

    @property
    def sampler_network(self) -> keras.Model:
        """The network to draw samples from: the EMA if there is one."""
        return self.generator if self.average is None else self.average

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        """One step of both optimisers on a batch of real images.

        Args:
            data: A batch, as of `fit`.

        Returns:
            Mean of each metric since the epoch began, by name.
        """
        real = model_images(data, self.image_shape)
        conditions = self._training_conditions(data)
        latents = self.latents(tf.shape(real)[0], self.step)
        if self.bender is not None:
            real = self.bender(real, step=self.step)
        real = self._augmented(real, REAL)
        with tf.GradientTape() as tape:
            drawn = self._generator_inputs(latents, conditions)
            fake = self.generator(drawn, training=True)
            fake = self._augmented(fake, FAKE)
        self._train_discriminator(real, fake, conditions)
        with tape:  # goes on recording, through the updated discriminator
            logits = self._logits(fake, conditions, training=True)
            loss = self._generator_loss(logits)
            total = scale_loss(loss, self.g_optimizer)
        variables = self.generator.trainable_variables
        gradients = tape.gradient(total, variables)
        apply_gradients(self.g_optimizer, gradients, variables)
        self.g_loss.update_state(loss)
        if self.average is not None:
            decay = ema_decay_at(self.step, self.ema_decay)
            update_ema(self.average, self.generator, decay)
        self.step.assign_add(1)
        return reported([*self._counted, *self._adaptive])

    def _augmented(self, images: tf.Tensor, stream: int) -> tf.Tensor:
        """Images as the discriminator sees them."""
        if self.augmenter is None:
            return images
        return self.augmenter(images, step=self.step, stream=stream)

    def _training_conditions(self, data: Any) -> dict[str, tf.Tensor]:
        """What both networks are told of a step's images."""
        return self.conditions_in(data)

    def _train_discriminator(
        self, real: tf.Tensor, fake: tf.Tensor, conditions: dict
    ) -> None:
        """One optimiser step on the loss of the two passes."""
        with tf.GradientTape() as tape:
            real_logits = self._logits(real, conditions, training=True)
            fake_logits = self._logits(fake, conditions, training=True)
            loss = self._observe_logits(real_logits, fake_logits)
            total = scale_loss(loss, self.d_optimizer)
        variables = self.discriminator.trainable_variables
        gradients = tape.gradient(total, variables)
        apply_gradients(self.d_optimizer, gradients, variables)
        for strength in self._adaptive:
            self.augmenter.observe(real_logits, self.step)
            strength.update_state(self.augmenter.probability)

    @property
    def _adaptive(self) -> list[keras.metrics.Metric]:
        """The augmentation's strength, where it adapts."""
        return [self.strength] if hasattr(self, "strength") else []

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments; weights are saved beside them."""
        parts = {
            name: keras.saving.serialize_keras_object(getattr(self, name))
            for name in ("augmenter", "bender")
        }
        return super().get_config() | {"ema_decay": self.ema_decay} | parts
