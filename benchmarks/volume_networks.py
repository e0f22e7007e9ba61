"""Networks that draw a volume otherwise than by 3-D convolutions.

Two ways that `volume_routes.py` measures beside the package's own: the 2-D
networks with a channel for each axial slice, and a 2-D generator that is asked
for a position, whose neighbouring slices a discriminator sees together.
"""

import keras
import tensorflow as tf

from pet_dcgan.models import networks
from pet_dcgan.models.condition_layers import LabelWeight
from pet_dcgan.models.embedding import condition_inputs, dense, embedding

SIZE, LATENT = 64, 100
NEIGHBOURS = 3


def channel_generator(conditions, *, width, kernel_size, seed):
    """Latents and a stage to `[n, 64, 64, 64]`, the last axis as channels."""
    latent = keras.Input([LATENT], name="latent")
    asked = condition_inputs(conditions)
    image = _drawn(latent, asked, conditions, SIZE, width, kernel_size, seed)
    return keras.Model({"latent": latent} | asked, image, name="generator")


def stack_generator(conditions, *, width, kernel_size, spacing_mm, seed):
    """Latents, a stage and a position to slices at it and beside it.

    Three slices `[n, 64, 64, 3]`, `spacing_mm` apart.
    """
    latent = keras.Input([LATENT], name="latent")
    asked = condition_inputs(conditions)
    beside = Beside(spacing_mm, name="beside")({"latent": latent} | asked)
    around = {name: beside[name] for name in asked}
    slices = _drawn(
        beside["latent"], around, conditions, 1, width, kernel_size, seed
    )
    image = Together(name="together")(slices)
    return keras.Model({"latent": latent} | asked, image, name="generator")


def discriminator(conditions, channels, *, width, kernel_size, seed):
    """Images `[n, 64, 64, channels]` and conditions to two logits."""
    image = x = keras.Input([SIZE, SIZE, channels], name="image")
    widths = [width * 2**depth for depth in range(4)]
    for depth, filters in enumerate(widths):
        x = networks.StridedConv2D(
            filters,
            kernel_size,
            use_bias=False,
            kernel_initializer=networks._normal(seed, 1, depth),
        )(x)
        x = networks._norm(f"norm_{depth}", "float32")(x)
        x = keras.layers.LeakyReLU(negative_slope=0.2)(x)
    x = keras.layers.Flatten()(x)
    start = networks._normal(seed, 1, len(widths))
    logit = keras.layers.Dense(2, kernel_initializer=start)(x)
    asked = condition_inputs(conditions)
    embedded = embedding(conditions, asked, seed, 1)
    looks = (
        dense(16, "look", seed, 1)(x),
        dense(16, "wanted", seed, 1)(embedded),
    )
    product = keras.layers.Dot(-1)(list(looks))
    nothing = keras.layers.Rescaling(0.0)(product)
    both = keras.layers.Concatenate()([nothing, product])
    logits = keras.layers.Add()([logit, both])
    return keras.Model({"image": image} | asked, logits, name="discriminator")


def _drawn(latent, asked, conditions, channels, width, kernel_size, seed):
    """Images of the product's layers, of any number of channels."""
    embedded = embedding(conditions, asked, seed, 0)
    embedded = LabelWeight(name="label_weight")(embedded)
    first, *rest = [width * 2**depth for depth in (3, 2, 1, 0)]
    x = keras.layers.Dense(
        16 * first,
        use_bias=False,
        kernel_initializer=networks._normal(seed, 0, 0),
    )(latent)
    x = keras.layers.Reshape([4, 4, first])(x)
    x = networks._norm_relu(x, "project", "float32", embedded)
    for depth, filters in enumerate([*rest, channels], start=1):
        last = depth > len(rest)
        x = networks.StridedConv2DTranspose(
            filters,
            kernel_size,
            use_bias=last,
            kernel_initializer=networks._normal(seed, 0, depth),
        )(x)
        if not last:
            x = networks._norm_relu(x, f"up_{depth}", "float32", embedded)
    return keras.layers.Activation("tanh")(x)


class Beside(keras.layers.Layer):
    """Each row three times, at its position and at its neighbours'."""

    def __init__(self, spacing_mm, **options):
        super().__init__(**options)
        self.spacing_mm = spacing_mm

    def call(self, inputs):
        """A dictionary of three times as many rows."""
        steps = tf.range(NEIGHBOURS, dtype=tf.float32) - NEIGHBOURS // 2
        found = {
            name: tf.repeat(rows, NEIGHBOURS, axis=0)
            for name, rows in inputs.items()
        }
        count = tf.shape(inputs["position_mm"])[0]
        moves = tf.tile(steps[:, tf.newaxis] * self.spacing_mm, [count, 1])
        found["position_mm"] += moves
        return found

    def compute_output_spec(self, inputs):
        """Shapes by name."""
        return {
            name: keras.KerasTensor((None, *rows.shape[1:]), "float32")
            for name, rows in inputs.items()
        }


class Together(keras.layers.Layer):
    """Three slices `[3 n, s, s, 1]` to `[n, s, s, 3]`."""

    def call(self, slices):
        """Neighbours as channels."""
        side = slices.shape[1]
        apart = tf.reshape(slices, [-1, NEIGHBOURS, side, side])
        return tf.transpose(apart, [0, 2, 3, 1])

    def compute_output_spec(self, slices):
        """Of three channels."""
        shape = None, *slices.shape[1:3], NEIGHBOURS
        return keras.KerasTensor(shape, "float32")
