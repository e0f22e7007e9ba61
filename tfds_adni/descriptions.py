"""Reads the tracer and the processing level out of a series description.

ADNI names the tracer only where it is not FDG (`AV45 Coreg, Avg, ...`), and the
level by the steps done, each adding words to the one before.
"""

import re

_TRACERS = {
    "AV1451": r"AV-?1451|flortaucipir|\btau\b",
    "AV45": r"AV-?45|florbetapir",
    "FBB": r"\bFBB\b|florbetaben",
    "PIB": r"\bPIB\b",
    "FMM": r"\bFMM\b|flutemetamol",
    "MK6240": r"MK-?6240",
    "PI2620": r"PI-?2620",
    "NAV4694": r"NAV-?4694",
}

# Best first: the names of Clinica's `rec-` entity, then ADNI's 6 mm level.
_LEVELS = (
    ("uniform_8mm", r"uniform[ _]resolution"),
    ("uniform_6mm", r"uniform[ _]6 ?mm"),
    ("standardised", r"std[ _]img|standardized[ _]image"),
    ("averaged", r"coreg[^,]*,[ _]*av|co-registered,[ _]*averaged"),
    ("dynamic", r"dynamic"),
    ("raw", r"\braw\b|_raw_"),
)
LEVELS = (*(name for name, _ in _LEVELS), "unknown")


def tracer_of(description: str) -> str:
    """Gives the tracer a description names, `"FDG"` where it names none.

    Example:

    >>> tracer_of("AV45 Coreg, Avg, Standardized Image and Voxel Size")
    'AV45'
    """
    words = description.replace("_", " ")
    for tracer, pattern in _TRACERS.items():
        if re.search(pattern, words, re.IGNORECASE):
            return tracer
    return "FDG"


def level_of(description: str) -> str:
    """Gives the processing level of a description, one of `LEVELS`.

    Example:

    >>> level_of("Coreg, Avg, Std Img and Vox Siz, Uniform Resolution")
    'uniform_8mm'
    """
    for level, pattern in _LEVELS:
        if re.search(pattern, description, re.IGNORECASE):
            return level
    return "unknown"
