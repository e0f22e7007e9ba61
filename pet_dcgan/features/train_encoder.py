"""An encoder of its own for each set of training subjects.

It is trained on their images; an untrained one is a second opinion.
"""

import keras
import numpy as np
import tensorflow as tf

from pet_dcgan.features.encoder import (
    EMBEDDING,
    Encoder,
    build_embedding,
    build_random,
    checked_images,
    fit_whitening,
    glorot,
    leaky,
    raw_outputs,
)
from pet_dcgan.references import RECIPE
from pet_dcgan.utils.keras_settings import keras_defaults

# raise it when anything changes what the same images and seed give
VERSION = 1
STEPS = 800
_BATCH = 32
_LEARNING_RATE = 1e-3
_SUBJECT_WEIGHT = 0.3
_SHIFT, _DEGREES, _SCALE = 1 / 32, 5.0, 0.05


@keras_defaults()
def train_encoder(
    images_suvr: np.ndarray,
    *,
    positions_mm: np.ndarray,
    subjects: np.ndarray,
    seed: int,
    steps: int = STEPS,
) -> Encoder:
    """Trains a small network to predict a slice's position and subject.

    Give it training subjects only, so that held-out images are as new to it
    as generated ones. The task was chosen by measurement
    (benchmarks/features.py): features have to notice blur, noise, a
    checkerboard, a mixture of stages and missing subjects or levels.

    Args:
        images_suvr: Slices `[n, size, size]` in SUVR.
        positions_mm: Distance of each slice from the brain's centre `[n]`.
        subjects: Subject of each slice `[n]`.
        seed: Fixes weights, order and the small movements of the images.
        steps: Optimiser steps; the time they take does not grow with `n`.

    Returns:
        The encoder. The same input and seed give the same one on a CPU.

    Raises:
        ValueError: If the shapes do not fit, a value is not finite, there
            are fewer than two slices, or all are black.
    """
    images = checked_images(images_suvr, size=None)
    positions = np.asarray(positions_mm, np.float32)
    names, codes = np.unique(subjects, return_inverse=True)
    if not len(images) == len(positions) == len(codes):
        raise ValueError(
            f"expected a position and a subject for each of {len(images)} "
            f"images, found {len(positions)} and {len(codes)}"
        )
    if not np.isfinite(positions).all():
        raise ValueError("expected finite positions, found NaN or infinity")
    scaled = images / spread(images)
    standard = (positions - positions.mean()) / (float(positions.std()) or 1.0)
    network = build_embedding(images.shape[1], seed=seed)
    fit_embedding(
        network, scaled, standard[:, None], codes, seed=seed, steps=steps
    )
    made_with = {"steps": int(steps), "images": len(images)}
    made_with["subjects"] = len(names)
    return _encoder("trained", network, images, seed, made_with)


@keras_defaults()
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
    network = build_random(images.shape[1], seed=seed)
    return _encoder("random", network, images, seed, {"images": len(images)})


def spread(images: np.ndarray) -> float:
    """The spread of training images, by which all images are divided.

    Args:
        images: In SUVR, of any shape.

    Raises:
        ValueError: If there are fewer than two images, or all are of one
            value.
    """
    found = float(images.std())
    if len(images) < 2 or not found > 0:
        raise ValueError(
            "expected two or more images that are not all of one value, found "
            f"{len(images)}: an encoder learns from differences"
        )
    return found


def _encoder(
    name: str,
    network: keras.Model,
    images: np.ndarray,
    seed: int,
    made_with: dict[str, int],
) -> Encoder:
    """A network with its whitening and facts."""
    scale = spread(images)
    facts = {
        "name": name,
        "version": VERSION,
        "recipe": RECIPE,
        "seed": int(seed),
        "size": int(images.shape[1]),
        "scale": scale,
        "features": EMBEDDING,
    }
    raw = raw_outputs(network, images, scale=scale)
    whitening = fit_whitening(raw, components=EMBEDDING)
    return Encoder(network, whitening, facts | made_with)


def fit_embedding(
    network: keras.Model,
    images: np.ndarray,
    positions: np.ndarray,
    codes: np.ndarray,
    *,
    seed: int,
    steps: int,
) -> None:
    """Trains a network to predict positions and subjects of images.

    Args:
        network: From `pet_dcgan.features.encoder.build_embedding`.
        images: `[n, size, size]`, divided by their `spread`.
        positions: Standardised positions float32 `[n, k]`, NaN where one does
            not apply to an image.
        codes: Number of each image's subject, from 0, `[n]`.
        seed: Fixes weights, order and the small movements of the images.
        steps: Optimiser steps.
    """
    heads = _heads(int(codes.max()) + 1, positions.shape[1], seed=seed)
    apply = np.isfinite(positions).astype(np.float32)
    positions = np.nan_to_num(positions)
    rates = keras.optimizers.schedules.CosineDecay(_LEARNING_RATE, steps)
    optimizer = keras.optimizers.Adam(rates)
    variables = network.trainable_variables + heads.trainable_variables
    optimizer.build(variables)
    rng = np.random.default_rng(seed)

    @tf.function(autograph=False)
    def step(images, transforms, positions, apply, codes):
        images = _moved(images, transforms)
        with tf.GradientTape() as tape:
            position, logits = heads(network(images, training=True))
            cross_entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(
                labels=codes, logits=logits
            )
            errors = apply * (position - positions) ** 2
            loss = tf.reduce_mean(tf.reduce_sum(errors, axis=1))
            loss += _SUBJECT_WEIGHT * tf.reduce_mean(cross_entropy)
        optimizer.apply(tape.gradient(loss, variables), variables)

    for rows in _batches(len(images), steps, rng):
        transforms = _movements(len(rows), images.shape[1], rng)
        step(
            tf.constant(images[rows, ..., None]),
            tf.constant(transforms),
            tf.constant(positions[rows]),
            tf.constant(apply[rows]),
            tf.constant(codes[rows]),
        )


def _heads(subjects: int, positions: int, *, seed: int) -> keras.Model:
    """An embedding to positions, and to a logit per subject."""
    embedding = keras.Input([EMBEDDING], dtype="float32")
    x = leaky()(embedding)
    heads = [
        keras.layers.Dense(
            count, kernel_initializer=glorot(seed, layer), dtype="float32"
        )(x)
        for layer, count in ((5, positions), (6, subjects))
    ]
    return keras.Model(embedding, heads)


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
