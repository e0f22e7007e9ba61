"""The DCGAN whose generator is asked for a stage, a plane, a position."""

import math
from typing import Any

import keras
import tensorflow as tf

from pet_dcgan.config import PLANES, STAGES
from pet_dcgan.image_facts import ImageFacts
from pet_dcgan.models import losses
from pet_dcgan.models.condition_layers import LabelWeight
from pet_dcgan.models.dcgan import DCGAN
from pet_dcgan.models.network_check import require_conditions
from pet_dcgan.models.sampling import JITTER, per_example_uniform
from pet_dcgan.utils.keras_settings import keras_defaults

_NUMBERED = {"stage": STAGES, "plane": PLANES}


@keras.saving.register_keras_serializable(package=losses.PACKAGE)
class ConditionalDCGAN(DCGAN):
    """Two conditional networks trained against each other.

    A batch is a dictionary of `"image"` and of what the images show, see
    `conditions_in`; the generated images of a step are asked for what its
    real ones show, so that the discriminator cannot tell them by how often a
    stage comes.

    Few data make a conditional GAN collapse where an unconditional one does
    not; a transition prevents it (Shahbazi et al. 2022, arXiv 2201.06578).
    With a weight w, which goes from 0 to 1 between two steps, the generator's
    embedding of the conditions is multiplied by w, and the loss is that of
    the discriminator's first logit, of images alone, plus w times that of
    its second one, of images and conditions.

    Args:
        generator: From `build_generator` with `conditions`.
        discriminator: From `build_discriminator` with the same.
        transition: Steps between which w goes from 0 to 1; none by default,
            and w is 1.
        jitter_mm: Real positions are moved by up to so many mm either way,
            anew in every step, as far as half the distance of two slices.
        **options: As of `DCGAN`.

    Call arguments:
        inputs: A dictionary of `latent` and all conditions.

    Raises:
        ValueError: If the networks do not fit each other, or the transition
            ends before it begins.
    """

    @keras_defaults()
    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        transition: tuple[int, int] = (0, 0),
        jitter_mm: float = 0.0,
        facts: ImageFacts | None = None,
        **options,
    ) -> None:
        super().__init__(generator, discriminator, facts=facts, **options)
        self.conditions = require_conditions(generator, discriminator)
        first, last = (int(step) for step in transition)
        if not 0 <= first <= last:
            raise ValueError(
                "expected a transition from a step to a later one, found "
                f"{first} to {last}"
            )
        self.transition = first, last
        self.jitter_mm = float(jitter_mm)

    def _maybe_symbolic_build(self, *args, **options) -> None:
        """Nothing: both networks are built.

        Keras would take the mean of a batch over all replicas, and several
        processes cannot do that with a dictionary.
        """

    @property
    def _label(self) -> LabelWeight:
        """The generator's layer that weighs the conditions."""
        layers = self.generator.layers
        return next(each for each in layers if isinstance(each, LabelWeight))

    def conditions_in(self, data: Any) -> dict[str, tf.Tensor]:
        """What the images of a batch show, as the networks take it.

        Args:
            data: A dictionary. Its `stage` and `plane` are weights `[n, 3]`,
                or whole numbers `[n]` in the order of `STAGES` and `PLANES`,
                of which others give NaN; `position_mm`, `age` and `sex` are
                `[n]` or `[n, 1]`. What is no condition is ignored.

        Returns:
            float32 `[n, width]` by name.

        Raises:
            ValueError: If a condition is missing, or of another shape.
        """
        data = data[0] if isinstance(data, tuple | list) else data
        found = data if isinstance(data, dict) else {}
        widths = self.conditions.inputs
        missing = [name for name in widths if name not in found]
        if missing:
            raise ValueError(
                f"expected batches with image, {', '.join(widths)}, found "
                f"none of {', '.join(missing)}: give a dictionary that has "
                "them, or Slices"
            )
        return {
            name: _as_input(name, found[name], width)
            for name, width in widths.items()
        }

    def _training_conditions(self, data: Any) -> dict[str, tf.Tensor]:
        """Conditions of a step; the weight of labels is set on the way."""
        if self.transition[1]:
            self._label.weight.assign(self.label_weight)
        found = self.conditions_in(data)
        if self.jitter_mm and "position_mm" in found:
            position = found["position_mm"]
            drawn = per_example_uniform(
                tf.shape(position)[0],
                1,
                seed=self.seed,
                step=self.step,
                stream=JITTER,
            )
            moved = position + self.jitter_mm * (2.0 * drawn - 1.0)
            found["position_mm"] = moved
        return found

    @property
    def label_weight(self) -> tf.Tensor:
        """Weight of the conditions in the present step, a scalar in [0, 1]."""
        first, last = self.transition
        done = tf.cast(self.step, tf.float32) - first
        return tf.clip_by_value(done / max(1, last - first), 0.0, 1.0)

    def _generator_inputs(self, latents: tf.Tensor, conditions: dict) -> Any:
        """What the generator takes."""
        return {"latent": latents} | conditions

    def _logits(
        self, images: tf.Tensor, conditions: dict, *, training: bool
    ) -> tf.Tensor:
        """Logits `[n, 2]`: of images alone, and with their conditions."""
        inputs = {"image": images} | conditions
        return self.discriminator(inputs, training=training)

    def _generator_loss(self, fake: tf.Tensor) -> tf.Tensor:
        """The generator's loss, of both logits."""
        loss = self.loss_of.generator_loss
        return loss(fake[:, :1]) + self._label.weight * loss(fake[:, 1:])

    def _discriminator_loss(
        self, real: tf.Tensor, fake: tf.Tensor
    ) -> tf.Tensor:
        """The discriminator's loss, of both logits."""
        loss = self.loss_of.discriminator_loss
        with_labels = loss(real[:, 1:], fake[:, 1:])
        return loss(real[:, :1], fake[:, :1]) + self._label.weight * with_labels

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments; weights are saved beside them."""
        own = {"transition": self.transition, "jitter_mm": self.jitter_mm}
        return super().get_config() | own


def _as_input(name: str, values: Any, width: int) -> tf.Tensor:
    """Values of a condition, float32 `[n, width]`."""
    values = tf.convert_to_tensor(values)
    whole = name in _NUMBERED and values.dtype.is_integer
    # weights may be whole numbers too
    if whole and (values.shape.rank, values.shape[-1]) != (2, width):
        numbers = tf.reshape(values, [-1])
        # one_hot has no row for others, which would be none of the stages
        most = len(_NUMBERED[name]) - 1
        known = (numbers >= 0) & (numbers <= most)
        weights = tf.one_hot(numbers, most + 1)
        return tf.where(known[:, tf.newaxis], weights, math.nan)
    values = tf.cast(values, tf.float32)
    if width == 1 and values.shape.rank == 1:
        values = values[:, tf.newaxis]
    if not values.shape.is_compatible_with([None, width]):
        raise ValueError(
            f"expected {name} of the shape [n, {width}], found {values.shape}"
        )
    return values
