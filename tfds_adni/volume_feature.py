"""The voxels of a volume, stored as a TFDS `Tensor` behind zlib."""

import base64
import io

import numpy as np
import tensorflow_datasets as tfds
from PIL import Image
from tensorflow_datasets.core.proto import feature_pb2

from tfds_adni.volumes.cube import pack_volume

_TO_8_BIT = 257  # 65535 becomes 255


class VolumeFeature(tfds.features.Tensor):
    """A volume of 16-bit grey that a notebook shows as three sections.

    What is stored, and what is said of it, is that of `tfds.features.Tensor`,
    so that a set is read without this module. It takes volumes that
    `pack_volume` has packed, too, so that worker processes do that.

    Args:
        size: Voxels along x, y and z.
    """

    def __init__(self, size: int) -> None:
        super().__init__(
            shape=(size,) * 3,
            dtype=np.uint16,
            encoding=tfds.features.Encoding.ZLIB,
        )

    def encode_example(self, example_data: np.ndarray | bytes) -> bytes:
        """Packs a volume, uint16 `[size, size, size]`, unless it is packed."""
        if isinstance(example_data, bytes):
            return example_data
        super().encode_example(example_data)  # refuses other shapes
        return pack_volume(example_data)

    def repr_html(self, ex: np.ndarray) -> str:
        """Returns a thumbnail of uint16 `[size, size, size]`.

        Sagittal, coronal and axial section through the middle, those of
        slices; 65535 is white.
        """
        x, y, z = (side // 2 for side in ex.shape)
        sections = ex[x, ::-1], ex[:, y], ex[:, :, z]
        # columns from the left, or from the front; rows from the top
        grey = np.hstack([section[:, ::-1].T for section in sections])
        file = io.BytesIO()
        Image.fromarray((grey // _TO_8_BIT).astype(np.uint8)).save(file, "PNG")
        text = base64.b64encode(file.getvalue()).decode()
        return f'<img src="data:image/png;base64,{text}" alt="Volume" />'

    def to_proto(self) -> feature_pb2.Feature:
        """Describes the plain tensor that this one is stored as."""
        plain = tfds.features.Tensor(
            shape=self.shape, dtype=self.np_dtype, encoding=self._encoding
        )
        return plain.to_proto()
