"""Generator and discriminator as functional Keras models.

Depths, strides, activations and initial weights follow Islam & Zhang (2020),
doi 10.1186/s40708-020-00104-2. Their text is silent on the widths, on batch
normalisation's momentum (0.9), and on the generator's last layer having none:
those are read from DCGAN (Radford, Metz & Chintala 2016, arXiv 1511.06434) and
its reference implementation. Batch normalisation's epsilon is Keras's 1e-3:
with DCGAN's 1e-5 a discriminator that normalises its first layer cannot see
how faint an image is, a new generator gets no gradient towards contrast, and
the demo preset stays in noise (8 of 12 starts, against 0 of 12 with 1e-3, by
benchmarks/start_of_training.py).
"""

import keras
import numpy as np

LEAKY_SLOPE = 0.2
WEIGHT_STDDEV = 0.02
NORM_MOMENTUM = 0.9
NORM_EPSILON = 1e-3
SIZES = (32, 64, 128, 256)
_FIRST_SIDE = 4
# the two networks draw their weights from different streams
_GENERATOR, _DISCRIMINATOR = 0, 1


def build_generator(
    *,
    size: int = 128,
    channels: int = 3,
    latent_dim: int = 100,
    width: int = 64,
    kernel_size: int = 5,
    seed: int = 0,
) -> keras.Model:
    """Latent vectors to images: one dense layer, then strided convolutions.

    Args:
        size: Height and width of an image: 32, 64, 128 or 256.
        channels: 1 or 3.
        latent_dim: Length of a latent vector.
        width: Channels before the last layer; they double towards the 4x4
            map, which for 128 pixels has 16 times as many.
        kernel_size: Side of every transposed convolution.
        seed: Fixes the initial weights; each layer draws its own stream.

    Returns:
        Model `"generator"`: `latent` float32 `[n, latent_dim]` to `image`
        float32 `[n, size, size, channels]` in [-1, 1].

    Raises:
        ValueError: If an argument is outside its limits.
    """
    _check(size, channels, latent_dim=latent_dim, width=width)
    up = _convolutions(
        keras.layers.Conv2DTranspose, kernel_size, seed, _GENERATOR
    )
    first, *rest = _widths(size, width)[::-1]
    latent = keras.Input([latent_dim], name="latent")
    x = keras.layers.Dense(
        _FIRST_SIDE**2 * first,
        use_bias=False,  # batch normalisation brings its own shift
        kernel_initializer=_normal(seed, _GENERATOR, 0),
        name="project",
    )(latent)
    map_shape = (_FIRST_SIDE, _FIRST_SIDE, first)
    x = keras.layers.Reshape(map_shape, name="project_map")(x)
    x = _norm_relu(x, "project")
    for depth, filters in enumerate(rest, start=1):
        name = f"up_{_FIRST_SIDE * 2**depth}"
        x = _norm_relu(up(filters, name, depth)(x), name)
    x = up(channels, f"up_{size}", len(rest) + 1, use_bias=True)(x)
    image = keras.layers.Activation("tanh", name="image")(x)
    return keras.Model(latent, image, name="generator")


def build_discriminator(
    *,
    size: int = 128,
    channels: int = 3,
    width: int = 64,
    kernel_size: int = 5,
    seed: int = 0,
) -> keras.Model:
    """Images to logits: strided convolutions, then one dense unit.

    Batch normalisation and a leaky ReLU (slope 0.2) follow every convolution,
    the first one too, as Islam & Zhang state. The sigmoid is left to the
    caller (`DCGAN.probability`), since losses are steadier on logits.

    Args:
        size: Height and width of an image: 32, 64, 128 or 256.
        channels: 1 or 3.
        width: Channels of the first convolution; they double with each.
        kernel_size: Side of every convolution.
        seed: Fixes the initial weights; each layer draws its own stream.

    Returns:
        Model `"discriminator"`: `image` float32 `[n, size, size, channels]`
        in [-1, 1] to `logit` float32 `[n, 1]`, positive for real.

    Raises:
        ValueError: If an argument is outside its limits.
    """
    _check(size, channels, width=width)
    down = _convolutions(keras.layers.Conv2D, kernel_size, seed, _DISCRIMINATOR)
    image = x = keras.Input([size, size, channels], name="image")
    widths = _widths(size, width)
    for depth, filters in enumerate(widths):
        name = f"down_{size // 2 ** (depth + 1)}"
        x = _norm(f"{name}_norm")(down(filters, name, depth)(x))
        x = keras.layers.LeakyReLU(
            negative_slope=LEAKY_SLOPE, name=f"{name}_leaky"
        )(x)
    x = keras.layers.Flatten(name="flatten")(x)
    logit = keras.layers.Dense(
        1,
        kernel_initializer=_normal(seed, _DISCRIMINATOR, len(widths)),
        name="logit",
    )(x)
    return keras.Model(image, logit, name="discriminator")


def _widths(size: int, width: int) -> list[int]:
    """Channels at `size / 2`, `size / 4`, ... 4 pixels."""
    depth = (size // _FIRST_SIDE).bit_length() - 1
    return [width * 2**level for level in range(depth)]


def _convolutions(layer_class, kernel_size: int, seed: int, network: int):
    """Maker of one network's stride-2 convolutions."""
    _check_positive(kernel_size=kernel_size)

    def make(filters: int, name: str, index: int, *, use_bias: bool = False):
        return layer_class(
            filters,
            kernel_size,
            strides=2,
            padding="same",
            use_bias=use_bias,
            kernel_initializer=_normal(seed, network, index),
            name=name,
        )

    return make


def _norm(name: str) -> keras.layers.Layer:
    return keras.layers.BatchNormalization(
        momentum=NORM_MOMENTUM, epsilon=NORM_EPSILON, name=name
    )


def _norm_relu(x, name: str):
    return keras.layers.ReLU(name=f"{name}_relu")(_norm(f"{name}_norm")(x))


def _normal(seed: int, network: int, layer: int):
    stream = np.random.SeedSequence([seed, network, layer])
    return keras.initializers.RandomNormal(
        stddev=WEIGHT_STDDEV, seed=int(stream.generate_state(1)[0] >> 1)
    )


def _check(size: int, channels: int, **positive: int) -> None:
    if size not in SIZES:
        raise ValueError(
            f"expected size among {', '.join(map(str, SIZES))}, found {size!r}"
        )
    if channels not in (1, 3):
        raise ValueError(f"expected channels 1 or 3, found {channels!r}")
    _check_positive(**positive)


def _check_positive(**values: int) -> None:
    for name, value in values.items():
        if not isinstance(value, int) or value < 1:
            raise ValueError(
                f"expected {name} as a whole number above 0, found {value!r}"
            )
