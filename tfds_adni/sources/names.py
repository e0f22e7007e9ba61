"""What the IDA writes into the names of files and folders.

`.../<subject>/<description>/<time>/I<image id>/
ADNI_<subject>_PT_<description>_Br_<stamp>_<n>_S<series id>_I<image id>.nii`,
the leaf folder named after the series (`S900036`) in some downloads. People
flatten and rename folders, so that each thing is looked for by itself.
"""

import re
from collections.abc import Sequence

from tfds_adni.sources.record import SUBJECT_PATTERN
from tfds_adni.sources.spreadsheet import iso_date

_IMAGE_ID = re.compile(r"(?<![A-Za-z0-9])I(\d+)(?![A-Za-z0-9])")
_FOLDER_OF_IMAGE = re.compile(r"I(\d+)")
_TIME = re.compile(r"\d{4}-\d\d-\d\d_\d\d_\d\d_\d\d\.\d+")
# Modality, description, stamp of 14 digits and milliseconds.
_OF_FILE = re.compile(r"_(PT|MR|CT)_(.+?)(?:_br(?:_raw)?)?_\d{14,17}_", re.I)
_MODALITY = re.compile(r"_S_\d{4,5}_(MR|CT)_", re.I)
_BIDS_SUBJECT = re.compile(r"(?<![A-Za-z0-9])sub-([A-Za-z0-9]+)")
_ADNI_LABEL = re.compile(r"ADNI(\d{3})S(\d{4,5})")


def image_id_in(names: Sequence[str]) -> str:
    """Returns the image id of a path, `""` where it has none.

    Args:
        names: The names below the cohort's folder, the file's last. The
            file's own name goes before the two folders around it.

    Example:

    >>> image_id_in(["I900015", "NONAME.nii"])
    '900015'
    """
    in_file = _IMAGE_ID.findall(names[-1])
    if in_file:
        return in_file[-1]
    for folder in reversed(names[-3:-1]):
        if match := _FOLDER_OF_IMAGE.fullmatch(folder):
            return match.group(1)
    return ""


def subject_in(names: Sequence[str]) -> str:
    """Returns the subject id of a path, from the file's name outwards.

    Args:
        names: The names below the cohort's folder, the file's last.

    Example:

    >>> subject_in(["sub-ADNI999S9001_ses-M000_pet.nii"])
    '999_S_9001'
    """
    for name in reversed(names):
        if found := SUBJECT_PATTERN.findall(name):
            return found[-1]
        if found := _BIDS_SUBJECT.findall(name):
            return subject_of_label(found[-1])
    return ""


def subject_of_label(label: str) -> str:
    """Returns the subject id of a BIDS label, with or without `sub-`.

    Clinica writes ADNI's ids without their underscores; a label that is not
    ADNI's stays as it is.

    Example:

    >>> subject_of_label("sub-ADNI999S9001"), subject_of_label("01")
    ('999_S_9001', 'sub-01')
    """
    label = label.removeprefix("sub-")
    adni = _ADNI_LABEL.fullmatch(label)
    return f"{adni[1]}_S_{adni[2]}" if adni else f"sub-{label}"


def description_in(names: Sequence[str]) -> str:
    """Returns the series description of a path, spaces put back.

    Args:
        names: The names below the cohort's folder, the file's last.

    Returns:
        The description in the file's name, else that of the folder above
        the time's, else `""`.
    """
    if match := _OF_FILE.search(names[-1]):
        return match[2].replace("_", " ")
    for index, name in enumerate(names[1:-1], start=1):
        if _TIME.fullmatch(name):
            return names[index - 1].replace("_", " ")
    return ""


def date_in(names: Sequence[str]) -> str:
    """Returns the acquisition date of a path's time folder, ISO or `""`.

    The stamp in the file's own name is that of the upload.
    """
    for name in names[:-1]:
        if _TIME.fullmatch(name):
            return iso_date(name[:10])
    return ""


def modality_in(names: Sequence[str]) -> str:
    """Returns `MR` or `CT` where the file's name has it, else `""`."""
    match = _MODALITY.search(names[-1])
    return match[1].upper() if match else ""
