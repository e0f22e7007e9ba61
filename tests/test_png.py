import io
import struct
import time
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from pet_dcgan.serving.image_files import png_bytes, suvr_of_png
from pet_dcgan.utils.png import SIGNATURE, check_png

RANDOM = np.random.default_rng(0)
PIXELS = RANDOM.integers(0, 2**16, [32, 32, 1], dtype=np.uint16)
WHOLE = tf.io.encode_png(PIXELS).numpy()


def chunk(name, content=b"", *, wrong=0):
    checksum = zlib.crc32(name + content) ^ wrong
    head = struct.pack(">I4s", len(content), name)
    return head + content + struct.pack(">I", checksum)


def header(width=32, height=32, kind=(16, 0, 0, 0, 0)):
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, *kind))


ROWS = zlib.compress(bytes([0, *range(64)]) * 32)
PIXEL_CHUNK, END = chunk(b"IDAT", ROWS), chunk(b"IEND")


def png(*chunks):
    return SIGNATURE + b"".join(chunks)


@pytest.mark.parametrize(
    "image",
    [
        WHOLE,
        png(header(), PIXEL_CHUNK, END),
        # pixels may come in pieces, with text before or after them
        png(
            header(),
            chunk(b"tEXt", b"synthetic\0true"),
            *(chunk(b"IDAT", ROWS[i : i + 5]) for i in range(0, len(ROWS), 5)),
            chunk(b"IDAT"),
            chunk(b"tEXt", b"a\0b"),
            END,
        ),
    ],
)
def test_a_whole_png_passes(image):
    check_png(image, size=32)
    check_png(image)
    with Image.open(io.BytesIO(image)) as opened:
        expected = np.asarray(opened, np.float64) / 65535 * 2
    np.testing.assert_allclose(suvr_of_png(image, 2.0), expected, rtol=1e-6)


BOMB = zlib.compress(bytes(2**28), 1)
HOSTILE = {
    "empty": b"",
    "gif": b"GIF89a" + WHOLE,
    "signature": SIGNATURE,
    "cut off": WHOLE[:-1],
    "without end": WHOLE[:-12],
    "something after": WHOLE + b"\0",
    "another after": WHOLE + WHOLE,
    "wrong sum": png(header(), chunk(b"IDAT", ROWS, wrong=1), END),
    "wrong end": png(header(), PIXEL_CHUNK, chunk(b"IEND", wrong=1)),
    "length beyond": SIGNATURE + b"\xff\xff\xff\xffIHDR" + WHOLE[16:],
    "no pixels": png(header(), END),
    "empty pixels": png(header(), chunk(b"IDAT"), END),
    "two headers": png(header(), header(), PIXEL_CHUNK, END),
    "header last": png(PIXEL_CHUNK, END, header()),
    "short header": png(chunk(b"IHDR", b"1"), PIXEL_CHUNK, END),
    "pixels apart": png(
        header(),
        chunk(b"IDAT", ROWS[:9]),
        chunk(b"tEXt", b"a\0b"),
        chunk(b"IDAT", ROWS[9:]),
        END,
    ),
    "content in the end": png(header(), PIXEL_CHUNK, chunk(b"IEND", b"x")),
    "bomb": png(header(), chunk(b"IDAT", BOMB), END),
    "too few pixels": png(
        header(), chunk(b"IDAT", zlib.compress(bytes(65 * 31))), END
    ),
    "one byte more": png(
        header(), chunk(b"IDAT", zlib.compress(bytes(65 * 32 + 1))), END
    ),
    "unknown filter": png(
        header(), chunk(b"IDAT", zlib.compress(b"\5" * 65 * 32)), END
    ),
    "no zlib": png(header(), chunk(b"IDAT", b"x" * 99), END),
    "zlib cut off": png(header(), chunk(b"IDAT", ROWS[:-2]), END),
    "more than zlib": png(header(), chunk(b"IDAT", ROWS + b"x"), END),
    "much text": png(
        header(), chunk(b"tEXt", b"a\0" + b"b" * 5000), PIXEL_CHUNK, END
    ),
    **{
        name.decode(): png(header(), chunk(name, BOMB), PIXEL_CHUNK, END)
        for name in (b"zTXt", b"iTXt", b"iCCP", b"acTL", b"PLTE", b"eXIf")
    },
    "8 bits": png(header(kind=(8, 0, 0, 0, 0)), PIXEL_CHUNK, END),
    "colour": png(header(kind=(16, 2, 0, 0, 0)), PIXEL_CHUNK, END),
    "interlaced": png(header(kind=(16, 0, 0, 0, 1)), PIXEL_CHUNK, END),
    "no width": png(header(0, 0), PIXEL_CHUNK, END),
    "gigantic": png(header(2**31 - 1, 2**31 - 1), PIXEL_CHUNK, END),
    "oblong": png(header(64, 16), PIXEL_CHUNK, END),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_anything_else_is_refused(kind):
    for size in (32, None):
        with pytest.raises(ValueError, match=r"^expected a .* found") as caught:
            check_png(HOSTILE[kind], size=size)
        assert str(caught.value).isprintable()
    with pytest.raises(ValueError, match=r"expected a 16-bit PNG, found"):
        suvr_of_png(HOSTILE[kind], 2.5)


def test_another_size_is_refused():
    with pytest.raises(
        ValueError, match="PNG of 64 x 64, found one of 32 x 32"
    ):
        check_png(WHOLE, size=64)


def test_any_changed_byte_is_seen():
    for place in range(len(WHOLE)):
        damaged = bytearray(WHOLE)
        damaged[place] ^= 1 << (place % 8)
        with pytest.raises(ValueError, match=r"^expected a "):
            check_png(bytes(damaged), size=32)


def test_what_passes_can_be_read():
    """Seeded mutations whose checksums are right."""
    for _ in range(300):
        packed = bytearray(ROWS)
        packed[RANDOM.integers(len(packed))] = RANDOM.integers(256)
        image = png(header(), chunk(b"IDAT", bytes(packed)), END)
        try:
            check_png(image, size=32)
        except ValueError:
            continue
        assert suvr_of_png(image, 2.5).shape == (32, 32)


def test_checking_is_quick():
    image = tf.io.encode_png(np.zeros([128, 128, 1], np.uint16)).numpy()
    start = time.monotonic()
    for _ in range(1000):
        check_png(image, size=128)
    # a fiftieth of it was measured
    assert time.monotonic() - start < 20


def test_text_of_others_is_replaced():
    image = png(header(), chunk(b"tEXt", b"synthetic\0no"), PIXEL_CHUNK, END)
    found = png_bytes(image, {"synthetic": "true"})
    with Image.open(io.BytesIO(found)) as opened:
        assert opened.text == {"synthetic": "true"}
    assert b"no" not in found[:100]


OBLONG = tf.io.encode_png(PIXELS.reshape(16, 64, 1)).numpy()


def test_a_picture_need_not_be_a_square():
    check_png(OBLONG, size=(16, 64))
    check_png(OBLONG)
    expected = PIXELS.reshape(16, 64) / 65535 * 2
    np.testing.assert_allclose(suvr_of_png(OBLONG, 2.0), expected, rtol=1e-6)
    for size in (32, (64, 16)):
        with pytest.raises(ValueError, match="found one of 16 x 64"):
            check_png(OBLONG, size=size)


def test_more_pixels_than_any_volume_has_are_refused():
    image = png(header(2**13, 2**12), chunk(b"IDAT", BOMB), END)
    with pytest.raises(ValueError, match="found one of 4096 x 8192"):
        check_png(image)
