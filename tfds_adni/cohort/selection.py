"""Which scans are used: the criteria, and the decision on each single scan."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from tfds_adni.cohort.diagnosis import diagnose
from tfds_adni.sources import ScanRecord
from tfds_adni.sources.record import LEVELS, TRACERS, level_of, tracer_of
from tfds_adni.tables import DiagnosisTable, QualityTable, quality_problem
from tfds_adni.tables.cells import to_date, to_visit
from tfds_adni.volumes.volume import examine


@dataclasses.dataclass(frozen=True, kw_only=True)
class Selection:
    """What a scan has to be in order to be used; the defaults are the paper's.

    Attributes:
        tracer: The one tracer used, such as `"FDG"`.
        visits: `"baseline"`: the earliest visit of each subject that has a
            usable scan; `"all"`: one scan of every visit.
        smc: `"drop"` leaves out subjects with significant memory concern,
            `"keep"` counts them as NC.
        levels: Processing levels used, the preferred one first.
        label_days: Most days between a scan and the diagnosis that labels it.
        diagnosis: Tables with the stage at the time of a scan (DXSUM,
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
    label_days: int = 180
    diagnosis: Sequence[Path] = ()
    qc: Sequence[Path] = ()

    def __post_init__(self) -> None:
        for name in ("diagnosis", "qc", "levels"):
            values = getattr(self, name)
            if isinstance(values, str | Path):
                raise ValueError(
                    f"expected a list of {name}, found {str(values)!r}; put "
                    "it into brackets"
                )
            if name != "levels":
                values = map(Path, values)
            object.__setattr__(self, name, tuple(values))
        _require_one_of("tracer", [self.tracer], TRACERS)
        _require_one_of("visits", [self.visits], ("baseline", "all"))
        _require_one_of("smc", [self.smc], ("drop", "keep"))
        _require_one_of("each level", self.levels, LEVELS)
        if not self.levels or len(set(self.levels)) < len(self.levels):
            raise ValueError(
                "expected at least one level and each only once, found "
                f"{', '.join(self.levels) or 'none'}; remove duplicates"
            )
        if type(self.label_days) is not int or self.label_days < 0:
            raise ValueError(
                f"expected label_days of at least 0, found {self.label_days!r};"
                " give whole days, such as 180"
            )

    def facts(self) -> dict:
        """Returns the options for a data set's metadata.

        Tables are given by their file names alone, since a folder's name may
        identify its owner.
        """
        return vars(self) | {
            "levels": list(self.levels),
            "diagnosis": [path.name for path in self.diagnosis],
            "qc": [path.name for path in self.qc],
        }


def _require_one_of(
    name: str, values: Sequence[str], known: Sequence[str]
) -> None:
    """Rejects unknown values of an option."""
    for value in values:
        if value not in known:
            raise ValueError(
                f"expected {name} to be one of {', '.join(known)}, found "
                f"{value!r}; choose one of them"
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class ScanDecision:
    """A scan, its label, and whether it is used.

    Attributes:
        record: What the source knows of the scan.
        stage: `"NC"`, `"MCI"` or `"AD"`, `""` where unknown or dropped.
        tracer: Such as `"FDG"`.
        level: Processing level, one of `record.LEVELS`.
        label_source: The table that gave the stage and, after a semicolon,
            those that disagree; `""` where there is no stage.
        reason: Why the scan is not used, `""` where it is; what differs from
            scan to scan stands after a colon.
        oriented: Whether its headers define left and right.
    """

    record: ScanRecord
    stage: str
    tracer: str
    level: str
    label_source: str = ""
    reason: str = ""
    oriented: bool = True

    def with_reason(self, reason: str) -> "ScanDecision":
        """Returns the decision with another reason."""
        return dataclasses.replace(self, reason=reason)


def decide(
    record: ScanRecord,
    selection: Selection,
    diagnosis: Sequence[DiagnosisTable] = (),
    quality: Sequence[QualityTable] = (),
) -> ScanDecision:
    """Labels a scan and decides whether it can be used by itself.

    Args:
        record: The scan.
        selection: The criteria.
        diagnosis: The selection's tables of diagnoses.
        quality: The selection's tables of quality control.
    """
    found = diagnose(
        record, diagnosis, label_days=selection.label_days, smc=selection.smc
    )
    tracer = record.tracer or tracer_of(record.description)
    level = record.level or level_of(record.description)
    reason, oriented = record.problem, True
    if not reason and not diagnosis:
        reason = record.unlisted
    if not reason and tracer != selection.tracer:
        reason = f"another tracer ({tracer})"
    if not reason and level not in selection.levels:
        reason = f"another level ({level})"
    reason = (
        reason
        or found.reason
        or quality_problem(
            quality,
            record.image_id,
            record.subject,
            to_date(record.date),
            to_visit(record.visit),
        )
    )
    if not reason:  # the headers come last: reading them costs most
        reason, oriented = examine(record.paths)
    return ScanDecision(
        record=record,
        stage=found.stage,
        tracer=tracer,
        level=level,
        label_source=found.source,
        reason=reason,
        oriented=oriented,
    )
