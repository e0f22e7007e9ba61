"""Networks of a user's own, with parts that ours lack."""

import keras

layers = keras.layers


@keras.saving.register_keras_serializable(package="toy")
class Block(layers.Layer):
    """A layer of layers: a convolution and its normalisation."""

    def __init__(self, filters, seed=0, **options):
        super().__init__(**options)
        self.filters, self.seed = filters, seed
        start = keras.initializers.GlorotUniform(seed=seed)
        # names, which Keras would count on and write into files
        self.convolution = layers.Conv2D(
            filters,
            3,
            padding="same",
            kernel_initializer=start,
            name="convolution",
        )
        self.norm = layers.BatchNormalization(name="norm")

    def build(self, shape):
        self.convolution.build(shape)
        self.norm.build((*shape[:-1], self.filters))
        super().build(shape)

    def call(self, maps, training=False):
        return self.norm(self.convolution(maps), training=training)

    def get_config(self):
        own = {"filters": self.filters, "seed": self.seed}
        return super().get_config() | own


def _start(seed):
    return keras.initializers.HeNormal(seed=seed)


def own_generator(config, *, block=True, filters=4, dropout=0.1):
    """Latents to images: a network within it, arithmetic, dropout."""
    latent = keras.Input([config.latent_dim])
    x = layers.Dense(8 * 8 * filters, kernel_initializer=_start(1))(latent)
    x = layers.Reshape([8, 8, filters])(x)
    inner = keras.Sequential(
        [
            keras.Input([8, 8, filters]),
            layers.UpSampling2D(),
            layers.LeakyReLU(negative_slope=0.1),
        ]
    )
    x = keras.ops.tanh(inner(x))
    if block:
        x = Block(filters)(x)
    x = layers.UpSampling2D(config.size // 16)(x)
    x = layers.Dropout(dropout, seed=3)(x)
    image = layers.Conv2D(
        config.channels,
        3,
        padding="same",
        activation="tanh",
        kernel_initializer=_start(2),
        dtype="float32",
    )(x)
    return keras.Model(latent, image)


def own_discriminator(config, *, dropout=0.2):
    """Images to logits: Sequential, with an own initialiser and dropout."""
    return keras.Sequential(
        [
            keras.Input([config.size, config.size, config.channels]),
            layers.Conv2D(
                4, 5, strides=4, activation="gelu", kernel_initializer=_start(4)
            ),
            layers.BatchNormalization(synchronized=True),
            layers.Dropout(dropout, seed=5),
            layers.Flatten(),
            layers.Dense(1, kernel_initializer=_start(6)),
        ]
    )
