"""What images are asked for of a conditional model, seed by seed."""

import dataclasses
import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from pet_dcgan.conditions import Conditions
from pet_dcgan.config import ALL_PLANES, ALL_STAGES, STAGES
from pet_dcgan.models.condition_rows import as_columns
from pet_dcgan.models.condition_values import checked_values
from pet_dcgan.models.model_info import ModelInfo
from pet_dcgan.models.png_notes import row_texts
from pet_dcgan.utils.plain_values import converted, shown


class WantedError(ValueError):
    """Something that cannot be asked for, of this model or at once."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is asked for, before it is known of which model.

    Args:
        stage: A stage, or the weights of all three, which sum to 1.
        plane: A plane.
        position_mm: Distance from the centre of the brain.
        age: Years.
        sex: `"F"` or `"M"`.
    """

    stage: str | Sequence[float] | None = None
    plane: str | None = None
    position_mm: float | None = None
    age: float | None = None
    sex: str | None = None

    def of(self, facts: ModelInfo) -> "Asked | None":
        """The same of a model; None of one without conditions.

        Args:
            facts: Of the model.

        Raises:
            WantedError: If the model does not know it, or has to know more.
        """
        try:
            if facts.takes is None:
                return self._require_nothing(facts)
            return Asked(facts.takes, self._values(facts.takes))
        except WantedError:
            raise
        except ValueError as error:
            raise WantedError(str(error)) from None

    def _require_nothing(self, facts: ModelInfo) -> None:
        """Refuses whatever is given."""
        given = {n: v for n, v in vars(self).items() if v is not None}
        for name, value in given.items():
            raise WantedError(
                f"expected no {name}, found {shown(value)}: {facts.name} is a "
                f"model of {facts.stage} alone, without conditions; leave it "
                "out, or give a conditional model"
            )

    def _values(self, takes: Conditions) -> dict[str, Any]:
        """What is given as numbers, with a stage and a plane."""
        # arrays are compared with a text below
        stage = self.stage if isinstance(self.stage, str) else _list(self.stage)
        if stage in (None, ALL_STAGES):
            raise WantedError(
                f"expected a stage among {', '.join(takes.stages)}, or the "
                f"weights of {', '.join(STAGES)}, found {stage or 'none'}: "
                f"give --stage {takes.stages[-1]} or another"
            )
        plane = self.plane
        if plane in (None, ALL_PLANES) and len(takes.planes) > 1:
            raise WantedError(
                f"expected a plane among {', '.join(takes.planes)}, found "
                f"{plane or 'none'}: give --plane {takes.planes[0]} or another"
            )
        numbers = {
            name: None if value is None else converted(name, float, value)
            for name, value in vars(self).items()
            if name in ("position_mm", "age")
        }
        plane = plane or takes.planes[0]
        return checked_values(
            takes, stage=stage, plane=plane, sex=self.sex, **numbers
        )


def _list(weights: Any) -> list | None:
    """Weights as a list."""
    return weights if weights is None else list(weights)


class Asked:
    """What a conditional model is asked for: a row for each seed.

    A position that is not given is drawn from the plane's band, by the seed
    alone.

    Args:
        takes: The model's conditions.
        values: From `checked_values`, with a stage and a plane.
    """

    def __init__(self, takes: Conditions, values: dict[str, Any]) -> None:
        self.takes = takes
        self.values = values
        open_ = values["position_mm"] is None
        self._drawn = open_ and "position" in takes.names

    @property
    def label(self) -> str:
        """The stage as part of a file's name: `ad`, or `nc50-mci50-ad0`."""
        weights = dict(zip(STAGES, self.values["stage"], strict=True))
        for stage, weight in weights.items():
            if weight == 1.0:
                return stage.lower()
        parts = (f"{s.lower()}{100 * w:.4g}" for s, w in weights.items())
        return "-".join(parts)

    def identity(self) -> dict[str, str]:
        """What must be the same when a batch is resumed."""
        texts = row_texts(self.values)
        if self._drawn:
            texts["position_mm"] = "drawn by seed"
        return texts

    def row(self, seed: int) -> dict[str, Any]:
        """What the image of a seed is asked for.

        Args:
            seed: 0 or more.
        """
        if not self._drawn:
            return self.values
        band = self.takes.bands_mm[self.values["plane"]]
        return self.values | {"position_mm": drawn_position(seed, *band)}

    def columns(self, seeds: Iterable[int]) -> dict[str, list]:
        """What a request of these seeds has beside them.

        Args:
            seeds: Each 0 or more.
        """
        return as_columns(self.takes, [self.row(seed) for seed in seeds])


def drawn_position(seed: int, low: float, high: float) -> float:
    """A position of a seed, uniform in a band, in hundredths of a mm.

    By SHA-256 of the seed, which whoever asks a server without this package
    can compute as well.

    Args:
        seed: Any whole number.
        low: Where the band begins, in mm.
        high: Where it ends.
    """
    digest = hashlib.sha256(f"position {seed}".encode()).digest()
    share = int.from_bytes(digest[:8], "big") / 2**64
    return min(max(round(low + share * (high - low), 2), low), high)
