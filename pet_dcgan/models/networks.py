"""Generator and discriminator as functional Keras models.

Depths, strides, activations and initial weights follow Islam & Zhang (2020),
doi 10.1186/s40708-020-00104-2. They do not state the widths, the momentum of
batch normalisation (0.9) or that the generator's last layer has none; these
follow DCGAN (Radford, Metz & Chintala 2016, arXiv 1511.06434) and its
reference implementation. Batch normalisation's epsilon is Keras's 1e-3: with
DCGAN's 1e-5 a discriminator that normalises its first layer cannot see how
faint an image is, a new generator gets no gradient towards contrast, and the
demo preset stays in noise (8 of 12 starts, against 0 of 12 with 1e-3, see
benchmarks/start_of_training.py).
"""

import functools

import keras

from pet_dcgan.conditions import Conditions
from pet_dcgan.models.condition_layers import LabelWeight, Modulation
from pet_dcgan.models.cpu_layers import (
    StridedConv2D,
    StridedConv2DTranspose,
    plain_layer,
)
from pet_dcgan.models.embedding import (
    LEAKY_SLOPE,
    condition_inputs,
    dense,
    embedding,
    layer_seed,
)
from pet_dcgan.models.replicas import replica_count
from pet_dcgan.models.tissue_mean import TissueMean
from pet_dcgan.models.volume_layers import (
    StridedConv3D,
    StridedConv3DTranspose,
)
from pet_dcgan.utils.keras_settings import keras_defaults

WEIGHT_STDDEV = 0.02
NORM_MOMENTUM = 0.9
NORM_EPSILON = 1e-3
SIZES = (32, 64, 128, 256)
_FIRST_SIDE = 4
# the two networks draw their weights from different streams
_GENERATOR, _DISCRIMINATOR = 0, 1
_STYLE = 32  # numbers of a latent vector that modulate maps of volumes
_RANK = 16  # of the discriminator's product of image and conditions


@keras_defaults()
def build_generator(
    *,
    size: int = 128,
    channels: int = 3,
    latent_dim: int = 100,
    width: int = 64,
    kernel_size: int = 5,
    precision: str = "float32",
    seed: int = 0,
    conditions: Conditions | None = None,
    tissue_suvr_max: float | None = None,
) -> keras.Model:
    """Latent vectors to images: one dense layer, then strided convolutions.

    Args:
        size: Height and width of an image: 32, 64, 128 or 256.
        channels: 1 or 3; or `size`, of volumes, which are drawn by 3-D
            convolutions; the latent vector then modulates every normalised
            map, too.
        latent_dim: Length of a latent vector.
        width: Channels before the last layer; they double towards the 4x4
            map, which for 128 pixels has 16 times as many.
        kernel_size: Side of every transposed convolution.
        precision: Keras dtype policy of all layers but the last, such as
            `"mixed_bfloat16"`; weights are always float32.
        seed: Fixes the initial weights; each layer has its own stream.
        conditions: What it is asked for beside a latent vector: an embedding
            of the conditions modulates every normalised map.
        tissue_suvr_max: Of volumes that are held to one mean of their tissue,
            see `TissueMean`: SUVR of +1. None for none.

    Returns:
        Model `"generator"`: `latent` float32 `[n, latent_dim]` to `image`
        float32 `[n, size, size, channels]` in [-1, 1]. With conditions its
        input is a dictionary of `latent` and `conditions.inputs`.

    Raises:
        ValueError: If an argument is outside its limits.
    """
    axes = 3 if channels == size else 2
    if tissue_suvr_max is not None and axes == 2:
        raise ValueError(
            f"expected no tissue_suvr_max with {channels} channels, found "
            f"{tissue_suvr_max}: slices are never scaled one by one; leave it "
            "out"
        )
    layer = StridedConv3DTranspose if axes == 3 else StridedConv2DTranspose
    positive = {"width": width, "kernel_size": kernel_size}
    _check(size, channels, latent_dim=latent_dim, **positive)
    first, *rest = _widths(size, width)[::-1]
    inputs = latent = keras.Input([latent_dim], name="latent")
    embedded = None
    if conditions is not None:
        asked = condition_inputs(conditions)
        inputs = {"latent": latent} | asked
        embedded = embedding(conditions, asked, seed, _GENERATOR)
        embedded = LabelWeight(name="label_weight", dtype="float32")(embedded)
    if axes == 3:
        embedded = _with_style(latent, embedded, seed)
    x = keras.layers.Dense(
        _FIRST_SIDE**axes * first,
        use_bias=False,  # batch normalisation has its own
        kernel_initializer=_normal(seed, _GENERATOR, 0),
        name="project",
        dtype=precision,
    )(latent)
    map_shape = (*[_FIRST_SIDE] * axes, first)
    x = keras.layers.Reshape(map_shape, name="project_map", dtype=precision)(x)
    x = _norm_relu(x, "project", precision, embedded)
    ends = 1 if axes == 3 else channels
    for depth, filters in enumerate([*rest, ends], start=1):
        last = depth > len(rest)
        name = f"up_{_FIRST_SIDE * 2**depth}"
        x = layer(
            filters,
            kernel_size,
            use_bias=last,  # batch normalisation has its own
            kernel_initializer=_normal(seed, _GENERATOR, depth),
            name=name,
            dtype=precision,
        )(x)
        x = x if last else _norm_relu(x, name, precision, embedded)
    if axes == 3:
        x = keras.layers.Reshape([size] * 3, name="voxels", dtype=precision)(x)
    image = _image(x, tissue_suvr_max)
    return keras.Model(inputs, image, name="generator")


