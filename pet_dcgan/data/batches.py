"""Slices to batches of images in [-1, 1]."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from pet_dcgan.conditions import Conditions
from pet_dcgan.config import TrainConfig
from pet_dcgan.data.conditional_slices import condition_arrays
from pet_dcgan.data.prepared_set import Slices
from pet_dcgan.data.records import is_streamed
from pet_dcgan.data.slice_order import SliceOrder, replicas_per_worker
from pet_dcgan.data.suvr import PNG_MAX
from pet_dcgan.image_facts import is_volume


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
    conditions: Conditions | None = None,
) -> tf.data.Dataset | tf.distribute.DistributedDataset:
    """All batches of a training that a configuration describes.

    Args:
        slices: The training slices; those kept in a file are read from it.
        config: Its batch size, channels, epochs and seed are used.
        first_epoch: Completed epochs.
        strategy: Strategy whose replicas share a batch; `None` for one device.
        conditions: Of a conditional generator.

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
        conditions=conditions,
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
    conditions: Conditions | None = None,
) -> tf.data.Dataset | tf.distribute.DistributedDataset:
    """All batches from `first_epoch` to the last, one pass after another.

    An epoch is one permutation of all slices that depends only on the seed and
    the epoch's number, so a resumed run sees the same order; slices that do
    not fill a batch are dropped. Images stay uint16 until they are used. Under
    a strategy, replica `r` of `n` gets the `r`-th of `n` equal parts of each
    batch, so that together they see what one device would.

    With conditions, an epoch has as many slices, but of each stage an equal
    share, and so has each batch as far as its size allows: slices of rare
    stages come more than once, of common ones only some in each epoch.

    Args:
        slices: The training slices; those kept in a file are read from it.
        batch_size: Images in a batch.
        epochs: Passes, those before `first_epoch` among them.
        seed: Fixes the order.
        channels: How often the one channel is repeated.
        first_epoch: Completed epochs.
        strategy: Strategy whose replicas share a batch; `None` for one device.
        conditions: Of a conditional generator: batches are then dictionaries
            of `"image"` and of what the images show.

    Returns:
        Dataset of float32 `[batch, size, size, channels]` in [-1, 1], or of
        dictionaries with float32 `[batch, width]` beside them, see
        `condition_arrays`. It has `(epochs - first_epoch) *
        whole_batches(slices, batch_size)` elements; `fit` needs
        `steps_per_epoch` with it.

    Raises:
        ValueError: If there are fewer images than one batch needs, no slice
            of a stage of the conditions, or a batch has no equal parts.
    """
    steps = whole_batches(slices, batch_size)
    total = max(0, epochs - first_epoch) * steps
    read = _batch_reader(slices, channels, conditions)
    groups = () if conditions is None else _by_stage(slices, conditions)
    order = SliceOrder(
        len(slices.images), batch_size, seed, first_epoch, epochs, groups
    )

    def batches(context: tf.distribute.InputContext) -> tf.data.Dataset:
        images = order.indices(context).map(read, tf.data.AUTOTUNE)
        replicas = replicas_per_worker(context)
        count = tf.data.experimental.assert_cardinality(total * replicas)
        return images.apply(count).prefetch(tf.data.AUTOTUNE)

    if strategy is None:
        return batches(tf.distribute.InputContext())
    require_equal_parts(batch_size, strategy.num_replicas_in_sync)
    return strategy.distribute_datasets_from_function(batches)


def ordered_batches(
    slices: Slices, batch_size: int, conditions: Conditions | None = None
) -> tf.data.Dataset:
    """One pass over the slices in their order, to measure them.

    Args:
        slices: Those kept in a file are read from it.
        batch_size: Images in a batch; the last one may have fewer.
        conditions: As of `slice_batches`.

    Returns:
        Dataset of float32 `[batch, size, size, 1]` in [-1, 1], or of
        dictionaries, as from `slice_batches`.
    """
    read = _batch_reader(slices, 1, conditions)
    indices = tf.data.Dataset.range(len(slices.images)).batch(batch_size)
    return indices.map(read, tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


def network_images(stored: tf.Tensor) -> tf.Tensor:
    """Stored images on the scale of the networks.

    Args:
        stored: uint16 `[n, size, size]`, or volumes `[n, size, size, size]`.

    Returns:
        float32 `[n, size, size, 1]` in [-1, 1], or volumes of the same shape.
    """
    values = tf.cast(stored, tf.float32)
    if not is_volume(stored.shape):
        values = values[..., tf.newaxis]
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


def _by_stage(slices: Slices, conditions: Conditions) -> tuple[np.ndarray, ...]:
    """Indices of the slices of each stage of the conditions."""
    groups = [np.flatnonzero(slices.stages == s) for s in conditions.stages]
    for stage, group in zip(conditions.stages, groups, strict=True):
        if not len(group):
            raise ValueError(
                f"expected slices of {', '.join(conditions.stages)}, found "
                f"none of {stage}: load those of every stage, with "
                'stage="ALL"'
            )
    return tuple(groups)


def _batch_reader(
    slices: Slices, channels: int, conditions: Conditions | None
) -> Callable[[tf.Tensor], Any]:
    """Function of indices `[n]` to a batch for the networks."""
    read, shown = _reader(slices.images), {}
    if conditions is not None:
        with tf.device("CPU:0"):
            shown = {
                name: tf.constant(values)
                for name, values in condition_arrays(slices, conditions).items()
            }

    @tf.autograph.experimental.do_not_convert
    def batch(indices: tf.Tensor) -> Any:
        images = network_images(read(indices))
        if images.shape[-1] == 1:
            images = tf.repeat(images, channels, -1)
        if conditions is None:
            return images
        found = {name: tf.gather(rows, indices) for name, rows in shown.items()}
        return {"image": images} | found

    return batch


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
