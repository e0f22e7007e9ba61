"""How often real and generated images are augmented, set by the outcome.

Adaptive augmentation after Karras et al. (2020), arXiv 2006.06676: a
discriminator that knows its real images by heart gives nearly all of them a
positive logit. Their mean sign is compared with a target every few steps, and
the probability goes up or down by a little. There it takes 500,000 images from
0 to 1; trainings on a hundred scans see far fewer, so here it takes 10,000.
"""

import keras
import tensorflow as tf

from pet_dcgan.augment import DRAWS, augment
from pet_dcgan.noise import replica_count, uniform_rows

EVERY = 4  # steps, as Karras et al.
FULL_RISE = 10_000  # images seen from 0 to 1
# beyond, they found augmentations to leak into what is generated
HIGHEST = 0.8


class Augmenter(keras.layers.Layer):
    """Augments what a discriminator sees, with a probability that may adapt.

    Args:
        names: Augmentations, of `pet_dcgan.augment.augment`.
        probability: Of each of them, an image; where it adapts, at first.
        target: Mean sign of the logits of real images to steer to; 0 leaves
            the probability as it is.
        seed: Fixes the draws of every step.
    """

    def __init__(
        self,
        names: tuple[str, ...],
        probability: float,
        *,
        target: float = 0.0,
        seed: int = 0,
    ) -> None:
        super().__init__(name="augmenter", dtype="float32")
        self.names = names
        self.target = target
        self.seed = seed
        self.probability = self._scalar("probability", probability)
        self.signs = self._scalar("signs", 0.0)
        self.built = True

    def call(
        self, images: tf.Tensor, *, step: int | tf.Tensor, stream: int
    ) -> tf.Tensor:
        """The images of a step, each changed or not by draws of its own.

        Args:
            images: float32 `[n, size, size, channels]` in [-1, 1].
            step: Steps already behind.
            stream: `noise.REAL` or `noise.FAKE`, which draw apart.
        """
        draws = uniform_rows(
            tf.shape(images)[0],
            DRAWS,
            seed=self.seed,
            step=step,
            stream=stream,
        )
        probability = tf.convert_to_tensor(self.probability)
        return augment(images, draws, names=self.names, probability=probability)

    def observe(self, real_logits: tf.Tensor, step: int | tf.Tensor) -> None:
        """Takes note of a step's logits, and steers when it is time.

        Args:
            real_logits: Of this replica's real images, `[n, 1]`.
            step: Steps already behind.
        """
        if not self.target:
            return
        replicas = replica_count()
        sign = tf.reduce_mean(tf.sign(real_logits))
        if replicas > 1:
            context = tf.distribute.get_replica_context()
            sign = context.all_reduce(tf.distribute.ReduceOp.MEAN, sign)
        signs = self.signs + sign / EVERY
        images = tf.cast(tf.shape(real_logits)[0] * replicas, tf.float32)
        move = images * (EVERY / FULL_RISE) * tf.sign(signs - self.target)
        steered = tf.clip_by_value(self.probability + move, 0.0, HIGHEST)
        due = tf.equal(step % EVERY, EVERY - 1)
        self.probability.assign(tf.where(due, steered, self.probability))
        self.signs.assign(tf.where(due, 0.0, signs))

    def _scalar(self, name: str, value: float) -> keras.Variable:
        return self.add_weight(
            name=name,
            shape=(),
            initializer=keras.initializers.Constant(value),
            trainable=False,
            # replicas reckon with the same numbers
            aggregation="only_first_replica",
        )
