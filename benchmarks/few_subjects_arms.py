"""What a training on few subjects may be made of, for `few_subjects.py`.

An arm is a dictionary of what it changes in `ROBUST`, the settings that the
preset of that name has had. Not all of them are in the package: what no
measurement favours is kept here alone, so that the table can be made again.

Sources: minibatch standard deviation, Karras et al. 2018 (arXiv 1710.10196);
R1 and its lazy form, Mescheder et al. 2018 (arXiv 1801.04406), Karras et al.
2020 (arXiv 1912.04958); relativistic pairing with R1 and R2, Huang et al. 2024
(R3GAN, arXiv 2501.05441); LeCam, Tseng et al. 2021 (arXiv 2104.03310); spectral
normalisation, Miyato et al. 2018 (arXiv 1802.05957).
"""

import keras
import tensorflow as tf
from few_subjects_layers import SpectralConv2D, SpectralDense, Spread

from pet_dcgan.models.augmentation import Augmenter
from pet_dcgan.models.bending import REACH_MM, Bender
from pet_dcgan.models.cpu_layers import StridedConv2D
from pet_dcgan.models.gan import GAN
from pet_dcgan.models.networks import (
    build_discriminator,
    build_generator,
    float32_copy,
    layer_seed,
)
from pet_dcgan.models.optimization import ema_decay_at, update_ema
from pet_dcgan.models.sampling import FAKE, REAL, per_example_uniform

ROBUST = {
    "width": 16,
    "batch": 16,
    "latent": 100,
    "g_rate": 1e-3,
    "d_rate": 2e-4,
    "beta_1": 0.5,
    "beta_2": 0.999,
    "ema": 0.995,
    "names": ("translate", "cutout", "rotate", "scale"),
    "probability": 0.0,
    "target": 0.6,
    "loss": "non_saturating",
    "norm": "batch",
    "spread": False,
    "r1": 0.0,
    "r2": 0.0,
    "every": 4,
    "lecam": 0.0,
    "smoothing": 0.0,
    "warm": 0.0,
    # mm by which training images are bent (SD), and how smoothly
    "bend": 0.0,
    "reach": REACH_MM,
}
PENALISED = {"norm": "none", "r1": 1.0}
RELATIVISTIC = {"norm": "none", "loss": "relativistic"}
ARMS = {
    "robust": {},
    # of the preset of that name: rates, no average, no augmentation
    "paper": {"g_rate": 1e-4, "d_rate": 1e-4, "ema": 0.0, "target": 0.0},
    "no augmentation": {"target": 0.0},
    "spectral": {"norm": "spectral"},
    "warm": {"warm": 0.5},
    "spread": {"spread": True},
    "width 8": {"width": 8},
    "width 32": {"width": 32},
    "hinge": {"loss": "hinge"},
    "lecam": {"lecam": 0.1},
    "smoothing": {"smoothing": 0.1},
    "d rate 5e-4": {"d_rate": 5e-4},
    "d rate 1e-3": {"d_rate": 1e-3},
    "g rate 2e-4": {"g_rate": 2e-4},
    "g rate 5e-4": {"g_rate": 5e-4},
    "beta 0": {"beta_1": 0.0, "beta_2": 0.99},
    "ema 0.99": {"ema": 0.99},
    "ema 0.999": {"ema": 0.999},
    "no norm": {"norm": "none"},
    "r1 0.1": PENALISED | {"r1": 0.1},
    "r1 1": PENALISED,
    "r1 10": PENALISED | {"r1": 10.0},
    "r3gan 0.1": RELATIVISTIC | {"r1": 0.1, "r2": 0.1},
    "r3gan 1": RELATIVISTIC | {"r1": 1.0, "r2": 1.0},
    "r3gan 10": RELATIVISTIC | {"r1": 10.0, "r2": 10.0},
    "bend 1": {"bend": 1.0},
    "bend 2": {"bend": 2.0},
    "bend 2.5": {"bend": 2.5},
    "bend 3": {"bend": 3.0},
    "bend 4": {"bend": 4.0},
    "reach 36": {"reach": 36.0},
    "reach 12": {"reach": 12.0},
}
_SINGULAR = 2  # the stream of first singular vectors


