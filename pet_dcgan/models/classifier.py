"""A small 2-D CNN that tells stages apart, slice by slice.

By such a classifier Islam & Zhang (2020), doi 10.1186/s40708-020-00104-2,
measure the use of synthetic images. Their text does not say how it is built;
this one is small enough for a few subjects, and has no batch normalisation,
whose statistics of synthetic images would not be those of the real ones it is
tested on.
"""

import dataclasses

import keras
import numpy as np
import tensorflow as tf
from scipy.special import softmax

from pet_dcgan.data.batches import network_images
from pet_dcgan.models import augmentation
from pet_dcgan.models.embedding import layer_seed
from pet_dcgan.utils.keras_settings import keras_defaults

STEPS = 400
_BATCH = 32
_LEARNING_RATE = 1e-3  # at the start; it falls to 0 along a cosine
_DROPOUT = 0.3
_AVERAGED_TO = 64  # pixels, from larger images
_WIDTHS = (16, 32, 64)
_SLOPE = 0.1
_CELLS = 4
_CHUNK = 256
# no change of brightness, which carries the disease, and no mirror image
_MOVES = ("translate", "rotate", "scale")
_GENTLE = 0.5  # of the strength with which a discriminator's images move
# a classifier stays float32 whatever the policy of the training before it
_FLOAT = "float32"


@dataclasses.dataclass(frozen=True)
class Labelled:
    """Images of one plane to learn from.

    Args:
        images: uint16 `[n, size, size]`, as a prepared set stores them.
        labels: Integers `[n]`, 0 for the first class.
        groups: Integers `[n]`; every batch takes equally many of each. By
            default one group a class.
    """

    images: np.ndarray
    labels: np.ndarray
    groups: np.ndarray | None = None

    def __post_init__(self) -> None:
        images, count = np.asarray(self.images), len(self.labels)
        groups = self.labels if self.groups is None else self.groups
        object.__setattr__(self, "groups", np.asarray(groups))
        square = images.ndim == 3 and images.shape[1] == images.shape[2]
        if images.dtype != np.uint16 or not square:
            raise ValueError(
                "expected stored images uint16 [n, size, size], found "
                f"{images.dtype} {images.shape}"
            )
        if not count or not count == len(images) == len(self.groups):
            raise ValueError(
                "expected a label and a group for each of one or more images, "
                f"found {len(images)} images, {count} labels and "
                f"{len(self.groups)} groups"
            )


