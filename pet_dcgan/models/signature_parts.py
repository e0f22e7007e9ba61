"""What the signatures of all exported models are made of."""

from collections.abc import Callable

import tensorflow as tf

from pet_dcgan.data.suvr import PNG_MAX

# a third of the time of the default for 2 % more bytes
_PNG_COMPRESSION = 1
_PNG_HEAD = 8 + 25  # bytes of any PNG before its second chunk


def traced(function: Callable, *specs: tf.TensorSpec) -> Callable:
    """A graph of a function of tensors.

    Args:
        function: Of as many arguments as there are specs.
        specs: Their shapes, types and names.
    """
    return tf.function(function, input_signature=specs, autograph=False)


def checked(tensor: tf.Tensor, name: str, max_rows: int) -> tf.Tensor:
    """Adds a check that a tensor has the shape of its signature.

    Args:
        tensor: The argument of a signature.
        name: What it is called.
        max_rows: Most rows that it may have.

    Returns:
        The same tensor, once it was checked.
    """
    check, _ = shape_check(tensor, name, max_rows)
    with tf.control_dependencies([check]):
        return tf.identity(tensor)


def shape_check(
    tensor: tf.Tensor, name: str, max_rows: int
) -> tuple[tf.Operation, tf.Tensor]:
    """An operation that fails where a tensor has another shape.

    A server feeds what a client sent. The static shape is dropped first, since
    TensorFlow would trust it and optimise the check away.

    Args:
        tensor: The argument of a signature.
        name: What it is called.
        max_rows: Most rows that it may have.

    Returns:
        The operation, and the shape that was fed, int32 `[rank]`.
    """
    row = tensor.shape.as_list()[1:]
    fed = tf.raw_ops.PlaceholderWithDefault(input=tensor, shape=None)
    shape = tf.shape(fed)
    fits = tf.raw_ops.Equal(x=shape[1:], y=row, incompatible_shape_error=False)
    right = tf.reduce_all(fits) & tf.reduce_all(shape[:1] <= max_rows)
    lengths = "".join(f", {length}" for length in row)
    words = (
        f"expected {name} of the shape [n{lengths}] with n of at most "
        f"{max_rows}, found the shape"
    )
    check = tf.raw_ops.Assert(
        condition=right & tf.equal(tf.size(shape), len(row) + 1),
        data=[words, shape],
    )
    return check, shape


def png_bytes(
    pictures: tf.Tensor, suvr_max: float, text: tf.Tensor
) -> tf.Tensor:
    """Pictures as 16-bit PNGs that say what they are.

    Args:
        pictures: float32 `[n, height, width]` in SUVR.
        suvr_max: SUVR of the largest value.
        text: Text chunks of all PNGs, or `[n]` of each.

    Returns:
        string `[n]`.
    """
    scaled = pictures[..., tf.newaxis] / suvr_max * PNG_MAX
    pixels = tf.saturate_cast(tf.round(scaled), tf.uint16)
    encoded = tf.io.encode_png(pixels, compression=_PNG_COMPRESSION)
    head = tf.strings.substr(encoded, 0, _PNG_HEAD)
    rest = tf.strings.substr(encoded, _PNG_HEAD, tf.int32.max)
    return tf.strings.join([head, text, rest])
