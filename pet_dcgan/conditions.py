"""What a conditional generator is asked for, beside its latents.

Importing this needs neither TensorFlow nor Keras.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

from pet_dcgan.config import CONDITIONS, PLANES, STAGES, VOLUME
from pet_dcgan.utils.plain_values import shown

# how far weights of stages may sum from 1, by rounding
WEIGHTS_SLACK = 1e-3
_SHOWN = (*PLANES, VOLUME)
# years of a person who may have been scanned
_AGES = (0.0, 130.0)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Conditions:
    """Which conditions a generator takes, and what it has seen of each.

    Its networks have one input for each:

    *   `stage` float32 `[n, 3]`: weights of NC, MCI and AD that sum to 1.
    *   `plane` float32 `[n, 3]`: 1 for one of axial, coronal and sagittal.
    *   `position_mm` float32 `[n, 1]`: from the centre of the brain.
    *   `age` float32 `[n, 1]`: years at the scan, NaN where unknown.
    *   `sex` float32 `[n, 1]`: 0 female, 1 male, NaN where unknown.

    Args:
        names: Some of `CONDITIONS`, in their order; `stage` is among them.
        stages: Stages that were trained on, two or more.
        bands_mm: First and last position that was trained on, in mm, of each
            plane that was; of volumes `{"volume": (0, 0)}`.
        ages: Youngest and oldest age that was trained on, where `age` is a
            condition.

    Raises:
        ValueError: If a value is of another kind, or contradicts another.
    """

    names: tuple[str, ...]
    stages: tuple[str, ...] = STAGES
    bands_mm: Mapping[str, tuple[float, float]]
    ages: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        bands = {
            plane: _interval(f"band of {plane}", band, (-1000.0, 1000.0))
            for plane, band in dict(self.bands_mm).items()
        }
        for name, value in (
            ("names", _known("conditions", self.names, CONDITIONS)),
            ("stages", _known("stages", self.stages, STAGES)),
            (
                "bands_mm",
                {
                    p: bands[p]
                    for p in _known("planes", bands, (*PLANES, VOLUME))
                },
            ),
        ):
            object.__setattr__(self, name, value)
        if "stage" not in self.names or len(self.stages) < 2:
            raise ValueError(
                "expected stage among the conditions, and two stages or more, "
                f"found {', '.join(self.names)} of {', '.join(self.stages)}"
            )
        if len(self.bands_mm) > 1 and "plane" not in self.names:
            raise ValueError(
                "expected plane among the conditions of several planes, found "
                f"{', '.join(self.names)}"
            )
        if ("age" in self.names) != (self.ages is not None):
            raise ValueError(
                "expected ages where age is a condition, and else none, found "
                f"{shown(self.ages)}"
            )
        if self.ages is not None:
            ages = _interval("ages", self.ages, _AGES)
            object.__setattr__(self, "ages", ages)

    @property
    def planes(self) -> tuple[str, ...]:
        """The planes that were trained on."""
        return tuple(self.bands_mm)

    @property
    def inputs(self) -> dict[str, int]:
        """Name and length of a row of each of the networks' inputs."""
        widths = {"stage": len(STAGES), "plane": len(PLANES)}
        return {
            {"position": "position_mm"}.get(name, name): widths.get(name, 1)
            for name in self.names
        }

    def to_dict(self) -> dict[str, Any]:
        """The same as lists and dictionaries, for JSON."""
        return {
            "names": list(self.names),
            "stages": list(self.stages),
            "bands_mm": {p: list(band) for p, band in self.bands_mm.items()},
            "ages": None if self.ages is None else list(self.ages),
        }

    @classmethod
    def from_dict(cls, values: Any) -> "Conditions":
        """The conditions that `to_dict` described.

        Args:
            values: Of any origin.

        Raises:
            ValueError: If they are no conditions.
        """
        fields = {field.name for field in dataclasses.fields(cls)}
        if not isinstance(values, dict) or set(values) != fields:
            raise ValueError(
                f"expected conditions with {', '.join(sorted(fields))}, found "
                f"{shown(values)}"
            )
        if not isinstance(values["bands_mm"], dict):
            raise ValueError(
                f"expected bands_mm by plane, found {shown(values['bands_mm'])}"
            )
        return cls(**values)


def _known(what: str, found: Any, known: Sequence[str]) -> tuple[str, ...]:
    """Names in the order of the known ones, each once."""
    if isinstance(found, str) or not isinstance(found, Sequence | Mapping):
        found = (found,)
    names = list(found)
    if (
        not names
        or any(n not in known for n in names)
        or len(set(names)) < len(names)
    ):
        raise ValueError(
            f"expected {what} among {', '.join(known)}, each once, found "
            f"{shown(', '.join(map(str, names)))}"
        )
    return tuple(name for name in known if name in names)


def _interval(
    what: str, found: Any, limits: tuple[float, float]
) -> tuple[float, float]:
    """Two finite numbers in order, within limits."""
    try:
        low, high = (float(value) for value in found)
        fits = limits[0] <= low <= high <= limits[1]
        fits = fits and math.isfinite(low + high)
    except (OverflowError, TypeError, ValueError):
        fits = False
    if not fits:
        raise ValueError(
            f"expected {what} as two numbers from {limits[0]:g} to "
            f"{limits[1]:g}, the lower one first, found {shown(found)}"
        )
    return low, high
