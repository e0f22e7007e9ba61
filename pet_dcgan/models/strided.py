"""A strided convolution that may compute in another form in training."""

from collections.abc import Callable

import tensorflow as tf

STRIDE = 2


class Strided:
    """What such layers add to the layer of Keras that is their other parent.

    The stride is 2 and the padding `"same"`. In a training pass in float32 on
    a CPU, `convolve` takes the place of Keras's operation where it
    `is_faster`. Nothing else changes, up to rounding.

    Args:
        filters: Channels of the result.
        kernel_size: Side of the kernel, at least 2.
        **kwargs: As of Keras's layer, but strides and padding.
    """

    # maps and kernel to maps, without bias
    convolve: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]

    def __init__(self, filters: int, kernel_size: int, **kwargs) -> None:
        kwargs |= {"strides": STRIDE, "padding": "same"}
        super().__init__(filters, kernel_size, **kwargs)

    def is_faster(self, inputs: tf.Tensor) -> bool:
        """Whether `convolve` is faster than Keras's operation.

        Args:
            inputs: Maps `[n, side, ..., channels]`.

        Raises:
            NotImplementedError: Unless the layer says when.
        """
        raise NotImplementedError

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Maps of half or twice the side, `[n, side, ..., filters]`."""
        if not (
            training
            and inputs.dtype == tf.float32
            and self.is_faster(inputs)
            and not tf.config.list_logical_devices("GPU")
        ):
            return super().call(inputs)
        # a function with a gradient of its own takes no variable
        maps = self.convolve(inputs, tf.identity(self.kernel))
        maps = tf.nn.bias_add(maps, self.bias) if self.use_bias else maps
        return self.activation(maps)
