"""What a conditional model is asked for: options in, columns of a request out.

As `pet-dcgan generate` asks, so that the same seeds give the same images.
"""

import argparse
import hashlib
import math
from collections.abc import Iterable
from typing import Any

_STAGES = ("NC", "MCI", "AD")
_PLANES = ("axial", "coronal", "sagittal")
_VOLUME = "volume"
_NAMES = ("stage", "plane", "position", "age", "sex")
_SLACK = 1e-3  # of the sum of weights
_UNKNOWN_AGE = -1.0
COLUMNS = ("position_mm", "age", "sex")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of a conditional model."""
    add = parser.add_argument
    add("--stage", type=weights, help="NC, MCI, AD, or 0.5,0.5,0: weights")
    add("--plane", choices=_PLANES, help="where the model knows several")
    add("--position", type=number, help="mm; by seed if not given")
    add("--age", type=number, help="years; unknown if not given")
    add("--sex", choices=("F", "M"), help="unknown if not given")


def weights(text: str) -> list[float]:
    """Parses an argument that is a stage, or the weights of all three."""
    if text in _STAGES:
        return [float(text == stage) for stage in _STAGES]
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        found = []
    if (
        len(found) != len(_STAGES)
        or not min(found) >= 0
        or not abs(sum(found) - 1) <= _SLACK
    ):
        raise argparse.ArgumentTypeError(
            f"expected {', '.join(_STAGES)}, or their weights as 0.5,0.5,0 "
            f"that sum to 1, found {text}"
        )
    return found


def number(text: str) -> float:
    """Parses an argument that is a finite number."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"expected a number, found {text}")
    return value


def sound(facts: dict[str, Any]) -> bool:
    """Whether a description's conditions make sense, if it has any.

    Raises:
        KeyError, TypeError, ValueError: If they are of another shape.
    """
    conditions = facts.get("conditions")
    if conditions is None:
        return facts["plane"] != "ALL"
    bands, ages = conditions["bands_mm"], conditions["ages"]
    intervals = [*bands.values(), *([] if ages is None else [ages])]
    return (
        set(conditions["names"]) <= set(_NAMES)
        and "stage" in conditions["names"]
        and set(conditions["stages"]) <= set(_STAGES)
        and len(bands) > 0
        and (set(bands) <= set(_PLANES) or set(bands) == {_VOLUME})
        and ("age" in conditions["names"]) == (ages is not None)
        and all(-1000 <= low <= high <= 1000 for low, high in intervals)
    )


class Asked:
    """What each seed is asked for; nothing of a model without conditions.

    Args:
        options: Those of `add_arguments`.
        facts: Of `describe`.

    Raises:
        ValueError: If the model does not know it, or has to know more.
    """

    def __init__(
        self, options: argparse.Namespace, facts: dict[str, Any]
    ) -> None:
        self.conditions = facts.get("conditions")
        self.options = options
        self.plane = options.plane
        if self.conditions is None:
            for name in _NAMES:
                if getattr(options, name) is not None:
                    raise ValueError(
                        f"expected no --{name}: the model has no conditions"
                    )
            return
        self.names = self.conditions["names"]
        self.bands = self.conditions["bands_mm"]
        if len(self.bands) == 1 and self.plane is None:
            (self.plane,) = self.bands
        self._require_known()

    def _require_known(self) -> None:
        """Refuses what the model does not know."""
        options, stages = self.options, self.conditions["stages"]
        if options.stage is None:
            raise ValueError(
                f"expected --stage, one of {', '.join(stages)}: the model is "
                "asked for one"
            )
        for stage, weight in zip(_STAGES, options.stage, strict=True):
            if weight and stage not in stages:
                raise ValueError(
                    f"expected a stage among {', '.join(stages)}, found {stage}"
                )
        if self.plane not in self.bands:
            raise ValueError(
                f"expected --plane, one of {', '.join(self.bands)}, found "
                f"{self.plane or 'none'}"
            )
        self._require_within("position", self.bands[self.plane])
        self._require_within("age", self.conditions["ages"])
        self._require_within("sex", None)

    def _require_within(self, name: str, limits: list[float] | None) -> None:
        """Refuses the value of an option that the model does not know."""
        value = getattr(self.options, name)
        if value is not None and name not in self.names:
            raise ValueError(
                f"expected no --{name}: the model's conditions are "
                f"{', '.join(self.names)}"
            )
        if value is None or limits is None:
            return
        low, high = limits
        if not low <= value <= high:
            raise ValueError(
                f"expected --{name} from {low:g} to {high:g}, found {value:g}"
            )

    def columns(self, seeds: Iterable[int]) -> dict[str, list]:
        """The inputs of a request beside the seeds, by name."""
        if self.conditions is None:
            return {}
        seeds, options = list(seeds), self.options
        age = _UNKNOWN_AGE if options.age is None else options.age
        values = {
            "stage": [options.stage] * len(seeds),
            "plane": [self.plane] * len(seeds),
            "position": [self.position(seed) for seed in seeds],
            "age": [age] * len(seeds),
            "sex": [options.sex or ""] * len(seeds),
        }
        return {
            {"position": "position_mm"}.get(name, name): values[name]
            for name in self.names
        }

    def position(self, seed: int) -> float | None:
        """The position of a seed, uniform in the band if none is given."""
        if "position" not in self.names or self.options.position is not None:
            return self.options.position
        low, high = self.bands[self.plane]
        digest = hashlib.sha256(f"position {seed}".encode()).digest()
        share = int.from_bytes(digest[:8], "big") / 2**64
        return min(max(round(low + share * (high - low), 2), low), high)

    @property
    def stage(self) -> str:
        """The stage, or the weights, as of the option."""
        if 1.0 in self.options.stage:
            return _STAGES[self.options.stage.index(1.0)]
        return ",".join(f"{weight:g}" for weight in self.options.stage)

    @property
    def label(self) -> str:
        """The stage as part of a file's name."""
        if self.stage in _STAGES:
            return self.stage.lower()
        pairs = zip(_STAGES, self.options.stage, strict=True)
        return "-".join(f"{s.lower()}{100 * w:.4g}" for s, w in pairs)

    def cells(self, seed: int) -> list[str]:
        """The table's cells of `COLUMNS`."""
        values = self.position(seed), self.options.age
        cells = ["" if value is None else f"{value:g}" for value in values]
        return [*cells, self.options.sex or ""]


def fine(status: Iterable[Any]) -> None:
    """Refuses an answer in which a row was refused.

    Raises:
        ValueError: With the words of the first one.
    """
    words = [
        each.decode("utf-8", "replace") if isinstance(each, bytes) else each
        for each in status
    ]
    if refused := [each for each in words if each != ""]:
        first = " ".join(str(refused[0])[:200].split())
        plain = "".join(c if c.isprintable() else "?" for c in first)
        raise ValueError(
            f"{len(refused)} of {len(words)} images were refused ({plain}): "
            "ask for what the model's description allows"
        )