def settings_of(arm):
    """All settings of an arm, or of several joined by ` + `."""
    settings = dict(ROBUST)
    for name in arm.split(" + "):
        settings |= ARMS[name]
    return settings


def discriminator_of(settings, *, size, seed):
    """The package's discriminator, or one of other layers."""
    norm, spread = settings["norm"], settings["spread"]
    whole = build_discriminator(
        size=size, channels=1, width=settings["width"], seed=seed
    )
    if norm == "batch" and not spread:
        return whole
    image = x = keras.Input([size, size, 1])
    depth = 0
    for layer in whole.layers[1:]:
        if isinstance(layer, keras.layers.BatchNormalization):
            x = layer(x) if norm == "batch" else x
            continue
        if isinstance(layer, keras.layers.Flatten) and spread:
            x = Spread()(x)
        if isinstance(layer, StridedConv2D | keras.layers.Dense):
            layer = _LAYERS[norm](layer, seed, depth)
            depth += 1
        x = layer(x)
    return keras.Model(image, x, name="discriminator")


def _batch_layer(layer, seed, depth):
    """The package's layer, not yet built."""
    return layer.from_config(layer.get_config())


def _plain_layer(layer, seed, depth):
    """A layer that no normalisation follows."""
    if isinstance(layer, keras.layers.Dense):
        return _batch_layer(layer, seed, depth)
    return StridedConv2D(
        layer.filters,
        layer.kernel_size[0],
        use_bias=True,
        kernel_initializer=keras.initializers.HeNormal(seed=seed * 100 + depth),
    )


def _spectral_layer(layer, seed, depth):
    """A layer that divides its kernel; it starts from the package's."""
    options = {
        "kernel_initializer": layer.kernel_initializer,
        "seed": layer_seed(seed, _SINGULAR, depth),
    }
    if isinstance(layer, keras.layers.Dense):
        return SpectralDense(layer.units, **options)
    return SpectralConv2D(
        layer.filters, layer.kernel_size, strides=2, padding="same", **options
    )


_LAYERS = {
    "batch": _batch_layer,
    "none": _plain_layer,
    "spectral": _spectral_layer,
}


def bender_of(settings, *, size, seed):
    """What bends training images, None for what does not."""
    spacing_mm = 3.0 * 64 / size
    sizes = settings["bend"] / spacing_mm, settings["reach"] / spacing_mm
    return Bender(*sizes, seed=seed) if settings["bend"] else None


