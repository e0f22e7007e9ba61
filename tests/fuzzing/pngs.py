"""Damage inside PNG files whose check sums are right again."""

import struct
import zlib
from random import Random

from fuzzing.damage import damaged, zeros_deflated

_MARK = b"\x89PNG\r\n\x1a\n"
_SIDES = (0, 1, 31, 33, 64, 1000, 20_000, 65_535, 2**31 - 1, 2**32 - 1)


def chunks_of(png: bytes) -> list[tuple[bytes, bytes]]:
    """Type and content of each chunk."""
    chunks, at = [], len(_MARK)
    while at + 12 <= len(png):
        (length,) = struct.unpack_from(">I", png, at)
        chunks.append((png[at + 4 : at + 8], png[at + 8 : at + 8 + length]))
        at += 12 + length
    return chunks


def joined(chunks: list[tuple[bytes, bytes]]) -> bytes:
    """The file of some chunks."""
    parts = [_MARK]
    for kind, content in chunks:
        total = zlib.crc32(kind + content)
        parts += [struct.pack(">I", len(content)), kind, content]
        parts.append(struct.pack(">I", total))
    return b"".join(parts)


def grey_png(width: int, height: int, rows: bytes, bits: int = 16) -> bytes:
    """A grey PNG of unfiltered rows, each after a byte of 0."""
    head = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return joined(chunks)


def is_whole(png: bytes, size: int) -> bool:
    """Whether a file is a grey 16-bit PNG, with every byte as it must be.

    A decoder of our own, to the PNG specification, third edition.
    """
    chunks = chunks_of(png)
    if joined(chunks) != png or len(chunks) < 3:
        return False
    head = struct.pack(">IIBBBBB", size, size, 16, 0, 0, 0, 0)
    if chunks[0] != (b"IHDR", head) or chunks[-1] != (b"IEND", b""):
        return False
    packed = b"".join(content for kind, content in chunks if kind == b"IDAT")
    row, unpacker = 1 + 2 * size, zlib.decompressobj()
    try:
        rows = unpacker.decompress(packed, size * row + 1)
    except zlib.error:
        return False
    whole = len(rows) == size * row and unpacker.eof
    return whole and max(rows[::row]) <= 4


def damaged_png(png: bytes, dice: Random, *others: bytes) -> bytes:
    """A PNG with its header, pixels or chunks changed, or as bytes."""
    if dice.random() < 0.25:
        return damaged(png, dice, *others)
    chunks = chunks_of(png)
    for _ in range(dice.choice((1, 1, 2))):
        dice.choice(_CHANGES)(chunks, dice)
    return joined(chunks)


def _header(chunks, dice):
    """Odd sides, bits, colours, or ways of packing."""
    at = next((i for i, c in enumerate(chunks) if c[0] == b"IHDR"), None)
    if at is None or len(chunks[at][1]) != 13:
        return
    fields = list(struct.unpack(">IIBBBBB", chunks[at][1]))
    which = dice.randrange(7)
    odd = _SIDES if which < 2 else (0, 1, 2, 3, 4, 6, 8, 16, 255)
    fields[which] = dice.choice(odd)
    if dice.random() < 0.3:
        fields[0] = fields[1] = dice.choice(_SIDES)
    chunks[at] = (b"IHDR", struct.pack(">IIBBBBB", *fields))


def _pixels(chunks, dice):
    """Other rows: fewer, more, odd filters, a bomb, no deflate."""
    at = next((i for i, c in enumerate(chunks) if c[0] == b"IDAT"), None)
    if at is None:
        return
    unpacker = zlib.decompressobj()
    try:
        rows = unpacker.decompress(chunks[at][1], 2**20)
    except zlib.error:
        return
    if not unpacker.eof:  # cut off, or a bomb of an earlier change
        return
    packed = zlib.compress(
        dice.choice(
            (
                rows[: dice.randrange(len(rows) + 1)],
                rows * 2,
                bytes([dice.randrange(256)]) + rows[1:],
                dice.randbytes(len(rows)),
                b"",
            )
        )
    )
    content = dice.choice(
        (
            packed,
            packed,
            packed[:-4],
            packed[:-4] + bytes(4),
            damaged(packed, dice),
            b"\x78\xda" + zeros_deflated(dice.choice((256, 4096))),
        )
    )
    chunks[at] = (b"IDAT", content)


def _extra(chunks, dice):
    """A chunk that is seldom there."""
    text = b"k\0\0" + b"\x78\xda" + zeros_deflated(dice.choice((64, 4096)))
    extra = dice.choice(
        (
            (b"zTXt", text),
            (b"iCCP", text),
            (b"iTXt", b"k\0\1\0\0\0" + text[3:]),
            (b"tEXt", b"k\0" + b"x" * 2**21),
            (b"tEXt", b"no separator"),
            (b"PLTE", bytes(5)),
            (b"tRNS", bytes(2)),
            (b"acTL", struct.pack(">II", 2**31 - 1, 0)),
            (
                b"fcTL",
                struct.pack(">IIIIIHHBB", 0, 20000, 20000, 0, 0, 0, 0, 0, 0),
            ),
            (b"gAMA", b"\0"),
            (b"eXIf", b"II*\0\xff\xff\xff\xff"),
            (b"ABCD", b"unknown and critical"),
            (b"\x1b[2J", b""),
            (b"IEND", b""),
            (b"IHDR", struct.pack(">IIBBBBB", 20000, 20000, 16, 0, 0, 0, 0)),
        )
    )
    chunks.insert(dice.randrange(len(chunks) + 1), extra)


def _order(chunks, dice):
    """Chunks dropped, doubled, swapped or split."""
    at = dice.randrange(len(chunks))
    kind, content = chunks[at]
    half = len(content) // 2
    chunks[at : at + 1] = dice.choice(
        (
            [],
            [(kind, content)] * 2,
            [(kind, content[:half]), (kind, content[half:])],
            [(kind, b"")],
            [(kind, content[:half])],
            [chunks[0]],
        )
    )
    if not chunks:
        chunks.append((b"IEND", b""))


_CHANGES = (_header, _header, _pixels, _pixels, _extra, _order)
