"""Which scans are used, and the account of every file that is not."""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tfds_adni.cohort.account import account_of, cohort_card, summarise
from tfds_adni.cohort.decision import Rules, ScanDecision
from tfds_adni.cohort.diagnosis import STAGES, UNLABELLED
from tfds_adni.cohort.selection import Selection
from tfds_adni.cohort.visits import (
    image_order,
    keep_one_copy,
    keep_one_scan_a_visit,
)
from tfds_adni.cohort.warnings import warnings_of, warnings_of_tables
from tfds_adni.sources import read_folder
from tfds_adni.sources.collection import is_collection
from tfds_adni.sources.spreadsheet import SheetCache
from tfds_adni.tables import kind_of
from tfds_adni.tables.delimited import months_of, to_visit

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Cohort",
    "ScanDecision",
    "gather",
    "is_phantom",
    "require_used",
    "survey",
]

PHANTOM_SITE = "999"


@dataclasses.dataclass(frozen=True)
class Cohort:
    """Every scan of a folder with its verdict.

    Attributes:
        verdicts: In order of subject, date and image id.
        selection: What was asked for.
        notes: What the tables should make a user think of, a line each.
        source: The way the scans came, `"ida"` or `"bids"`.
        missing_tables: What to say where no table tells a diagnosis.
    """

    verdicts: tuple[ScanDecision, ...]
    selection: Selection = dataclasses.field(default_factory=Selection)
    notes: tuple[str, ...] = ()
    source: str = ""
    missing_tables: str = ""

    @property
    def used(self) -> list[ScanDecision]:
        """The scans that are used."""
        return [v for v in self.verdicts if not v.reason]

    @property
    def stage_of_subject(self) -> dict[str, str]:
        """Stage by subject id at the earliest scan used.

        A subject may be in several stages at several visits. Each scan keeps
        its own label; the earliest one decides which stage the subject counts
        for when the subjects are split.
        """
        stages: dict[str, str] = {}
        for verdict in sorted(self.used, key=_when):
            stages.setdefault(verdict.record.subject, verdict.stage)
        return stages

    @property
    def phantom(self) -> bool:
        """Whether every subject used is of the phantom's invented site."""
        return is_phantom(v.record.subject for v in self.used)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to know before training on this cohort, a line each."""
        lines = warnings_of(self.used, self.selection, self.stage_of_subject)
        return (*lines, *self.notes)

    def label_sources(self) -> dict[str, int]:
        """Counts the scans used by the table that labels them."""
        sources = (v.label_source.split(";")[0] for v in self.used)
        return dict(sorted(Counter(sources).items()))

    def with_reasons(self, reasons: dict[str, str]) -> "Cohort":
        """Adds reasons, by image id, that only pixels could tell."""
        verdicts = tuple(
            v.with_reason(reasons[v.record.image_id])
            if not v.reason and v.record.image_id in reasons
            else v
            for v in self.verdicts
        )
        return dataclasses.replace(self, verdicts=verdicts)

    def summary(self) -> dict[str, Counter]:
        """Counts scans by what became of them; see `account.summarise`."""
        return summarise(self.verdicts)

    def account(self, root: Path | None = None) -> "pd.DataFrame":
        """Returns one row for every file; see `account.account_of`."""
        return account_of(self.verdicts, root)

    def __repr__(self) -> str:
        """Counts, since a notebook keeps this text and should name nobody."""
        return f"<Cohort: {len(self.verdicts)} found, {len(self.used)} used>"

    def _repr_html_(self) -> str:
        """Shows the account in a notebook, without naming a subject."""
        return cohort_card(self)


def is_phantom(subjects: Iterable[str]) -> bool:
    """Says whether subjects are all of site 999, which ADNI does not have."""
    sites = {subject.split("_")[0] for subject in subjects}
    return sites == {PHANTOM_SITE}


def gather(folder: Path, selection: Selection | None = None) -> Cohort:
    """Selects the scans of a folder, of which there must be one to use.

    Args:
        folder: As for `survey`.
        selection: As for `survey`.

    Returns:
        The cohort, with at least one scan used.

    Raises:
        FileNotFoundError: As `survey` does.
        ValueError: As `survey` does, and if no scan is left to use; the text
            gives the reasons and their counts.
    """
    cohort = survey(folder, selection)
    require_used(cohort, folder)
    return cohort


def survey(folder: Path, selection: Selection | None = None) -> Cohort:
    """Reads a folder and decides on each scan.

    The folder is walked once and each table is opened once. Of the images
    only headers are read. A scan is used that is of the tracer asked for, of
    a level asked for, of a known stage, passed quality control where a table
    of it is given, and has a sound header; of each visit the one of the
    preferred level, of each subject the visits asked for.

    Args:
        folder: A download, as `sources.read_folder` takes it.
        selection: What is asked for; the defaults where `None`.

    Raises:
        FileNotFoundError: If the folder or a table is missing, or the folder
            holds no image.
        ValueError: If a table is not what it should be.
    """
    folder, selection = Path(folder), selection or Selection()
    sheets = SheetCache(_has_rows_to_read)
    rules = Rules.of(selection, sheets=sheets)
    found = read_folder(folder, sheets=sheets)
    verdicts = sorted(map(rules.judge, found.records), key=_order)
    return Cohort(
        tuple(
            keep_one_scan_a_visit(
                keep_one_copy(verdicts), selection.levels, selection.visits
            )
        ),
        selection,
        notes=tuple(warnings_of_tables(found.tree, selection, rules.diagnosis)),
        source=found.source,
        missing_tables=found.missing_tables(),
    )


def _has_rows_to_read(header: Sequence[str]) -> bool:
    """Says whether a table that nobody gave may tell of scans."""
    return is_collection(header) or bool(kind_of(header))


def require_used(cohort: Cohort, folder: Path) -> None:
    """Refuses a cohort of which no scan can be used.

    Args:
        cohort: The cohort.
        folder: Where it lies.

    Raises:
        ValueError: If there is none; the text gives the reasons.
    """
    if not cohort.used:
        raise ValueError(_nothing_left(cohort, folder))


def _nothing_left(cohort: Cohort, folder: Path) -> str:
    """Words the error for a cohort of which no scan can be used."""
    if any(v.reason == UNLABELLED for v in cohort.verdicts) and not any(
        v.record.labels for v in cohort.verdicts
    ):
        return cohort.missing_tables
    reasons = Counter()
    for reason, stages in cohort.summary().items():
        reasons[reason] = stages.total()
    found = "; ".join(f"{n} x {reason}" for reason, n in reasons.most_common(4))
    return (
        f"expected {cohort.selection.tracer} scans with a stage of "
        f"{', '.join(STAGES)} in {folder}, found none to use ({found}); see "
        f"every file with: pet-dcgan scan {folder} --csv scans.csv"
    )


def _order(verdict: ScanDecision) -> tuple:
    """Orders scans by subject, date and image id, and files without these."""
    record = verdict.record
    return (
        record.subject,
        record.date,
        image_order(record.image_id),
        record.paths,
    )


def _when(verdict: ScanDecision) -> tuple:
    """Orders scans by date, those without one last and by visit."""
    record = verdict.record
    months = months_of(to_visit(record.visit))
    return record.date or "9999", months or 0, image_order(record.image_id)
