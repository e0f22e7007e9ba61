"""Adam, a variable at a time by one operation."""

import keras
import tensorflow as tf


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
