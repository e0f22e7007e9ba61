"""The TFRecords of a prepared set, read in bulk.

`tfds.load` gives the same examples one by one; parsing hundreds at once, and
decoding only the wanted pixels, takes a fraction of the time. Decoded slices
are kept in memory or, where they do not fit, in a nameless file.
"""

import contextlib
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from pet_dcgan.utils.memory import (
    available_memory,
    human_bytes,
    slice_bytes,
    slices_fit,
)
from pet_dcgan.utils.progress import status

_IMAGE = {"image": tf.io.FixedLenFeature([], tf.string)}
_FACTS = {
    "label": tf.io.FixedLenFeature([], tf.int64),
    "plane": tf.io.FixedLenFeature([], tf.int64),
    "position_mm": tf.io.FixedLenFeature([], tf.float32),
    "subject": tf.io.FixedLenFeature([], tf.string),
    "scan": tf.io.FixedLenFeature([], tf.string),
}
_RECORDS_AT_ONCE, _IMAGES_AT_ONCE = 256, 64


def read_facts(
    builder: tfds.core.DatasetBuilder, split: str
) -> dict[str, np.ndarray]:
    """Everything but the pixels of each slice of a split, in record order.

    Args:
        builder: Of a prepared set.
        split: Its name, or `"all"`; a split that the set lacks has no slices.

    Returns:
        `stage`, `plane`, `subject` and `scan` (text) and `position_mm`
        (float32), each `[n]`.

    Raises:
        ValueError: If a file is damaged.
    """
    batches = _records(builder, split).batch(_RECORDS_AT_ONCE)
    parsed = batches.map(lambda records: tf.io.parse_example(records, _FACTS))
    with _readable(builder):
        found = list(parsed.as_numpy_iterator())
        label, plane, position_mm, subject, scan = (
            [value for batch in found for value in batch[name]]
            for name in _FACTS
        )
        return {
            "stage": _class_names(builder, "label", label),
            "plane": _class_names(builder, "plane", plane),
            "position_mm": np.array(position_mm, np.float32),
            "subject": np.array([text.decode() for text in subject], str),
            "scan": np.array([text.decode() for text in scan], str),
        }


def read_pixels(
    builder: tfds.core.DatasetBuilder,
    split: str,
    wanted: np.ndarray,
    *,
    size: int,
) -> Iterator[np.ndarray]:
    """The images of a split, in the order of `read_facts`.

    Args:
        builder: Of a prepared set.
        split: Its name, or `"all"`; the set may lack it.
        wanted: bool `[n]`, whether a slice is to be decoded.
        size: Height and width in pixels.

    Yields:
        uint16 `[k, size, size]`, dozens of the wanted slices at a time.

    Raises:
        ValueError: If a file is damaged or an image has another size.
    """

    def decode(record: tf.Tensor, _: tf.Tensor) -> tf.Tensor:
        png = tf.io.parse_single_example(record, _IMAGE)["image"]
        pixels = tf.io.decode_png(png, channels=1, dtype=tf.uint16)
        return tf.ensure_shape(pixels, [size, size, 1])[..., 0]

    chosen = tf.data.Dataset.from_tensor_slices(np.asarray(wanted, bool))
    records = tf.data.Dataset.zip(_records(builder, split), chosen)
    records = records.filter(lambda _, is_wanted: is_wanted)
    images = records.map(decode, tf.data.AUTOTUNE).batch(_IMAGES_AT_ONCE)
    with _readable(builder):
        yield from images.prefetch(2).as_numpy_iterator()


