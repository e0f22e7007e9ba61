"""The pixels of a slice: 16-bit grey, stored as a TFDS `Image`."""

import io

import numpy as np
import tensorflow_datasets as tfds
from PIL import Image
from tensorflow_datasets.core.proto import feature_pb2

_TO_8_BIT = 257  # 65535 becomes 255


class SliceFeature(tfds.features.Image):
    """An image of 16-bit grey that notebooks and data sources can show.

    What is stored, and what is said of it, is that of `tfds.features.Image`,
    so that a set is read without this module. That class turns 16-bit grey
    white in the HTML of `tfds.as_dataframe`, since Pillow cuts off what is
    above 255, and decodes it for `tfds.data_source` with OpenCV only.

    Args:
        size: Height and width in pixels.
    """

    def __init__(self, size: int) -> None:
        super().__init__(shape=(size, size, 1), dtype=np.uint16)

    def repr_html(self, ex: np.ndarray) -> str:
        """Returns a thumbnail of uint16 `[size, size, 1]`: 65535 is white."""
        return super().repr_html((ex // _TO_8_BIT).astype(np.uint8))

    def decode_example_np(self, example: bytes) -> np.ndarray:
        """Decodes a PNG without TensorFlow: uint16 `[size, size, 1]`."""
        with Image.open(io.BytesIO(example), formats=["PNG"]) as image:
            return np.asarray(image).astype(np.uint16)[..., np.newaxis]

    def to_proto(self) -> feature_pb2.Feature:
        """Describes the plain image that this one is stored as."""
        plain = tfds.features.Image(shape=self.shape, dtype=self.np_dtype)
        return plain.to_proto()
