"""Which scans are used, and the account of every file that is not.

The selection: FDG scans of a known stage with a sound header; of each visit
the preferred processing level, the highest image id on a tie; of each subject
the earliest such visit, as the paper used baseline scans only.
"""

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from tfds_adni.descriptions import LEVELS, level_of, tracer_of
from tfds_adni.diagnosis import STAGES, stage_of_group
from tfds_adni.sources import ScanRecord, read_folder
from tfds_adni.volumes import check_header

PHANTOM_SITE = "999"
# What stands in a data set's metadata.
SELECTION = {
    "tracer": "FDG",
    "visits": "baseline",
    "levels": list(LEVELS),
    "label_source": "Group",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Verdict:
    """A scan, what it is, and why it is not used (`""` where it is)."""

    record: ScanRecord
    stage: str
    tracer: str
    level: str
    reason: str = ""


@dataclasses.dataclass(frozen=True)
class Cohort:
    """Every scan of a folder with its verdict.

    Attributes:
        verdicts: In order of subject, date and image id.
    """

    verdicts: tuple[Verdict, ...]

    @property
    def used(self) -> list[Verdict]:
        """The scans that are used."""
        return [v for v in self.verdicts if not v.reason]

    @property
    def stage_of_subject(self) -> dict[str, str]:
        """Stage by subject id, over the scans used."""
        return {v.record.subject: v.stage for v in self.used}

    @property
    def phantom(self) -> bool:
        """Whether every subject used is of the phantom's invented site."""
        return is_phantom(self.stage_of_subject)

    def with_reasons(self, reasons: dict[str, str]) -> "Cohort":
        """Adds reasons, by image id, that only pixels could tell."""
        return Cohort(
            tuple(
                dataclasses.replace(v, reason=reasons[v.record.image_id])
                if not v.reason and v.record.image_id in reasons
                else v
                for v in self.verdicts
            )
        )

    def summary(self) -> dict[str, Counter]:
        """Counts scans by what became of them, each by stage.

        Returns:
            `{"used" or a reason: Counter of stages ("?" where unknown)}`.
        """
        table: dict[str, Counter] = defaultdict(Counter)
        for verdict in self.verdicts:
            table[verdict.reason or "used"][verdict.stage or "?"] += 1
        return dict(table)

    def account(self, root: Path | None = None) -> pd.DataFrame:
        """Gives one row for every image file found.

        Args:
            root: The folder that paths are written relative to.
        """
        return pd.DataFrame(
            [
                _account_row(verdict, path, root)
                for verdict in self.verdicts
                for path in verdict.record.paths
            ]
        )


def is_phantom(subjects: Iterable[str]) -> bool:
    """Says whether subjects are all of site 999, which ADNI does not have."""
    sites = {subject.split("_")[0] for subject in subjects}
    return sites == {PHANTOM_SITE}


def gather(folder: Path) -> Cohort:
    """Reads a folder and selects the scans to use.

    Args:
        folder: A download, as `sources.read_folder` takes it.

    Returns:
        The cohort, with at least one scan used.

    Raises:
        FileNotFoundError: If the folder is missing or holds no image.
        ValueError: If there is no table, or no scan is left to use; the text
            gives the reasons and their counts.
    """
    verdicts = [_judge(record) for record in read_folder(folder)]
    cohort = Cohort(tuple(_keep_baseline(_keep_best_level(verdicts))))
    if not cohort.used:
        reasons = Counter(v.reason for v in cohort.verdicts).most_common(4)
        found = "; ".join(f"{n} x {reason}" for reason, n in reasons)
        raise ValueError(
            f"expected FDG scans with a stage of {', '.join(STAGES)} in "
            f"{folder}, found none to use ({found}); see every file with: "
            f"pet-dcgan scan {folder} --csv scans.csv"
        )
    return cohort


def _judge(record: ScanRecord) -> Verdict:
    """Judges one scan by itself."""
    stage = stage_of_group(record.group) or ""
    tracer = tracer_of(record.description)
    return Verdict(
        record=record,
        stage=stage,
        tracer=tracer,
        level=level_of(record.description),
        reason=_own_reason(record, stage, tracer),
    )


def _own_reason(record: ScanRecord, stage: str, tracer: str) -> str:
    """Says why a scan cannot be used whatever the others are."""
    if record.problem:
        return record.problem
    if tracer != SELECTION["tracer"]:
        return f"another tracer ({tracer})"
    if not stage:
        group = record.group or "empty"
        return f"no stage (Group is {group})"
    return check_header(record.paths)


def _keep_best_level(verdicts: list[Verdict]) -> list[Verdict]:
    """Keeps one processing level of each visit."""
    groups = defaultdict(list)
    for v in verdicts:
        if not v.reason:
            groups[v.record.subject, v.record.visit, v.record.date].append(v)
    kept = {id(max(group, key=_preference)) for group in groups.values()}
    reason = "another level of the same visit is used"
    return [_drop(v, reason, kept) for v in verdicts]


def _preference(verdict: Verdict) -> tuple[int, int]:
    """Orders the levels of a visit: the best level, then the newest image."""
    image_id = verdict.record.image_id
    return -LEVELS.index(verdict.level), int(image_id) if image_id else 0


def _keep_baseline(verdicts: list[Verdict]) -> list[Verdict]:
    """Keeps the earliest visit of each subject."""
    groups = defaultdict(list)
    for v in verdicts:
        if not v.reason:
            groups[v.record.subject].append(v)
    kept = {id(min(group, key=_when)) for group in groups.values()}
    return [_drop(v, "later visit (baseline is used)", kept) for v in verdicts]


def _when(verdict: Verdict) -> tuple[str, int]:
    """Orders visits by date, those without one last."""
    return verdict.record.date or "9999", int(verdict.record.image_id)


def _drop(verdict: Verdict, reason: str, kept: set[int]) -> Verdict:
    """Gives a reason to a scan that was usable and is not kept."""
    if verdict.reason or id(verdict) in kept:
        return verdict
    return dataclasses.replace(verdict, reason=reason)


def _account_row(verdict: Verdict, path: Path, root: Path | None) -> dict:
    """Words one row of the account."""
    record = verdict.record
    return {
        "path": str(path.relative_to(root) if root else path),
        "subject": record.subject,
        "image_id": record.image_id,
        "visit": record.visit,
        "date": record.date,
        "tracer": verdict.tracer,
        "level": verdict.level,
        "stage": verdict.stage,
        "label_source": SELECTION["label_source"] if verdict.stage else "",
        "used": not verdict.reason,
        "reason": verdict.reason,
    }
