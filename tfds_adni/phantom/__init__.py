"""A phantom cohort laid out like an ADNI download."""

from tfds_adni.phantom.cohort import scan_pairs, write_cohort
from tfds_adni.phantom.imaging import ADNI_GRID, Grid

__all__ = ["ADNI_GRID", "Grid", "scan_pairs", "write_cohort"]
