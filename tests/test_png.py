import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

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
