"""Training on a CPU: faster forms of a network's pass and of Adam.

Networks stay plain Keras layers, and so do files and exports. In training on
a CPU, some layers are computed in another form: strided convolutions as
`cpu_convolutions` has them, and batch normalisation by TensorFlow's fused
operation, in a third of the time of the six that Keras's layer is made of.
Adam updates each variable by one operation.
"""

import keras
import tensorflow as tf

from pet_dcgan.models.cpu_convolutions import convolve, convolve_transposed
from pet_dcgan.models.latents import replica_count


@tf.autograph.experimental.do_not_convert
def training_pass(network: keras.Model, inputs: tf.Tensor) -> tf.Tensor:
    """What `network(inputs, training=True)` gives, but for rounding.

    With a GPU, where the network is no chain of layers, and where Keras would
    have to make something else of the inputs first, it is just that.

    Args:
        network: From `pet_dcgan.models.networks`, or any other.
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


@keras.saving.register_keras_serializable(package="pet_dcgan")
class FusedAdam(keras.optimizers.Adam):
    """Keras's Adam (Kingma & Ba 2015, arXiv 1412.6980), computed at once.

    The same formula, the same variables in the same order and the same names;
    each weight is read and written once, not in eight operations. What
    TensorFlow's operation does not know is left to Keras: AMSGrad, and
    gradients of some rows only.

    Args:
        learning_rate: As Keras's Adam takes it.
        name: Of the optimiser, before the names of its variables.
        **options: Its others.

    Example:
    >>> adam = FusedAdam(0.1)
    >>> weight = keras.Variable([1.0, 2.0])
    >>> adam.apply([tf.constant([3.0, -4.0])], [weight])
    >>> [round(float(value), 3) for value in weight.numpy()]
    [0.9, 2.1]
    """

    def __init__(
        self, learning_rate: float = 0.001, *, name: str = "adam", **options
    ) -> None:
        super().__init__(learning_rate, name=name, **options)

    def update_step(
        self,
        gradient: tf.Tensor | tf.IndexedSlices,
        variable: keras.Variable | tf.Variable,
        learning_rate: tf.Tensor,
    ) -> None:
        """Moves one variable and its two moments.

        Args:
            gradient: Of the loss by the variable, of its shape.
            variable: A weight of any shape.
            learning_rate: A scalar.
        """
        if self.amsgrad or isinstance(gradient, tf.IndexedSlices):
            super().update_step(gradient, variable, learning_rate)
            return
        dtype = variable.dtype
        index = self._get_variable_index(variable)
        step = tf.cast(self.iterations + 1, dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=_handle(variable),
            m=_handle(self._momentums[index]),
            v=_handle(self._velocities[index]),
            beta1_power=tf.cast(self.beta_1, dtype) ** step,
            beta2_power=tf.cast(self.beta_2, dtype) ** step,
            lr=tf.cast(learning_rate, dtype),
            beta1=tf.cast(self.beta_1, dtype),
            beta2=tf.cast(self.beta_2, dtype),
            epsilon=tf.cast(self.epsilon, dtype),
            grad=tf.cast(gradient, dtype),
        )


def _handle(variable: keras.Variable | tf.Variable) -> tf.Tensor:
    kept = variable.value if isinstance(variable, keras.Variable) else variable
    return kept.handle
