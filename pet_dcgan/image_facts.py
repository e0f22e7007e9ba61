"""What the pixels of a generator's images mean."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from pet_dcgan.config import ALL_PLANES, ALL_STAGES, VOLUME, checked_value
from pet_dcgan.references import NATIVE

_PLANE_WORDS = {ALL_PLANES: "every plane", VOLUME: "whole volumes"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class ImageFacts:
    """What has to be known of images to use them; it travels with a model.

    Args:
        stage: `"NC"`, `"MCI"` or `"AD"`, or `"ALL"` for all of them.
        plane: `"axial"`, `"coronal"` or `"sagittal"`, or `"volume"` for whole
            brains.
        spacing_mm: Millimetres per pixel.
        suvr_max: SUVR that the network's +1 stands for; -1 is SUVR 0.
        reference: What volumes were divided by, one of `REFERENCES`.
        phantom: True where the images are of a phantom, not of patients.
        space: `"native"`, or the template that the images lie in, one of
            `SPACES`.

    Raises:
        ValueError: If a value is of the wrong kind or outside its limits.

    Example:
    >>> ImageFacts(
    ...     stage="AD", plane="axial", spacing_mm=3, suvr_max=2.5, phantom=True
    ... ).spacing_mm
    3.0
    """

    stage: str
    plane: str
    spacing_mm: float
    suvr_max: float
    reference: str = "brain"
    phantom: bool
    space: str = NATIVE

    def __post_init__(self) -> None:
        for name, value in dataclasses.asdict(self).items():
            object.__setattr__(self, name, checked_value(name, value))

    @classmethod
    def of(cls, source: Any, **more: Any) -> "ImageFacts":
        """The facts of what has them among its attributes.

        Args:
            source: A `TrainConfig`, or the `SetMeta` of a prepared set.
            **more: Those that it lacks.
        """
        names = [f.name for f in dataclasses.fields(cls) if f.name not in more]
        return cls(**{name: getattr(source, name) for name in names}, **more)


def place_in_words(stage: str, plane: str) -> str:
    """What images show, as `"AD axial"` or `"every stage, whole volumes"`.

    Args:
        stage: A stage, or `"ALL"`.
        plane: A plane, `"ALL"`, or `"volume"`.
    """
    plane = _PLANE_WORDS.get(plane, plane)
    return (
        f"every stage, {plane}" if stage == ALL_STAGES else f"{stage} {plane}"
    )


def is_volume(shape: Sequence[int | None]) -> bool:
    """Whether images of a shape are whole brains.

    Args:
        shape: `[n, size, size, channels]` of a network's images. Slices have 1
            or 3 channels; volumes have as many as voxels along z.
    """
    return len(shape) == 4 and (shape[-1] or 1) > 3