@keras_defaults()
def build_discriminator(
    *,
    size: int = 128,
    channels: int = 3,
    width: int = 64,
    kernel_size: int = 5,
    precision: str = "float32",
    seed: int = 0,
    conditions: Conditions | None = None,
) -> keras.Model:
    """Images to logits: strided convolutions, then one dense unit.

    Batch normalisation and a leaky ReLU (slope 0.2) follow every convolution,
    including the first, as Islam & Zhang state. The model ends in logits, on
    which the losses are numerically stable; their sigmoid is the probability
    that an image is real.

    Args:
        size: Height and width of an image: 32, 64, 128 or 256.
        channels: 1 or 3; or `size`, of volumes.
        width: Channels of the first convolution; they double with each.
        kernel_size: Side of every convolution.
        precision: Keras dtype policy of all layers but the last, such as
            `"mixed_bfloat16"`; weights are always float32.
        seed: Fixes the initial weights; each layer has its own stream.
        conditions: What images are said to show. There is then a second
            logit: a dense unit of its own, and the product of the last map
            and an embedding of the conditions (Miyato & Koyama 2018, arXiv
            1802.05637), of rank 16.

    Returns:
        Model `"discriminator"`: `image` float32 `[n, size, size, channels]`
        in [-1, 1] to `logit` float32 `[n, 1]`, positive for real. With
        conditions its input is a dictionary of `image` and
        `conditions.inputs`, and its output `[n, 2]`: whether an image is
        real, and whether it is a real one of these conditions.

    Raises:
        ValueError: If an argument is outside its limits.
    """
    _check(size, channels, width=width, kernel_size=kernel_size)
    image = x = keras.Input([size, size, channels], name="image")
    layer = StridedConv2D
    if channels == size:
        layer = StridedConv3D
        x = keras.layers.Reshape(
            [*[size] * 3, 1], name="voxels", dtype=precision
        )(x)
    widths = _widths(size, width)
    for depth, filters in enumerate(widths):
        name = f"down_{size // 2 ** (depth + 1)}"
        x = layer(
            filters,
            kernel_size,
            use_bias=False,  # batch normalisation has its own
            kernel_initializer=_normal(seed, _DISCRIMINATOR, depth),
            name=name,
            dtype=precision,
        )(x)
        x = _norm(f"{name}_norm", precision)(x)
        x = keras.layers.LeakyReLU(
            negative_slope=LEAKY_SLOPE, name=f"{name}_leaky", dtype=precision
        )(x)
    x = keras.layers.Flatten(name="flatten", dtype=precision)(x)
    logit = keras.layers.Dense(
        1 if conditions is None else 2,
        kernel_initializer=_normal(seed, _DISCRIMINATOR, len(widths)),
        name="logit",
        dtype="float32",
    )(x)
    if conditions is None:
        return keras.Model(image, logit, name="discriminator")
    asked = condition_inputs(conditions)
    embedded = embedding(conditions, asked, seed, _DISCRIMINATOR)
    product = keras.layers.Dot(-1, name="product", dtype="float32")(
        [
            dense(_RANK, "look", seed, _DISCRIMINATOR)(x),
            dense(_RANK, "wanted", seed, _DISCRIMINATOR)(embedded),
        ]
    )
    # the first logit knows of no condition
    nothing = keras.layers.Rescaling(0.0, name="nothing")(product)
    both = keras.layers.Concatenate(name="products")([nothing, product])
    logits = keras.layers.Add(name="logits", dtype="float32")([logit, both])
    return keras.Model({"image": image} | asked, logits, name="discriminator")


