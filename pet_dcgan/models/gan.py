"""Two adversarial networks as Keras handles a model."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from pet_dcgan.data.real_images import model_images
from pet_dcgan.image_facts import ImageFacts
from pet_dcgan.models import archive, fitting, losses, optimizer_pair, saving
from pet_dcgan.models.conditioned import latent_length
from pet_dcgan.models.kid import default_metrics
from pet_dcgan.models.losses import AdversarialLoss
from pet_dcgan.models.metric_group import MetricGroup, reported
from pet_dcgan.models.network_check import require_pair
from pet_dcgan.models.sampling import (
    held_out_seeds,
    latents_from_seeds,
    per_example_uniform,
)
from pet_dcgan.utils.keras_settings import keras_defaults


class GAN(keras.Model):
    """A generator and a discriminator: compiled, shown images, and saved.

    Args:
        generator: Model from latents `[n, latent_dim]` to images.
        discriminator: Model from images to logits `[n, 1]`.
        facts: What the images mean; `fit` on `Slices` fills it in.
        seed: Fixes the latents of every step.

    Call arguments:
        inputs: Latents `[n, latent_dim]`; the result is `generator`'s.

    Raises:
        ValueError: If the networks do not fit each other.
    """

    @keras_defaults()
    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        facts: ImageFacts | None = None,
        seed: int = 0,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        require_pair(generator, discriminator)
        self.generator = generator
        self.discriminator = discriminator
        self.facts = facts
        # whom it was fitted to, and chosen by; names are in no file of a model
        self.subjects: frozenset[str] = frozenset()
        self.measured_by: frozenset[str] = frozenset()
        self.seed = seed
        self.latent_dim = latent_length(generator)
        self.image_shape = generator.output_shape
        self.d_loss = keras.metrics.Mean(name="d_loss")
        self.g_loss = keras.metrics.Mean(name="g_loss")
        self.real_accuracy = keras.metrics.Mean(name="real_accuracy")
        self.fake_accuracy = keras.metrics.Mean(name="fake_accuracy")
        self.measured = MetricGroup(name="measured")

    @keras_defaults()
    def compile(
        self,
        g_optimizer: keras.optimizers.Optimizer | str | None = None,
        d_optimizer: keras.optimizers.Optimizer | str | None = None,
        *,
        loss: AdversarialLoss | None = None,
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
            loss: An object with the two losses, an `AdversarialLoss`.
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
        g_optimizer = optimizer_pair.as_optimizer(
            g_optimizer, scaled_for=scaled_for
        )
        d_optimizer = optimizer_pair.as_optimizer(
            d_optimizer, scaled_for=scaled_for
        )
        own = getattr(self, "optimizer", None)
        optimizer_pair.require_separate(g_optimizer, d_optimizer, own=own)
        self.loss_of = losses.as_loss(loss)
        if metrics is None:
            metrics = default_metrics(self.image_shape)
        self.measured.replace(metrics)
        self.compile_options = {
            "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution,
            "jit_compile": jit_compile,
        }
        options = fitting.with_xla_chosen(self.compile_options)
        # without the None keras would add an RMSprop of its own
        super().compile(optimizer=None, **options)
        self.g_optimizer = g_optimizer
        self.d_optimizer = d_optimizer
        self.optimizer = optimizer_pair.OptimizerPair(g_optimizer, d_optimizer)
        # a checkpoint restores an optimiser's state only where it is built
        self.optimizer.build(*networks)

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Images of latents, by the generator."""
        return self.generator(inputs, training=training)

    def build(self, input_shape: tuple) -> None:
        """Both networks have their weights already."""
        self.built = True

    @property
    def sampler_network(self) -> keras.Model:
        """The network to draw samples from."""
        return self.generator

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
            **options: Likewise.

        Raises:
            ValueError: If the images have another shape or scale.
        """
        bound = fitting.evaluate_arguments(self, x, args, options)
        return super().evaluate(**bound)

    def test_step(self, data: Any) -> dict[str, tf.Tensor]:
        """Measures a batch of real images beside as many generated ones.

        These are of `sampler_network` and of the same latents each time.

        Args:
            data: A batch, as of `fit`.

        Returns:
            Each metric of all batches so far, by name.
        """
        real = model_images(data, self.image_shape)
        conditions = self.conditions_in(data)
        count = tf.shape(real)[0]
        seeds = held_out_seeds(self.measured.images, count)
        latents = latents_from_seeds(seeds, self.latent_dim)
        drawn = self._generator_inputs(latents, conditions)
        fake = self.sampler_network(drawn, training=False)
        real_logits = self._logits(real, conditions, training=False)
        fake_logits = self._logits(fake, conditions, training=False)
        # the last batch may have fewer images
        self._observe_logits(real_logits, fake_logits, weight=count)
        loss = self._generator_loss(fake_logits)
        self.g_loss.update_state(loss, count)
        self.measured.update_state(real, fake)
        return reported([*self._counted, *self.measured.members])

    def conditions_in(self, data: Any) -> dict[str, tf.Tensor]:
        """What the images of a batch show; nothing but for a conditional GAN.

        Args:
            data: A batch, as of `fit`.
        """
        return {}

    def _generator_inputs(self, latents: tf.Tensor, conditions: dict) -> Any:
        """What the generator takes."""
        return latents

    def _logits(
        self, images: tf.Tensor, conditions: dict, *, training: bool
    ) -> tf.Tensor:
        """The discriminator's logits."""
        return self.discriminator(images, training=training)

    def _generator_loss(self, fake: tf.Tensor) -> tf.Tensor:
        """The generator's loss, of logits."""
        return self.loss_of.generator_loss(fake)

    def _discriminator_loss(
        self, real: tf.Tensor, fake: tf.Tensor
    ) -> tf.Tensor:
        """The discriminator's loss, of logits."""
        return self.loss_of.discriminator_loss(real, fake)

    def _observe_logits(
        self, real: tf.Tensor, fake: tf.Tensor, *, weight: Any = None
    ) -> tf.Tensor:
        """The discriminator's loss; it and the accuracies are counted."""
        loss = self._discriminator_loss(real, fake)
        share = losses.share_called_real
        self.d_loss.update_state(loss, weight)
        self.real_accuracy.update_state(share(real), weight)
        self.fake_accuracy.update_state(1.0 - share(fake), weight)
        return loss

    @property
    def _counted(self) -> list[keras.metrics.Metric]:
        return [
            *(self.d_loss, self.g_loss),
            *(self.real_accuracy, self.fake_accuracy),
        ]

    def export(
        self,
        filepath: str | Path,
        format: str = "tf_saved_model",  # noqa: A002
        verbose: bool | None = None,
        input_signature: Any = None,
        *,
        facts: ImageFacts | None = None,
        **options,
    ) -> None:
        """Writes the archive of `pet-dcgan export`, without card and number.

        Args:
            filepath: A new folder, or an empty one.
            format: `"onnx"` and the others of `keras.Model.export` have the
                float32 network alone: latents to images in [-1, 1].
            verbose: Whether to print where it is; by default yes.
            input_signature: For another format; the archive has its own four.
            facts: What the images mean, where the model has no `facts`.
            **options: For another format, as of `keras.Model.export`.

        Raises:
            FileExistsError: If `filepath` holds anything.
            ValueError: If there are no facts, or images of the archive differ
                from the live ones.
        """
        options |= {"verbose": verbose, "input_signature": input_signature}
        archive.export_model(
            self, filepath, format=format, facts=facts, **options
        )

    def summary(self, **options) -> None:
        """Prints the layers of both networks; options as in Keras."""
        self.generator.summary(**options)
        self.discriminator.summary(**options)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments; weights are saved beside them."""
        return super().get_config() | saving.model_config(self)

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict | None = None
    ) -> "GAN":
        """The model that `get_config` describes.

        Args:
            config: From `get_config`.
            custom_objects: Classes of the user by name.
        """
        return cls(**saving.model_arguments(config, custom_objects))

    def get_compile_config(self) -> dict[str, Any]:
        """What `compile` was given; optimisers are saved with their state."""
        return saving.compile_config(self) if self.compiled else {}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles the model as `get_compile_config` says."""
        self.compile(**saving.compile_arguments(config))
