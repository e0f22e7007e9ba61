"""Slices of a prepared set and what is known of the set."""

import dataclasses

import numpy as np

from pet_dcgan.image_facts import ImageFacts


class NoSlicesError(ValueError):
    """A set is whole, but has no slice of what was asked for."""


@dataclasses.dataclass(frozen=True)
class SetMeta:
    """Metadata of a prepared set.

    Args:
        size: Height and width of an image in pixels.
        spacing_mm: Millimetres per pixel.
        suvr_max: SUVR that a stored 65535 stands for.
        reference: What volumes were divided by, one of `REFERENCES`.
        phantom: True where every subject is a phantom.
        planes: The planes in it.
        dataset: Name of its configuration, such as `"axial_128"`.
        version: Its version, such as `"2.0.0"`.
    """

    size: int
    spacing_mm: float
    suvr_max: float
    reference: str
    phantom: bool
    planes: tuple[str, ...]
    dataset: str
    version: str


@dataclasses.dataclass(frozen=True)
class Slices:
    """The slices of one stage and plane in one split.

    Args:
        images: uint16 `[n, size, size]`; 65535 stands for `meta.suvr_max`.
            Those that did not fit in memory are an `np.memmap`.
        subjects: Subject id of each slice, text `[n]`.
        scans: Image id of the scan that each slice is of, text `[n]`.
        positions_mm: float32 `[n]`, from the centre of the brain.
        meta: Metadata of the set.
        stage: Stage of the subjects, `"ALL"` for all stages.
        plane: The plane they are cut in.
        data_dir: Folder that holds the set.
    """

    images: np.ndarray
    subjects: np.ndarray
    scans: np.ndarray
    positions_mm: np.ndarray
    meta: SetMeta
    stage: str
    plane: str
    data_dir: str

    @property
    def facts(self) -> ImageFacts:
        """What their pixels mean."""
        return ImageFacts.of(self.meta, stage=self.stage, plane=self.plane)
