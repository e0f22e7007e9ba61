"""Which DICOM series are images of a tracer's uptake.

Scanners export much else as PET: images without correction for attenuation,
maps of attenuation, projections, images fused with CT and screens. Elements
and their terms are those of the DICOM standard, part 3: C.8.9.1 and C.8.9.4
(PET), C.7.6.16 (enhanced images).
"""

import re
from typing import TYPE_CHECKING

from tfds_adni.sources.dicom.elements import number_of, text_of, texts_of

if TYPE_CHECKING:
    import pydicom

ELEMENTS = (
    *("Modality", "SeriesType", "ImageType", "Units", "SeriesDescription"),
    *("CorrectedImage", "AttenuationCorrectionMethod", "AttenuationCorrected"),
    "SamplesPerPixel",
)
_UNCORRECTED = "not corrected for attenuation"
_MADE = frozenset(
    (
        *("MIP", "MAX_IP", "MIN_IP", "PROJECTION IMAGE", "FUSED", "FUSION"),
        *("SCREEN SAVE", "SCREEN_SAVE", "SCREENSAVE", "SCREENSHOT"),
    )
)
_NO_UPTAKE = {"1CM": "attenuation", "STDDEV": "standard deviations"}
# On small letters, with blanks for all but letters and digits.
_NO_CORRECTION = re.compile(
    r"\b(?:nac|no ?ac|non ?ac|no atten\w*|without ac)\b"
)
_OTHER = re.compile(
    r"\b(?:z ?scores?|z ?maps?|fused|fusion|transmission|mips?"
    r"|(?:ct ?ac ?)?mu ?maps?|u ?maps?|att?en(?:uation)? ?maps?)\b"
)


def problem_of(header: "pydicom.Dataset") -> str:
    """Returns why a series is no image of a tracer, `""` where it is one.

    Args:
        header: Of one of its files, with `ELEMENTS`.
    """
    modality = text_of(header, "Modality").upper()
    if modality != "PT":
        return f"not PET ({modality or 'DICOM without a modality'})"
    if "REPROJECTION" in map(str.upper, texts_of(header, "SeriesType")):
        return "projections, not slices (DICOM SeriesType)"
    return _correction(header) or _content(header)


def says_corrected(header: "pydicom.Dataset") -> bool:
    """Whether a header names any correction or how attenuation is corrected.

    Args:
        header: As for `problem_of`.
    """
    names = ("CorrectedImage", "AttenuationCorrectionMethod")
    return any(text_of(header, n) for n in (*names, "AttenuationCorrected"))


def _correction(header: "pydicom.Dataset") -> str:
    """Returns how a header says that attenuation is not corrected."""
    corrections = [t.upper() for t in texts_of(header, "CorrectedImage")]
    if corrections and "ATTN" not in corrections:
        return f"{_UNCORRECTED} (DICOM CorrectedImage)"
    for name in ("AttenuationCorrectionMethod", "AttenuationCorrected"):
        if text_of(header, name).upper() in ("NONE", "NO"):
            return f"{_UNCORRECTED} (DICOM {name})"
    if found := _NO_CORRECTION.search(_description(header)):
        return f"{_UNCORRECTED} (DICOM SeriesDescription): {found[0]}"
    return ""


def _content(header: "pydicom.Dataset") -> str:
    """Returns what a header says that the voxels are instead of uptake."""
    made = _MADE.intersection(map(str.upper, texts_of(header, "ImageType")))
    if made:
        return f"no slices of PET (DICOM ImageType): {min(made)}"
    if number_of(header, "SamplesPerPixel") > 1:
        return "no slices of PET (DICOM SamplesPerPixel): in colour"
    if kind := _NO_UPTAKE.get(text_of(header, "Units").upper(), ""):
        return f"no uptake of a tracer (DICOM Units): {kind}"
    if found := _OTHER.search(_description(header)):
        return f"no uptake of a tracer (DICOM SeriesDescription): {found[0]}"
    return ""


def _description(header: "pydicom.Dataset") -> str:
    """Returns SeriesDescription in small letters, blanks between words."""
    text = text_of(header, "SeriesDescription").lower()
    return " ".join(re.findall("[a-z0-9]+", text.replace("µ", "u")))
