"""Real images of any origin: found in a batch, and held to the model's scale.

A batch is an array or tensor of images, a tuple that begins with one, or a
dictionary with an `"image"`, as `tfds.load` yields them. The pixels that a
prepared set stores, uint16, are on a known scale and taken as they are;
everything else has to be in [-1, 1], where -1 is no uptake.
"""

import itertools
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from pet_dcgan.data.batches import network_images
from pet_dcgan.data.slices import Slices
from pet_dcgan.data.suvr import PNG_MAX
from pet_dcgan.image_facts import is_volume

IMAGE = "image"
# beyond [-1, 1] by rounding, as after a resampling in 16 bits
_SLACK = 0.01
_CALL = "pet_dcgan.scale_to_model(images, suvr_max=2.5)"
# no SUVR is above it: floats that are were pixels
_HIGHEST_SUVR = 30.0
_MOST_LOOKED_AT = 256
_MOST_VOLUMES = 64  # a megabyte each
_NO_IMAGE = (
    "expected images, found none: look whether a filter or a split left any"
)


def scale_to_model(images: Any, *, suvr_max: float | None = None) -> Any:
    """Images on the scale of the networks, where -1 is SUVR 0.

    Floats are SUVR, and what lies above `suvr_max` becomes 1. Whole numbers
    are pixels as a file stores them, whose largest value, such as 255 or
    65535, becomes 1.

    Args:
        images: `[n, size, size, channels]` or `[n, size, size]`, or volumes
            `[n, size, size, size]`; an array, or a tensor, as in
            `dataset.map`.
        suvr_max: SUVR that 1 stands for; needed for floats alone.

    Returns:
        float32 `[n, size, size, channels]` in [-1, 1]; a tensor for a tensor,
        and an array for anything else.

    Raises:
        ValueError: If `suvr_max` is missing or not above 0, or an array holds
            a negative or a non-finite value.

    Example:
    >>> scale_to_model(np.array([[[0.0, 1.25, 2.5]]]), suvr_max=2.5)[0, 0, :, 0]
    array([-1.,  0.,  1.], dtype=float32)
    """
    is_tensor = tf.is_tensor(images)
    images = images if is_tensor else np.asarray(images)
    kind = tf.as_dtype(images.dtype)
    if kind.is_integer:
        full = float(kind.max)
    elif suvr_max is None or not (np.isfinite(suvr_max) and suvr_max > 0):
        raise ValueError(
            f"expected suvr_max, the SUVR that 1 stands for, found {suvr_max}: "
            f"call {_CALL}"
        )
    else:
        full = float(suvr_max)
    if not is_tensor and images.size and not images.min() >= 0:
        raise ValueError(
            f"expected SUVR of 0 or more, found {images.min():.3g}: images in "
            "[-1, 1] are scaled already"
        )
    values = tf.cast(images, tf.float32)
    scaled = tf.clip_by_value(values * (2.0 / full) - 1.0, -1.0, 1.0)
    scaled = scaled[..., tf.newaxis] if len(scaled.shape) == 3 else scaled
    return scaled if is_tensor else scaled.numpy()


def images_of(batch: Any) -> Any:
    """The images in a batch.

    Args:
        batch: Images, a tuple that begins with them, or a dictionary with an
            `"image"`.

    Raises:
        ValueError: If it is a dictionary without one, or a tuple of three,
            whose last part Keras takes for weights.
    """
    if isinstance(batch, tuple | list):
        if len(batch) > 2 and batch[2] is not None:
            raise ValueError(
                "expected images or (images, labels), found a third part, "
                "which Keras takes for weights: leave it out, images count "
                "equally"
            )
        batch = batch[0]
    if not isinstance(batch, dict):
        return batch
    if IMAGE not in batch:
        raise ValueError(
            f"expected a dictionary with {IMAGE!r}, found one of "
            f"{', '.join(map(repr, batch))}: name the images {IMAGE!r}"
        )
    return batch[IMAGE]


def model_images(batch: Any, shape: tuple[int | None, ...]) -> tf.Tensor:
    """The images in a batch, as a network takes them.

    Stored pixels become [-1, 1], and one channel is repeated for a network of
    three.

    Args:
        batch: As of `images_of`.
        shape: What the network takes, `(None, size, size, channels)`.

    Returns:
        float32 `[n, size, size, channels]` in [-1, 1].

    Raises:
        ValueError: If they have another shape, or are of whole numbers other
            than uint16.
    """
    images = tf.convert_to_tensor(images_of(batch))
    if images.shape.rank is None:
        raise ValueError(
            "expected images of a known shape, found none: give "
            "tf.data.Dataset.from_generator an output_signature, or call "
            "tf.ensure_shape in dataset.map"
        )
    if images.dtype == tf.uint16:
        images = network_images(images)
        # those that a prepared set stores lack the channel or have it
        images = images[..., 0] if images.shape.rank == 5 else images
    elif not images.dtype.is_floating:
        raise ValueError(_wrong_scale(f"{images.dtype.name} pixels"))
    images = tf.cast(images, tf.float32)
    if images.shape.rank == 4 and images.shape[-1] == 1 and shape[-1] == 3:
        images = tf.repeat(images, shape[-1], axis=-1)
    if not images.shape[1:].is_compatible_with(shape[1:]):
        wanted, found = (
            ", ".join(str(length) for length in ("n", *list(lengths)[1:]))
            for lengths in (shape, images.shape)
        )
        raise ValueError(
            f"expected images [{wanted}], found [{found}]: {_remedy(shape)}"
        )
    return images


