"""The scans of a folder and the decision on each of them."""

import dataclasses
import shlex
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from tfds_adni.cohort.display import (
    cohort_card,
    warnings_of,
    warnings_of_reading,
    warnings_of_tables,
)
from tfds_adni.cohort.kinds import keep_one_kind
from tfds_adni.cohort.labels import UNLABELLED
from tfds_adni.cohort.remedies import notes_of, remedies_of
from tfds_adni.cohort.selection import ScanDecision, Selection, decide
from tfds_adni.cohort.visits import (
    image_order,
    keep_one_copy,
    keep_one_scan_per_visit,
)
from tfds_adni.printable import printable
from tfds_adni.sources import read_folder
from tfds_adni.sources.ida_metadata import is_collection
from tfds_adni.tables import kind_of, read_diagnosis, read_quality
from tfds_adni.tables.cells import STAGES, months_of, to_visit
from tfds_adni.tables.spreadsheet import SheetCache
from tfds_adni.volumes.reading import Reading

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    *("path", "subject", "image_id", "visit", "date", "age", "sex"),
    *("tracer", "level", "stage", "label_source", "used", "reason"),
)
# ADNI has no such site.
_PHANTOM_SITE = "999"


@dataclasses.dataclass(frozen=True)
class Cohort:
    """Every scan of a folder and the decision on it.

    Attributes:
        decisions: In order of subject, date and image id.
        selection: The criteria.
        notes: Warnings about the tables, a line each.
        source: The layout of the folder, `"ida"` or `"bids"`.
        missing_tables: The error for a folder without any diagnosis.
        tables: Kind and file name of each table of diagnoses that was given.
    """

    decisions: tuple[ScanDecision, ...]
    selection: Selection = dataclasses.field(default_factory=Selection)
    notes: tuple[str, ...] = ()
    source: str = ""
    missing_tables: str = ""
    tables: tuple[tuple[str, str], ...] = ()

    @property
    def used(self) -> list[ScanDecision]:
        """The scans that are used."""
        return [d for d in self.decisions if not d.reason]

    @property
    def stage_of_subject(self) -> dict[str, str]:
        """Stage by subject id at the earliest scan used.

        Each scan keeps its own label, which may change from visit to visit;
        subjects are split by that of the earliest one.
        """

        def time(decision: ScanDecision) -> tuple:
            record = decision.record
            months = months_of(to_visit(record.visit)) or 0
            return record.date or "9999", months, image_order(record.image_id)

        stages: dict[str, str] = {}
        for decision in sorted(self.used, key=time):
            stages.setdefault(decision.record.subject, decision.stage)
        return stages

    @property
    def phantom(self) -> bool:
        """Whether every subject used is of the phantom's invented site.

        Where none is used, every subject found.
        """
        shown = self.used or self.decisions
        sites = {d.record.subject.split("_")[0] for d in shown}
        return sites == {_PHANTOM_SITE}

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to know before training on this cohort, a line each."""
        lines = warnings_of(self.used, self.selection, self.stage_of_subject)
        return (*lines, *self.notes)

    @property
    def label_sources(self) -> dict[str, int]:
        """Counts the scans used by the table that labels them.

        Returns:
            Count by table, the most first: file name and kind of a table that
            was given, such as `DXSUM_12Oct2023.csv (DXSUM)`; the kind of one
            of the download.
        """
        names = defaultdict(list)
        for kind, name in self.tables:
            names[kind].append(printable(name))
        counts = Counter(
            printable(d.label_source.split(";")[0]) for d in self.used
        )
        return {
            f"{' or '.join(names[kind])} ({kind})" if kind in names else kind: n
            for kind, n in counts.most_common()
        }

    def with_reasons(self, reasons: dict[str, str]) -> "Cohort":
        """Adds reasons, by image id, that were found in the pixels."""
        decisions = tuple(
            d.with_reason(d.reason or reasons.get(d.record.image_id, ""))
            for d in self.decisions
        )
        return dataclasses.replace(self, decisions=decisions)

    def summary(self) -> dict[str, Counter]:
        """Counts scans by reason and stage.

        Returns:
            `{"used" or a reason: Counter of stages ("?" where unknown)}`; of
            a reason the part before its colon.
        """
        table: dict[str, Counter] = defaultdict(Counter)
        for decision in self.decisions:
            kind = decision.reason.split(": ", 1)[0]
            table[printable(kind) or "used"][decision.stage or "?"] += 1
        return dict(table)

    def account(self, root: Path | None = None) -> "pd.DataFrame":
        """Returns one row for every image file found.

        Args:
            root: The folder that paths are written relative to.

        Returns:
            A table with the columns `COLUMNS`: `used` is bool, the others text.
        """
        import pandas as pd  # slow, and a scan without --csv needs none

        rows = []
        for decision in self.decisions:
            record = decision.record
            known = {
                "subject": printable(record.subject),
                "image_id": printable(record.image_id),
                "visit": printable(record.visit),
                "date": record.date,
                "age": f"{record.age:g}" if record.age >= 0 else "",
                "sex": record.sex,
                "tracer": printable(decision.tracer),
                "level": decision.level,
                "stage": decision.stage,
                "label_source": printable(decision.label_source),
                "used": not decision.reason,
                "reason": printable(decision.reason),
            }
            for path in record.paths:
                if root and path.is_relative_to(root):
                    path = path.relative_to(root)
                rows.append({"path": printable(path.as_posix())} | known)
        return pd.DataFrame(rows, columns=COLUMNS)

    def require_used(self, folder: Path) -> None:
        """Rejects a cohort of which no scan can be used.

        Args:
            folder: Its folder, for the message.

        Raises:
            ValueError: If no scan is used; it gives the reasons.
        """
        if self.used:
            return
        unlabelled = {d.reason for d in self.decisions} & {UNLABELLED}
        if unlabelled and not any(d.record.labels for d in self.decisions):
            raise ValueError(
                f"{printable(self.missing_tables)}; a folder of one group: "
                "--stage NC"
            )
        counts = Counter({r: n.total() for r, n in self.summary().items()})
        found = "; ".join(f"{n} x {r}" for r, n in counts.most_common(4))
        remedies = map(printable, remedies_of(self.decisions, self.selection))
        raise ValueError(
            f"expected {self.selection.tracer} scans with a stage of "
            f"{', '.join(STAGES)} in {folder}, found none to use ({found}); "
            f"{''.join(f'{remedy}; ' for remedy in remedies)}"
            "list every file with: pet-dcgan scan "
            f"{shlex.quote(str(folder))} --csv scans.csv"
        )

    def __repr__(self) -> str:
        """Shows counts only, since notebooks are shared."""
        return f"<Cohort: {len(self.decisions)} found, {len(self.used)} used>"

    def _repr_html_(self) -> str:
        """Shows counts in a notebook, without subject ids."""
        return cohort_card(
            self.summary(),
            self.warnings,
            phantom=self.phantom,
            labels=self.label_sources,
        )


def survey(
    folder: Path,
    selection: Selection | None = None,
    *,
    reading: Reading | None = None,
) -> Cohort:
    """Reads a folder and decides on each scan.

    The folder is walked once, each table is opened once, and of the images
    only headers are read. A scan is used if it is of the selected tracer and
    levels, has a known stage and a sound header, and passed quality control
    where a table of it is given; of each visit the scan of the preferred
    level, of each subject the selected visits.

    Args:
        folder: A download, as `sources.read_folder` takes it.
        selection: The criteria; the defaults where `None`.
        reading: How files are read; the defaults where `None`.

    Raises:
        FileNotFoundError: If the folder or a table is missing, or the folder
            holds no image.
        ValueError: If a table is of another kind.
    """
    selection, reading = selection or Selection(), reading or Reading()
    sheets = SheetCache(lambda header: is_collection(header) or kind_of(header))
    tables = {"sheets": sheets, "date_order": selection.date_order}
    diagnosis = [read_diagnosis(path, **tables) for path in selection.diagnosis]
    quality = [read_quality(path, **tables) for path in selection.qc]
    found = read_folder(Path(folder), **tables, dicom_cache=reading.dicom_cache)
    records = sorted(
        found.records,
        key=lambda r: (r.subject, r.date, image_order(r.image_id), r.paths),
    )
    decisions = [
        decide(r, selection, diagnosis, quality, reading=reading)
        for r in records
    ]
    decisions, kinds = keep_one_kind(keep_one_copy(decisions), selection)
    decisions = keep_one_scan_per_visit(
        decisions, selection.levels, selection.visits
    )
    return Cohort(
        tuple(decisions),
        selection,
        notes=(
            *map(printable, (*found.notes, *kinds)),
            *map(printable, notes_of(decisions, selection)),
            *warnings_of_tables(found.tree, selection, [*diagnosis, *quality]),
            *warnings_of_reading(
                [d for d in decisions if not d.reason], reading
            ),
        ),
        source=found.source,
        missing_tables=found.missing_tables(),
        tables=tuple((table.source, table.name) for table in diagnosis),
    )


def gather(
    folder: Path,
    selection: Selection | None = None,
    *,
    reading: Reading | None = None,
) -> Cohort:
    """Surveys a folder and requires at least one scan that can be used.

    Arguments and errors are those of `survey`; `ValueError` also if no scan
    is used.
    """
    cohort = survey(folder, selection, reading=reading)
    cohort.require_used(folder)
    return cohort