@keras_defaults()
def build_classifier(*, size: int, classes: int, seed: int = 0) -> keras.Model:
    """Images in [-1, 1] to a logit per class.

    Averages over squares down to 64 pixels, three 3x3 convolutions of stride
    2 (16, 32 and 64 channels) with leaky ReLU, means over a 4x4 grid, so that
    it matters where uptake is lost, dropout, and one dense layer.

    Args:
        size: Height and width of an image, a multiple of 32.
        classes: How many, two or more.
        seed: Fixes the initial weights and the dropout.

    Returns:
        `image` `[n, size, size, 1]` to `logits` `[n, classes]`.

    Raises:
        ValueError: If the size is no multiple of 32 or there is one class.
    """
    if size < 32 or size % 32 or classes < 2:
        raise ValueError(
            "expected a size of 32, 64, 96, ... and two classes or more, "
            f"found {size} and {classes}"
        )
    image = x = keras.Input([size, size, 1], dtype=_FLOAT, name="image")
    if size > _AVERAGED_TO:
        x = keras.layers.AveragePooling2D(size // _AVERAGED_TO, dtype=_FLOAT)(x)
    for index, width in enumerate(_WIDTHS):
        x = keras.layers.Conv2D(
            width,
            3,
            strides=2,
            padding="same",
            kernel_initializer=keras.initializers.HeNormal(
                seed=layer_seed(seed, index)
            ),
            dtype=_FLOAT,
        )(x)
        x = keras.layers.LeakyReLU(negative_slope=_SLOPE, dtype=_FLOAT)(x)
    x = keras.layers.AveragePooling2D(x.shape[1] // _CELLS, dtype=_FLOAT)(x)
    x = keras.layers.Flatten(dtype=_FLOAT)(x)
    dropout_seed = layer_seed(seed, 10)
    x = keras.layers.Dropout(_DROPOUT, seed=dropout_seed, dtype=_FLOAT)(x)
    logits = keras.layers.Dense(
        classes,
        kernel_initializer=keras.initializers.GlorotUniform(
            seed=layer_seed(seed, 11)
        ),
        dtype=_FLOAT,
        name="logits",
    )(x)
    return keras.Model(image, logits, name="classifier")


@keras_defaults()
def train_classifier(
    labelled: Labelled,
    *,
    classes: int,
    seed: int,
    steps: int = STEPS,
    augment: bool = False,
) -> keras.Model:
    """Trains a classifier for a fixed number of steps.

    There is no early stopping: nothing is chosen by held-out subjects.

    Args:
        labelled: What to learn from.
        classes: How many classes there are, two or more.
        seed: Fixes weights, order, augmentation and dropout.
        steps: Optimiser steps, so that more images cost no more time.
        augment: Whether images are shifted by up to a sixteenth of the side,
            turned by up to 5 degrees and zoomed by up to 5 %, each for one
            image in two.

    Returns:
        The classifier. The same input and seed give the same one on a CPU.

    Raises:
        ValueError: If there is no step, a label is no class, or a class has
            no image.
    """
    found = set(np.unique(labelled.labels).tolist())
    if found != set(range(classes)):
        raise ValueError(
            f"expected images of each class 0 to {classes - 1} and no other, "
            f"found {sorted(found)}: prepare more scans"
        )
    if steps < 1:
        raise ValueError(f"expected steps above 0, found {steps}")
    size = labelled.images.shape[1]
    model = build_classifier(size=size, classes=classes, seed=seed)
    rates = keras.optimizers.schedules.CosineDecay(_LEARNING_RATE, steps)
    optimizer = keras.optimizers.Adam(rates)
    variables = model.trainable_variables
    optimizer.build(variables)

    @tf.function(autograph=False)
    def step(stored: tf.Tensor, labels: tf.Tensor, draws: tf.Tensor) -> None:
        images = network_images(stored)
        if augment:
            images = augmentation.augment(
                images, draws, names=_MOVES, probability=0.5
            )
        with tf.GradientTape() as tape:
            logits = model(images, training=True)
            cross_entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(
                labels=labels, logits=logits
            )
            loss = tf.reduce_mean(cross_entropy)
        optimizer.apply(tape.gradient(loss, variables), variables)

    rng = np.random.default_rng([seed, 0])
    labels = np.asarray(labelled.labels, np.int32)
    for rows in _batches(labelled.groups, steps, rng):
        step(
            tf.constant(np.asarray(labelled.images[rows])),
            tf.constant(labels[rows]),
            tf.constant(_gentle_draws(len(rows), rng)),
        )
    return model


def slice_probabilities(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """The probability of each class, for each slice on its own.

    Args:
        model: From `train_classifier`.
        images: uint16 `[n, size, size]`, as stored.

    Returns:
        float64 `[n, classes]`; rows sum to 1.
    """
    starts = range(0, len(images), _CHUNK)
    stored = (np.asarray(images[start : start + _CHUNK]) for start in starts)
    logits = [model(network_images(s), training=False) for s in stored]
    return softmax(np.concatenate(logits).astype(np.float64), axis=1)


def _batches(groups: np.ndarray, steps: int, rng: np.random.Generator):
    """Rows of each step: equally many of every group, in random order."""
    members = [np.flatnonzero(groups == g) for g in np.unique(groups)]
    share = max(1, _BATCH // len(members))
    left = [np.empty(0, np.int64) for _ in members]
    for _ in range(steps):
        rows = []
        for index, own in enumerate(members):
            while len(left[index]) < share:
                left[index] = np.concatenate(
                    [left[index], rng.permutation(own)]
                )
            rows.append(left[index][:share])
            left[index] = left[index][share:]
        yield np.concatenate(rows)


def _gentle_draws(count: int, rng: np.random.Generator) -> np.ndarray:
    """Draws for `augment` whose amounts lie nearer to no change."""
    draws = rng.random([count, augmentation.DRAWS], np.float32)
    draws[:, 4:8] = 0.5 + _GENTLE * (draws[:, 4:8] - 0.5)
    return draws
