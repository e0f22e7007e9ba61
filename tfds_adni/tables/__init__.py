"""ADNI's tables of diagnoses and of quality control.

A table is recognised by its columns and codes; its name is only repeated to
the user, as ADNI adds the date of the download to it.
"""

from tfds_adni.tables.delimited import TableError
from tfds_adni.tables.diagnosis import (
    DiagnosisTable,
    Exam,
    Nearest,
    nearest,
    read_diagnosis,
)
from tfds_adni.tables.kinds import kind_of
from tfds_adni.tables.quality import QualityTable, judge_quality, read_quality

__all__ = [
    "DiagnosisTable",
    "Exam",
    "Nearest",
    "QualityTable",
    "TableError",
    "judge_quality",
    "kind_of",
    "nearest",
    "read_diagnosis",
    "read_quality",
]
