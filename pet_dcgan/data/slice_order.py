"""In which order a training sees its slices."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf


class SliceOrder(NamedTuple):
    """In which order the slices come, as the seed and the epochs say.

    An epoch is one permutation of all slices. Where there are groups, it has
    as many slices, of each group in turn: of a larger group a part, another
    one in each epoch, of a smaller one all, again and again.

    Args:
        count: Slices in an epoch.
        batch_size: Slices in a batch.
        seed: Fixes the order.
        first_epoch: Completed epochs.
        epochs: All of them.
        groups: Indices int `[k]` of the slices of each group.
    """

    count: int
    batch_size: int
    seed: int
    first_epoch: int
    epochs: int
    groups: tuple[np.ndarray, ...] = ()

    def indices(self, context: tf.distribute.InputContext) -> tf.data.Dataset:
        """Indices of each batch, or of each replica's part of it in turn.

        Args:
            context: Which worker's, of how many workers and replicas.

        Returns:
            Dataset of integers `[n]`.
        """
        workers = context.num_input_pipelines
        first = context.input_pipeline_id * self.batch_size // workers
        last = first + self.batch_size // workers
        replicas = replicas_per_worker(context)

        # AutoGraph has nothing to convert in these two
        @tf.autograph.experimental.do_not_convert
        def order(epoch: tf.Tensor) -> tf.data.Dataset:
            batches = tf.data.Dataset.from_tensor_slices(self._epoch(epoch))
            return batches.batch(self.batch_size, drop_remainder=True)

        @tf.autograph.experimental.do_not_convert
        def parts(batch: tf.Tensor) -> tf.data.Dataset:
            own = tf.reshape(batch[first:last], [replicas, -1])
            return tf.data.Dataset.from_tensor_slices(own)

        epochs = tf.data.Dataset.range(self.first_epoch, self.epochs)
        return epochs.flat_map(order).flat_map(parts)

    def _epoch(self, epoch: tf.Tensor) -> tf.Tensor:
        """Indices of an epoch, `[count]`."""
        seed = tf.stack([tf.constant(self.seed, tf.int64), epoch])
        if not self.groups:
            return tf.random.experimental.stateless_shuffle(
                tf.range(self.count), seed=seed, alg="philox"
            )
        share = -(-self.count // len(self.groups))
        columns = [
            _permutations(group, share, _folded(seed, number))
            for number, group in enumerate(self.groups)
        ]
        return tf.reshape(tf.stack(columns, axis=1), [-1])[: self.count]


def replicas_per_worker(context: tf.distribute.InputContext) -> int:
    """How many replicas each worker feeds.

    Args:
        context: Of one of the workers.
    """
    return context.num_replicas_in_sync // context.num_input_pipelines


def _folded(seed: tf.Tensor, number: int) -> tf.Tensor:
    """Another seed int64 `[2]` for each number."""
    return tf.random.fold_in(seed, tf.constant(number, tf.int64), alg="philox")


def _permutations(group: np.ndarray, share: int, seed: tf.Tensor) -> tf.Tensor:
    """The first indices `[share]` of as many permutations as that takes."""
    passes = -(-share // len(group))
    keys = tf.random.stateless_uniform(
        [passes, len(group)],
        seed=seed,
        minval=None,
        maxval=None,
        dtype=tf.int32,
        alg="philox",
    )
    drawn = tf.gather(tf.constant(group, tf.int32), tf.argsort(keys))
    return tf.reshape(drawn, [-1])[:share]
