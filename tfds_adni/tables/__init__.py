"""ADNI's tables of diagnoses and of quality control.

A table is recognised by its columns and codes. Its name is only repeated to
the user, since ADNI adds the date of the download to it.
"""

from tfds_adni.tables.cells import kind_of
from tfds_adni.tables.dates import DateOrderError
from tfds_adni.tables.diagnosis import (
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
    "DateOrderError",
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