def keep_slices(
    batches: Iterable[np.ndarray],
    places: np.ndarray,
    size: int,
    *,
    overflow: str | Path | None = None,
) -> np.ndarray:
    """Puts decoded slices where they can be read in any order.

    Args:
        batches: uint16 `[k, size, size]` of any `k`, together as many images
            as `places`.
        places: Row of the result that each image goes to.
        size: Height and width in pixels.
        overflow: Folder on a disk with room for slices that do not fit in
            memory; a status line says where they are kept. Without one they
            are kept in memory.

    Returns:
        uint16 `[n, size, size]`: an array, or `np.memmap` of a file.

    Raises:
        OSError: If the disk is full.
        ValueError: If there are more or fewer images than places.
    """
    shape = (len(places), size, size)
    placed = _placed(batches, places)
    if overflow is None or _fit_in_memory(len(places), size, overflow):
        kept = np.empty(shape, np.uint16)
        for rows, images in placed:
            kept[rows] = images
        return kept
    try:
        # without a name, so that not even a killed process leaves it behind
        with tempfile.TemporaryFile(dir=overflow) as file:
            for rows, images in placed:
                # written, not mapped: a full disk is an error, not a signal
                for row, image in zip(rows, images, strict=True):
                    file.seek(int(row) * slice_bytes(1, size))
                    file.write(np.ascontiguousarray(image, np.uint16).data)
            file.flush()
            return np.memmap(file, np.uint16, "r", shape=shape)
    except OSError as error:  # name the folder that is full
        raise OSError(error.errno, error.strerror, str(overflow)) from error


def is_streamed(images: np.ndarray) -> bool:
    """Whether slices lie on disk and are read when they are needed.

    Args:
        images: Slices `[n, size, size]`, from `keep_slices`.
    """
    return isinstance(images, np.memmap)


def _records(builder: tfds.core.DatasetBuilder, split: str) -> tf.data.Dataset:
    """The serialised examples of a split, as many as the set says."""
    splits = builder.info.splits
    records = tf.data.TFRecordDataset([])
    for name in splits if split == "all" else {split} & set(splits):
        files = [str(file) for file in splits[name].filepaths]
        # a file that was cut off between two records just ends
        count = splits[name].num_examples
        whole = tf.data.experimental.assert_cardinality(count)
        part = tf.data.TFRecordDataset(files).apply(whole)
        records = records.concatenate(part)
    return records


def damaged(folder: str | os.PathLike, error: object) -> ValueError:
    """The error for a set that cannot be read, with the reason in one line.

    Args:
        folder: Folder of the set.
        error: What was raised, or the reason as text.
    """
    # TensorFlow puts the name of the graph's node first
    reason = re.sub(r"\{\{.*?\}\}", "", str(error)).strip()
    reason = reason.partition("\n")[0][:120]
    return ValueError(
        f"expected a whole data set in {folder}, found a damaged one "
        f"({reason}): remove it and run pet-dcgan prepare again"
    )


@contextlib.contextmanager
def _readable(builder: tfds.core.DatasetBuilder) -> Iterator[None]:
    """Reports an error of TensorFlow or an unknown class as a damaged set."""
    try:
        yield
    except (tf.errors.OpError, IndexError) as error:
        raise damaged(builder.data_dir, error) from error


def _class_names(
    builder: tfds.core.DatasetBuilder, feature: str, labels: list[int]
) -> np.ndarray:
    """The name of each class label, text `[n]`."""
    names = np.array(builder.info.features[feature].names, str)
    return names[np.array(labels, np.int64)]


def _placed(
    batches: Iterable[np.ndarray], places: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Each batch after the places of its images."""
    done = 0
    for batch in batches:
        rows = places[done : done + len(batch)]
        done += len(batch)
        if done > len(places):
            break
        yield rows, batch
    if done != len(places):
        raise ValueError(
            f"expected {len(places)} slices, found "
            f"{'more' if done > len(places) else done}"
        )


def _fit_in_memory(count: int, size: int, overflow: str | Path) -> bool:
    """Decides where slices are kept, and prints the decision."""
    free = human_bytes(available_memory())
    about = f"{count} slices, {human_bytes(slice_bytes(count, size))} decoded"
    fit = slices_fit(count, size)
    if fit:
        status(f"{about}: kept in memory, of which {free} are free")
    else:
        status(
            f"{about}: too large for the {free} of free memory, read from a "
            f"file in {overflow} instead"
        )
    return fit
