"""Images of a server: which sides they have, and files of whole ones."""

import struct
import zlib
from pathlib import Path
from typing import Any

VOLUME = "volume"  # in place of a plane where an image is a whole brain
PNG = b"\x89PNG\r\n\x1a\n"
_GREY_16 = (16, 0, 0, 0, 0)  # bits, colour, compression, filter, interlace


def shape(facts: dict[str, Any], *, suvr: bool) -> tuple[int, ...]:
    """Sides of an image, as NPY or as PNG; of volumes a PNG has three cuts."""
    size, volume = facts["size"], facts["plane"] == VOLUME
    if suvr:
        return (size,) * (3 if volume else 2)
    return size, size * (3 if volume else 1)


def write(path: Path, image: Any, sides: tuple[int, ...]) -> None:
    """Writes one image, by the suffix of its file, if it is a whole one."""
    try:
        if path.suffix == ".npy":
            import numpy as np

            suvr = np.asarray(image, np.float32)
            fits = suvr.shape == sides and np.isfinite(suvr).all()
        else:
            fits = _is_png(image, *sides)
    except (TypeError, ValueError, struct.error, zlib.error):
        fits = False
    if not fits:
        raise ValueError(
            f"expected a whole image of {' x '.join(map(str, sides))} for "
            f"{path.name}, found something else: check which model the server "
            "holds"
        )
    if path.suffix == ".npy":
        np.save(path, suvr)
    else:
        path.write_bytes(image)


def _is_png(image: Any, height: int, width: int) -> bool:
    """Whether an image is a whole grey PNG of 16 bits.

    PNG specification, third edition: sections 5 (chunks) and 11.
    """
    if not isinstance(image, bytes) or not image.startswith(PNG):
        return False
    names, packed, place = [], b"", len(PNG)
    while place < len(image):
        length, name = struct.unpack_from(">I4s", image, place)
        content = image[place + 8 : place + 8 + length]
        (checksum,) = struct.unpack_from(">I", image, place + 8 + length)
        if checksum != zlib.crc32(name + content):
            return False
        if not names and content != struct.pack(
            ">IIBBBBB", width, height, *_GREY_16
        ):
            return False
        packed += content if name == b"IDAT" else b""
        names.append(name)
        place += 12 + length
    unpacker = zlib.decompressobj()
    expected = height * (1 + 2 * width)  # a filter, and two bytes a pixel
    pixels = unpacker.decompress(packed, expected + 1)
    return (
        names[:1] + names[-1:] == [b"IHDR", b"IEND"]
        and set(names[1:-1]) <= {b"IDAT", b"tEXt"}
        and len(pixels) == expected
        and unpacker.eof
        and not unpacker.unused_data
    )
