"""Writes tiny tables of ADNI; every row is invented, subjects are of 999."""

import csv
from pathlib import Path

from tfds_adni.cohort.selection import ScanDecision
from tfds_adni.sources import Label, ScanRecord


def write(path: Path, *rows: dict[str, str]) -> Path:
    """A CSV whose columns are those of the first row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows(rows)
    return path


def dxsum_row(number: int = 1, date: str = "2012-05-05", **cells: str):
    """A row of DXSUM; without a code nothing is diagnosed."""
    return {
        "Phase": "ADNI2",
        "RID": str(9000 + number),
        "VISCODE": "v03",
        "VISCODE2": "bl",
        "EXAMDATE": date,
        "DXCHANGE": "-4",
        "DXCURREN": "-4",
        "DIAGNOSIS": "-4",
    } | cells


def adnimerge_row(number: int = 1, date: str = "2012-05-05", **cells: str):
    """A row of ADNIMERGE."""
    return {
        "RID": str(9000 + number),
        "PTID": f"999_S_{9000 + number}",
        "VISCODE": "bl",
        "EXAMDATE": date,
        "DX_bl": "CN",
        "AGE": "71.2",
        "DX": "",
    } | cells


def record(number: int = 1, *groups: str, **known) -> ScanRecord:
    """A scan of 5 May 2012; groups are those of the collection CSV."""
    labels = tuple(Label(group, "collection CSV Group") for group in groups)
    return ScanRecord(
        **{
            "paths": (Path(f"I{900000 + number}.nii"),),
            "subject": f"999_S_{9000 + number}",
            "image_id": str(900000 + number),
            "visit": "bl",
            "date": "2012-05-05",
            "description": "Coreg, Avg",
            "labels": labels,
        }
        | known
    )


def verdict(number: int = 1, stage: str = "AD", reason: str = "", **known):
    """A verdict on such a scan."""
    ours = {"level": "uniform_8mm", "tracer": "FDG", "label_source": "DXSUM"}
    ours |= {name: known.pop(name) for name in list(known) if name in ours}
    return ScanDecision(
        record=record(number, **known), stage=stage, reason=reason, **ours
    )
