"""What `pet-dcgan scan` does with a folder."""

from pathlib import Path

from fuzzing.oracle import faults_of_line, is_safe, require
from pet_dcgan.cli.console import print_cohort
from tfds_adni import Selection, survey
from tfds_adni.tables.cells import STAGES

_SEXES = ("F", "M", "")


def look(folder: Path, selection: Selection, attempt) -> None:
    """Surveys a folder and checks all that is shown of it."""
    cohort = attempt(survey, folder, selection)
    if cohort is None:
        return
    attempt(_check, cohort, folder)
    attempt(print_cohort, cohort)
    for line in (*cohort.warnings, *cohort.label_sources):
        attempt.faults += faults_of_line(line)
    reasons = set(cohort.account(folder)["reason"]) - {""}
    for reason in sorted(reasons):
        attempt.faults += faults_of_line(reason)
    attempt(cohort.require_used, folder)


def _check(cohort, folder: Path) -> None:
    require(len(cohort.decisions) > 0, "no scan in a folder of scans")
    for scan in cohort.used:
        record = scan.record
        require(scan.stage in STAGES, f"stage {scan.stage!r}")
        age = record.age
        require(age == -1 or 0 < age < 150, f"age {age}")
        require(record.sex in _SEXES, f"sex {record.sex!r}")
        require(len(record.date) in (0, 10), f"date {record.date!r}")
    table = cohort.account(folder)
    files = sum(len(d.record.paths) for d in cohort.decisions)
    require(len(table) == files, f"{len(table)} rows of {files} files")
    for column in ("subject", "image_id", "visit", "date", "reason"):
        for cell in table[column]:
            require(is_safe(str(cell)), f"{column} {cell!r}")
    require("<" in cohort._repr_html_(), "no card")
