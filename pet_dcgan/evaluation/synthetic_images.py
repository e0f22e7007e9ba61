"""The synthetic images of an evaluation: those measured and those searched."""

from collections.abc import Callable
from functools import partial

import keras
import numpy as np

from pet_dcgan.config import TrainConfig
from pet_dcgan.metrics.centring import centred_images
from pet_dcgan.models.sampling import synthetic_slices

# images that are searched for copies by default: if none is one, at most
# 0.03 % of all are
SEARCHED = 10_000
# volumes, of which each costs as much as some 50 slices: at most 0.3 %
SEARCHED_VOLUMES = 1000
# how many of them are held in full at a time
_CHUNK, _CHUNK_VOLUMES = 512, 64
# shares of suvr_max: an image below the first is black, one that varies by less
# than the second is uniform; after a few steps of training images hardly vary,
# and are evaluated nevertheless
_BLACK, _FLAT = 1e-3, 1e-6

# gives the images float32 [k, size, size] in SUVR of seeds [k], or volumes
Draw = Callable[[np.ndarray], np.ndarray]


def drawing(generator: keras.Model, config: TrainConfig) -> Draw:
    """Returns what gives the images of seeds.

    Args:
        generator: Of a run.
        config: The run's.

    Raises:
        ValueError: If the generator's images are not of the run's size.
    """
    found = tuple(generator.output_shape[1:3])
    if found != (config.size, config.size):
        raise ValueError(
            f"expected a generator of {config.size}x{config.size} images, as "
            f"the run's config.json says, found {found[0]}x{found[1]}: "
            "restore the run's files or train again"
        )
    return partial(synthetic_slices, generator, suvr_max=config.suvr_max)


def measured(draw: Draw, seeds: np.ndarray, suvr_max: float) -> np.ndarray:
    """Synthetic images to measure.

    Args:
        draw: Gives the images of seeds.
        seeds: Their seeds `[n]`.
        suvr_max: SUVR of the network's +1.

    Returns:
        float32 `[n, size, size]` in SUVR, of volumes `[n, size, size, size]`.

    Raises:
        ValueError: If all are black or uniform, or a value is not finite.
    """
    images = draw(seeds)
    varied = np.ptp(images.reshape(len(images), -1), axis=1).max()
    if images.max() < _BLACK * suvr_max or varied < _FLAT * suvr_max:
        raise ValueError(
            "expected images of brains, found every synthetic one black or "
            f"uniform (SUVR up to {max(0.0, float(images.max())):.3f}): the "
            "training collapsed, see health.csv and train again"
        )
    return images


def searched(
    draw: Draw, images: np.ndarray, seed: int, count: int
) -> np.ndarray:
    """Synthetic images to search for copies, `centred` to save memory.

    Args:
        draw: Gives the images of seeds.
        images: Those of the first seeds in SUVR, `[m, size, size]` or
            volumes `[m, size, size, size]`.
        seed: The first seed.
        count: Number of images, those given among them; at least `m`.

    Returns:
        float32 `[count, 32, 32]`, of volumes `[count, 16, 16, 16]`, in the
        order of their seeds.

    Raises:
        ValueError: If a value is not finite.
    """
    parts = [centred_images(images)]
    end = seed + max(count, len(images))
    chunk = _CHUNK if images.ndim == 3 else _CHUNK_VOLUMES
    for first in range(seed + len(images), end, chunk):
        seeds = np.arange(first, min(first + chunk, end))
        parts.append(centred_images(draw(seeds)))
    return np.concatenate(parts)
