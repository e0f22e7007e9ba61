"""Random numbers keyed by seed, and the slices that seeds give.

Those of a training step depend on an image's position in the global batch,
those of a sample on its seed alone.
"""

import keras
import numpy as np
import tensorflow as tf

from pet_dcgan.image_facts import is_volume
from pet_dcgan.models.replicas import replica_count
from pet_dcgan.utils.seed_blocks import MAX_ROWS, block_seeds, seed_blocks

# streams of independent numbers in a training step
LATENTS, REAL, FAKE, BEND, JITTER = range(5)
_STREAM = 2**32  # above every seed
# seeds of a validation, which neither samples nor an evaluation begin with
_FIRST_HELD_OUT = 2**42


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
        stream: `LATENTS`, `REAL`, `FAKE`, `BEND` or `JITTER`.

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


def held_out_seeds(before: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
    """Seeds of the next images of a validation, however it is batched.

    Args:
        before: Images of this replica so far, a scalar.
        count: Images wanted, a scalar.

    Returns:
        int64 `[count]`, other ones on each replica.
    """
    context = tf.distribute.get_replica_context()
    replica = tf.cast(context.replica_id_in_sync_group, tf.int64)
    first = _FIRST_HELD_OUT + replica * _STREAM + tf.cast(before, tf.int64)
    return first + tf.range(tf.cast(count, tf.int64), dtype=tf.int64)


def sanitised(latents: tf.Tensor) -> tf.Tensor:
    """Replaces non-finite latents by 0 and clips the rest to [-1, 1].

    So a client's bad row does not fail the requests of other clients that a
    server has put into the same batch.

    Args:
        latents: float32 `[n, latent_dim]`.
    """
    finite = tf.where(
        tf.math.is_finite(latents), latents, tf.zeros_like(latents)
    )
    return tf.clip_by_value(finite, -1.0, 1.0)


def suvr_from_latents(
    generator: keras.Model, latents: tf.Tensor, suvr_max: float
) -> tf.Tensor:
    """Slices `[n, size, size]` in SUVR of a live generator.

    Args:
        generator: `latent` `[n, latent_dim]` to images in [-1, 1].
        latents: float32 `[n, latent_dim]`.
        suvr_max: SUVR at +1.
    """
    return suvr_from_images(generator(latents, training=False), suvr_max)


def suvr_from_images(images: tf.Tensor, suvr_max: float) -> tf.Tensor:
    """Slices `[n, size, size]` in SUVR: the mean of the channels, rescaled.

    Exported models contain the same TensorFlow operations. The scale is that
    of `pet_dcgan.data.suvr`.

    Args:
        images: float32 `[n, size, size, channels]` in [-1, 1].
        suvr_max: SUVR at +1.
    """
    if not is_volume(images.shape):
        images = tf.reduce_mean(images, axis=-1)
    return (images + 1.0) * (suvr_max / 2)


def synthetic_slices(
    generator: keras.Model, seeds: np.ndarray, *, suvr_max: float
) -> np.ndarray:
    """The slice of each seed, independent of the other seeds.

    Whole blocks of `MAX_ROWS` seeds are computed (see `utils.seed_blocks`), so
    one slice costs as much as `MAX_ROWS` consecutive ones.

    Args:
        generator: `latent` `[n, latent_dim]` to images in [-1, 1].
        seeds: Integers `[n]`, n at least 1, each at most once.
        suvr_max: SUVR at the network's +1.

    Returns:
        float32 `[n, size, size]` in SUVR.

    Raises:
        ValueError: If a value is not finite.
    """
    latent_dim = generator.input_shape[-1]
    found = {}
    for first, wanted in seed_blocks(seeds, MAX_ROWS).items():
        whole = tf.constant(block_seeds(first, MAX_ROWS), tf.int64)
        latents = latents_from_seeds(whole, latent_dim)
        block = suvr_from_latents(generator, latents, suvr_max).numpy()
        # copied: a view would keep the whole block in memory
        found |= {seed: block[seed - first].copy() for seed in wanted}
    slices = np.stack([found[int(seed)] for seed in seeds])
    if not np.isfinite(slices).all():
        raise ValueError(
            "expected finite images, found NaN or infinity in what the "
            "generator makes: the training diverged, train again"
        )
    return slices