@keras_defaults()
def float32_copy(network: keras.Model) -> keras.Model:
    """A second network of the same weights, of Keras's own layers in float32.

    Args:
        network: From `build_generator` or `build_discriminator`, or another
            functional or Sequential one, of any precision.
    """
    copy = keras.models.clone_model(
        network,
        clone_function=functools.partial(plain_layer, dtype="float32"),
        recursive=True,  # a network may be a layer of another
    )
    copy.set_weights(network.get_weights())
    return copy


def _widths(size: int, width: int) -> list[int]:
    """Channels at `size / 2`, `size / 4`, ... 4 pixels."""
    depth = (size // _FIRST_SIDE).bit_length() - 1
    return [width * 2**level for level in range(depth)]


def _norm(name: str, precision: str) -> keras.layers.Layer:
    return keras.layers.BatchNormalization(
        momentum=NORM_MOMENTUM,
        epsilon=NORM_EPSILON,
        # replicas together have the statistics of one device
        synchronized=replica_count() > 1,
        name=name,
        dtype=precision,
    )


def _norm_relu(x, name: str, precision: str, embedded=None):
    x = _norm(f"{name}_norm", precision)(x)
    if embedded is not None:
        x = Modulation(name=f"{name}_condition", dtype=precision)([x, embedded])
    return keras.layers.ReLU(name=f"{name}_relu", dtype=precision)(x)


def _with_style(latent, embedded, seed: int):
    """What modulates the maps of volumes: the latent vector as well.

    "Self-modulation" of Chen et al. (2019), arXiv 1810.01365.
    """
    style = dense(_STYLE, "style", seed, _GENERATOR)(latent)
    style = keras.layers.LeakyReLU(
        negative_slope=LEAKY_SLOPE, name="style_leaky", dtype="float32"
    )(style)
    if embedded is None:
        return style
    both = keras.layers.Concatenate(name="style_and_stage", dtype="float32")
    return both([embedded, style])


def _image(x, tissue_suvr_max: float | None):
    """Values in [-1, 1], at one scale where volumes have one."""
    name = "image" if tissue_suvr_max is None else "tanh"
    x = keras.layers.Activation("tanh", name=name, dtype="float32")(x)
    if tissue_suvr_max is None:
        return x
    return TissueMean(tissue_suvr_max, name="image", dtype="float32")(x)


def _normal(seed: int, network: int, layer: int):
    return keras.initializers.RandomNormal(
        stddev=WEIGHT_STDDEV, seed=layer_seed(seed, network, layer)
    )


def _check(size: int, channels: int, **positive: int) -> None:
    if size not in SIZES:
        raise ValueError(
            f"expected size among {', '.join(map(str, SIZES))}, found {size!r}"
        )
    if channels not in (1, 3, size):
        raise ValueError(
            f"expected channels 1 or 3, or {size} for volumes, found "
            f"{channels!r}"
        )
    for name, value in positive.items():
        if not isinstance(value, int) or value < 1:
            raise ValueError(
                f"expected {name} as a whole number above 0, found {value!r}"
            )
