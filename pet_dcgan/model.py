"""The two networks and how one step trains them."""

import keras
import tensorflow as tf

from pet_dcgan import losses
from pet_dcgan.config import TrainConfig
from pet_dcgan.networks import build_discriminator, build_generator


class DCGAN(keras.Model):
    """A generator and a discriminator trained against each other.

    One step follows Islam & Zhang (2020), doi 10.1186/s40708-020-00104-2: a
    pass of real images and a separate pass of generated ones through the
    discriminator (so they share no batch statistics), the two gradients
    summed, one optimiser step; then the generator's step through the updated
    discriminator. That it sees the same generated images is our reading.

    Latents are uniform in [-1, 1) and depend on the seed and the step alone,
    so a run can be repeated and resumed. The model itself saves weights only;
    save `generator` to keep a network.

    Args:
        generator: Model from latents `[n, latent_dim]` to images.
        discriminator: Model from images to logits `[n, 1]`.
        seed: Fixes the latents of every step.

    Call arguments:
        inputs: Latents `[n, latent_dim]`; the result is `generator`'s.

    Raises:
        ValueError: If the two networks do not fit together.

    Example:
    >>> from pet_dcgan.networks import build_discriminator, build_generator
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

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        seed: int = 0,
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
        self.d_loss = keras.metrics.Mean(name="d_loss")
        self.g_loss = keras.metrics.Mean(name="g_loss")
        self.real_accuracy = keras.metrics.Mean(name="real_accuracy")
        self.fake_accuracy = keras.metrics.Mean(name="fake_accuracy")
        # callbacks that save weights ask for a built model
        self.build((None, self.latent_dim))

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
        """Notes that both networks hold their weights already."""
        self.built = True

    def probability(self, images: tf.Tensor) -> tf.Tensor:
        """The discriminator's sigmoid, the probability of being real.

        Args:
            images: float32 `[n, size, size, channels]` in [-1, 1].

        Returns:
            float32 `[n, 1]` in [0, 1].
        """
        return tf.sigmoid(self.discriminator(images, training=False))

    def latents(self, count: int, step: int | tf.Tensor) -> tf.Tensor:
        """The latents of a step, uniform in [-1, 1).

        Args:
            count: Number of latents.
            step: Steps already behind.

        Returns:
            float32 `[count, latent_dim]`, a function of seed and step alone.
        """
        return tf.random.stateless_uniform(
            [count, self.latent_dim],
            seed=[tf.constant(self.seed, tf.int64), tf.cast(step, tf.int64)],
            minval=-1.0,
            maxval=1.0,
            alg="philox",
        )

    def train_step(self, data) -> dict[str, tf.Tensor]:
        """One step of both optimisers on a batch of real images."""
        real = data[0] if isinstance(data, tuple | list) else data
        latents = self.latents(tf.shape(real)[0], self.g_optimizer.iterations)
        with tf.GradientTape() as tape:
            fake = self.generator(latents, training=True)
            with tape.stop_recording():
                self._train_discriminator(real, fake)
            logits = self.discriminator(fake, training=True)
            loss = losses.generator_loss(logits)
        variables = self.generator.trainable_variables
        self.g_optimizer.apply(tape.gradient(loss, variables), variables)
        self.g_loss.update_state(loss)
        tracked = (
            self.d_loss,
            self.g_loss,
            self.real_accuracy,
            self.fake_accuracy,
        )
        return {metric.name: metric.result() for metric in tracked}

    def _train_discriminator(self, real: tf.Tensor, fake: tf.Tensor) -> None:
        on_real = self._pass(real, losses.real_loss)
        on_fake = self._pass(fake, losses.fake_loss)
        self.d_optimizer.apply(
            [a + b for a, b in zip(on_real[0], on_fake[0], strict=True)],
            self.discriminator.trainable_variables,
        )
        self.d_loss.update_state(on_real[1] + on_fake[1])
        self.real_accuracy.update_state(on_real[2])
        self.fake_accuracy.update_state(1.0 - on_fake[2])

    def _pass(self, images: tf.Tensor, loss_of) -> tuple:
        """Gradients, loss, and share called real of one batch."""
        with tf.GradientTape() as tape:
            logits = self.discriminator(images, training=True)
            loss = loss_of(logits)
        variables = self.discriminator.trainable_variables
        gradients = tape.gradient(loss, variables)
        return gradients, loss, losses.share_called_real(logits)

    def summary(self, **options) -> None:
        """Prints the layers of both networks.

        Args:
            **options: As of `keras.Model.summary`.
        """
        self.generator.summary(**options)
        self.discriminator.summary(**options)


def paper_adam(
    learning_rate: float = 1e-4, *, beta_1: float = 0.5, beta_2: float = 0.999
) -> keras.optimizers.Adam:
    """Adam with the values that Islam & Zhang (2020) state."""
    return keras.optimizers.Adam(learning_rate, beta_1=beta_1, beta_2=beta_2)


def build_dcgan(config: TrainConfig) -> DCGAN:
    """The compiled model a configuration describes.

    Args:
        config: Networks, optimisers and seed.
    """
    shape = {
        "size": config.size,
        "channels": config.channels,
        "width": config.width,
        "kernel_size": config.kernel_size,
        "seed": config.seed,
    }
    model = DCGAN(
        build_generator(latent_dim=config.latent_dim, **shape),
        build_discriminator(**shape),
        seed=config.seed,
        name="dcgan",
    )
    betas = {"beta_1": config.beta_1, "beta_2": config.beta_2}
    model.compile(
        g_optimizer=paper_adam(config.g_learning_rate, **betas),
        d_optimizer=paper_adam(config.d_learning_rate, **betas),
    )
    return model
