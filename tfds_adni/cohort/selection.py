"""Which scans are asked for: the options of a selection, checked."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from tfds_adni.sources.descriptions import LEVELS, TRACERS

VISITS = ("baseline", "all")
SMC_RULES = ("drop", "keep")
LABEL_DAYS = 180


@dataclasses.dataclass(frozen=True, kw_only=True)
class Selection:
    """What is asked of a scan for it to be used.

    Attributes:
        tracer: The one tracer used, such as `"FDG"`.
        visits: `"baseline"`: the earliest visit of each subject that has a
            usable scan, as in the paper; `"all"`: one scan of every visit.
        smc: `"drop"` leaves subjects with significant memory concern out,
            `"keep"` counts them as NC.
        levels: Processing levels used, the preferred one first.
        label_days: Most days between a scan and the diagnosis that labels it.
        diagnosis: Tables that tell the stage at the time of a scan (DXSUM,
            ADNIMERGE); without any, labels come from the download itself.
        qc: Tables of quality control (PETQC, PETC3); where one is given, a
            scan must have passed.

    Example:

    >>> Selection(visits="all").facts()["visits"]
    'all'
    """

    tracer: str = "FDG"
    visits: str = "baseline"
    smc: str = "drop"
    levels: Sequence[str] = LEVELS
    label_days: int = LABEL_DAYS
    diagnosis: Sequence[Path] = ()
    qc: Sequence[Path] = ()

    def __post_init__(self) -> None:
        for name in ("diagnosis", "qc"):
            paths = _listed(name, getattr(self, name))
            object.__setattr__(self, name, tuple(Path(path) for path in paths))
        levels = _listed("levels", self.levels)
        object.__setattr__(self, "levels", tuple(levels))
        _require_one_of("tracer", self.tracer, TRACERS)
        _require_one_of("visits", self.visits, VISITS)
        _require_one_of("smc", self.smc, SMC_RULES)
        _require_levels(self.levels)
        _require_days(self.label_days)

    def facts(self) -> dict:
        """Returns what stands in a data set's metadata.

        Returns:
            The options, tables by their file names: a folder's name may tell
            of its owner.
        """
        return {
            "tracer": self.tracer,
            "visits": self.visits,
            "smc": self.smc,
            "levels": list(self.levels),
            "label_days": self.label_days,
            "diagnosis": [path.name for path in self.diagnosis],
            "qc": [path.name for path in self.qc],
        }


def _listed(name: str, values: Sequence) -> Sequence:
    """Refuses one text where several values are expected."""
    if isinstance(values, str | Path):
        raise ValueError(
            f"expected a list of {name}, found {str(values)!r}; put it into "
            "brackets"
        )
    return values


def _require_one_of(name: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise ValueError(
            f"expected {name} to be one of {', '.join(known)}, found "
            f"{value!r}; choose one of them"
        )


def _require_levels(levels: Sequence[str]) -> None:
    for level in levels:
        _require_one_of("each level", level, LEVELS)
    if not levels or len(set(levels)) < len(levels):
        raise ValueError(
            "expected at least one level and each only once, found "
            f"{', '.join(levels) or 'none'}; leave out what is double"
        )


def _require_days(days: int) -> None:
    if isinstance(days, bool) or not isinstance(days, int) or days < 0:
        raise ValueError(
            f"expected label_days of at least 0, found {days!r}; give whole "
            f"days, such as {LABEL_DAYS}"
        )
