"""Seeds through a live generator to slices in SUVR."""

import keras
import numpy as np
import tensorflow as tf

from pet_dcgan.models.latents import latents_from_seeds
from pet_dcgan.utils.seed_blocks import MAX_ROWS, block_seeds, seed_blocks


def network_images(generator: keras.Model, latents: tf.Tensor) -> tf.Tensor:
    """Images `[n, size, size, channels]` in [-1, 1], in inference mode.

    Args:
        generator: `latent` `[n, latent_dim]` to images in [-1, 1].
        latents: float32 `[n, latent_dim]`.
    """
    return generator(latents, training=False)


def suvr_from_latents(
    generator: keras.Model, latents: tf.Tensor, suvr_max: float
) -> tf.Tensor:
    """Slices `[n, size, size]` in SUVR of a live generator.

    Args:
        generator: `latent` `[n, latent_dim]` to images in [-1, 1].
        latents: float32 `[n, latent_dim]`.
        suvr_max: SUVR at +1.
    """
    return suvr_from_images(network_images(generator, latents), suvr_max)


def suvr_from_images(images: tf.Tensor, suvr_max: float) -> tf.Tensor:
    """Slices `[n, size, size]` in SUVR: the mean of the channels, rescaled.

    Exported models contain the same TensorFlow operations. The scale is that
    of `pet_dcgan.data.suvr`.

    Args:
        images: float32 `[n, size, size, channels]` in [-1, 1].
        suvr_max: SUVR at +1.
    """
    return (tf.reduce_mean(images, axis=-1) + 1.0) * (suvr_max / 2)


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
