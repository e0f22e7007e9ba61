"""The TFRecords of a prepared set, read in bulk.

`tfds.load` gives the same examples one by one; parsing hundreds at once, and
decoding only the wanted pixels, takes a fraction of the time. Decoded slices
are kept in memory or, where they do not fit, in a nameless file.
"""

import contextlib
import math
import re
import struct
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from pet_dcgan.config import PLANES, STAGES, VOLUME
from pet_dcgan.data.packed_volume import unpack_volume
from pet_dcgan.data.record_files import RecordFile, require_whole
from pet_dcgan.utils.foreign_text import one_line
from pet_dcgan.utils.memory import (
    available_memory,
    human_bytes,
    images_fit,
    stored_bytes,
)
from pet_dcgan.utils.progress import status

_UNKNOWN_AGE, _OLDEST = -1.0, 130.0
_SEXES = ("F", "M", "")
_IMAGE = {"image": tf.io.FixedLenFeature([], tf.string)}
_FACTS = {
    "label": tf.io.FixedLenFeature([], tf.int64),
    "plane": tf.io.FixedLenFeature([], tf.int64),
    "position_mm": tf.io.FixedLenFeature([], tf.float32),
    "subject": tf.io.FixedLenFeature([], tf.string),
    "scan": tf.io.FixedLenFeature([], tf.string),
    "age": tf.io.FixedLenFeature([], tf.float32, _UNKNOWN_AGE),
    "sex": tf.io.FixedLenFeature([], tf.string, ""),
}
# of a slice, but not of a volume
_PLACE = ("plane", "position_mm")
_TEXTS = 2**16  # bytes that a record has beside its image, at most
_RECORDS_AT_ONCE, _IMAGES_AT_ONCE, _VOLUMES_AT_ONCE = 256, 64, 8


def read_facts(
    files: Sequence[RecordFile], *, shape: tuple[int, ...]
) -> dict[str, np.ndarray]:
    """Everything but the pixels of each slice, in the order of the records.

    Args:
        files: Of a prepared set; none have no slices.
        shape: Of an image: height and width in pixels, or the sides of a
            volume in voxels, whose plane is `"volume"` and position 0.

    Returns:
        `stage`, `plane`, `subject`, `scan` and `sex` (text, the last `""`
        where it is unknown), `position_mm` and `age` (float32, the last NaN
        where it is unknown), each `[n]`.

    Raises:
        OSError: If a file cannot be read.
        ValueError: If one is damaged; without a remedy.
    """
    for file in files:
        require_whole(file, most=4 * math.prod(shape) + _TEXTS)
    volumes = len(shape) == 3
    wanted = {
        name: feature
        for name, feature in _FACTS.items()
        if not volumes or name not in _PLACE
    }
    at_once = _VOLUMES_AT_ONCE if volumes else _RECORDS_AT_ONCE
    batches = _records(files).batch(at_once)
    parsed = batches.map(lambda records: tf.io.parse_example(records, wanted))
    with _readable():
        found = list(parsed.as_numpy_iterator())
    values = {
        name: [value for batch in found for value in batch[name]]
        for name in wanted
    }
    count = len(values["label"])
    positions = np.array(values.get("position_mm", [0] * count), np.float32)
    if not np.isfinite(positions).all():
        raise ValueError("a position_mm that is not finite")
    return {
        "stage": _class_names("label", values["label"], STAGES),
        "plane": np.full(count, VOLUME)
        if volumes
        else _class_names("plane", values["plane"], PLANES),
        "position_mm": positions,
        "subject": _texts("subject", values["subject"]),
        "scan": _texts("scan", values["scan"]),
        "age": _ages(values["age"]),
        "sex": _sexes(values["sex"]),
    }


def read_pixels(
    files: Sequence[RecordFile], wanted: np.ndarray, *, shape: tuple[int, ...]
) -> Iterator[np.ndarray]:
    """Images in the order of `read_facts`, which has checked the files.

    Args:
        files: Of a prepared set.
        wanted: bool `[n]`, whether a slice is to be decoded.
        shape: As of `read_facts`.

    Yields:
        uint16 `[k, *shape]`, dozens of the wanted images at a time.

    Raises:
        ValueError: If a file is damaged or an image has another size; without
            a remedy.
    """
    if len(shape) == 3:
        yield from _volumes(files, wanted, shape)
        return
    size = shape[0]
    # before anything is unpacked: an image may say that it has any size
    beginning = tf.constant(_png_beginning(size))

    def decode(record: tf.Tensor, _: tf.Tensor) -> tf.Tensor:
        png = tf.io.parse_single_example(record, _IMAGE)["image"]
        found = tf.strings.substr(png, 0, len(_png_beginning(size)))
        wrong = f"a PNG that is not of {size}x{size} pixels of 16-bit grey"
        with tf.control_dependencies(
            [tf.debugging.Assert(found == beginning, [wrong])]
        ):
            pixels = tf.io.decode_png(png, channels=1, dtype=tf.uint16)
        return tf.ensure_shape(pixels, [size, size, 1])[..., 0]

    chosen = tf.data.Dataset.from_tensor_slices(np.asarray(wanted, bool))
    records = tf.data.Dataset.zip(_records(files), chosen)
    records = records.filter(lambda _, is_wanted: is_wanted)
    images = records.map(decode, tf.data.AUTOTUNE).batch(_IMAGES_AT_ONCE)
    with _readable():
        yield from images.prefetch(2).as_numpy_iterator()


