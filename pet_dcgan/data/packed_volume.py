"""A volume of a record: voxels behind zlib, which anybody may have written."""

import math
import zlib

import numpy as np


def unpack_volume(packed: bytes, shape: tuple[int, ...]) -> np.ndarray:
    """Unpacks a volume, and no more than it should have.

    Args:
        packed: Little-endian uint16 behind zlib, z the fastest.
        shape: Voxels along x, y and z.

    Returns:
        uint16 `[*shape]`.

    Raises:
        ValueError: If it is damaged or of another size; without a remedy.
    """
    size = 2 * math.prod(shape)
    unpacker = zlib.decompressobj()
    try:
        # a byte more than is wanted: a few may unpack to any number
        raw = unpacker.decompress(packed, size + 1)
    except zlib.error:
        raise ValueError("a volume that zlib cannot unpack") from None
    if len(raw) < size and not unpacker.eof:
        raise ValueError("a volume that is cut off")
    if len(raw) != size:
        voxels = " x ".join(map(str, shape))
        raise ValueError(f"a volume that is not of {voxels} voxels")
    if not unpacker.eof or unpacker.unused_data:
        raise ValueError("a volume whose end is missing, or that goes on")
    return np.frombuffer(raw, "<u2").astype(np.uint16).reshape(shape)
