"""Latents and other random numbers, keyed by seed, step and position.

Those of a training step depend on an image's position in the global batch,
those of a sample on its seed alone.
"""

import tensorflow as tf

# streams of independent numbers
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
    """Random numbers in [0, 1) for each image of this replica.

    They depend only on the seed, the step, the stream and the image's position
    in the global batch: two replicas with half a batch each draw the numbers
    that one would draw for the whole.

    Args:
        rows: Images of this replica.
        columns: Numbers per image.
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

    Every row comes from a counter-based generator (Philox) keyed with its
    seed, so a seed gives the same vector alone or in a batch, on any machine,
    live or exported; for images see `seed_blocks`. The distribution is that
    of Islam & Zhang (2020), doi 10.1186/s40708-020-00104-2.

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
    """Replaces non-finite latents by 0 and clips the rest to [-1, 1].

    So a client's bad row does not fail the requests of other clients that a
    server has put into the same batch.

    Args:
        latents: float32 `[n, latent_dim]`.

    Returns:
        float32 `[n, latent_dim]` in [-1, 1].
    """
    finite = tf.where(
        tf.math.is_finite(latents), latents, tf.zeros_like(latents)
    )
    return tf.clip_by_value(finite, -1.0, 1.0)
