"""Reads the tracer and the processing level out of a series description.

ADNI names the tracer only where it is not FDG (`AV45 Coreg, Avg, ...`), and the
level by the steps done, each adding words to the one before.
"""

import re

# The names of tracers, in descriptions, XML files and the `trc` of BIDS.
_TRACERS = {
    "AV1451": r"av-?1451|flortaucipir|t807|\btau\b",
    "AV45": r"av-?45|florbetapir",
    "FBB": r"fbb(?![a-z])|florbetaben",
    "PIB": r"pib(?![a-z])|pittsburgh",
    "FMM": r"fmm(?![a-z])|flutemetamol",
    "MK6240": r"mk-?6240",
    "PI2620": r"pi-?2620",
    "NAV4694": r"nav-?4694",
    "FDG": r"fdg(?![a-z])|flu\w*deoxyglucose",
}
TRACERS = tuple(_TRACERS)
_TRACER_PATTERNS = {
    name: re.compile(rf"(?:(?<![a-z])|(?<=18f)|(?<=11c))(?:{pattern})", re.I)
    for name, pattern in _TRACERS.items()
}

# Best first: the names of Clinica's `rec-` entity, ADNI's 6 mm level behind
# the first, and Clinica's pet-linear, made from any of them, where a scan has
# been brought to one grid.
_LEVELS = (
    ("uniform_8mm", r"uniform[ _]resolution"),
    ("uniform_6mm", r"uniform[ _]6 ?mm"),
    ("standardised", r"std[ _]img|standardi[sz]ed[ _]image"),
    ("pet_linear", r"suvr-"),
    ("averaged", r"co-?reg(?:istered)?[ ,_]+av"),
    ("dynamic", r"dynamic"),
    ("raw", r"(?<![a-z])raw(?![a-z])"),
)
_LEVEL_PATTERNS = {name: re.compile(p, re.I) for name, p in _LEVELS}
LEVELS = (*_LEVEL_PATTERNS, "unknown")


def tracer_named(text: str) -> str:
    """Returns the tracer of a cell that is there to name it.

    Args:
        text: As in BIDS (`18FAV45`), an XML file (`18F-FDG`) or in full.

    Returns:
        The short name ADNI uses; the text itself for a tracer of others.

    Example:

    >>> tracer_named("18FFBB"), tracer_named("11C-PIB"), tracer_named("CIMBI36")
    ('FBB', 'PIB', 'CIMBI36')
    """
    return _find(_TRACER_PATTERNS, text) or text.strip()


def tracer_of(description: str) -> str:
    """Returns the tracer of a series description.

    Returns:
        The tracer it names; `"FDG"` where it names none but is one of ADNI's
        PET (`Coreg, Avg, ...`), else `"unknown"`.

    Example:

    >>> tracer_of("AV45 Coreg, Avg, Standardized Image and Voxel Size")
    'AV45'
    """
    named = _find(_TRACER_PATTERNS, description)
    return named or ("unknown" if level_of(description) == "unknown" else "FDG")


def level_of(description: str) -> str:
    """Returns the processing level of a description, one of `LEVELS`.

    Example:

    >>> level_of("Coreg, Avg, Std Img and Vox Siz, Uniform Resolution")
    'uniform_8mm'
    """
    return _find(_LEVEL_PATTERNS, description) or "unknown"


def _find(patterns: dict[str, re.Pattern[str]], text: str) -> str:
    """Returns the name of the first pattern that a text holds."""
    words = text.replace("_", " ")
    return next((n for n, p in patterns.items() if p.search(words)), "")
