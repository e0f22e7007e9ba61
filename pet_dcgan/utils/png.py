"""Grey 16-bit PNGs, checked to the last byte before they are kept.

A PNG of others may be cut off, have wrong pixels, unpack to gigabytes or carry
text of any kind. PNG specification, third edition, sections 5 (chunks), 9
(filters) and 11 (the chunks' contents).
"""

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = struct.Struct(">IIBBBBB")
_GREY_16 = (16, 0, 0, 0, 0)  # bits, colour, compression, filter, interlace
_MOST_PIXELS = 2**24  # of an image, where no size is expected
_MOST_TEXT = 2**12  # bytes of all text chunks together
_MOST_FILTER = 4


def check_png(
    image: bytes, *, size: int | tuple[int, int] | None = None
) -> None:
    """Refuses anything but a whole grey 16-bit PNG.

    It consists of its header, pixels, and at most 4 KiB of text; every
    checksum is right, and the pixels unpack to what the header says.

    Args:
        image: The file.
        size: Height and width in pixels, one number of a square; any if not
            given.

    Raises:
        ValueError: In one line without a remedy: only who knows where the
            image is from knows one.
    """
    sides = (size, size) if isinstance(size, int) else size
    kind = "a 16-bit PNG"
    if sides:
        kind = f"a grey 16-bit PNG of {sides[0]} x {sides[1]}"
    try:
        _check(image, sides)
    except ValueError as error:
        raise ValueError(f"expected {kind}, found {error}") from None


def without_text(image: bytes) -> tuple[bytes, bytes]:
    """A checked PNG in two parts, between which text can stand.

    Args:
        image: The file.

    Returns:
        Its signature and header, and its other chunks without text.
    """
    head, *others = (
        _packed(name, content)
        for name, content in _chunks(image)
        if name != b"tEXt"
    )
    return SIGNATURE + head, b"".join(others)


def text_chunk(key: str, text: str) -> bytes:
    """A text chunk (PNG specification, section 11.3.3).

    Args:
        key: 1 to 79 characters.
        text: Latin-1, as the key is.
    """
    return _packed(b"tEXt", f"{key}\0{text}".encode("latin-1"))


def _packed(name: bytes, content: bytes) -> bytes:
    """Returns a chunk: length, name, content and checksum."""
    checksum = zlib.crc32(name + content)
    return (
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", checksum)
    )


def _check(image: bytes, sides: tuple[int, int] | None) -> None:
    """Raises ValueError with the words for what was found."""
    chunks = _chunks(image)
    names = [name for name, _ in chunks]
    pixels = names.count(b"IDAT")
    first = names.index(b"IDAT") if pixels else 0
    text = [name for name in names if name == b"tEXt"]
    if (
        [names[0], names[-1]] != [b"IHDR", b"IEND"]
        or chunks[-1][1]
        or not pixels
        or names[first : first + pixels] != [b"IDAT"] * pixels
        or len(names) != 2 + pixels + len(text)
    ):
        raise ValueError("one with other parts than header, text and pixels")
    height, width = _sides(chunks[0][1], sides)
    if sum(len(part) for name, part in chunks if name == b"tEXt") > _MOST_TEXT:
        raise ValueError("one with too much text")
    packed = b"".join(part for name, part in chunks if name == b"IDAT")
    _check_pixels(packed, height, width)


def _chunks(image: bytes) -> list[tuple[bytes, bytes]]:
    """Returns the name and the content of each chunk, at least one."""
    if image[:8] != SIGNATURE:
        raise ValueError(f"{len(image)} bytes of another kind")
    found, place = [], 8
    while place < len(image):
        length, name = struct.unpack(">I4s", image[place : place + 8].ljust(8))
        end = place + 12 + length
        content = image[place + 8 : end - 4]
        checksum = zlib.crc32(content, zlib.crc32(name))
        if image[end - 4 : end] != checksum.to_bytes(4, "big"):
            raise ValueError("a damaged one")
        found.append((name, content))
        place = end
    if not found:
        raise ValueError("a damaged one")
    return found


def _sides(header: bytes, wanted: tuple[int, int] | None) -> tuple[int, int]:
    """Height and width that a header states, if they are those wanted."""
    if len(header) != _HEADER.size:
        raise ValueError("a damaged one")
    width, height, *kind = _HEADER.unpack(header)
    if tuple(kind) != _GREY_16:
        raise ValueError(f"one of {kind[0]} bits and colour type {kind[1]}")
    fits = 1 <= width * height <= _MOST_PIXELS
    if not fits or wanted not in (None, (height, width)):
        raise ValueError(f"one of {height} x {width}")
    return height, width


def _check_pixels(packed: bytes, height: int, width: int) -> None:
    """Refuses what does not unpack to the rows of an image."""
    row = 1 + 2 * width  # its filter, two bytes a pixel
    unpacker = zlib.decompressobj()
    try:
        pixels = unpacker.decompress(packed, row * height + 1)
    except zlib.error:
        raise ValueError("a damaged one") from None
    if (
        len(pixels) != row * height
        or not unpacker.eof
        or unpacker.unused_data
        or max(pixels[::row]) > _MOST_FILTER
    ):
        raise ValueError("one with pixels that its header does not state")
