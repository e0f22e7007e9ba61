"""Slices of a prepared set and what is known of the set."""

import collections
import dataclasses
from collections.abc import Mapping

import numpy as np

from pet_dcgan.config import ALL_PLANES, VOLUME
from pet_dcgan.image_facts import ImageFacts
from pet_dcgan.references import NATIVE


class NoSlicesError(ValueError):
    """A set is whole, but has no slice of what was asked for."""


def no_slices(
    facts: Mapping[str, np.ndarray],
    dataset: str,
    *,
    split: str,
    stage: str,
    plane: str,
) -> NoSlicesError:
    """The error for a set without slices of what was asked for.

    Args:
        facts: Of the slices that there are, each `[n]`, as from `read_facts`.
        dataset: Name of the set's configuration.
        split: The split that was asked for.
        stage: The stage.
        plane: The plane.
    """
    groups = zip(facts["stage"], facts["plane"], strict=True)
    counts = sorted(collections.Counter(groups).items())
    found = ", ".join(f"{n} {' '.join(group)}" for group, n in counts)
    wanted = "slices" if plane == ALL_PLANES else f"{plane} slices"
    wanted = "volumes" if plane == VOLUME else wanted
    remedy = "choose another --stage or prepare more scans"
    if VOLUME in facts["plane"] and plane != VOLUME:
        remedy = "it holds whole volumes, choose a --config of slices"
    return NoSlicesError(
        f"expected {wanted} of stage {stage} in split {split} of {dataset}, "
        f"found {found or 'no slice'}: {remedy}"
    )


@dataclasses.dataclass(frozen=True)
class SetMeta:
    """Metadata of a prepared set.

    Args:
        size: Height and width of an image in pixels.
        spacing_mm: Millimetres per pixel.
        suvr_max: SUVR that a stored 65535 stands for.
        reference: What volumes were divided by, one of `REFERENCES`.
        phantom: True where every subject is a phantom.
        planes: The planes in it, or `"volume"` alone.
        dataset: Name of its configuration, such as `"axial_128"`.
        version: Its version, such as `"2.0.0"`.
        bands_mm: For each plane the first position that its slices are cut
            at, and the last one, which is excluded, in mm; none where the
            set does not say.
        space: `"native"`, or the template that all scans were registered to.
    """

    size: int
    spacing_mm: float
    suvr_max: float
    reference: str
    phantom: bool
    planes: tuple[str, ...]
    dataset: str
    version: str
    bands_mm: Mapping[str, tuple[float, float]] = dataclasses.field(
        default_factory=dict
    )
    space: str = NATIVE

    @property
    def is_volume(self) -> bool:
        """Whether an image is a whole brain."""
        return self.planes == (VOLUME,)

    @property
    def noun(self) -> str:
        """What images are called, `"slices"` or `"volumes"`."""
        return "volumes" if self.is_volume else "slices"

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Shape of a stored image: rows and columns, or x, y and z."""
        return (self.size,) * (3 if self.is_volume else 2)


@dataclasses.dataclass(frozen=True)
class Slices:
    """The slices of one stage and plane, or of all of them, in one split.

    Args:
        images: uint16 `[n, size, size]`; 65535 stands for `meta.suvr_max`.
            Those that did not fit in memory are an `np.memmap`. Of a set of
            volumes `[n, size, size, size]`, x to the right, y to the front,
            z upwards.
        subjects: Subject id of each slice, text `[n]`.
        scans: Image id of the scan that each slice is of, text `[n]`.
        positions_mm: float32 `[n]`, from the centre of the brain; 0 of volumes.
        stages: Stage of each slice, text `[n]`.
        planes: Plane that each slice is cut in, text `[n]`.
        ages: Years of each slice's subject when it was scanned, float32
            `[n]`, NaN where they are unknown.
        sexes: `"F"` or `"M"` for each slice, text `[n]`, `""` where it is
            unknown.
        meta: Metadata of the set.
        stage: Stage of the subjects, `"ALL"` for all stages.
        plane: The plane they are cut in, `"ALL"` for all planes.
        data_dir: Folder that holds the set.
    """

    images: np.ndarray
    subjects: np.ndarray
    scans: np.ndarray
    positions_mm: np.ndarray
    stages: np.ndarray
    planes: np.ndarray
    ages: np.ndarray
    sexes: np.ndarray
    meta: SetMeta
    stage: str
    plane: str
    data_dir: str

    @property
    def facts(self) -> ImageFacts:
        """What their pixels mean."""
        return ImageFacts.of(self.meta, stage=self.stage, plane=self.plane)
