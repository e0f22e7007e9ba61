"""A flow-matching model of PET slices, to hold a GAN against.

What a user would otherwise pick: a small U-Net that learns the velocity from
noise to images along straight lines, x_t = (1 - t) x_0 + t x_1 (Lipman et al.
2023, arXiv 2210.02747; Liu et al. 2023, arXiv 2209.03003), drawn with 20 Euler
steps. It is an arm of `few_subjects.py` and no part of the package.

Images are folded to half their side with four channels, which a U-Net on a CPU
handles four times as fast; times are drawn from a logistic normal (Esser et
al. 2024, arXiv 2403.03206).
"""

import keras
import numpy as np
import tensorflow as tf
from few_subjects_arms import ROBUST, bender_of

from pet_dcgan.models.networks import float32_copy
from pet_dcgan.models.optimization import ema_decay_at, update_ema

RATE, DECAY, BATCH, EULER = 1e-3, 0.995, 16, 20
_CHUNK = 200
_FREQUENCIES = 32


@keras.saving.register_keras_serializable(package="few_subjects")
class Times(keras.layers.Layer):
    """Sines and cosines of times in [0, 1], `[n, 1]` to `[n, 64]`."""

    def call(self, times):
        """The waves."""
        rates = tf.exp(tf.linspace(0.0, np.log(1000.0), _FREQUENCIES))
        waves = times * rates[None]
        return tf.concat([tf.sin(waves), tf.cos(waves)], axis=-1)

    def compute_output_shape(self, shape):
        """So many waves for each time."""
        return (shape[0], 2 * _FREQUENCIES)


@keras.saving.register_keras_serializable(package="few_subjects")
class Position(keras.layers.Layer):
    """A learnt map `[1, side, side, width]`: brains lie where they lie."""

    def __init__(self, side, width, **options):
        super().__init__(**options)
        self.side, self.width = side, width

    def build(self, shape):
        """Adds the map."""
        shape = (1, self.side, self.side, self.width)
        self.map = self.add_weight(shape=shape, initializer="zeros")

    def call(self, inputs):
        """The map."""
        return self.map + 0.0 * inputs

    def get_config(self):
        """Its side and width."""
        own = {"side": self.side, "width": self.width}
        return super().get_config() | own


def build_velocity(*, size, width=32, seed=0):
    """A U-Net from images `[n, size, size, 1]` and times to velocities.

    Args:
        size: Height and width of an image.
        width: Channels at half of the size; twice and four times as many
            further down.
        seed: Fixes the initial weights.
    """
    keras.utils.set_random_seed(seed)
    image = keras.Input([size, size, 1], name="image")
    time = keras.Input([1], name="time")
    embedded = keras.layers.Dense(4 * width, "silu")(Times()(time))
    side = size // 2
    x = keras.layers.Conv2D(width, 2, strides=2)(image)
    x = x + Position(side, width)(x)
    kept = []
    for level in range(3):
        x = _block(x, embedded, width * 2**level)
        kept.append(x)
        if level < 2:
            x = keras.layers.AveragePooling2D(2)(x)
    for level in (1, 0):
        x = keras.layers.UpSampling2D()(x)
        x = keras.layers.Concatenate()([x, kept[level]])
        x = _block(x, embedded, width * 2**level)
    x = keras.layers.GroupNormalization(8)(x)
    x = keras.layers.Activation("silu")(x)
    x = keras.layers.Conv2DTranspose(
        1, 2, strides=2, kernel_initializer="zeros"
    )(x)
    return keras.Model([image, time], x, name="velocity")


def _block(x, embedded, width):
    """Two convolutions around the time, and a shortcut."""
    short = x
    if x.shape[-1] != width:
        short = keras.layers.Conv2D(width, 1)(x)
    x = keras.layers.GroupNormalization(8)(x)
    x = keras.layers.Activation("silu")(x)
    x = keras.layers.Conv2D(width, 3, padding="same")(x)
    shift = keras.layers.Dense(width)(embedded)
    x = x + keras.layers.Reshape([1, 1, width])(shift)
    x = keras.layers.GroupNormalization(8)(x)
    x = keras.layers.Activation("silu")(x)
    x = keras.layers.Conv2D(
        width, 3, padding="same", kernel_initializer="zeros"
    )(x)
    return short + x


def drawn(network, seeds):
    """Images `[n, size, size]` in SUVR of seeds, with Euler's steps."""
    made = [
        _chunk(network, tf.constant(seeds[first : first + _CHUNK]))
        for first in range(0, len(seeds), _CHUNK)
    ]
    return np.maximum(np.concatenate(made) + 1, 0) * (2.5 / 2)


@tf.function
def _chunk(network, seeds):
    shape = network.input_shape[0][1:]
    x = tf.map_fn(
        lambda seed: tf.random.stateless_normal(shape, tf.stack([seed, 1])),
        seeds,
        fn_output_signature=tf.float32,
    )
    for step in range(EULER):
        time = tf.fill([tf.shape(x)[0], 1], step / EULER)
        x += network([x, time], training=False) / EULER
    return x[..., 0]


def kept(path, size):
    """What draws the images of weights that `Flow.save` has kept."""
    network = build_velocity(size=size)
    network.load_weights(path)
    return lambda seeds: drawn(network, seeds)


class Flow:
    """Trains a velocity, as `few_subjects.Adversaries` trains two networks.

    Args:
        task: Its arm is `flow`, perhaps with ` + ` and a bend.
        judge: Has the training images.
    """

    def __init__(self, task, judge, settings=ROBUST):
        self.network = build_velocity(size=task["size"], seed=task["seed"])
        self.average = float32_copy(self.network)
        self.optimizer = keras.optimizers.Adam(RATE)
        self.optimizer.build(self.network.trainable_variables)
        scaled = np.clip(judge.suvr * (2 / 2.5) - 1, -1, 1)[..., None]
        self.images = tf.constant(scaled, tf.float32)
        self.steps = tf.Variable(0, dtype=tf.int64)
        self.seed = task["seed"]
        self.bender = bender_of(settings, size=task["size"], seed=self.seed)

    def train(self, count):
        """So many steps more."""
        self._train(tf.constant(count))

    @tf.function
    def _train(self, count):
        for _ in tf.range(count):
            self._step()

    def _step(self):
        # streams of rows, noise and times
        keys = [
            [3 * self.seed + stream, tf.cast(self.steps, tf.int32)]
            for stream in range(3)
        ]
        rows = tf.random.stateless_uniform(
            [BATCH], keys[0], maxval=len(self.images), dtype=tf.int32
        )
        image = tf.gather(self.images, rows)
        if self.bender is not None:
            image = self.bender(image, step=self.steps)
        noise = tf.random.stateless_normal(image.shape, keys[1])
        time = tf.sigmoid(tf.random.stateless_normal([BATCH, 1], keys[2]))
        part = time[:, :, None, None]
        with tf.GradientTape() as tape:
            found = self.network([(1 - part) * noise + part * image, time])
            loss = tf.reduce_mean((found - (image - noise)) ** 2)
        variables = self.network.trainable_variables
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        update_ema(self.average, self.network, ema_decay_at(self.steps, DECAY))
        self.steps.assign_add(1)

    def draw(self, seeds):
        """Images `[n, size, size]` in SUVR of seeds, by the average."""
        return drawn(self.average, seeds)

    def save(self, path):
        """Keeps the weights that images are drawn with."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.average.save_weights(f"{path}.weights.h5")