def _volumes(
    files: Sequence[RecordFile], wanted: np.ndarray, shape: tuple[int, ...]
) -> Iterator[np.ndarray]:
    """The wanted volumes, one at a time."""
    chosen = tf.data.Dataset.from_tensor_slices(np.asarray(wanted, bool))
    records = tf.data.Dataset.zip(_records(files), chosen)
    records = records.filter(lambda _, is_wanted: is_wanted)
    packed = records.map(
        lambda record, _: tf.io.parse_single_example(record, _IMAGE)["image"]
    )
    with _readable():
        for content in packed.prefetch(2).as_numpy_iterator():
            yield unpack_volume(content, shape)[np.newaxis]


def keep_slices(
    batches: Iterable[np.ndarray],
    places: np.ndarray,
    shape: tuple[int, ...],
    *,
    overflow: str | Path | None = None,
) -> np.ndarray:
    """Puts decoded slices where they can be read in any order.

    Args:
        batches: uint16 `[k, *shape]` of any `k`, together as many images as
            `places`.
        places: Row of the result that each image goes to.
        shape: Of an image.
        overflow: Folder on a disk with room for slices that do not fit in
            memory; a status line says where they are kept. Without one they
            are kept in memory.

    Returns:
        uint16 `[n, *shape]`: an array, or `np.memmap` of a file.

    Raises:
        OSError: If the disk is full.
        ValueError: If there are more or fewer images than places.
    """
    whole = (len(places), *shape)
    placed = _placed(batches, places)
    if overflow is None or _fit_in_memory(whole, overflow):
        kept = np.empty(whole, np.uint16)
        for rows, images in placed:
            kept[rows] = images
        return kept
    try:
        # without a name, so that not even a killed process leaves it behind
        with tempfile.TemporaryFile(dir=overflow) as file:
            for rows, images in placed:
                # written, not mapped: a full disk is an error, not a signal
                for row, image in zip(rows, images, strict=True):
                    file.seek(int(row) * stored_bytes((1, *shape)))
                    file.write(np.ascontiguousarray(image, np.uint16).data)
            file.flush()
            return np.memmap(file, np.uint16, "r", shape=whole)
    except OSError as error:  # name the folder that is full
        raise OSError(error.errno, error.strerror, str(overflow)) from error


def is_streamed(images: np.ndarray) -> bool:
    """Whether slices lie on disk and are read when they are needed.

    Args:
        images: uint16 `[n, *shape]`, from `keep_slices`.
    """
    return isinstance(images, np.memmap)


def _records(files: Sequence[RecordFile]) -> tf.data.Dataset:
    """The serialised examples of files, as many as they should have."""
    records = tf.data.TFRecordDataset([str(file.path) for file in files])
    count = sum(file.records for file in files)
    return records.apply(tf.data.experimental.assert_cardinality(count))


@contextlib.contextmanager
def _readable() -> Iterator[None]:
    """Reports an error of TensorFlow as one of the file, in its words."""
    try:
        yield
    except UnicodeDecodeError:  # of TensorFlow's own message
        raise ValueError("a record that is no example") from None
    except tf.errors.OpError as error:
        # the graph's node comes first, and the operation last
        reason = re.sub(r"\{\{.*?\}\}|\[Op:.*", "", error.message or "")
        lines = [line.strip(" :") for line in reason.splitlines()]
        raise ValueError(one_line(next(filter(None, lines), "?"))) from None


def _class_names(
    feature: str, labels: list[int], names: Sequence[str]
) -> np.ndarray:
    """The name of each class label, text `[n]`."""
    numbers = np.array(labels, np.int64)
    wrong = numbers[(numbers < 0) | (numbers >= len(names))]
    if len(wrong):
        raise ValueError(f"{feature} {wrong[0]} of {len(names)}")
    return np.array(names, str)[numbers]


def _texts(feature: str, values: list[bytes]) -> np.ndarray:
    """Names, text `[n]`."""
    try:
        texts = [value.decode() for value in values]
    except UnicodeDecodeError:
        raise ValueError(f"a {feature} that is no UTF-8") from None
    for text in texts:
        if not text or min(text) < " ":
            raise ValueError(f"a {feature} that is no name: {one_line(text)}")
    return np.array(texts, str)


def _ages(values: list[float]) -> np.ndarray:
    """Years, float32 `[n]`, NaN where they are unknown."""
    ages = np.array(values, np.float32)
    unknown = ages == _UNKNOWN_AGE
    wrong = ages[~unknown & ~((ages >= 0) & (ages <= _OLDEST))]
    if len(wrong):
        raise ValueError(f"an age of {wrong[0]:g} years")
    return np.where(unknown, np.float32(np.nan), ages)


def _sexes(values: list[bytes]) -> np.ndarray:
    """`"F"`, `"M"` or `""`, text `[n]`."""
    for value in set(values) - {sex.encode() for sex in _SEXES}:
        raise ValueError(f"a sex that is neither F nor M: {one_line(value)}")
    return np.array([value.decode() for value in values], "U1")


def _png_beginning(size: int) -> bytes:
    """How every PNG of a prepared set begins: 16-bit grey, of one size.

    See section 11.2.2 of https://www.w3.org/TR/png-3.
    """
    header = struct.pack(">2L5B", size, size, 16, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">L", 13) + b"IHDR" + header


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


def _fit_in_memory(shape: tuple[int, ...], overflow: str | Path) -> bool:
    """Decides where images are kept, and prints the decision."""
    free = human_bytes(available_memory())
    kind = "slices" if len(shape) == 3 else "volumes"
    about = f"{shape[0]} {kind}, {human_bytes(stored_bytes(shape))} decoded"
    fit = images_fit(shape)
    if fit:
        status(f"{about}: kept in memory, of which {free} are free")
    else:
        status(
            f"{about}: too large for the {free} of free memory, read from a "
            f"file in {overflow} instead"
        )
    return fit
