"""ADNI's tables for a phantom: ADNIMERGE, DXSUM and PETQC, every row invented.

They have the columns of the real ones that say who, when and what, so that
commands can be tried as they will be used. Subjects are of site 999, which
ADNI does not have. The tables lie in a folder of their own, as they are a
download of their own: the collection's table stays the only one at the top.
"""

import csv
import datetime
from collections.abc import Iterable, Sequence
from pathlib import Path

from tfds_adni.phantom.scans import Scan
from tfds_adni.phantom.subjects import EXAM

FOLDER = "tables"
_DAY = "01Jun2023"  # of the download, as ADNI adds it to names
_EXAM_DAYS = 20  # most days between a scan and the exam of its visit
# Codes and words of the stages.
_CODES = {"NC": "1", "MCI": "2", "AD": "3"}
_WORDS = {"NC": "CN", "MCI": "MCI", "AD": "Dementia"}
_ENROLMENT = {"NC": "CN", "MCI": "LMCI", "AD": "AD"}
# Of ADNI: first days of its phases.
_PHASES = (
    (datetime.date(2016, 10, 1), "ADNI3"),
    (datetime.date(2011, 6, 1), "ADNI2"),
    (datetime.date(2009, 10, 1), "ADNIGO"),
    (datetime.date(2004, 1, 1), "ADNI1"),
)
_SITE = "999"


def write_table(
    path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]
) -> None:
    """Writes a CSV as the archive does, every cell in quotes.

    Args:
        path: The file; its folder is made.
        columns: Their names.
        rows: The cells of each row, in the order of the columns.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def write_tables(out: Path, scans: Sequence[Scan]) -> None:
    """Writes the three tables into a folder of a phantom.

    Args:
        out: The phantom's folder.
        scans: All its scans; those of a subject in order of time.
    """
    first: dict[int, Scan] = {}
    tables: dict[str, list[dict[str, str]]] = {
        "ADNIMERGE.csv": [],
        f"DXSUM_{_DAY}.csv": [],
        f"PETQC_{_DAY}.csv": [],
    }
    merged, diagnoses, quality = tables.values()
    for number, scan in enumerate(scans, start=1):
        baseline = first.setdefault(scan.subject.rid, scan)
        day = _exam_day(scan)
        merged.append(_adnimerge(scan, day, baseline))
        diagnoses.append(_dxsum(scan, day))
        quality.append(_petqc(scan, number))
    for name, rows in tables.items():
        cells = [tuple(row.values()) for row in rows]
        write_table(out / FOLDER / name, tuple(rows[0]), cells)


def _exam_day(scan: Scan) -> datetime.date:
    """Returns the day of the exam, within weeks of the scan."""
    rng = scan.subject.stream(EXAM, scan.visit)
    days = int(rng.integers(-_EXAM_DAYS, _EXAM_DAYS + 1))
    return scan.time.date() + datetime.timedelta(days)


def _phase(day: datetime.date) -> str:
    """Returns ADNI's phase on a day."""
    return next(name for first, name in _PHASES if day >= first)


def _adnimerge(
    scan: Scan, day: datetime.date, baseline: Scan
) -> dict[str, str]:
    """Returns a row of ADNIMERGE; what a phantom has not is empty."""
    subject, months = scan.subject, scan.visit_code
    empty = ("PTEDUCAT", "PTETHCAT", "PTRACCAT", "PTMARRY", "APOE4")
    measures = ("FDG", "PIB", "AV45", "CDRSB", "ADAS11", "ADAS13", "MMSE")
    return {
        "RID": str(subject.rid),
        "PTID": subject.ptid,
        "VISCODE": months,
        "SITE": _SITE,
        "COLPROT": _phase(day),
        "ORIGPROT": _phase(baseline.time.date()),
        "EXAMDATE": day.isoformat(),
        "DX_bl": _ENROLMENT[subject.stage],
        "AGE": f"{subject.age:.1f}",
        "PTGENDER": {"F": "Female", "M": "Male"}[subject.sex],
        **dict.fromkeys(empty + measures, ""),
        "DX": _WORDS[subject.stage],
        "Month": str(12 * subject.years[scan.visit]),
    }


def _dxsum(scan: Scan, day: datetime.date) -> dict[str, str]:
    """Returns a row of DXSUM in its form since ADNI3."""
    return {
        "PHASE": _phase(day),
        "PTID": scan.subject.ptid,
        "RID": str(scan.subject.rid),
        "VISCODE": scan.visit_code,
        "VISCODE2": scan.visit_code,
        "EXAMDATE": day.isoformat(),
        "DIAGNOSIS": _CODES[scan.subject.stage],
    }


def _petqc(scan: Scan, number: int) -> dict[str, str]:
    """Returns a row of PETQC; its image is the one that was scanned."""
    day = scan.time.date()
    return {
        "Phase": _phase(day),
        "ID": str(number),
        "RID": str(scan.subject.rid),
        "SITEID": _SITE,
        "VISCODE": scan.visit_code,
        "VISCODE2": scan.visit_code,
        "SCANDATE": day.isoformat(),
        "PASS": "1",
        "LONIUID": f"I{scan.raw_id}",
    }