class Arm(GAN):
    """A generator and a discriminator that an arm's settings train."""

    def __init__(self, settings, *, size, seed):
        options = {"size": size, "channels": 1, "seed": seed}
        generator = build_generator(
            latent_dim=settings["latent"], width=settings["width"], **options
        )
        super().__init__(
            generator,
            discriminator_of(settings, size=size, seed=seed),
            seed=seed,
        )
        self.settings = settings
        self.average = float32_copy(generator)
        self.augmenter = Augmenter(
            settings["names"],
            settings["probability"],
            target=settings["target"],
            seed=seed,
        )
        self.bender = bender_of(settings, size=size, seed=seed)
        self.steps = self.add_weight(
            name="steps", shape=(), dtype="int64", trainable=False
        )
        # moving means of the logits, for LeCam
        self.anchors = self.add_weight(
            name="anchors", shape=(2,), trainable=False, initializer="zeros"
        )
        betas = {"beta_1": settings["beta_1"], "beta_2": settings["beta_2"]}
        self.compile(
            keras.optimizers.Adam(settings["g_rate"], **betas),
            keras.optimizers.Adam(settings["d_rate"], **betas),
            metrics=[],
        )

    def draw(self, images, count):
        """A batch of the images `[n, size, size, 1]`, drawn by the step."""
        rows = per_example_uniform(
            count, 1, seed=self.seed, step=self.steps, stream=7
        )
        rows = tf.cast(rows[:, 0] * tf.cast(len(images), tf.float32), tf.int32)
        return tf.gather(images, rows)

    @tf.function
    def steps_on(self, images, count):
        """So many steps on batches of the images."""
        for _ in tf.range(count):
            self.one_step(self.draw(images, self.settings["batch"]))

    def one_step(self, real):
        """One step of the discriminator, then one of the generator."""
        steps = self.steps
        if self.bender is not None:
            real = self.bender(real, step=steps)
        real = self.augmenter(real, step=steps, stream=REAL)
        latents = self.latents(self.settings["batch"], steps)
        with tf.GradientTape() as tape:
            fake = self.generator(latents, training=True)
            fake = self.augmenter(fake, step=steps, stream=FAKE)
        self._step_discriminator(real, tf.stop_gradient(fake))
        with tape:
            logits = self.discriminator(fake, training=True)
            # only the relativistic loss has both
            other = 0.0
            if self.settings["loss"] == "relativistic":
                other = self.discriminator(real, training=True)
            loss = self._generator_loss(logits, other)
        variables = self.generator.trainable_variables
        self.g_optimizer.apply(tape.gradient(loss, variables), variables)
        decay = ema_decay_at(steps, self.settings["ema"])
        update_ema(self.average, self.generator, decay)
        self.steps.assign_add(1)

    def _step_discriminator(self, real, fake):
        due = tf.equal(self.steps % self.settings["every"], 0)
        with tf.GradientTape() as tape:
            real_logits = self.discriminator(real, training=True)
            fake_logits = self.discriminator(fake, training=True)
            loss = self._discriminator_loss(real_logits, fake_logits)
            for name, images in (("r1", real), ("r2", fake)):
                if self.settings[name]:
                    penalty = tf.cond(
                        due,
                        lambda images=images: self._penalty(images),
                        lambda: tf.constant(0.0),
                    )
                    weight = self.settings[name] * self.settings["every"]
                    loss += weight * penalty
        variables = self.discriminator.trainable_variables
        self.d_optimizer.apply(tape.gradient(loss, variables), variables)
        self.augmenter.observe(real_logits, self.steps)

    def _penalty(self, images):
        """Half the mean squared norm of the logits' gradients."""
        with tf.GradientTape() as tape:
            tape.watch(images)
            total = tf.reduce_sum(self.discriminator(images, training=True))
        gradients = tape.gradient(total, images)
        return tf.reduce_mean(tf.reduce_sum(gradients**2, [1, 2, 3])) / 2

    def _discriminator_loss(self, real, fake):
        kind = self.settings["loss"]
        if kind == "hinge":
            loss = tf.reduce_mean(tf.nn.relu(1.0 - real))
            loss += tf.reduce_mean(tf.nn.relu(1.0 + fake))
        elif kind == "relativistic":
            loss = tf.reduce_mean(tf.nn.softplus(fake - real))
        else:
            loss = tf.reduce_mean(tf.nn.softplus(-real))
            opposite = tf.reduce_mean(real)  # softplus(x) - softplus(-x) = x
            loss += self.settings["smoothing"] * opposite
            loss += tf.reduce_mean(tf.nn.softplus(fake))
        if self.settings["lecam"]:
            means = tf.stack([tf.reduce_mean(real), tf.reduce_mean(fake)])
            kept = 0.99 * self.anchors + 0.01 * tf.stop_gradient(means)
            self.anchors.assign(kept)
            away = tf.reduce_mean(tf.nn.relu(real - kept[1]) ** 2)
            away += tf.reduce_mean(tf.nn.relu(kept[0] - fake) ** 2)
            loss += self.settings["lecam"] * away
        return loss

    def _generator_loss(self, fake, real):
        kind = self.settings["loss"]
        if kind == "hinge":
            return -tf.reduce_mean(fake)
        return tf.reduce_mean(tf.nn.softplus(real - fake))