def _remedy(shape: tuple[int | None, ...]) -> str:
    """What to do where images have another shape than this."""
    if is_volume(shape):
        return "give volumes, or build networks of slices"
    return (
        "resize them, batch them, or build networks of their size and channels"
    )


def require_model_scale(batch: Any) -> None:
    """Refuses images whose values are not those of the networks.

    Args:
        batch: As of `images_of`, of values that can be looked at.

    Raises:
        ValueError: If they are of whole numbers other than uint16, not
            finite, beyond [-1, 1], or all of 0 or more, as SUVR is.
    """
    images = np.asarray(images_of(batch))
    if images.dtype == np.uint16 or not images.size:
        return
    if images.dtype.kind != "f":
        raise ValueError(_wrong_scale(f"{images.dtype} pixels"))
    low, high = float(images.min()), float(images.max())
    if not np.isfinite(low + high):
        raise ValueError(
            "expected finite images, found NaN or infinity: repair or leave "
            "out the images that hold them"
        )
    if low < -1 - _SLACK or high > 1 + _SLACK or (low >= 0 and high > 0):
        raise ValueError(_wrong_scale(f"{low:.5g} to {high:.5g}", high))


def _wrong_scale(found: str, high: float = 0.0) -> str:
    """What is wrong, and the call that scales the images."""
    call = _CALL
    if high > _HIGHEST_SUVR:
        kind = "uint8" if high <= 255 else "uint16"
        call = f"pet_dcgan.scale_to_model(images.astype({kind!r}))"
    return (
        "expected images in [-1, 1], where -1 is no uptake, found "
        f"{found}: scale them with {call}"
    )


def first_images(data: Any, *, most: int = _MOST_LOOKED_AT) -> np.ndarray:
    """Some of the images that a model is about to see, to look at them.

    Nothing is taken from the data: what can be iterated but once is not
    looked at, and gives no image.

    Args:
        data: What `fit` takes: arrays, a `tf.data.Dataset` of batches, a
            `keras.utils.PyDataset`, a dictionary of arrays, or `Slices`.
        most: Images at most, but for those of one batch; of volumes 64.

    Returns:
        `[n, size, size, channels]`, as they are stored.

    Raises:
        ValueError: If there is none.
    """
    if isinstance(data, Slices):
        return _spread(data.images, most)
    if isinstance(data, keras.utils.PyDataset):
        endless = data.num_batches is None
        count = itertools.count() if endless else range(data.num_batches)
        batches = (data[index] for index in count)
    elif isinstance(data, tuple | list | dict) or hasattr(data, "shape"):
        return _spread(images_of(data), most)
    elif _hides_its_images(data):
        return np.empty([0])
    else:  # tf.data, or a loader of PyTorch
        batches = iter(data)
    found, count = [], 0
    for batch in batches:
        found.append(np.asarray(images_of(batch)))
        count += len(found[-1])
        if count >= _at_most(found[-1].shape, most):
            break
    if not count:
        raise ValueError(_NO_IMAGE)
    return np.concatenate(found)


def _hides_its_images(data: Any) -> bool:
    """Whether batches are in parts on replicas, or are iterated but once."""
    shared = isinstance(data, tf.distribute.DistributedDataset)
    return shared or not hasattr(data, "__iter__") or iter(data) is data


def _spread(images: Any, most: int) -> np.ndarray:
    """Rows spread evenly over a set."""
    count = len(images)
    if not count:
        raise ValueError(_NO_IMAGE)
    count_of = min(count, _at_most(images.shape, most))
    rows = np.linspace(0, count - 1, count_of).round().astype(int)
    if tf.is_tensor(images):
        return tf.gather(images, rows).numpy()
    return np.asarray(images[rows])


def _at_most(shape: tuple[int, ...], most: int) -> int:
    """How many images of a shape are looked at."""
    return min(most, _MOST_VOLUMES) if is_volume(shape) else most


def in_unit_scale(images: np.ndarray) -> np.ndarray:
    """Images as shares of the largest uptake, without their channels.

    Args:
        images: `[n, size, size, channels]` or `[n, size, size]`, or volumes
            `[n, size, size, size]`; uint16 as stored, or floats in [-1, 1].

    Returns:
        float32 `[n, size, size]` in [0, 1], or volumes of the same shape.
    """
    images = np.asarray(images)
    if images.dtype == np.uint16:
        values = images.astype(np.float32) / PNG_MAX
    else:
        values = (images.astype(np.float32) + 1.0) / 2.0
    has_channels = values.ndim == 4 and not is_volume(values.shape)
    return values.mean(axis=-1) if has_channels else values
