"""A second opinion: features that no training has shaped."""

import numpy as np

from pet_dcgan.features.encoder import Encoder, checked_images, raw_numbers
from pet_dcgan.features.networks import EMBEDDING, build_random
from pet_dcgan.features.whitening import fit_whitening

NAME = "random"
VERSION = 1


def random_encoder(images_suvr: np.ndarray, *, seed: int = 0) -> Encoder:
    """An encoder of fixed random convolutions.

    The training images set the scale and the principal components only.

    Args:
        images_suvr: Training slices `[n, size, size]` in SUVR.
        seed: Fixes the convolutions; keep it, so that runs compare.

    Raises:
        ValueError: If the shape is another, a value is not finite, there are
            fewer than two slices, or all are black.
    """
    images = checked_images(images_suvr, size=None)
    scale = float(images.std())
    if len(images) < 2 or not scale > 0:
        raise ValueError(
            "expected two or more images that are not all of one value, found "
            f"{len(images)}"
        )
    network = build_random(images.shape[1], seed=seed)
    raw = raw_numbers(network, images, scale=scale)
    facts = {
        "name": NAME,
        "version": VERSION,
        "seed": int(seed),
        "size": int(images.shape[1]),
        "scale": scale,
        "features": EMBEDDING,
        "images": len(images),
    }
    return Encoder(network, fit_whitening(raw, components=EMBEDDING), facts)
