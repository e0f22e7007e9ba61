"""What a volume's scale promises: one mean of the brain's tissue.

A scan is divided by the mean of its brain, so that real volumes agree in that
mean within a percent. Convolutions have no such bond, and volumes that nothing
holds to it drift from it by several percent, all regions alike.
"""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from pet_dcgan.config import VOLUME, TrainConfig
from pet_dcgan.data.slices import Slices
from pet_dcgan.data.suvr import suvr_from_png
from pet_dcgan.models.losses import PACKAGE

# White matter has more SUVR than this after the scanner's blur, and the scalp
# less: of twelve thresholds and means this one differed least between the
# phantom's people (SD 0.4 %).
TISSUE_SUVR = 0.5
_CHUNK = 64
_FACTORS = (0.5, 2.0)


@keras.saving.register_keras_serializable(package=PACKAGE)
class TissueMean(keras.layers.Layer):
    """Multiplies each volume's SUVR so that its tissue has the mean wanted.

    Tissue is what is above 0.5 SUVR before. The factor is at least a half and
    at most two, and one where there is no tissue. The mean is no parameter:
    it is measured of real volumes, and saved with the network.

    In training it does nothing: with it the discriminator wins, and goes on
    winning (docs/volumes.md).

    Args:
        suvr_max: SUVR that +1 stands for; -1 is SUVR 0.

    Call arguments:
        inputs: float32 `[n, size, size, size]` in [-1, 1].
    """

    def __init__(self, suvr_max: float, **options) -> None:
        super().__init__(**options)
        self.suvr_max = float(suvr_max)

    def build(self, input_shape: tuple) -> None:
        """Makes the mean, 1 until it is measured."""
        self.mean = self.add_weight(
            name="tissue_mean",
            shape=(),
            initializer="ones",
            trainable=False,
            aggregation="only_first_replica",
        )

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Volumes of the same shape, in [-1, 1]."""
        if training:
            return inputs
        half = self.suvr_max / 2.0
        suvr = (inputs + 1.0) * half
        tissue = tf.cast(suvr > TISSUE_SUVR, suvr.dtype)
        axes = [1, 2, 3]
        total = tf.reduce_sum(tissue * suvr, axes, keepdims=True)
        count = tf.reduce_sum(tissue, axes, keepdims=True)
        # one voxel more, of the mean itself, for where there is none
        factor = self.mean * (count + 1.0) / (total + self.mean)
        factor = tf.clip_by_value(factor, *_FACTORS)
        return tf.clip_by_value(suvr * factor / half - 1.0, -1.0, 1.0)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {"suvr_max": self.suvr_max}


def tissue_suvr_max(config: TrainConfig) -> float | None:
    """SUVR of a generator's +1 where its volumes have one mean, else None.

    They do where scans were divided by the mean of their brain; not where it
    was that of a region.

    Args:
        config: Of a training.
    """
    scaled = config.plane == VOLUME and config.reference == "brain"
    return config.suvr_max if scaled else None


def adapt_tissue_mean(slices: Slices, *generators: keras.Model) -> None:
    """Measures real volumes for the `TissueMean` of generators that have one.

    Args:
        slices: What they are trained on.
        *generators: Of any images.
    """
    layers = [
        layer
        for generator in generators
        for layer in generator.layers
        if isinstance(layer, TissueMean)
    ]
    if layers:
        mean = tissue_mean(slices.images, slices.meta.suvr_max)
        for layer in layers:
            layer.mean.assign(mean)


def tissue_mean(volumes: np.ndarray, suvr_max: float) -> float:
    """Mean over volumes of the mean SUVR above 0.5; 1 where there is none.

    Args:
        volumes: uint16 `[n, size, size, size]`, as stored.
        suvr_max: SUVR that 65535 stands for.
    """
    means = []
    for start in range(0, len(volumes), _CHUNK):
        suvr = suvr_from_png(volumes[start : start + _CHUNK], suvr_max)
        for volume in suvr:
            tissue = volume[volume > TISSUE_SUVR]
            means.append(tissue.mean(dtype=np.float64) if len(tissue) else 1.0)
    return float(np.mean(means))
