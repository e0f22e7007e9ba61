"""The configurations of the data set: what is cut, and how it is stored."""

import dataclasses
from collections.abc import Mapping

import numpy as np
import tensorflow_datasets as tfds

from tfds_adni.plane_feature import PlaneFeature
from tfds_adni.slice_feature import SliceFeature
from tfds_adni.volume_feature import VolumeFeature
from tfds_adni.volumes.slices import BANDS_MM, PLANES, VOLUME


@dataclasses.dataclass(kw_only=True)
class AdniConfig(tfds.core.BuilderConfig):
    """A configuration: how slices are cut and stored.

    Attributes:
        planes: The planes that slices are cut in; `("volume",)` for whole
            brains.
        size: Height and width of a slice in pixels.
        spacing_mm: Pixel size and distance of slices; 1.5 is ADNI's own grid.
        bands_mm: For each plane the first and last position (excluded) of its
            slices, in mm from the centre of the brain.
        suvr_max: SUVR that the largest stored value stands for.
    """

    planes: tuple[str, ...] = ("axial",)
    size: int = 128
    spacing_mm: float = 1.5
    bands_mm: Mapping[str, tuple[float, float]] = dataclasses.field(
        default_factory=lambda: dict(BANDS_MM)
    )
    suvr_max: float = 2.5


def image_features(config: AdniConfig) -> dict:
    """The features of an image, and of a slice where it lies.

    Args:
        config: How images are cut.
    """
    if config.planes == (VOLUME,):
        return {"image": VolumeFeature(config.size)}
    return {
        "image": SliceFeature(config.size),
        "plane": PlaneFeature(PLANES),
        "slice": np.int32,
        "position_mm": np.float32,
    }


CONFIGURATIONS = (
    *(
        AdniConfig(
            name=f"{plane}_128",
            description=f"{plane} slices of 128 x 128 pixels of 1.5 mm",
            planes=(plane,),
        )
        for plane in PLANES
    ),
    AdniConfig(
        name="all_128",
        description="slices of all three planes, 128 x 128 of 1.5 mm",
        planes=PLANES,
    ),
    AdniConfig(
        name="axial_64",
        description="axial slices of 64 x 64 pixels of 3 mm",
        size=64,
        spacing_mm=3.0,
    ),
    AdniConfig(
        name="all_64",
        description="slices of all three planes, 64 x 64 of 3 mm",
        planes=PLANES,
        size=64,
        spacing_mm=3.0,
    ),
    AdniConfig(
        name="volume_64",
        description="volumes of 64 x 64 x 64 voxels of 3.5 mm",
        planes=(VOLUME,),
        size=64,
        spacing_mm=3.5,
        bands_mm={},
    ),
)
