"""Encoders of volumes: the features of three orthogonal cuts, joined.

One network for slices looks at all cuts. It shares its weights among the
planes, learns from cuts at several places of each, and knows nothing in depth
but what an axial, a coronal and a sagittal cut show of it together: a stack of
axial slices that do not fit each other has stripes in the other two.
"""

from typing import ClassVar

import keras
import numpy as np

from pet_dcgan.features.encoder import (
    EMBEDDING,
    Encoder,
    build_embedding,
    build_random,
    fit_whitening,
    in_chunks,
    raw_outputs,
)
from pet_dcgan.features.train_encoder import (
    STEPS,
    VERSION,
    fit_embedding,
    spread,
)
from pet_dcgan.metrics.arrays import require_finite
from pet_dcgan.metrics.cuts import AXES, central_offsets, cut, orthogonal_cuts
from pet_dcgan.references import RECIPE
from pet_dcgan.utils.keras_settings import keras_defaults

# steps of a 32nd of the side, from the places of `orthogonal_cuts`, at which
# training volumes are cut: they fill most of the bands of slices
_STEPS = (-3, -2, -1, 0, 1, 2, 3)
_CHUNK = 16  # volumes


class VolumeEncoder(Encoder):
    """Volumes in SUVR to features; made by `train_volume_encoder`.

    Args:
        network: Cuts `[n, size, size, 1]`, divided by `facts["scale"]`, to
            outputs `[n, r]`.
        whitening: The outputs for three cuts, `[n, 3 * r]`, to features.
        facts: As of `Encoder`, of volumes.
    """

    outputs_of_image: ClassVar[int] = len(AXES)

    def features(self, images_suvr: np.ndarray) -> np.ndarray:
        """Features of volumes, of each independent of the others.

        Args:
            images_suvr: Volumes `[n, size, size, size]` in SUVR.

        Returns:
            float32 `[n, d]`, about 0 on average and of similar spread for the
            volumes it was made with.

        Raises:
            ValueError: If the shape is another or a value is not finite.
        """
        volumes = checked_volumes(images_suvr, size=self.facts["size"])
        raw = _raw_outputs(self.network, volumes, scale=self.facts["scale"])
        return self.whitening(raw)


def train_volume_encoder(
    volumes_suvr: np.ndarray,
    *,
    subjects: np.ndarray,
    seed: int,
    steps: int = STEPS,
) -> VolumeEncoder:
    """Trains a small network on cuts of volumes, as `train_encoder` on slices.

    It predicts the subject of a cut and its place along the axis of its plane.
    Give it training subjects only, so that held-out volumes are as new to it
    as generated ones.

    Args:
        volumes_suvr: `[n, size, size, size]` in SUVR.
        subjects: Subject of each volume `[n]`.
        seed: Fixes weights, order and the small movements of the cuts.
        steps: Optimiser steps; the time they take does not grow with `n`.

    Returns:
        The encoder. The same input and seed give the same one on a CPU.

    Raises:
        ValueError: If the shapes do not fit, a value is not finite, there
            are fewer than two volumes, or all are black.
    """
    volumes = checked_volumes(volumes_suvr, size=None)
    names, codes = np.unique(subjects, return_inverse=True)
    if len(codes) != len(volumes):
        raise ValueError(
            f"expected a subject for each of {len(volumes)} volumes, found "
            f"{len(codes)}"
        )
    cuts, positions = _training_cuts(volumes)
    owners = np.tile(codes, len(cuts) // len(codes))
    with keras_defaults():
        network = build_embedding(volumes.shape[1], seed=seed)
        scaled = cuts / spread(cuts)
        fit_embedding(
            network, scaled, positions, owners, seed=seed, steps=steps
        )
    made_with = {"steps": int(steps), "images": len(volumes)}
    made_with["subjects"] = len(names)
    return _encoder("trained", network, volumes, seed, made_with)


def random_volume_encoder(
    volumes_suvr: np.ndarray, *, seed: int = 0
) -> VolumeEncoder:
    """An encoder of volumes by fixed random convolutions of their cuts.

    The training volumes set the scale and the principal components only.

    Args:
        volumes_suvr: Training volumes `[n, size, size, size]` in SUVR.
        seed: Fixes the convolutions; keep it, so that runs compare.

    Raises:
        ValueError: If the shape is another, a value is not finite, there are
            fewer than two volumes, or all are black.
    """
    volumes = checked_volumes(volumes_suvr, size=None)
    network = build_random(volumes.shape[1], seed=seed)
    return _encoder("random", network, volumes, seed, {"images": len(volumes)})


def checked_volumes(
    volumes_suvr: np.ndarray, *, size: int | None
) -> np.ndarray:
    """Volumes as finite float32 `[n, size, size, size]`.

    Args:
        volumes_suvr: Volumes in SUVR.
        size: What each side must be, `None` for any multiple of 16.

    Raises:
        ValueError: If they are not.
    """
    volumes = np.asarray(volumes_suvr, np.float32)
    sides = {*volumes.shape[1:]}
    wanted = size or volumes.shape[-1] // 16 * 16
    if volumes.ndim != 4 or not len(volumes) or sides != {wanted} or not wanted:
        side = size or "size"
        raise ValueError(
            f"expected volumes [n, {side}, {side}, {side}] in SUVR"
            f"{'' if size else ' with a size of 16, 32, 48, ...'}, found shape "
            f"{volumes.shape}"
        )
    require_finite(volumes)
    return volumes


def _training_cuts(volumes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cuts of three planes at several places, all volumes at one after another.

    Returns:
        Cuts `[m, size, size]`, and standardised positions `[m, 3]`, NaN for
        the other two planes.
    """
    size = volumes.shape[-1]
    places = np.array(_STEPS) * max(1, size // 32)
    middles = central_offsets(size)
    cuts, positions = [], []
    for column, plane in enumerate(AXES):
        for place, position in zip(places, places / places.std(), strict=True):
            row = np.full(len(AXES), np.nan, np.float32)
            row[column] = position
            cuts.append(cut(volumes, plane, middles[plane] + int(place)))
            positions.append(np.tile(row, [len(volumes), 1]))
    return np.concatenate(cuts), np.concatenate(positions)


def _encoder(
    name: str,
    network: keras.Model,
    volumes: np.ndarray,
    seed: int,
    made_with: dict[str, int],
) -> VolumeEncoder:
    """A network with its whitening and facts."""
    scale = spread(orthogonal_cuts(volumes))
    raw = _raw_outputs(network, volumes, scale=scale)
    facts = {
        "name": name,
        "version": VERSION,
        "recipe": RECIPE,
        "seed": int(seed),
        "size": int(volumes.shape[1]),
        "scale": scale,
        "features": len(AXES) * EMBEDDING,
    }
    whitening = fit_whitening(raw, components=facts["features"])
    return VolumeEncoder(network, whitening, facts | made_with)


def _raw_outputs(
    network: keras.Model, volumes: np.ndarray, *, scale: float
) -> np.ndarray:
    """A network's outputs for the cuts of each volume, float32 `[n, 3 * r]`."""

    def outputs(part: np.ndarray) -> np.ndarray:
        cuts = orthogonal_cuts(part)
        rows = cuts.reshape(-1, *cuts.shape[2:])
        return raw_outputs(network, rows, scale=scale).reshape(len(part), -1)

    return in_chunks(outputs, volumes, _CHUNK)
