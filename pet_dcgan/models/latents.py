"""Latents and other random numbers, keyed by seed, step and position.

Those of a training step depend on the place of an image in the whole batch,
those of a sample on its seed alone.
"""

import tensorflow as tf

# one for each use, so that no two draw the same numbers
LATENTS, REAL, FAKE = range(3)
_STREAM = 2**32  # above every seed


def replica_count() -> int:
    """Replicas that share a step's batch: 1 without a strategy."""
    return tf.distribute.get_strategy().num_replicas_in_sync


def per_example_uniform(
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
        step: Completed steps.
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


def latents_from_seeds(seeds: tf.Tensor, latent_dim: int) -> tf.Tensor:
    """Latent vectors, uniform in [-1, 1), each a function of its own seed.

    Every row is drawn by a counter-based generator (Philox) keyed with its
    seed alone, so a seed gives the same vector alone or in a batch, on any
    machine, live or exported; for the image see `seed_blocks`. The
    distribution is the one of Islam & Zhang (2020), doi
    10.1186/s40708-020-00104-2.

    Args:
        seeds: Integers `[n]`, cast to int64.
        latent_dim: Length of a latent vector.

    Returns:
        float32 `[n, latent_dim]`.
    """
    seeds = tf.cast(seeds, tf.int64)

    def one(seed):
        return tf.random.stateless_uniform(
            [latent_dim],
            seed=tf.stack([seed, tf.zeros_like(seed)]),
            minval=-1.0,
            maxval=1.0,
            alg="philox",
        )

    spec = tf.TensorSpec([latent_dim], tf.float32)
    return tf.map_fn(one, seeds, fn_output_signature=spec)


def sanitised(latents: tf.Tensor) -> tf.Tensor:
    """Latent vectors that the generator was trained on, made of any.

    What is not finite becomes 0, the rest is clipped to [-1, 1]: a client's
    bad row gives it some image, and leaves the images of the other clients in
    its batch as they are, which an error would not.

    Args:
        latents: float32 `[n, latent_dim]`.

    Returns:
        float32 `[n, latent_dim]` in [-1, 1].
    """
    finite = tf.where(
        tf.math.is_finite(latents), latents, tf.zeros_like(latents)
    )
    return tf.clip_by_value(finite, -1.0, 1.0)
