"""Metrics that a model gets when it is compiled, after its state is closed."""

from collections.abc import Iterable, Sequence

import keras
import numpy as np
import tensorflow as tf


class MetricGroup(keras.metrics.Metric):
    """Several metrics of real and generated images as one.

    A Keras model that is built takes no further metrics; this one does, and
    they are reset and saved with it.

    Attributes:
        members: The metrics.
        images: Real images so far.
    """

    def __init__(self, *, name: str = "group") -> None:
        super().__init__(name=name)
        # a variable, so that a pass numbers its latents
        self.images = self.add_variable((), "zeros", name="images")
        self.members: list[keras.metrics.Metric] = []

    def replace(
        self,
        members: keras.metrics.Metric | Sequence[keras.metrics.Metric],
    ) -> None:
        """Takes other metrics in place of those that it has.

        Args:
            members: A metric whose `update_state` takes real and generated
                images, or several.

        Raises:
            ValueError: If one is not a metric, such as a name, or two have
                the same name.
        """
        if isinstance(members, keras.metrics.Metric | str):
            members = [members]
        for metric in members:
            if not isinstance(metric, keras.metrics.Metric):
                raise ValueError(
                    "expected metrics whose update_state takes real and "
                    f"generated images, found {metric!r}: pass for instance "
                    "[pet_dcgan.KID(64)], or [] for none"
                )
        names = [metric.name for metric in members]
        if len(set(names)) < len(names):
            raise ValueError(
                f"expected metrics of different names, found {names}: give "
                "one another with name="
            )
        self.members = list(members)

    def adapt(self, images: np.ndarray) -> None:
        """Shows images to the metrics that have an `adapt`.

        Args:
            images: float32 `[n, size, size]` in [0, 1].
        """
        for metric in self.adaptable() if len(images) else ():
            metric.adapt(images)

    def adaptable(self) -> list[keras.metrics.Metric]:
        """The metrics that have an `adapt`."""
        return [m for m in self.members if hasattr(m, "adapt")]

    def update_state(self, real: tf.Tensor, generated: tf.Tensor) -> None:
        """Adds a batch to each metric.

        Args:
            real: `[n, size, size, channels]` in [-1, 1].
            generated: `[m, size, size, channels]` in [-1, 1].
        """
        self.images.assign_add(tf.cast(tf.shape(real)[0], tf.float32))
        for metric in self.members:
            metric.update_state(real, generated)

    def result(self) -> dict[str, tf.Tensor]:
        """The value of each metric, by name."""
        return {metric.name: metric.result() for metric in self.members}

    def reset_state(self) -> None:
        """Resets each metric."""
        super().reset_state()
        for metric in self.members:
            metric.reset_state()


def reported(metrics: Iterable[keras.metrics.Metric]) -> dict[str, tf.Tensor]:
    """Values by name; Keras concatenates those of several workers.

    Args:
        metrics: What a step reports.
    """
    strategy = tf.distribute.get_strategy()
    shared = isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
    values = {metric.name: metric.result() for metric in metrics}
    return {n: v[tf.newaxis] if shared else v for n, v in values.items()}
