"""Random numbers of a training step, keyed to where an image stands."""

import tensorflow as tf

# one for each use, so that no two draw the same numbers
LATENTS, REAL, FAKE = range(3)
_STREAM = 2**32  # above every seed


def replica_count() -> int:
    """Replicas that share a step's batch: 1 without a strategy."""
    return tf.distribute.get_strategy().num_replicas_in_sync


def uniform_rows(
    rows: int | tf.Tensor,
    columns: int,
    *,
    seed: int,
    step: int | tf.Tensor,
    stream: int = LATENTS,
) -> tf.Tensor:
    """Numbers in [0, 1) for each image of this replica's part of a batch.

    They are a function of the seed, the step, the stream and the image's
    position in the whole batch alone: two replicas with half a batch each
    draw what one would draw for all of it.

    Args:
        rows: Images of this replica.
        columns: Numbers an image.
        seed: Fixes the numbers of all steps.
        step: Steps already behind.
        stream: `LATENTS`, `REAL` or `FAKE`.

    Returns:
        float32 `[rows, columns]`.
    """
    replicas = replica_count()
    numbers = tf.random.stateless_uniform(
        [rows * replicas, columns],
        seed=[
            tf.constant(seed + stream * _STREAM, tf.int64),
            tf.cast(step, tf.int64),
        ],
        alg="philox",
    )
    context = tf.distribute.get_replica_context()
    if replicas == 1 or context is None:
        return numbers
    first = tf.cast(context.replica_id_in_sync_group, tf.int32) * rows
    return numbers[first : first + rows]
