"""Which scans are used: the criteria, and the decision on each single scan.

The stage of a scan comes from the most specific table: DXSUM at the time of
the scan, then ADNIMERGE; without either, from the labels of the download in
the order of its source: `sessions.tsv`, XML DX Group, `participants.tsv`,
collection CSV Group.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from tfds_adni.sources import Label, ScanRecord
from tfds_adni.sources.record import LEVELS, TRACERS, level_of, tracer_of
from tfds_adni.tables import (
    DiagnosisTable,
    Nearest,
    QualityTable,
    nearest,
    quality_problem,
)
from tfds_adni.tables.cells import (
    STAGES,
    is_smc,
    stage_of_group,
    to_date,
    to_visit,
)
from tfds_adni.volumes.reading import Reading
from tfds_adni.volumes.volume import examine

UNLABELLED = "no stage: no table lists the group of this scan"
SMC_DROPPED = "SMC is neither NC nor MCI (--smc keep counts it as NC)"


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
        stage: The stage of every scan, for a folder of one group; `""` where
            tables say it.
        stage_words: Stage by a word of the tables that is not known here,
            such as `{"control": "NC"}`.
        date_order: `"dmy"` or `"mdy"` for columns of dates that could be read
            either way; `""` where none is.
        assume_tracer: The tracer of scans that nothing names a tracer of;
            `""` to leave them out.
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
    stage_words: Mapping[str, str] = dataclasses.field(default_factory=dict)
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
        record, diagnosis, label_days=selection.label_days, smc=selection.smc
    )
    tracer = record.tracer or tracer_of(record.description)
    level = record.level or level_of(record.description)
    reason, flags = record.problem, frozenset()
    if not diagnosis:
        reason = reason or record.unlisted
    if not reason and tracer != selection.tracer:
        reason = f"another tracer ({tracer})"
    if not reason and level not in selection.levels:
        reason = f"another level ({level})"
    reason = (
        reason
        or unlabelled
        or quality_problem(
            quality,
            record.image_id,
            record.subject,
            to_date(record.date),
            to_visit(record.visit),
        )
    )
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


def diagnose(
    record: ScanRecord,
    tables: Sequence[DiagnosisTable] = (),
    *,
    label_days: int = 180,
    smc: str = "drop",
) -> tuple[str, str, str]:
    """Finds the stage of a scan.

    Where tables are given they alone label a scan: the group at enrolment does
    not hold for a later visit. No table of diagnoses has a code for SMC, which
    is CN with a memory complaint; a subject enrolled as SMC and diagnosed as
    CN is SMC.

    Args:
        record: The scan.
        tables: DXSUM and ADNIMERGE, in any order.
        label_days: Most days between the scan and the row that labels it.
        smc: `"drop"` or `"keep"`, which makes SMC NC.

    Returns:
        Stage, `label_source` and `reason` of a `ScanDecision`.
    """
    if tables:
        labels, reason = _labels_of_tables(record, tables, label_days)
    else:
        labels, reason = _labels_of_download(record.labels)
    if not labels:
        return "", "", reason
    label = labels[0]
    enrolled_as_smc = any(is_smc(one.text) for one in record.labels) or any(
        table.has_smc(record.subject) for table in tables
    )
    if is_smc(label.text) or (_stage(label) == "NC" and enrolled_as_smc):
        if smc == "drop":
            return "", "", SMC_DROPPED
        label = Label("NC", label.source)
    stage = _stage(label)
    sources = [label.source] + [
        f"{other.source} says {other.text}"
        for other in (*labels[1:], *(record.labels if tables else ()))
        if _stage(other) not in ("", stage)
    ]
    return stage, "; ".join(dict.fromkeys(sources)), ""


def _labels_of_tables(
    record: ScanRecord, tables: Sequence[DiagnosisTable], label_days: int
) -> tuple[list[Label], str]:
    """Returns the labels, the most specific first, or why there are none."""
    labels, reasons = [], []
    date, visit = to_date(record.date), to_visit(record.visit)
    for source in ("DXSUM", "ADNIMERGE"):
        own = [table for table in tables if table.source == source]
        exams = [exam for table in own for exam in table.of(record.subject)]
        found = nearest(exams, date, visit, most_days=label_days)
        if len(found.stages) == 1:
            labels.append(Label(found.stages[0], source))
        elif exams:
            reasons.append(_why_not(source, found, label_days))
    names = ", ".join(table.name for table in tables)
    reasons.append(f"no diagnosis of this subject: none in {names}")
    return labels, reasons[0]


def _why_not(source: str, found: Nearest, label_days: int) -> str:
    """Explains why a table that lists the subject does not label the scan."""
    if found.stages:
        stages = " and ".join(found.stages)
        return f"rows of one day contradict each other: {source} says {stages}"
    if found.days is None:
        return (
            f"no diagnosis of this visit: {source} and the scan share neither "
            "dates nor a visit code"
        )
    return (
        f"no diagnosis within {label_days} days: the nearest in {source} is "
        f"{found.days} days away"
    )


def _labels_of_download(labels: Sequence[Label]) -> tuple[list[Label], str]:
    """Returns the labels that name a group, or why there are none."""
    known = [label for label in labels if _stage(label) or is_smc(label.text)]
    if known:
        first = [n for n in known if n.source == known[0].source]
        if len({_stage(n) for n in first} - {""}) < 2:
            return known, ""
        texts = " and ".join(n.text for n in first)
        return [], (
            "rows of one image contradict each other: "
            f"{known[0].source} says {texts}"
        )
    if labels:
        text = " ".join(labels[0].text.split())[:40]
        return [], f"no stage ({labels[0].source} is {text})"
    return [], UNLABELLED


def _stage(label: Label) -> str:
    """Returns the stage that a label names, `""` where it names none."""
    return stage_of_group(label.text) or ""
