"""An encoder of its own for each set of training subjects."""

from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from pet_dcgan.features.encoder import (
    Encoder,
    checked_images,
    fit_whitening,
    raw_numbers,
)
from pet_dcgan.features.networks import EMBEDDING, build_embedding, build_heads

NAME = "trained"
# raise it when anything changes what the same images and seed give
VERSION = 1
STEPS = 800
_BATCH = 32
_LEARNING_RATE = 1e-3
_SUBJECT_WEIGHT = 0.3
_SHIFT, _DEGREES, _SCALE = 1 / 32, 5.0, 0.05


def train_encoder(
    images_suvr: np.ndarray,
    *,
    positions_mm: np.ndarray,
    subjects: np.ndarray,
    seed: int,
    steps: int = STEPS,
) -> Encoder:
    """Trains a small network to tell where a slice lies and whose it is.

    Give it training subjects only: what it learnt of an image must not speak
    for or against a generator. The task was chosen by measurement
    (benchmarks/features.py): features have to notice blur, noise, a
    checkerboard, a mixture of stages and missing subjects or levels.

    Args:
        images_suvr: Slices `[n, size, size]` in SUVR.
        positions_mm: Distance of each slice from the brain's centre `[n]`.
        subjects: Subject of each slice `[n]`.
        seed: Fixes weights, order and the small movements of the images.
        steps: Optimiser steps; the time it takes does not grow with `n`.

    Returns:
        The encoder. The same input and seed give the same one on a CPU.

    Raises:
        ValueError: If the shapes do not fit, a value is not finite, there
            are fewer than two slices, or all are black.
    """
    images = checked_images(images_suvr, size=None)
    positions = np.asarray(positions_mm, np.float32)
    names, codes = np.unique(subjects, return_inverse=True)
    _check(images, positions, codes)
    scale = float(images.std())
    tasks = _Tasks(images / scale, _standardised(positions), codes)
    network = build_embedding(images.shape[1], seed=seed)
    _fit(network, tasks, seed=seed, steps=steps)
    raw = raw_numbers(network, tasks.images)
    facts = {
        "name": NAME,
        "version": VERSION,
        "seed": int(seed),
        "size": int(images.shape[1]),
        "scale": scale,
        "features": EMBEDDING,
        "steps": int(steps),
        "images": len(images),
        "subjects": len(names),
    }
    return Encoder(network, fit_whitening(raw, components=EMBEDDING), facts)


class _Tasks(NamedTuple):
    """What the network sees, and what it has to tell."""

    images: np.ndarray
    positions: np.ndarray
    codes: np.ndarray


def _fit(network: keras.Model, tasks: _Tasks, *, seed: int, steps: int) -> None:
    heads = build_heads(int(tasks.codes.max()) + 1, seed=seed)
    rates = keras.optimizers.schedules.CosineDecay(_LEARNING_RATE, steps)
    optimizer = keras.optimizers.Adam(rates)
    variables = network.trainable_variables + heads.trainable_variables
    optimizer.build(variables)
    rng = np.random.default_rng(seed)

    @tf.function(autograph=False)
    def step(images, transforms, positions, codes):
        images = _moved(images, transforms)
        with tf.GradientTape() as tape:
            position, logits = heads(network(images, training=True))
            cross_entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(
                labels=codes, logits=logits
            )
            loss = tf.reduce_mean((position[:, 0] - positions) ** 2)
            loss += _SUBJECT_WEIGHT * tf.reduce_mean(cross_entropy)
        optimizer.apply(tape.gradient(loss, variables), variables)

    for rows in _batches(len(tasks.images), steps, rng):
        transforms = _movements(len(rows), tasks.images.shape[1], rng)
        batch = (tasks.images[rows, ..., None], transforms)
        step(*map(tf.constant, (*batch, tasks[1][rows], tasks[2][rows])))


def _batches(count: int, steps: int, rng: np.random.Generator):
    """`steps` batches, one permutation of the rows after another."""
    size = min(_BATCH, count)
    order = np.empty(0, np.int64)
    for _ in range(steps):
        if len(order) < size:
            order = rng.permutation(count)
        yield order[:size]
        order = order[size:]


def _movements(count: int, size: int, rng: np.random.Generator) -> np.ndarray:
    """Small shifts, turns and changes of size about the centre `[n, 8]`."""
    angle = np.deg2rad(rng.uniform(-_DEGREES, _DEGREES, count))
    zoom = 1 + rng.uniform(-_SCALE, _SCALE, count)
    right, down = rng.uniform(-_SHIFT * size, _SHIFT * size, [2, count])
    cosine, sine = zoom * np.cos(angle), zoom * np.sin(angle)
    centre = (size - 1) / 2
    rows = [
        cosine,
        -sine,
        centre * (1 - cosine + sine) + right,
        sine,
        cosine,
        centre * (1 - sine - cosine) + down,
        np.zeros(count),
        np.zeros(count),
    ]
    return np.stack(rows, axis=1).astype(np.float32)


def _moved(images: tf.Tensor, transforms: tf.Tensor) -> tf.Tensor:
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=transforms,
        output_shape=tf.shape(images)[1:3],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    )


def _standardised(positions: np.ndarray) -> np.ndarray:
    spread = float(positions.std())
    return (positions - positions.mean()) / (spread if spread > 0 else 1.0)


def _check(images, positions, codes) -> None:
    if not len(images) == len(positions) == len(codes):
        raise ValueError(
            f"expected a position and a subject for each of {len(images)} "
            f"images, found {len(positions)} and {len(codes)}"
        )
    if len(images) < 2 or not images.std() > 0:
        raise ValueError(
            "expected two or more images that are not all of one value, found "
            f"{len(images)}: an encoder learns from differences"
        )
    if not np.isfinite(positions).all():
        raise ValueError("expected finite positions, found NaN or infinity")
