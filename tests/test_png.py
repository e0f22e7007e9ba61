import io
import tracemalloc
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from pet_dcgan.data.records import decode_pngs
from tfds_adni.volumes.png import encode_png


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (128, 128), (7, 300)])
@pytest.mark.parametrize("kind", ["noise", "zero", "full", "ramp"])
def test_tensorflow_and_pillow_read_the_same_pixels(shape, kind):
    size = np.prod(shape)
    pixels = {
        "noise": np.random.default_rng(0).integers(0, 65536, size),
        "zero": np.zeros(size),
        "full": np.full(size, 65535),
        "ramp": np.arange(size) % 65536,
    }[kind]
    image = pixels.reshape(shape).astype(np.uint16)
    file = encode_png(image)
    by_tensorflow = tf.io.decode_png(file, channels=1, dtype=tf.uint16)
    np.testing.assert_array_equal(by_tensorflow[..., 0], image)
    np.testing.assert_array_equal(Image.open(io.BytesIO(file)), image)


def test_any_memory_layout():
    image = np.arange(35, dtype=np.uint16).reshape(5, 7)
    assert encode_png(image[::-1, ::-1].T) == encode_png(
        np.ascontiguousarray(image[::-1, ::-1].T)
    )


def test_empty_surroundings_cost_little():
    assert len(encode_png(np.zeros((128, 128), np.uint16))) < 500


def images_of(size, count=5):
    rng = np.random.default_rng(size)
    return rng.integers(0, 65536, (count, size, size), dtype=np.uint16)


def pillow_png(image):
    file = io.BytesIO()
    Image.fromarray(image).save(file, "png")
    return file.getvalue()


@pytest.mark.parametrize("size", [1, 2, 32, 129])
def test_what_is_written_is_read(size):
    images = images_of(size)
    images[1], images[2] = 0, 65535
    found = decode_pngs([encode_png(image) for image in images], size)
    assert found.dtype == np.uint16
    np.testing.assert_array_equal(found, images)


def test_nobody_else_decodes_what_is_written_here(monkeypatch):
    monkeypatch.setattr(tf.io, "decode_png", None)
    images = images_of(16)
    found = decode_pngs([encode_png(image) for image in images], 16)
    np.testing.assert_array_equal(found, images)


def test_png_of_others_lie_among_ours():
    images = images_of(32)
    files = [encode_png(image) for image in images]
    files[1] = pillow_png(images[1])
    files[3] = tf.io.encode_png(images[3][..., None]).numpy()
    np.testing.assert_array_equal(decode_pngs(files, 32), images)


@pytest.mark.parametrize("filter_", [0, 1, 3, 4])
def test_rows_with_another_filter(filter_):
    """One row with another filter leaves the file to TensorFlow."""
    rows = np.zeros((8, 17), np.uint8)
    rows[:, 0] = 2
    rows[5, 0] = filter_
    rows[5, 1:3] = 0, 7  # the first pixel of a row
    image = np.zeros((8, 8), np.uint16)
    file = framed(encode_png(image), zlib.compress(rows.tobytes()))
    expected = tf.io.decode_png(file, channels=1, dtype=tf.uint16)[..., 0]
    assert expected[5, 0] == 7
    np.testing.assert_array_equal(decode_pngs([file], 8)[0], expected)


def framed(file, packed):
    """The file with other pixels."""
    chunk = b"IDAT" + packed
    return (
        file[:33]
        + len(packed).to_bytes(4, "big")
        + chunk
        + zlib.crc32(chunk).to_bytes(4, "big")
        + file[-12:]
    )


def test_no_files_are_no_images():
    assert decode_pngs([], 8).shape == (0, 8, 8)


def test_another_size_is_told():
    files = [encode_png(images_of(16)[0])]
    with pytest.raises(ValueError, match=r"of 8 x 8 pixels, found .* 16 x 16"):
        decode_pngs(files, 8)


@pytest.mark.parametrize("spoil", [0, 20, 45, 200, -3])
def test_a_spoilt_file_raises(spoil):
    """In its signature, header, pixels, and end."""
    file = bytearray(encode_png(images_of(16)[0]))
    file[spoil] ^= 0x55
    with pytest.raises(tf.errors.OpError):
        decode_pngs([bytes(file)], 16)


def with_rows(count):
    """A file of 8 x 8 pixels with another number of rows behind."""
    packed = zlib.compress(b"\2" * (17 * count))
    return framed(encode_png(np.zeros((8, 8), np.uint16)), packed)


def test_too_few_rows_raise():
    with pytest.raises(tf.errors.OpError):
        decode_pngs([with_rows(7)], 8)


def test_no_more_than_an_image_is_inflated():
    file = with_rows(1_000_000)
    tracemalloc.start()
    try:
        decode_pngs([file], 8)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000  # of 17


@pytest.mark.parametrize("count", [9, 1_000_000])
def test_rows_too_many_are_left_to_tensorflow(count):
    file = with_rows(count)
    expected = tf.io.decode_png(file, channels=1, dtype=tf.uint16)[..., 0]
    np.testing.assert_array_equal(decode_pngs([file], 8)[0], expected)


@pytest.mark.parametrize("length", [0, 10, 100])
def test_a_file_cut_off_raises(length):
    file = encode_png(images_of(16)[0])[:length]
    with pytest.raises(tf.errors.OpError):
        decode_pngs([file], 16)
