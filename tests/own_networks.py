"""Generators that people write themselves, of 16 px and latents of 6."""

import keras
import tensorflow as tf
from keras import layers, ops

LATENT_DIM = 6


def generator_of(middle, *, name="own", activation="tanh"):
    """Dense, then `middle(x, latent)` on `[n, 8, 8, 8]`, then an image.

    Weights are large, so that images differ by their latents, and the same
    each time.
    """
    keras.utils.set_random_seed(0)
    latent = keras.Input([LATENT_DIM])
    x = layers.Reshape([8, 8, 8])(layers.Dense(8 * 8 * 8)(latent))
    x = middle(x, latent)
    if x.shape[1] == 8:
        x = layers.UpSampling2D(2)(x)
    x = layers.LayerNormalization(axis=[1, 2, 3])(x)  # neither black nor white
    image = layers.Conv2D(1, 3, padding="same", activation=activation)(x)
    network = keras.Model(latent, image, name=name)
    for weight in network.trainable_weights:
        weight.assign(weight * 3)
    return network


def convolution(x, filters=8, **options):
    return layers.Conv2D(filters, 3, padding="same", **options)(x)


class AdaptiveNorm(layers.Layer):
    def build(self, shapes):
        self.style = layers.Dense(2 * shapes[0][-1])
        self.style.build(shapes[1])

    def call(self, inputs):
        x, latent = inputs
        mean = ops.mean(x, (1, 2), keepdims=True)
        deviation = ops.sqrt(ops.var(x, (1, 2), keepdims=True) + 1e-5)
        scale, shift = ops.split(self.style(latent)[:, None, None], 2, -1)
        return (x - mean) / deviation * (1 + scale) + shift


class PixelNorm(layers.Layer):
    def call(self, x):
        return x * ops.rsqrt(ops.mean(x**2, -1, keepdims=True) + 1e-8)


class Blur(layers.Layer):
    """A filter that is no weight."""

    def __init__(self, **options):
        super().__init__(**options)
        row = tf.constant([1.0, 2.0, 1.0]) / 4
        self.kernel = row[:, None] * row[None, :]

    def call(self, x):
        kernel = ops.tile(self.kernel[..., None, None], (1, 1, x.shape[-1], 1))
        return ops.depthwise_conv(x, kernel, padding="same")


class SelfAttention(layers.Layer):
    def build(self, shape):
        self.parts = [layers.Conv2D(n, 1) for n in (2, 2, shape[-1])]
        for part in self.parts:
            part.build(shape)

    def call(self, x):
        count, side, channels = ops.shape(x)[0], x.shape[1], x.shape[-1]
        query, key, value = (
            ops.reshape(part(x), (count, side * side, part.filters))
            for part in self.parts
        )
        weights = ops.softmax(ops.matmul(query, ops.transpose(key, (0, 2, 1))))
        mixed = ops.matmul(weights, value)
        return x + ops.reshape(mixed, (count, side, side, channels))


class Fourier(layers.Layer):
    def call(self, latent):
        waves = latent[:, :, None] * ops.arange(1, 5, dtype="float32")
        both = ops.concatenate([ops.sin(waves), ops.cos(waves)], -1)
        return ops.reshape(both, (-1, latent.shape[1] * 8))


class Noise(layers.Layer):
    """Other images each time."""

    def __init__(self, own_seed=True, **options):
        super().__init__(**options)
        self.seed = keras.random.SeedGenerator(1) if own_seed else None

    def call(self, x):
        if self.seed is None:
            return x + tf.random.normal(tf.shape(x))
        return x + keras.random.normal(ops.shape(x), seed=self.seed)


def transposed(x, latent):
    x = layers.Conv2DTranspose(8, 5, 2, padding="same", use_bias=False)(x)
    x = layers.LeakyReLU()(layers.BatchNormalization()(x))
    return layers.Dropout(0.3)(layers.PReLU(shared_axes=[1, 2])(x))


