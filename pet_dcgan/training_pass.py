"""A network's pass in training, by operations that are faster on a CPU.

Networks stay plain Keras layers, and so do files and exports. In training on
a CPU, some layers are computed in another form: strided convolutions as
`pet_dcgan.strided` has them, and batch normalisation by TensorFlow's fused
operation, in a third of the time of the six that Keras's layer is made of.
"""

import keras
import tensorflow as tf

from pet_dcgan.noise import replica_count
from pet_dcgan.strided import convolve, convolve_transposed


@tf.autograph.experimental.do_not_convert
def training_pass(network: keras.Model, inputs: tf.Tensor) -> tf.Tensor:
    """What `network(inputs, training=True)` gives, but for rounding.

    With a GPU, where the network is no chain of layers, and where Keras would
    have to make something else of the inputs first, it is just that.

    Args:
        network: From `pet_dcgan.networks`, or any other.
        inputs: What it takes: latents `[n, latent_dim]` or images
            `[n, size, size, channels]`.

    Returns:
        Images `[n, size, size, channels]` in [-1, 1], or logits `[n, 1]`.
    """
    # not measured with a GPU, for which Keras's own forms are made
    has_gpu = bool(tf.config.list_logical_devices("GPU"))
    if has_gpu or not _is_chain(network) or not _is_expected(network, inputs):
        return network(inputs, training=True)
    for layer in network.layers[1:]:
        inputs = _passed(layer, inputs)
    return inputs


def _is_chain(network: keras.Model) -> bool:
    """Whether each layer takes what the one before it gives, and only that."""
    layers = network.layers
    try:
        given = [network.input, *(layer.output for layer in layers[1:])]
        taken = [*(layer.input for layer in layers[1:]), network.output]
    except (AttributeError, ValueError):  # a layer used twice, or not yet
        return False
    alone = all(map(_takes_nothing_else, layers[1:]))
    return alone and all(a is b for a, b in zip(given, taken, strict=True))


def _takes_nothing_else(layer: keras.layers.Layer) -> bool:
    call = layer._inbound_nodes[0].arguments
    # keras adds `mask=None` itself
    told = [value for value in call.kwargs.values() if value is not None]
    return len(call.args) == 1 and not told


def _is_expected(network: keras.Model, inputs: tf.Tensor) -> bool:
    """Whether the inputs need no cast and no other rank, and have a size."""
    shape = tuple(inputs.shape[1:])
    expected = tuple(network.input.shape[1:])
    same_type = inputs.dtype.name == network.input.dtype
    return same_type and shape == expected and None not in shape


def _passed(layer: keras.layers.Layer, inputs: tf.Tensor) -> tf.Tensor:
    # a subclass may compute anything
    form = _FORMS.get(type(layer))
    plain = (
        form is None
        or layer.activity_regularizer
        or layer.dtype_policy.name != "float32"
        or inputs.dtype != tf.float32
    )
    outputs = None if plain else form(layer, inputs)
    return layer(inputs, training=True) if outputs is None else outputs


def _convolved(
    layer: keras.layers.Conv2D, images: tf.Tensor
) -> tf.Tensor | None:
    _, height, width, _ = images.shape
    if not _halves_or_doubles(layer) or height != width or height % 2:
        return None
    return _finished(layer, convolve(images, tf.identity(layer.kernel)))


def _transposed(
    layer: keras.layers.Conv2DTranspose, maps: tf.Tensor
) -> tf.Tensor | None:
    _, height, width, _ = maps.shape
    if not _halves_or_doubles(layer) or height != width:
        return None
    if layer.output_padding is not None:
        return None
    kernel = tf.identity(layer.kernel)
    return _finished(layer, convolve_transposed(maps, kernel))


def _halves_or_doubles(layer: keras.layers.Layer) -> bool:
    height, width = layer.kernel_size
    return (
        layer.strides == (2, 2)
        and layer.padding == "same"
        and layer.dilation_rate == (1, 1)
        and layer.data_format == "channels_last"
        and getattr(layer, "groups", 1) == 1
        and height == width > 1
    )


def _finished(layer: keras.layers.Layer, maps: tf.Tensor) -> tf.Tensor:
    maps = tf.nn.bias_add(maps, layer.bias) if layer.use_bias else maps
    return layer.activation(maps)


def _normalised(
    layer: keras.layers.BatchNormalization, maps: tf.Tensor
) -> tf.Tensor | None:
    by_channel = layer.axis in (-1, 3) and len(maps.shape) == 4
    # replicas share no statistics in TensorFlow's operation
    shared = layer.synchronized and replica_count() > 1
    # renormalisation is of Keras 3.14 and later
    renorm = getattr(layer, "renorm", False)
    whole = layer.scale and layer.center and not renorm
    if not (by_channel and whole and layer.trainable) or shared:
        return None
    normalised, mean, variance = tf.compat.v1.nn.fused_batch_norm(
        maps,
        tf.identity(layer.gamma),
        tf.identity(layer.beta),
        epsilon=layer.epsilon,
        is_training=True,
    )
    # it divides by one less than it has numbers, Keras by all of them
    count = tf.cast(tf.size(maps) / maps.shape[-1], variance.dtype)
    variance *= (count - 1.0) / count
    _move(layer.moving_mean, mean, layer.momentum)
    _move(layer.moving_variance, variance, layer.momentum)
    return normalised


def _move(kept: keras.Variable, new: tf.Tensor, momentum: float) -> None:
    kept.assign(kept * momentum + new * (1.0 - momentum))


_FORMS = {
    keras.layers.Conv2D: _convolved,
    keras.layers.Conv2DTranspose: _transposed,
    keras.layers.BatchNormalization: _normalised,
}
