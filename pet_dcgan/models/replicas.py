"""How many replicas share a step, and what they have in common."""

import tensorflow as tf


def replica_count() -> int:
    """Replicas that share a step's batch: 1 without a strategy."""
    return tf.distribute.get_strategy().num_replicas_in_sync


def replica_mean(x: tf.Tensor) -> tf.Tensor:
    """The mean over replicas of a tensor of any shape, of equal weight."""
    if replica_count() == 1:
        return x
    context = tf.distribute.get_replica_context()
    return context.all_reduce(tf.distribute.ReduceOp.MEAN, x)
