"""Which scans are used: the criteria, and the decision on each single scan."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from tfds_adni.cohort.labels import diagnose
from tfds_adni.printable import printable
from tfds_adni.sources import ScanRecord
from tfds_adni.sources.record import LEVELS, level_of, tracer_of
from tfds_adni.sources.tracers import TRACERS
from tfds_adni.tables import DiagnosisTable, QualityTable, quality_problem
from tfds_adni.tables.cells import STAGES, to_visit, true_date
from tfds_adni.volumes.reading import Reading
from tfds_adni.volumes.volume import examine

UNKNOWN_TRACER = "the tracer is not named"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Selection:
    """The criteria for using a scan; the defaults are the paper's.

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
        stage: The stage of every scan, for a folder of one group; it goes
            before all tables; `""` where they say it.
        stage_words: Stage by a word of the download's tables, such as
            `{"patient": "AD"}`, in any case and punctuation; they go before
            the words that are known.
        date_order: `"dmy"` or `"mdy"` for columns of dates that could be read
            either way; `""` where none is.
        assume_tracer: The tracer of scans of which nothing names one; `""`
            to leave them out.
        desc: The BIDS entity `desc` of the images used, `""` for those
            without; `None` to choose one for the whole cohort.
        space: The same for the entity `space`.

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
    stage: str = ""
    stage_words: Mapping[str, str] = dataclasses.field(
        default_factory=dict, hash=False
    )
    date_order: str = ""
    assume_tracer: str = ""
    desc: str | None = None
    space: str | None = None

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
        for name, values, known in (
            ("tracer", [self.tracer], TRACERS),
            ("visits", [self.visits], ("baseline", "all")),
            ("smc", [self.smc], ("drop", "keep")),
            ("stage", [self.stage], ("", *STAGES)),
            ("each stage word's stage", self.stage_words.values(), STAGES),
            ("date_order", [self.date_order], ("", "dmy", "mdy")),
            ("assume_tracer", [self.assume_tracer], ("", *TRACERS)),
            ("each level", self.levels, LEVELS),
        ):
            unknown = [value for value in values if value not in known]
            if unknown:
                raise ValueError(
                    f"expected {name} to be one of {', '.join(known)}, found "
                    f"{unknown[0]!r}; choose one of them"
                )
        self._require_sense()

    def _require_sense(self) -> None:
        """Refuses options that cannot be met together."""
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

        Tables are given by file name alone, since the name of a folder may
        identify its owner.
        """
        return vars(self) | {
            "levels": list(self.levels),
            "diagnosis": [path.name for path in self.diagnosis],
            "qc": [path.name for path in self.qc],
            "stage_words": dict(self.stage_words),
        }


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
        reason: Why the scan is not used, `""` where it is; details of the
            single scan follow a colon.
        flags: What its headers leave open, as in `Volume`.
    """

    record: ScanRecord
    stage: str
    tracer: str
    level: str
    label_source: str = ""
    reason: str = ""
    flags: frozenset[str] = frozenset()

    def with_reason(self, reason: str) -> "ScanDecision":
        """Returns the decision with another reason."""
        return dataclasses.replace(self, reason=reason)


def tracer_of_scan(record: ScanRecord) -> str:
    """Returns the tracer that a scan's source names, else `"unknown"`."""
    return record.tracer or tracer_of(record.description)


def _not_wanted(tracer: str, level: str, selection: Selection) -> str:
    """Returns why a scan is not of the selected kind, `""` where it is."""
    if tracer == "unknown":
        return UNKNOWN_TRACER
    if tracer != selection.tracer:
        return f"another tracer ({printable(tracer, most=60)})"
    if level not in selection.levels:
        return f"another level ({level})"
    return ""


def decide(
    record: ScanRecord,
    selection: Selection,
    diagnosis: Sequence[DiagnosisTable] = (),
    quality: Sequence[QualityTable] = (),
    *,
    reading: Reading | None = None,
) -> ScanDecision:
    """Labels a scan and decides whether it qualifies, whatever other scans do.

    Copies and other scans of the same visit are dropped later, in `visits`.

    Args:
        record: The scan.
        selection: The criteria.
        diagnosis: The selection's tables of diagnoses.
        quality: The selection's tables of quality control.
        reading: How its files are read; the defaults where `None`.
    """
    stage, source, unlabelled = diagnose(
        record,
        diagnosis,
        label_days=selection.label_days,
        smc=selection.smc,
        stage=selection.stage,
        words=selection.stage_words,
    )
    tracer = tracer_of_scan(record)
    if tracer == "unknown":
        tracer = selection.assume_tracer or tracer
    level = record.level or level_of(record.description)
    listed = diagnosis or selection.stage
    reason = (
        record.problem
        or ("" if listed else record.unlisted)
        or _not_wanted(tracer, level, selection)
        or unlabelled
        or quality_problem(
            quality,
            record.image_id,
            record.subject,
            true_date(record.date),
            to_visit(record.visit),
        )
    )
    flags = frozenset()
    if not reason:  # headers come last: reading them takes longest
        reason, flags = examine(
            record.images, reading=reading, timing=record.timing
        )
    return ScanDecision(
        record=record,
        stage=stage,
        tracer=tracer,
        level=level,
        label_source=source,
        reason=reason,
        flags=flags,
    )
