"""Encoders: networks that turn images into features, with their facts.

Features are whitened to one scale; an untrained encoder is a second opinion.
"""

import dataclasses
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from pet_dcgan.features.networks import (
    EMBEDDING,
    arrays_of,
    build_embedding,
    build_random,
)
from pet_dcgan.metrics.arrays import require_finite
from pet_dcgan.utils.files import replacing

RIDGE = 1.0


@dataclasses.dataclass(frozen=True)
class Whitening:
    """A linear map fitted to what a network makes of training images.

    Args:
        mean: Numbers of the network `[r]`, on average.
        basis: What turns `[n, r]` without its mean to features `[n, d]`.
    """

    mean: np.ndarray
    basis: np.ndarray

    def __call__(self, raw: np.ndarray) -> np.ndarray:
        """Features float32 `[n, d]` of the network's numbers `[n, r]`."""
        return ((raw - self.mean) @ self.basis).astype(np.float32)


def fit_whitening(raw: np.ndarray, *, components: int) -> Whitening:
    """Standardises, rotates to principal components and evens these out.

    A component of variance `v` is divided by `sqrt(v + RIDGE)`, so that few
    large ones do not speak for all in a polynomial kernel, and ones that are
    mere noise in few images are not blown up.

    Args:
        raw: Numbers of a network `[n, r]` for training images.
        components: Features to keep, those of the largest variance.
    """
    raw = np.asarray(raw, np.float64)
    mean, spread = raw.mean(axis=0), raw.std(axis=0)
    # a number that never changes says nothing, however it is scaled
    spread = np.where(spread > 1e-8 * (1 + np.abs(mean)), spread, 1.0)
    standard = (raw - mean) / spread
    values, vectors = np.linalg.eigh(standard.T @ standard / len(raw))
    values, vectors = values[::-1][:components], vectors[:, ::-1]
    scale = 1 / np.sqrt(np.maximum(values, 0) + RIDGE)
    basis = vectors[:, :components] / spread[:, None] * scale
    return Whitening(mean, basis)


FILE = "encoder.npz"
_CHUNK = 64
_BUILDERS: dict[str, Callable[..., keras.Model]] = {
    "trained": build_embedding,
    "random": build_random,
}
# what NumPy raises for a damaged archive, or for one of something else
_DAMAGED = (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile)


@dataclasses.dataclass(frozen=True)
class Encoder:
    """Images in SUVR to features; make it by `train_encoder`.

    Args:
        network: Images `[n, size, size, 1]`, divided by `facts["scale"]`, to
            numbers `[n, r]`.
        whitening: These numbers to features.
        facts: What it is: `name`, `version`, `seed`, `size`, `scale` (SUVR
            that a 1 stands for), and how many images and subjects it was made
            with. Two encoders of equal facts but other images differ.

    Example:
    >>> encoder = Encoder.load("runs/ad/encoder")  # doctest: +SKIP
    >>> encoder.features(images_suvr).shape  # doctest: +SKIP
    (96, 64)
    """

    network: keras.Model
    whitening: Whitening
    facts: dict[str, Any]

    def features(self, images_suvr: np.ndarray) -> np.ndarray:
        """Features of images, one after another the same.

        Args:
            images_suvr: `[n, size, size]` in SUVR.

        Returns:
            float32 `[n, d]`, about 0 on average and of like spread for the
            images it was made with.

        Raises:
            ValueError: If the shape is another or a value is not finite.
        """
        size = self.facts["size"]
        images = checked_images(images_suvr, size=size)
        return self.whitening(
            raw_numbers(self.network, images, scale=self.facts["scale"])
        )

    def save(self, folder: str | Path) -> None:
        """Writes `encoder.npz` to a folder, whole or not at all."""
        with replacing(Path(folder) / FILE) as temporary:
            np.savez(
                temporary,
                facts=json.dumps(self.facts),
                mean=self.whitening.mean,
                basis=self.whitening.basis,
                **arrays_of(self.network),
            )

    @classmethod
    def load(cls, folder: str | Path) -> "Encoder":
        """Reads what `save` wrote; its features are the same bits.

        Raises:
            FileNotFoundError: If there is none.
            ValueError: If the file is damaged or of another version.
        """
        path = Path(folder) / FILE
        if not path.is_file():
            raise FileNotFoundError(
                f"expected an encoder, found no {path}: train with --set "
                "select_every= or evaluate the run"
            )
        try:
            with path.open("rb") as file, np.load(file) as stored:
                facts = json.loads(str(stored["facts"]))
                build = _BUILDERS[facts["name"]]
                network = build(facts["size"], seed=facts["seed"])
                count = len(network.weights)
                network.set_weights(
                    [stored[f"weight_{i}"] for i in range(count)]
                )
                whitening = Whitening(stored["mean"], stored["basis"])
        except _DAMAGED as error:
            raise ValueError(
                f"expected an encoder in {path}, found a damaged file: remove "
                "it, and it is made again"
            ) from error
        return cls(network, whitening, facts)


def raw_numbers(
    network: keras.Model, images: np.ndarray, *, scale: float = 1.0
) -> np.ndarray:
    """What a network makes of `[n, size, size]`, in inference mode.

    Args:
        network: From images `[n, size, size, 1]` to numbers `[n, features]`.
        images: float32 `[n, size, size]`.
        scale: What they are divided by, as the network takes them.

    Returns:
        float32 `[n, features]`.
    """
    images = np.asarray(images, np.float32)[..., None]
    chunks = [
        network(
            tf.constant(images[start : start + _CHUNK] / scale), training=False
        )
        for start in range(0, len(images), _CHUNK)
    ]
    return np.concatenate([np.asarray(chunk) for chunk in chunks])


def checked_images(images_suvr: np.ndarray, *, size: int | None) -> np.ndarray:
    """Images as finite float32 `[n, size, size]`.

    Args:
        images_suvr: Images in SUVR.
        size: What height and width must be, `None` for any multiple of 16.

    Raises:
        ValueError: If they are not.
    """
    images = np.asarray(images_suvr, np.float32)
    square = images.ndim == 3 and images.shape[1] == images.shape[2]
    wanted = size or (images.shape[-1] // 16 * 16 if square else 0)
    if not square or not len(images) or images.shape[1] != wanted or not wanted:
        raise ValueError(
            f"expected images [n, {size or 'size'}, {size or 'size'}] in SUVR"
            f"{'' if size else ' with a size of 16, 32, 48, ...'}, found shape "
            f"{images.shape}"
        )
    require_finite(images)
    return images


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
