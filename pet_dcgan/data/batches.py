"""Slices to batches of images in [-1, 1]."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from pet_dcgan.config import TrainConfig
from pet_dcgan.data.prepared_set import Slices
from pet_dcgan.data.records import is_streamed
from pet_dcgan.data.suvr import PNG_MAX


def steps_per_epoch(slices: Slices, config: TrainConfig) -> int:
    """Whole batches in one pass over the slices.

    Args:
        slices: The training slices.
        config: Only its `batch_size` is used.

    Raises:
        ValueError: If there are fewer images than one batch needs.
    """
    return whole_batches(slices, config.batch_size)


def whole_batches(slices: Slices, batch_size: int) -> int:
    """Whole batches in one pass over the slices.

    Args:
        slices: The training slices.
        batch_size: Images in a batch.

    Raises:
        ValueError: If there are fewer images than one batch needs.
    """
    count = len(slices.images)
    if count < batch_size:
        raise ValueError(
            f"expected at least one batch of {batch_size} images, "
            f"found {count}: lower it with --set batch_size={max(2, count)}"
        )
    return count // batch_size


def training_batches(
    slices: Slices,
    config: TrainConfig,
    *,
    first_epoch: int = 0,
    strategy: tf.distribute.Strategy | None = None,
) -> tf.data.Dataset | tf.distribute.DistributedDataset:
    """All batches of a training that a configuration describes.

    Args:
        slices: The training slices; those kept in a file are read from it.
        config: Its batch size, channels, epochs and seed are used.
        first_epoch: Completed epochs.
        strategy: Strategy whose replicas share a batch; `None` for one device.

    Returns:
        As from `slice_batches`.

    Raises:
        ValueError: If there are fewer images than one batch needs, or a batch
            has no equal parts.
    """
    return slice_batches(
        slices,
        batch_size=config.batch_size,
        epochs=config.epochs,
        seed=config.seed,
        channels=config.channels,
        first_epoch=first_epoch,
        strategy=strategy,
    )


def slice_batches(
    slices: Slices,
    *,
    batch_size: int,
    epochs: int,
    seed: int = 0,
    channels: int = 1,
    first_epoch: int = 0,
    strategy: tf.distribute.Strategy | None = None,
) -> tf.data.Dataset | tf.distribute.DistributedDataset:
    """All batches from `first_epoch` to the last, one pass after another.

    An epoch is one permutation of all slices that depends only on the seed and
    the epoch's number, so a resumed run sees the same order; slices that do
    not fill a batch are dropped. Images stay uint16 until they are used. Under
    a strategy, replica `r` of `n` gets the `r`-th of `n` equal parts of each
    batch, so that together they see what one device would.

    Args:
        slices: The training slices; those kept in a file are read from it.
        batch_size: Images in a batch.
        epochs: Passes, those before `first_epoch` among them.
        seed: Fixes the order.
        channels: How often the one channel is repeated.
        first_epoch: Completed epochs.
        strategy: Strategy whose replicas share a batch; `None` for one device.

    Returns:
        Dataset of float32 `[batch, size, size, channels]` in [-1, 1], with
        `(epochs - first_epoch) * whole_batches(slices, batch_size)` elements;
        `fit` needs `steps_per_epoch` with it.

    Raises:
        ValueError: If there are fewer images than one batch needs, or a batch
            has no equal parts.
    """
    steps = whole_batches(slices, batch_size)
    total = max(0, epochs - first_epoch) * steps
    read = _reader(slices.images)
    order = _Order(len(slices.images), batch_size, seed, first_epoch, epochs)

    @tf.autograph.experimental.do_not_convert
    def convert(indices: tf.Tensor) -> tf.Tensor:
        return tf.repeat(network_images(read(indices)), channels, -1)

    def batches(context: tf.distribute.InputContext) -> tf.data.Dataset:
        images = order.indices(context).map(convert, tf.data.AUTOTUNE)
        replicas = _replicas_per_worker(context)
        count = tf.data.experimental.assert_cardinality(total * replicas)
        return images.apply(count).prefetch(tf.data.AUTOTUNE)

    if strategy is None:
        return batches(tf.distribute.InputContext())
    require_equal_parts(batch_size, strategy.num_replicas_in_sync)
    return strategy.distribute_datasets_from_function(batches)


def ordered_batches(slices: Slices, batch_size: int) -> tf.data.Dataset:
    """One pass over the slices in their order, to measure them.

    Args:
        slices: Those kept in a file are read from it.
        batch_size: Images in a batch; the last one may have fewer.

    Returns:
        Dataset of float32 `[batch, size, size, 1]` in [-1, 1].
    """
    read = _reader(slices.images)
    indices = tf.data.Dataset.range(len(slices.images)).batch(batch_size)

    @tf.autograph.experimental.do_not_convert
    def convert(chosen: tf.Tensor) -> tf.Tensor:
        return network_images(read(chosen))

    return indices.map(convert, tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


def network_images(stored: tf.Tensor) -> tf.Tensor:
    """Stored slices on the scale of the networks.

    Args:
        stored: uint16 `[n, size, size]`.

    Returns:
        float32 `[n, size, size, 1]` in [-1, 1].
    """
    values = tf.cast(stored, tf.float32)[..., tf.newaxis]
    return values * (2.0 / PNG_MAX) - 1.0


def require_equal_parts(batch_size: int, replicas: int) -> None:
    """Refuses a batch that replicas cannot share equally.

    Args:
        batch_size: Images in a batch.
        replicas: Devices that share a batch.

    Raises:
        ValueError: If there is a remainder.
    """
    rest = batch_size % replicas
    if rest:
        below, above = batch_size - rest, batch_size + replicas
        fitting = below or above - rest
        raise ValueError(
            f"expected a batch that {replicas} devices share equally, found "
            f"{batch_size}: add --set batch_size={fitting}"
        )


def _replicas_per_worker(context: tf.distribute.InputContext) -> int:
    """How many replicas each worker feeds."""
    return context.num_replicas_in_sync // context.num_input_pipelines


class _Order(NamedTuple):
    """In which order the slices come."""

    count: int
    batch_size: int
    seed: int
    first_epoch: int
    epochs: int

    def indices(self, context: tf.distribute.InputContext) -> tf.data.Dataset:
        """Indices of each batch, or of each replica's part of it in turn."""
        workers = context.num_input_pipelines
        first = context.input_pipeline_id * self.batch_size // workers
        last = first + self.batch_size // workers
        replicas = _replicas_per_worker(context)

        # AutoGraph has nothing to convert in these two
        @tf.autograph.experimental.do_not_convert
        def order(epoch: tf.Tensor) -> tf.data.Dataset:
            indices = tf.random.experimental.stateless_shuffle(
                tf.range(self.count),
                seed=tf.stack([tf.constant(self.seed, tf.int64), epoch]),
                alg="philox",
            )
            batches = tf.data.Dataset.from_tensor_slices(indices)
            return batches.batch(self.batch_size, drop_remainder=True)

        @tf.autograph.experimental.do_not_convert
        def parts(batch: tf.Tensor) -> tf.data.Dataset:
            own = tf.reshape(batch[first:last], [replicas, -1])
            return tf.data.Dataset.from_tensor_slices(own)

        epochs = tf.data.Dataset.range(self.first_epoch, self.epochs)
        return epochs.flat_map(order).flat_map(parts)


def _reader(images: np.ndarray) -> Callable[[tf.Tensor], tf.Tensor]:
    """Function of indices `[n]` to stored slices `[n, size, size]`."""
    if not is_streamed(images):
        with tf.device("CPU:0"):  # the whole set need not fit on a GPU
            return functools.partial(tf.gather, tf.constant(images))

    def read(indices: tf.Tensor) -> tf.Tensor:
        stored = tf.numpy_function(
            lambda chosen: images[chosen],
            [indices],
            tf.uint16,
            stateful=False,  # the file does not change
        )
        return tf.ensure_shape(stored, [*indices.shape, *images.shape[1:]])

    return read
