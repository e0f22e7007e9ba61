"""The convolutions that encoders are made of."""

import keras
import numpy as np

EMBEDDING = 64
_WIDTHS = (16, 32, 64, 128)
_SLOPE = 0.1
# an encoder stays float32 whatever the policy of the training it serves
_FLOAT = "float32"


def build_embedding(size: int, *, seed: int) -> keras.Model:
    """Images `[n, size, size, 1]` to 64 numbers, to be trained.

    Four 3x3 convolutions of stride 2 with batch normalisation and leaky ReLU.
    One dense layer sees means over a 4x4 grid of the last one, and over the
    whole image of the others, which tell of noise and of texture.

    Args:
        size: Height and width of an image, a multiple of 16.
        seed: Fixes the initial weights.
    """
    image, maps = _convolutions(size, seed, normalised=True)
    grid = keras.layers.Flatten(dtype=_FLOAT)(_grid(maps[-1], 4))
    x = keras.layers.Concatenate(dtype=_FLOAT)([grid, *_means(maps[:-1])])
    embedding = keras.layers.Dense(
        EMBEDDING,
        kernel_initializer=_initializer(seed, len(_WIDTHS)),
        dtype=_FLOAT,
    )(x)
    return keras.Model(image, embedding)


def build_random(size: int, *, seed: int) -> keras.Model:
    """Images `[n, size, size, 1]` to means of random convolutions.

    Means over the image of every layer's channels, and over a 2x2 grid of the
    last one's. No weight is ever trained.

    Args:
        size: Height and width of an image, a multiple of 16.
        seed: Fixes the weights.
    """
    image, maps = _convolutions(size, seed, normalised=False)
    grid = keras.layers.Flatten(dtype=_FLOAT)(_grid(maps[-1], 2))
    joined = keras.layers.Concatenate(dtype=_FLOAT)([*_means(maps), grid])
    return keras.Model(image, joined)


def build_heads(subjects: int, *, seed: int) -> keras.Model:
    """An embedding to a position and a logit a subject, while it is trained.

    Args:
        subjects: Number of subjects.
        seed: Fixes the initial weights.
    """
    embedding = keras.Input([EMBEDDING], dtype=_FLOAT)
    x = _leaky()(embedding)
    heads = [
        keras.layers.Dense(
            count,
            kernel_initializer=_initializer(seed, len(_WIDTHS) + 1 + index),
            dtype=_FLOAT,
        )(x)
        for index, count in enumerate((1, subjects))
    ]
    return keras.Model(embedding, heads)


def _convolutions(size: int, seed: int, *, normalised: bool) -> tuple:
    image = x = keras.Input([size, size, 1], dtype=_FLOAT)
    maps: list = []
    for index, width in enumerate(_WIDTHS):
        x = keras.layers.Conv2D(
            width,
            3,
            strides=2,
            padding="same",
            use_bias=not normalised,
            kernel_initializer=_initializer(seed, index),
            dtype=_FLOAT,
        )(x)
        if normalised:
            x = keras.layers.BatchNormalization(momentum=0.9, dtype=_FLOAT)(x)
        x = _leaky()(x)
        maps.append(x)
    return image, maps


def _means(maps: list) -> list:
    pool = keras.layers.GlobalAveragePooling2D
    return [pool(dtype=_FLOAT)(x) for x in maps]


def _grid(x, cells: int):
    """Means over `cells` x `cells`, or what is smaller already."""
    side = max(1, x.shape[1] // cells)
    return keras.layers.AveragePooling2D(side, dtype=_FLOAT)(x)


def _leaky() -> keras.layers.Layer:
    return keras.layers.LeakyReLU(negative_slope=_SLOPE, dtype=_FLOAT)


def _initializer(seed: int, layer: int) -> keras.initializers.Initializer:
    stream = np.random.SeedSequence([seed, layer]).generate_state(1)[0]
    return keras.initializers.GlorotUniform(seed=int(stream >> 1))


def arrays_of(network: keras.Model) -> dict[str, np.ndarray]:
    """The weights of a network by the names they are stored under."""
    weights = network.get_weights()
    return {f"weight_{index}": array for index, array in enumerate(weights)}
