"""Tells which of ADNI's tables a file is."""

from collections.abc import Sequence

from tfds_adni.tables.diagnosis import CODES


def kind_of(header: Sequence[str]) -> str:
    """Tells by its columns, in letters of any case, what a file is.

    Returns:
        `"DXSUM"`, `"ADNIMERGE"`, `"PETQC"`, `"PETC3"`, or `""` for any other.
    """
    columns = {name.upper() for name in header}
    if not columns & {"RID", "PTID"}:
        return ""
    if {"DX", "DX_BL"} <= columns:
        return "ADNIMERGE"
    if columns & set(CODES):
        return "" if "CENROLL" in columns else "DXSUM"
    if "SCANQLTY" in columns:
        return "PETC3"
    return "PETQC" if "PASS" in columns else ""