def upsampled(x, latent):
    x = layers.UpSampling2D(2, interpolation="bilinear")(x)
    x = layers.GroupNormalization(4)(convolution(x))
    squeezed = layers.GlobalAveragePooling2D(keepdims=True)(x)
    squeezed = layers.Dense(8, activation="sigmoid")(squeezed)
    return layers.Activation("swish")(layers.Multiply()([x, squeezed]))


def resized(x, latent):
    x = layers.Resizing(12, 12, interpolation="bicubic")(x)
    x = layers.Resizing(8, 8, interpolation="area")(x)
    x = layers.UpSampling2D(2, interpolation="lanczos3")(x)
    return ops.image.resize(x, (16, 16), interpolation="nearest")


def convnext(x, latent):
    y = layers.DepthwiseConv2D(7, padding="same")(x)
    y = layers.LayerNormalization(epsilon=1e-6)(y)
    y = layers.Dense(8)(layers.Dense(16, activation="gelu")(y))
    return layers.Add()([x, layers.RMSNormalization()(y)])


def shuffled(x, latent):
    x = layers.LeakyReLU()(convolution(x, 32, dilation_rate=2))
    x = layers.Lambda(lambda y: tf.nn.depth_to_space(y, 2))(x)
    return layers.Conv2D(8, 3)(
        ops.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]], mode="reflect")
    )


def attentive(x, latent):
    x = SelfAttention()(x)
    rows = layers.Reshape([64, 8])(x)
    rows = rows + layers.Attention()([rows, rows])
    rows = rows + layers.MultiHeadAttention(2, 4)(rows, rows)
    return layers.Reshape([8, 8, 8])(rows)


def styled(x, latent):
    x = PixelNorm()(AdaptiveNorm()([x, latent]))
    return Blur()(layers.UpSampling2D(2)(x))


def activated(x, latent):
    names = "elu selu mish softplus softsign hard_sigmoid relu6 silu celu"
    many = [layers.Activation(name)(x) for name in names.split()]
    x = layers.Average()(many)
    return layers.Activation("softmax")(x) + layers.Activation("log_softmax")(x)


def waves(x, latent):
    places = layers.Embedding(64, 8)(ops.arange(64))
    return (
        layers.Reshape([8, 8, 8])(layers.Dense(512)(Fourier()(latent)))
        + layers.EinsumDense("abcd,de->abce", (8, 8, 8))(x)
        + ops.reshape(places, (1, 8, 8, 8))
    )


def pooled(x, latent):
    x = layers.UpSampling2D(2)(layers.SeparableConv2D(8, 3, padding="same")(x))
    x = layers.Concatenate()(
        [layers.MaxPooling2D()(x), layers.AveragePooling2D(2)(x)]
    )
    x = layers.SpectralNormalization(layers.Conv2D(8, 3))(
        layers.ZeroPadding2D(2)(x)
    )
    return layers.Cropping2D(1)(x)


def recurrent(x, latent):
    rows = layers.Reshape([8, 64])(x)
    rows = layers.Bidirectional(layers.GRU(32, return_sequences=True))(rows)
    return layers.Reshape([8, 8, 8])(rows)


def arithmetic(x, latent):
    x = layers.Normalization(mean=0.1, variance=2.0)(layers.Rescaling(0.1)(x))
    parts = (
        *(ops.log1p(ops.abs(x)), ops.exp(-x), ops.power(ops.abs(x) + 1, 1.5)),
        *(ops.floor(x), ops.sign(x), ops.max(x, -1, keepdims=True)),
        *(ops.cumsum(x, 1), ops.flip(x, 1), ops.roll(x, 1, 1)),
        *(ops.logsumexp(x, -1, keepdims=True), ops.clip(x, -1, 1)),
    )
    return sum(parts[1:], parts[0]) / 10 - 1


MIDDLES = (
    *(transposed, upsampled, resized, convnext, shuffled, attentive),
    *(styled, activated, waves, pooled, recurrent, arithmetic),
)
