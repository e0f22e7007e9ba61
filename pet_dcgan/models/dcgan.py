"""The deep convolutional GAN: two networks and the step that trains them."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from pet_dcgan.data.real_images import model_images
from pet_dcgan.image_facts import ImageFacts
from pet_dcgan.models import fitting, losses, saved_dcgan
from pet_dcgan.models.augmentation import Augmenter
from pet_dcgan.models.kid import default_metrics
from pet_dcgan.models.losses import AdversarialLoss
from pet_dcgan.models.metric_group import MetricGroup
from pet_dcgan.models.networks import float32_copy
from pet_dcgan.models.optimization import (
    apply_gradients,
    ema_decay_at,
    scale_loss,
    update_ema,
)
from pet_dcgan.models.optimizer_pair import OptimizerPair, as_optimizer
from pet_dcgan.models.r1 import real_pass
from pet_dcgan.models.sampling import (
    FAKE,
    FIRST_HELD_OUT,
    REAL,
    latents_from_seeds,
    per_example_uniform,
)
from pet_dcgan.utils.keras_settings import keras_defaults


@keras.saving.register_keras_serializable(package=losses.PACKAGE)
class DCGAN(keras.Model):
    """A generator and a discriminator trained against each other.

    One step follows Islam & Zhang (2020), doi 10.1186/s40708-020-00104-2: a
    pass of real images and a separate pass of generated ones through the
    discriminator (so they share no batch statistics), one optimiser step on
    the sum of their losses; then the generator's step through the updated
    discriminator. That it sees the same generated images is our reading.

    Everything else is off by default. Real and generated images are augmented
    alike, by separate draws; the generator's step sees the images that the
    discriminator has seen.

    Latents and augmentations depend on the seed, the step and the position in
    the batch alone, so a run can be repeated, resumed, and shared by several
    replicas. `save` and `keras.saving.load_model` keep all of it, optimisers
    included; `sampler_network` is the network that images come from.

    Args:
        generator: Model from latents `[n, latent_dim]` to images.
        discriminator: Model from images to logits `[n, 1]`.
        facts: What the images mean, which `export` needs; `fit` on `Slices`
            fills it in.
        seed: Fixes the latents and augmentations of every step.
        ema_decay: Decay of the generator's exponential moving average (EMA)
            after the warm-up of `ema_decay_at`; 0 for none.
        augmenter: Augmentation of all images that the discriminator sees; an
            adaptive probability is logged.
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
        facts: ImageFacts | None = None,
        seed: int = 0,
        ema_decay: float = 0.0,
        augmenter: Augmenter | None = None,
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
        self.facts = facts
        # whom it was fitted to; names are in no file of a model
        self.subjects: frozenset[str] = frozenset()
        self.seed = seed
        self.latent_dim = generator.input_shape[-1]
        self.ema_decay = ema_decay
        self.average = float32_copy(generator) if ema_decay else None
        self.augmenter = augmenter
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
        self.measured = MetricGroup(name="measured")
        # images of a validation, which number its latents
        self.tested = keras.metrics.Sum(name="tested")
        # callbacks that save weights need a built model
        self.build((None, self.latent_dim))

    @keras_defaults()
    def compile(
        self,
        g_optimizer: keras.optimizers.Optimizer | str | None = None,
        d_optimizer: keras.optimizers.Optimizer | str | None = None,
        *,
        loss: AdversarialLoss | str = "non_saturating",
        metrics: Sequence[keras.metrics.Metric] | None = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: bool | str | None = None,
        auto_scale_loss: bool = True,
        **unknown,
    ) -> None:
        """Sets optimisers, loss and metrics; the paper's without any.

        Args:
            g_optimizer: Optimiser of the generator, or its name.
            d_optimizer: Optimiser of the discriminator, or its name.
            loss: A name in `losses.LOSSES`, or an object with the two losses.
            metrics: What `evaluate` and a `fit` with `validation_data` measure
                beside the losses: metrics whose `update_state` takes real and
                generated images. `KID` by default, where the size of the
                images allows it.
            run_eagerly: Whether steps run without a graph, to look into them.
            steps_per_execution: Steps in one call of the graph.
            jit_compile: Whether to use XLA. By default never without a GPU
                (it is several times slower there), and `"auto"` with one.
            auto_scale_loss: Whether an optimiser is wrapped in a
                `LossScaleOptimizer` where a network has layers in float16.
            **unknown: None; what Keras has beside these is refused with the
                reason.

        Raises:
            ValueError: If both networks would share one optimiser, or an
                option makes no sense for two networks.
        """
        fitting.require_known(unknown)
        networks = self.generator, self.discriminator
        scaled_for = networks if auto_scale_loss else ()
        g_optimizer = as_optimizer(g_optimizer, scaled_for=scaled_for)
        d_optimizer = as_optimizer(d_optimizer, scaled_for=scaled_for)
        if g_optimizer is d_optimizer:
            raise ValueError(
                "expected an optimiser for each network, found one for both: "
                "make a second one"
            )
        self.loss_of = losses.get_loss(loss)
        if metrics is None:
            metrics = default_metrics(self.discriminator.input_shape)
        self.measured.replace(metrics)
        self.compile_options = {
            "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution,
            "jit_compile": jit_compile,
        }
        if jit_compile is None:
            has_gpu = bool(tf.config.list_physical_devices("GPU"))
            jit_compile = "auto" if has_gpu else False
        # without the None keras would add an RMSprop of its own
        super().compile(
            optimizer=None,
            **self.compile_options | {"jit_compile": jit_compile},
        )
        self.g_optimizer = g_optimizer
        self.d_optimizer = d_optimizer
        self.optimizer = OptimizerPair(g_optimizer, d_optimizer)
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

    def fit(self, x: Any = None, *args, **options) -> keras.callbacks.History:
        """Trains; as `keras.Model.fit`, for images of any origin.

        Args:
            x: Images in [-1, 1] as an array, a `tf.data.Dataset` or a
                `keras.utils.PyDataset` of batches, alone, as `(images,
                labels)` or as `{"image": images}`; uint16 pixels as
                `tfds.load` yields them; or `Slices`, whose order `train`
                would take, too.
            *args: As of `keras.Model.fit`.
            **options: As of `keras.Model.fit`; `validation_data` may be
                `Slices` as well.

        Returns:
            Losses and accuracies of every epoch, those of `validation_data`
            with `val_` before.

        Raises:
            DataLeakageError: If `Slices` to train on and to validate with
                share a subject.
            ValueError: If the images have another shape or scale.
        """
        bound = fitting.fit_arguments(self, x, args, options)
        history = super().fit(**bound)
        self.optimizer.finish(self.generator, self.discriminator)
        return history

    def evaluate(self, x: Any = None, *args, **options) -> Any:
        """Measures losses and metrics; as `keras.Model.evaluate`.

        Args:
            x: Real images, as of `fit`.
            *args: As of `keras.Model.evaluate`.
            **options: As of `keras.Model.evaluate`.

        Raises:
            ValueError: If the images have another shape or scale.
        """
        bound = fitting.evaluate_arguments(self, x, args, options)
        return super().evaluate(**bound)

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        """One step of both optimisers on a batch of real images.

        Args:
            data: A batch, as of `fit`.

        Returns:
            Mean of each metric since the epoch began, by name.
        """
        real = model_images(data, self.discriminator.input_shape)
        latents = self.latents(tf.shape(real)[0], self.step)
        real = self._augmented(real, REAL)
        with tf.GradientTape() as tape:
            fake = self.generator(latents, training=True)
            fake = self._augmented(fake, FAKE)
        self._train_discriminator(real, fake)
        with tape:  # goes on recording, through the updated discriminator
            logits = self.discriminator(fake, training=True)
            loss = self.loss_of.generator_loss(logits)
            total = scale_loss(loss, self.g_optimizer)
        variables = self.generator.trainable_variables
        gradients = tape.gradient(total, variables)
        apply_gradients(self.g_optimizer, gradients, variables)
        self.g_loss.update_state(loss)
        if self.average is not None:
            decay = ema_decay_at(self.step, self.ema_decay)
            update_ema(self.average, self.generator, decay)
        self.step.assign_add(1)
        return self._reported([*self._counted, *self._adaptive])

    def test_step(self, data: Any) -> dict[str, tf.Tensor]:
        """Measures a batch of real images beside as many generated ones.

        These are of `sampler_network` and of the same latents each time.

        Args:
            data: A batch, as of `fit`.

        Returns:
            Each metric of all batches so far, by name.
        """
        real = model_images(data, self.discriminator.input_shape)
        count = tf.shape(real)[0]
        latents = latents_from_seeds(
            self._held_out_seeds(count), self.latent_dim
        )
        fake = self.sampler_network(latents, training=False)
        real_logits, fake_logits = (
            self.discriminator(x, training=False) for x in (real, fake)
        )
        self._observe_logits(real_logits, fake_logits)
        self.g_loss.update_state(self.loss_of.generator_loss(fake_logits))
        self.measured.update_state(real, fake)
        self.tested.update_state(count)
        return self._reported([*self._counted, *self.measured.members])

    def _held_out_seeds(self, count: tf.Tensor) -> tf.Tensor:
        """Seeds of the next images of a validation, however it is batched."""
        first = tf.cast(self.tested.result(), tf.int64)
        context = tf.distribute.get_replica_context()
        replica = tf.cast(context.replica_id_in_sync_group, tf.int64)
        first += FIRST_HELD_OUT + replica * 2**32
        return first + tf.range(tf.cast(count, tf.int64), dtype=tf.int64)

    def _augmented(self, images: tf.Tensor, stream: int) -> tf.Tensor:
        """Images as the discriminator sees them."""
        if self.augmenter is None:
            return images
        return self.augmenter(images, step=self.step, stream=stream)

    def _train_discriminator(self, real: tf.Tensor, fake: tf.Tensor) -> None:
        """One optimiser step on the loss of the two passes."""
        with tf.GradientTape() as tape:
            real_logits, penalty = real_pass(
                self.discriminator,
                real,
                optimizer=self.d_optimizer,
                step=self.step,
                weight=self.r1_weight,
                every=self.r1_every,
            )
            fake_logits = self.discriminator(fake, training=True)
            loss = self._observe_logits(real_logits, fake_logits)
            total = scale_loss(loss + penalty, self.d_optimizer)
        variables = self.discriminator.trainable_variables
        gradients = tape.gradient(total, variables)
        apply_gradients(self.d_optimizer, gradients, variables)
        for strength in self._adaptive:
            self.augmenter.observe(real_logits, self.step)
            strength.update_state(self.augmenter.probability)

    def _observe_logits(self, real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
        """The discriminator's loss; it and the accuracies are counted."""
        loss = self.loss_of.discriminator_loss(real, fake)
        self.d_loss.update_state(loss)
        self.real_accuracy.update_state(losses.share_called_real(real))
        called_real = losses.share_called_real(fake)
        self.fake_accuracy.update_state(1.0 - called_real)
        return loss

    @property
    def _counted(self) -> list[keras.metrics.Metric]:
        return [
            *(self.d_loss, self.g_loss),
            *(self.real_accuracy, self.fake_accuracy),
        ]

    @property
    def _adaptive(self) -> list[keras.metrics.Metric]:
        """The augmentation's strength, where it adapts."""
        return [self.strength] if hasattr(self, "strength") else []

    def _reported(self, metrics: list) -> dict[str, tf.Tensor]:
        """Values by name; Keras concatenates those of several workers."""
        strategy = tf.distribute.get_strategy()
        shared = isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
        values = {metric.name: metric.result() for metric in metrics}
        return {n: v[tf.newaxis] if shared else v for n, v in values.items()}

    def summary(self, **options) -> None:
        """Prints the layers of both networks; options as in Keras."""
        self.generator.summary(**options)
        self.discriminator.summary(**options)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments; weights are saved beside them."""
        return super().get_config() | saved_dcgan.config_of(self)

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict | None = None
    ) -> "DCGAN":
        """The model that `get_config` describes."""
        return cls(**saved_dcgan.arguments_of(config, custom_objects))

    def get_compile_config(self) -> dict[str, Any]:
        """What `compile` was given; optimisers are saved with their state."""
        return saved_dcgan.compile_config_of(self) if self.compiled else {}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles the model as `get_compile_config` says."""
        self.compile(**saved_dcgan.compile_arguments_of(config))
