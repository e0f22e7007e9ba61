"""The deep convolutional GAN: two networks and the step that trains them."""

import functools
from collections.abc import Callable

import keras
import tensorflow as tf

from pet_dcgan.config import TrainConfig
from pet_dcgan.models import losses
from pet_dcgan.models.augmentation import Augmenter
from pet_dcgan.models.layers import replica_count
from pet_dcgan.models.networks import (
    build_discriminator,
    build_generator,
    float32_copy,
)
from pet_dcgan.models.optimization import (
    apply_gradients,
    ema_decay_at,
    paper_adam,
    scale_loss,
    update_ema,
)
from pet_dcgan.models.sampling import FAKE, REAL, per_example_uniform
from pet_dcgan.utils.keras_settings import keras_defaults

# a discriminator's gradients, loss and logits for one batch
_Pass = tuple[list[tf.Tensor], tf.Tensor, tf.Tensor]


class DCGAN(keras.Model):
    """A generator and a discriminator trained against each other.

    One step follows Islam & Zhang (2020), doi 10.1186/s40708-020-00104-2: a
    pass of real images and a separate pass of generated ones through the
    discriminator (so they share no batch statistics), the two gradients
    summed, one optimiser step; then the generator's step through the updated
    discriminator. That it sees the same generated images is our reading.

    Everything else is off by default. Real and generated images are augmented
    alike, by separate draws; the generator's step sees the images that the
    discriminator has seen.

    Latents and augmentations depend on the seed, the step and the position in
    the batch alone, so a run can be repeated, resumed, and shared by several
    replicas. The model itself saves weights only; save `sampler_network` to
    keep a network.

    Args:
        generator: Model from latents `[n, latent_dim]` to images.
        discriminator: Model from images to logits `[n, 1]`.
        seed: Fixes the latents and augmentations of every step.
        ema_decay: Decay of the generator's exponential moving average (EMA)
            after the warm-up of `ema_decay_at`; 0 for none.
        augmenter: Augmentation of all images that the discriminator sees; an
            adaptive probability is logged.
        label_smoothing: How far the label of real images is below 1.
        r1_weight: Weight gamma of the R1 penalty on the real images; 0 for
            none. The discriminator has to be twice differentiable.
        r1_every: Steps between two penalties, each multiplied by it (the lazy
            regularisation of Karras et al. 2020, arXiv 1912.04958).

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
        seed: int = 0,
        ema_decay: float = 0.0,
        augmenter: Augmenter | None = None,
        label_smoothing: float = 0.0,
        r1_weight: float = 0.0,
        r1_every: int = 1,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        if generator.output_shape != discriminator.input_shape:
            raise ValueError(
                "expected a discriminator of the generator's images "
                f"{generator.output_shape}, found one of "
                f"{discriminator.input_shape}"
            )
        self.generator = generator
        self.discriminator = discriminator
        self.seed = seed
        self.latent_dim = generator.input_shape[-1]
        self.ema_decay = ema_decay
        self.average = float32_copy(generator) if ema_decay else None
        self.augmenter = augmenter
        self.label_smoothing = label_smoothing
        self.r1_weight = r1_weight
        self.r1_every = r1_every
        # not the optimisers' counts, which leave out skipped steps
        self.step = self.add_weight(
            name="step",
            shape=(),
            initializer="zeros",
            dtype="int64",
            trainable=False,
            aggregation="only_first_replica",
        )
        self.d_loss = keras.metrics.Mean(name="d_loss")
        self.g_loss = keras.metrics.Mean(name="g_loss")
        self.real_accuracy = keras.metrics.Mean(name="real_accuracy")
        self.fake_accuracy = keras.metrics.Mean(name="fake_accuracy")
        if augmenter is not None and augmenter.target:
            self.strength = keras.metrics.Mean(name="augment_probability")
        # callbacks that save weights need a built model
        self.build((None, self.latent_dim))

    @keras_defaults()
    def compile(
        self,
        g_optimizer: keras.optimizers.Optimizer | None = None,
        d_optimizer: keras.optimizers.Optimizer | None = None,
        *,
        jit_compile: bool | str | None = None,
    ) -> None:
        """Sets the optimisers; without any, Adam as the paper states it.

        Args:
            g_optimizer: Optimiser of the generator.
            d_optimizer: Optimiser of the discriminator.
            jit_compile: Whether to use XLA. By default never without a GPU
                (it is several times slower there), and `"auto"` with one.

        Raises:
            ValueError: If both networks would share one optimiser.
        """
        g_optimizer = g_optimizer or paper_adam()
        d_optimizer = d_optimizer or paper_adam()
        if g_optimizer is d_optimizer:
            raise ValueError(
                "expected an optimiser for each network, found one for both: "
                "make a second one"
            )
        if jit_compile is None:
            has_gpu = bool(tf.config.list_physical_devices("GPU"))
            jit_compile = "auto" if has_gpu else False
        # without the None keras would add an RMSprop of its own
        super().compile(optimizer=None, jit_compile=jit_compile)
        self.g_optimizer = g_optimizer
        self.d_optimizer = d_optimizer
        # a checkpoint restores an optimiser's state only where it is built
        g_optimizer.build(self.generator.trainable_variables)
        d_optimizer.build(self.discriminator.trainable_variables)

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Images of latents, by the generator."""
        return self.generator(inputs, training=training)

    def build(self, input_shape: tuple) -> None:
        """Both networks have their weights already."""
        self.built = True

    def probability(self, images: tf.Tensor) -> tf.Tensor:
        """The discriminator's sigmoid, the probability of being real.

        Args:
            images: float32 `[n, size, size, channels]` in [-1, 1].

        Returns:
            float32 `[n, 1]` in [0, 1].
        """
        return tf.sigmoid(self.discriminator(images, training=False))

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

    def latents(self, count: int, step: int | tf.Tensor) -> tf.Tensor:
        """The latents of a step `[count, latent_dim]`, uniform in [-1, 1).

        Args:
            count: Number of latents, of this replica.
            step: Completed steps.
        """
        rows = per_example_uniform(
            count, self.latent_dim, seed=self.seed, step=step
        )
        return rows * 2.0 - 1.0

    def train_step(self, data) -> dict[str, tf.Tensor]:
        """One step of both optimisers on a batch of real images.

        Args:
            data: float32 `[n, size, size, channels]` in [-1, 1], or a tuple
                that begins with it.

        Returns:
            Mean of each metric since the epoch began, by name.
        """
        real = data[0] if isinstance(data, tuple | list) else data
        latents = self.latents(tf.shape(real)[0], self.step)
        real = self._augmented(real, REAL)
        with tf.GradientTape() as tape:
            fake = self.generator(latents, training=True)
            fake = self._augmented(fake, FAKE)
        self._train_discriminator(real, fake)
        with tape:  # goes on recording, through the updated discriminator
            logits = self.discriminator(fake, training=True)
            loss = losses.generator_loss(logits)
            total = scale_loss(loss, self.g_optimizer)
        variables = self.generator.trainable_variables
        gradients = tape.gradient(total, variables)
        apply_gradients(self.g_optimizer, gradients, variables)
        self.g_loss.update_state(loss)
        if self.average is not None:
            decay = ema_decay_at(self.step, self.ema_decay)
            update_ema(self.average, self.generator, decay)
        self.step.assign_add(1)
        # without the loss that Keras tracks itself
        tracked = (m for m in self.metrics if m.name != "loss")
        return {metric.name: _reported(metric) for metric in tracked}

    def _augmented(self, images: tf.Tensor, stream: int) -> tf.Tensor:
        """Images as the discriminator sees them."""
        if self.augmenter is None:
            return images
        return self.augmenter(images, step=self.step, stream=stream)

    def _train_discriminator(self, real: tf.Tensor, fake: tf.Tensor) -> None:
        """One optimiser step on the summed gradients of the two passes."""
        on_real, real_loss, real_logits = self._real_pass(real)
        on_fake, fake_loss, fake_logits = self._discriminator_pass(
            fake, losses.fake_loss
        )
        gradients = [a + b for a, b in zip(on_real, on_fake, strict=True)]
        variables = self.discriminator.trainable_variables
        apply_gradients(self.d_optimizer, gradients, variables)
        self.d_loss.update_state(real_loss + fake_loss)
        called_real = losses.share_called_real(real_logits)
        self.real_accuracy.update_state(called_real)
        called_real = losses.share_called_real(fake_logits)
        self.fake_accuracy.update_state(1.0 - called_real)
        if hasattr(self, "strength"):
            self.augmenter.observe(real_logits, self.step)
            self.strength.update_state(self.augmenter.probability)

    def _real_pass(self, real: tf.Tensor) -> _Pass:
        """The pass of the real images, with the R1 penalty when it is due."""
        loss_of = functools.partial(
            losses.real_loss, smoothing=self.label_smoothing
        )
        passed = functools.partial(self._discriminator_pass, real, loss_of)
        if not self.r1_weight:
            return passed()
        r1_weight = self.r1_weight * self.r1_every
        if self.r1_every == 1:
            return passed(r1_weight)
        due = tf.equal(self.step % self.r1_every, 0)
        if replica_count() > 1:
            # replicas cannot meet inside a branch: all compute it, always
            return passed(tf.where(due, r1_weight, 0.0))
        return tf.cond(due, lambda: passed(r1_weight), passed)

    def _discriminator_pass(
        self,
        images: tf.Tensor,
        loss_of: Callable[[tf.Tensor], tf.Tensor],
        r1_weight: float | tf.Tensor | None = None,
    ) -> _Pass:
        """Passes one batch through the discriminator, forward and back.

        The gradients are scaled for the optimiser; the loss is without the R1
        penalty.
        """
        with tf.GradientTape() as tape:
            if r1_weight is None:
                logits = self.discriminator(images, training=True)
                total = loss = loss_of(logits)
            else:
                logits, penalty = self._logits_and_penalty(images)
                loss = loss_of(logits)
                total = loss + r1_weight * penalty
            total = scale_loss(total, self.d_optimizer)
        gradients = tape.gradient(total, self.discriminator.trainable_variables)
        return gradients, loss, logits

    def _logits_and_penalty(
        self, images: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Logits of real images and their R1 penalty."""
        scaled = self.d_optimizer.scale_loss
        with tf.GradientTape() as tape:
            tape.watch(images)
            logits = self.discriminator(images, training=True)
            # other images affect a logit through batch normalisation only,
            # which the gradient of the sum includes
            total = scaled(tf.reduce_sum(logits))
        gradients = tape.gradient(total, images)
        return logits, losses.r1_penalty(gradients / scaled(1.0))

    def summary(self, **options) -> None:
        """Prints the layers of both networks; options as in Keras."""
        self.generator.summary(**options)
        self.discriminator.summary(**options)


def _reported(metric: keras.metrics.Metric) -> tf.Tensor:
    """A metric's value; Keras concatenates those of several workers."""
    strategy = tf.distribute.get_strategy()
    if isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return metric.result()[tf.newaxis]
    return metric.result()


def build_dcgan(config: TrainConfig) -> DCGAN:
    """The compiled model that a configuration describes."""
    shape = {
        "size": config.size,
        "channels": config.channels,
        "width": config.width,
        "kernel_size": config.kernel_size,
        "precision": config.precision,
        "seed": config.seed,
    }
    model = DCGAN(
        build_generator(latent_dim=config.latent_dim, **shape),
        build_discriminator(
            spectral_norm=config.spectral_norm,
            twice_differentiable=config.r1_weight > 0,
            **shape,
        ),
        seed=config.seed,
        ema_decay=config.ema_decay,
        augmenter=_augmenter(config),
        label_smoothing=config.label_smoothing,
        r1_weight=config.r1_weight,
        r1_every=config.r1_every,
        name="dcgan",
    )
    model.compile(
        g_optimizer=_optimizer(config, config.g_learning_rate),
        d_optimizer=_optimizer(config, config.d_learning_rate),
        jit_compile=config.xla,
    )
    return model


def _augmenter(config: TrainConfig) -> Augmenter | None:
    if not config.augmentations:
        return None
    return Augmenter(
        config.augmentations,
        config.augment_probability,
        target=config.augment_target,
        seed=config.seed,
    )


def _optimizer(
    config: TrainConfig, learning_rate: float
) -> keras.optimizers.Optimizer:
    adam = paper_adam(learning_rate, beta_1=config.beta_1, beta_2=config.beta_2)
    if config.precision != "mixed_float16":
        return adam
    # 16 bits hold nothing below 6e-8, where many gradients lie
    return keras.optimizers.LossScaleOptimizer(adam)
