"""A prepared data set to batches of images in [-1, 1]."""

from collections.abc import Iterable

import tensorflow as tf

from pet_dcgan.config import TrainConfig
from pet_dcgan.intensity import PNG_MAX
from pet_dcgan.prepared import (
    SetMeta,
    Slices,
    load_slices,
    open_set,
    subjects_of,
)

__all__ = [
    "SetMeta",
    "Slices",
    "load_slices",
    "open_set",
    "require_disjoint",
    "steps_per_epoch",
    "subjects_of",
    "training_batches",
]


def steps_per_epoch(slices: Slices, config: TrainConfig) -> int:
    """Whole batches in one pass over the slices.

    Raises:
        ValueError: If there are fewer images than one batch needs.
    """
    count = len(slices.images)
    if count < config.batch_size:
        raise ValueError(
            f"expected at least one batch of {config.batch_size} images, "
            f"found {count}: lower it with --set batch_size={max(2, count)}"
        )
    return count // config.batch_size


def training_batches(
    slices: Slices, config: TrainConfig, *, first_epoch: int = 0
) -> tf.data.Dataset:
    """All batches from `first_epoch` to the last, one pass after another.

    An epoch is one permutation of the slices that depends on the seed and the
    epoch's number alone, so a run that goes on later sees the same order; what
    does not fill a batch is dropped. Images stay uint16 in memory.

    Args:
        slices: What to train on.
        config: Batch, channels, epochs and seed.
        first_epoch: Epochs already behind, counted from 0.

    Returns:
        Dataset of float32 `[batch, size, size, channels]` in [-1, 1], with
        `(epochs - first_epoch) * steps_per_epoch(slices, config)` elements;
        `fit` needs `steps_per_epoch` with it.

    Raises:
        ValueError: If there are fewer images than one batch needs.
    """
    steps = steps_per_epoch(slices, config)
    with tf.device("CPU:0"):  # the whole set need not fit on a GPU
        images = tf.constant(slices.images)

    # nothing in these two is left for AutoGraph to rewrite
    @tf.autograph.experimental.do_not_convert
    def order(epoch: tf.Tensor) -> tf.data.Dataset:
        indices = tf.random.experimental.stateless_shuffle(
            tf.range(len(slices.images)),
            seed=tf.stack([tf.constant(config.seed, tf.int64), epoch]),
            alg="philox",
        )
        batches = tf.data.Dataset.from_tensor_slices(indices)
        return batches.batch(config.batch_size, drop_remainder=True)

    @tf.autograph.experimental.do_not_convert
    def convert(indices: tf.Tensor) -> tf.Tensor:
        stored = tf.cast(tf.gather(images, indices), tf.float32)
        x = stored[..., tf.newaxis] * (2.0 / PNG_MAX) - 1.0
        return tf.repeat(x, config.channels, axis=-1)

    epochs = tf.data.Dataset.range(first_epoch, config.epochs)
    batches = epochs.flat_map(order).map(convert, tf.data.AUTOTUNE)
    total = max(0, config.epochs - first_epoch) * steps
    batches = batches.apply(tf.data.experimental.assert_cardinality(total))
    return batches.prefetch(tf.data.AUTOTUNE)


def require_disjoint(
    trained_on: Iterable[str], judged_on: Iterable[str]
) -> None:
    """Refuses subjects that would be both trained on and judged on.

    Raises:
        ValueError: If there are such, naming them.
    """
    shared = sorted(set(trained_on) & set(judged_on))
    if shared:
        named = ", ".join(shared[:5]) + (", ..." if len(shared) > 5 else "")
        raise ValueError(
            "expected no subject both trained on and held out, found "
            f"{len(shared)}: {named}: prepare the set again, by subject"
        )
