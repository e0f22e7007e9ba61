"""Tells which of ADNI's tables a file is."""

from pathlib import Path

from tfds_adni.tables.delimited import read_columns
from tfds_adni.tables.diagnosis import CODES


def kind_of(path: Path) -> str:
    """Tells by its columns what a file is; only its head is read.

    Returns:
        `"DXSUM"`, `"ADNIMERGE"`, `"PETQC"`, `"PETC3"`, or `""` for any other.
    """
    columns = set(read_columns(path))
    if not columns & {"RID", "PTID"}:
        return ""
    if {"DX", "DX_BL"} <= columns:
        return "ADNIMERGE"
    if columns & set(CODES):
        return "" if "CENROLL" in columns else "DXSUM"
    if "SCANQLTY" in columns:
        return "PETC3"
    return "PETQC" if "PASS" in columns else ""
