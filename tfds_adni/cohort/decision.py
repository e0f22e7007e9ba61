"""What is decided about one scan by itself, and by which rules."""

import dataclasses
from typing import Self

from tfds_adni.cohort.diagnosis import Diagnosis, diagnose
from tfds_adni.cohort.selection import Selection
from tfds_adni.sources import ScanRecord
from tfds_adni.sources.descriptions import level_of, tracer_of
from tfds_adni.sources.spreadsheet import SheetCache
from tfds_adni.tables import (
    DiagnosisTable,
    QualityTable,
    judge_quality,
    read_diagnosis,
    read_quality,
)
from tfds_adni.tables.delimited import to_date, to_visit
from tfds_adni.volumes.volume import examine


@dataclasses.dataclass(frozen=True, kw_only=True)
class ScanDecision:
    """A scan, what it is, and why it is not used.

    Attributes:
        record: What the source knows of the scan.
        stage: `"NC"`, `"MCI"` or `"AD"`, `""` where unknown or dropped.
        tracer: Such as `"FDG"`.
        level: Processing level, one of `descriptions.LEVELS`.
        label_source: The table that gave the stage and, after a semicolon,
            those that say otherwise; `""` where there is no stage.
        reason: Why the scan is not used, `""` where it is; what differs from
            scan to scan stands after a colon.
        oriented: Whether its headers say where left and right are.
    """

    record: ScanRecord
    stage: str
    tracer: str
    level: str
    label_source: str = ""
    reason: str = ""
    oriented: bool = True

    @property
    def disagrees(self) -> bool:
        """Whether another table says another stage than the one used."""
        return ";" in self.label_source

    def with_reason(self, reason: str) -> "ScanDecision":
        """Returns the decision with another reason."""
        return dataclasses.replace(self, reason=reason)


@dataclasses.dataclass(frozen=True)
class Rules:
    """A selection with its tables read.

    Attributes:
        selection: What is asked for.
        diagnosis: The tables of diagnoses.
        quality: The tables of quality control.
    """

    selection: Selection
    diagnosis: tuple[DiagnosisTable, ...] = ()
    quality: tuple[QualityTable, ...] = ()

    @classmethod
    def of(
        cls, selection: Selection, *, sheets: SheetCache | None = None
    ) -> Self:
        """Reads the tables of a selection.

        Args:
            selection: What is asked for.
            sheets: Opens the tables; each is opened anew where `None`.

        Raises:
            FileNotFoundError: If there is no such table.
            ValueError: If one is not what it should be.
        """
        return cls(
            selection,
            tuple(
                read_diagnosis(path, sheets=sheets)
                for path in selection.diagnosis
            ),
            tuple(read_quality(path, sheets=sheets) for path in selection.qc),
        )

    def judge(self, record: ScanRecord) -> ScanDecision:
        """Says what a scan is and why it cannot be used, if so."""
        diagnosis = diagnose(
            record,
            self.diagnosis,
            label_days=self.selection.label_days,
            smc=self.selection.smc,
        )
        verdict = ScanDecision(
            record=record,
            stage=diagnosis.stage,
            label_source=diagnosis.source,
            tracer=record.tracer or tracer_of(record.description),
            level=record.level or level_of(record.description),
        )
        if reason := self._reason(verdict, diagnosis):
            return verdict.with_reason(reason)
        # The headers, which cost most, come last.
        reason, oriented = examine(record.paths)
        return dataclasses.replace(verdict, reason=reason, oriented=oriented)

    def _reason(self, verdict: ScanDecision, diagnosis: Diagnosis) -> str:
        """Returns the first reason that needs no look into the file."""
        record = verdict.record
        if record.problem:
            return record.problem
        if record.unlisted and not self.diagnosis:
            return record.unlisted
        if verdict.tracer != self.selection.tracer:
            return f"another tracer ({verdict.tracer})"
        if verdict.level not in self.selection.levels:
            return f"another level ({verdict.level})"
        return diagnosis.reason or judge_quality(
            self.quality,
            record.image_id,
            record.subject,
            to_date(record.date),
            to_visit(record.visit),
        )
