"""Which scans of a folder are used, and why the others are not."""

from tfds_adni.cohort.cohort import COLUMNS, Cohort, gather, survey
from tfds_adni.cohort.selection import ScanDecision, Selection

__all__ = ["COLUMNS", "Cohort", "ScanDecision", "Selection", "gather", "survey"]
