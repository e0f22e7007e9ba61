"""ADNI's tables of diagnoses and of quality control.

A table is recognised by its columns and codes. Its name is only repeated to
the user, since ADNI adds the date of the download to it.
"""

from collections.abc import Sequence

from tfds_adni.tables.diagnosis import (
    CODES,
    DiagnosisTable,
    Exam,
    Nearest,
    nearest,
    read_diagnosis,
)
from tfds_adni.tables.quality import (
    QualityTable,
    quality_problem,
    read_quality,
)
from tfds_adni.tables.spreadsheet import TableError

__all__ = [
    "DiagnosisTable",
    "Exam",
    "Nearest",
    "QualityTable",
    "TableError",
    "kind_of",
    "nearest",
    "quality_problem",
    "read_diagnosis",
    "read_quality",
]


def kind_of(header: Sequence[str]) -> str:
    """Recognises a table by its columns, in any case.

    Returns:
        `"DXSUM"`, `"ADNIMERGE"`, `"PETQC"`, `"PETC3"`, or `""` for any other.
    """
    columns = {name.upper() for name in header}
    if columns.isdisjoint(("RID", "PTID")):
        return ""
    if {"DX", "DX_BL"} <= columns:
        return "ADNIMERGE"
    if columns & CODES.keys():
        return "" if "CENROLL" in columns else "DXSUM"
    if "SCANQLTY" in columns:
        return "PETC3"
    return "PETQC" if "PASS" in columns else ""
