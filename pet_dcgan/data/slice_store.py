"""Decoded slices: in memory, or in a file that is gone with its process."""

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from pet_dcgan.utils.memory import (
    available_memory,
    human_bytes,
    slice_bytes,
    slices_fit,
)
from pet_dcgan.utils.progress import status


def kept_slices(
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
            memory; where they are kept is then said. Without one they are
            kept in memory.

    Returns:
        uint16 `[n, size, size]`: an array, or `np.memmap` of a file.

    Raises:
        OSError: If the disk is full.
        ValueError: If there are more or fewer images than places.
    """
    shape = (len(places), size, size)
    placed = _placed(batches, places)
    if overflow is None:
        return _in_memory(placed, shape)
    total, free = slice_bytes(len(places), size), available_memory()
    about = f"{len(places)} slices, {human_bytes(total)} decoded"
    if slices_fit(len(places), size):
        status(
            f"{about}: kept in memory, of which {human_bytes(free)} are free"
        )
        return _in_memory(placed, shape)
    status(
        f"{about}: too much for the {human_bytes(free)} of memory that are "
        f"free, read from a file in {overflow} instead"
    )
    try:
        return _on_disk(placed, shape, overflow)
    except OSError as error:  # tell where there was no room
        raise OSError(error.errno, error.strerror, str(overflow)) from error


def is_streamed(images: np.ndarray) -> bool:
    """Whether slices lie on the disk, and are read as they are needed.

    Args:
        images: Slices `[n, size, size]` as `Slices` holds them.
    """
    return isinstance(images, np.memmap)


def _placed(
    batches: Iterable[np.ndarray], places: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Each batch behind the places of its images."""
    done = 0
    for batch in batches:
        of_batch = places[done : done + len(batch)]
        done += len(batch)
        if done > len(places):
            break
        yield of_batch, batch
    if done != len(places):
        raise ValueError(
            f"expected {len(places)} slices, found "
            f"{'more' if done > len(places) else done}"
        )


def _in_memory(
    placed: Iterable[tuple[np.ndarray, np.ndarray]], shape: tuple
) -> np.ndarray:
    kept = np.empty(shape, np.uint16)
    for places, images in placed:
        kept[places] = images
    return kept


def _on_disk(
    placed: Iterable[tuple[np.ndarray, np.ndarray]],
    shape: tuple,
    folder: str | Path,
) -> np.ndarray:
    one = slice_bytes(1, shape[-1])
    # without a name, so that not even a killed process leaves it behind
    with tempfile.TemporaryFile(dir=folder) as file:
        for places, images in placed:
            # written, not mapped: a full disk is then an error, not a signal
            for place, image in zip(places, images, strict=True):
                file.seek(int(place) * one)
                file.write(np.ascontiguousarray(image, np.uint16).tobytes())
        file.flush()
        return np.memmap(file, np.uint16, "r", shape=shape)
