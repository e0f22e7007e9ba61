"""Scan records, and what the names of files and series say of a scan.

The IDA writes `.../<subject>/<description>/<time>/I<image id>/
ADNI_<subject>_PT_<description>_Br_<stamp>_<n>_S<series id>_I<image id>.nii`,
with the leaf folder named after the series (`S900036`) in some downloads.
People flatten and rename folders, so each part is searched for separately, in
the names from the cohort's folder down to the file.

ADNI's descriptions name the tracer only where it is not FDG (`AV45 Coreg, Avg,
...`), and the level by the processing steps, each adding to the one before.
"""

import dataclasses
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tfds_adni.sources.timing import FrameTiming
from tfds_adni.sources.tracers import tracer_in
from tfds_adni.sources.tree import Tree
from tfds_adni.tables.cells import SUBJECT_PATTERN, iso_date

_IMAGE_ID = re.compile(r"(?<![A-Za-z0-9])I(\d+)(?![A-Za-z0-9])")
_FOLDER_OF_IMAGE = re.compile(r"I(\d+)")
_TIME = re.compile(r"\d{4}-\d\d-\d\d_\d\d_\d\d_\d\d\.\d+")
# Modality, description, stamp of 14 digits and milliseconds.
_OF_FILE = re.compile(r"_(PT|MR|CT)_(.+?)(?:_br(?:_raw)?)?_\d{14,17}_", re.I)
_MODALITY = re.compile(r"_S_\d{4,5}_(MR|CT)_", re.I)
_BIDS_SUBJECT = re.compile(r"(?<![A-Za-z0-9])sub-([A-Za-z0-9]+)")
_ADNI_LABEL = re.compile(r"ADNI(\d{3})S(\d{4,5})")
# ADNI's own word, when it had one tracer of tau.
_TAU = re.compile(r"\btau\b", re.I)
# Best first: the names of Clinica's `rec-` entity, ADNI's 6 mm level after the
# first, and Clinica's pet-linear, which is on one grid whatever it is made of.
LEVELS = (
    *("uniform_8mm", "uniform_6mm", "standardised", "pet_linear"),
    *("averaged", "dynamic", "raw", "unknown"),
)
_LEVELS = {
    name: re.compile(pattern, re.I)
    for name, pattern in {
        "uniform_8mm": r"uniform[ _]resolution",
        "uniform_6mm": r"uniform[ _]6 ?mm",
        "standardised": r"std[ _]img|standardi[sz]ed[ _]image",
        "averaged": r"co-?reg(?:istered)?[ ,_]+av",
        "dynamic": r"dynamic",
        "raw": r"(?<![a-z])raw(?![a-z])",
    }.items()
}


@dataclasses.dataclass(frozen=True)
class Label:
    """A subject's diagnosis in one of the source's own tables.

    Attributes:
        text: The cell, such as `LMCI`; never empty.
        source: The table: `"collection CSV Group"`, `"XML DX Group"`,
            `"All Images entry_research_group"`, `"Study Entry
            entry_research_group"`, `"sessions.tsv"` or `"participants.tsv"`.
    """

    text: str
    source: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class ScanRecord:
    """One scan as its source describes it, before anybody opens it.

    Every image file found is in exactly one record. What cannot be used is a
    record too, with its problem.

    Attributes:
        paths: The image files, several where a raw scan has one for each
            frame; the `.hdr` stands for an Analyze pair.
        subject: Subject id, such as `999_S_9001`; in a BIDS data set other
            than ADNI's, `sub-` and the label, such as `sub-01`, or
            `siteA/sub-01` where two data sets have the label; `""` where
            unknown.
        image_id: Image id of the IDA without its leading I, such as `900015`;
            in BIDS the file's name without its extension, of derivatives that
            keep the name of the raw image after the pipeline's, with a folder
            before it where that alone tells two images apart. Of several
            records with one image id at most one is used. `""` where unknown.
        visit: Visit code as in the table, `""` where unknown.
        date: Acquisition date, ISO (`2012-05-05`), `""` where unknown.
        description: The series description in the table or the file name.
        tracer: `""` where only the description can name it.
        level: Processing level, one of `LEVELS`; `""` where only the
            description can name it.
        labels: Diagnoses in the source's own tables, the most specific first.
        age: Years at the scan, -1 where unknown.
        sex: `"F"`, `"M"` or `""`.
        problem: Why the scan cannot be used, `""` where it can.
        unlisted: Why the source's tables do not label it, `""` where they do
            or there are none; another table may.
        rank: Place among the copies of one image, from 0; the first one with
            a sound header is used.
        copy: Why it is not used if one before it is; empty at rank 0.
        entities: Value by entity of a BIDS name, empty for any other.
        pipeline: The name of the BIDS derivatives that it is part of, `""`
            for a raw image.
        timing: Times of its frames, `None` where unknown.
        remark: What to know of it though it can be used, such as two tables
            that disagree on its date; `""` where there is nothing.
        converted: NIfTI files made of `paths`, which are DICOM; empty where
            `paths` are read themselves.
    """

    paths: tuple[Path, ...]
    subject: str
    image_id: str
    visit: str = ""
    date: str = ""
    description: str = ""
    tracer: str = ""
    level: str = ""
    labels: tuple[Label, ...] = ()
    age: float = -1.0
    sex: str = ""
    problem: str = ""
    unlisted: str = ""
    rank: int = 0
    copy: str = ""
    entities: Mapping[str, str] = dataclasses.field(
        default_factory=dict, hash=False
    )
    pipeline: str = ""
    timing: FrameTiming | None = None
    remark: str = ""
    converted: tuple[Path, ...] = ()

    @property
    def images(self) -> tuple[Path, ...]:
        """The files that its voxels are read from."""
        return self.converted or self.paths


def labels_of(text: str, source: str) -> tuple[Label, ...]:
    """Returns the label of a cell, none where the cell is empty.

    Args:
        text: The cell.
        source: The table, as in `Label`.
    """
    return (Label(text, source),) if text else ()


def reject(tree: Tree, paths: Iterable[Path], problem: str) -> ScanRecord:
    """Returns the record of files that cannot be used, from their names alone.

    Args:
        tree: The folder of the cohort.
        paths: One file or several that belong together.
        problem: Why they cannot be used.
    """
    paths = tuple(paths)
    names = tree.parts(paths[0]) or (paths[0].name,)
    return ScanRecord(
        paths=paths,
        subject=subject_in(names),
        image_id=image_id_in(names),
        description=description_in(names),
        problem=problem,
    )


def image_id_in(names: Sequence[str]) -> str:
    """Returns the image id in the file's name or the two folders around it.

    Returns:
        The digits of `I900015`, else `""`.
    """
    if in_file := _IMAGE_ID.findall(names[-1]):
        return in_file[-1]
    for folder in reversed(names[-3:-1]):
        if match := _FOLDER_OF_IMAGE.fullmatch(folder):
            return match[1]
    return ""


def subject_in(names: Sequence[str]) -> str:
    """Returns the subject id nearest to the file, `""` where there is none."""
    for name in reversed(names):
        if found := SUBJECT_PATTERN.findall(name):
            return found[-1]
        if found := _BIDS_SUBJECT.findall(name):
            return subject_of_label(found[-1])
    return ""


def subject_of_label(label: str) -> str:
    """Returns the subject id of a BIDS label, with or without `sub-`.

    Clinica writes ADNI's ids without underscores: `ADNI999S9001` becomes
    `999_S_9001`. The label `01` of another data set becomes `sub-01`.
    """
    label = label.removeprefix("sub-")
    adni = _ADNI_LABEL.fullmatch(label)
    return f"{adni[1]}_S_{adni[2]}" if adni else f"sub-{label}"


def description_in(names: Sequence[str]) -> str:
    """Returns the series description of a path, with spaces put back.

    Returns:
        The description in the file's name, else that of the folder above
        the time's, else `""`.
    """
    if match := _OF_FILE.search(names[-1]):
        return match[2].replace("_", " ")
    folders = itertools.pairwise(names[:-1])
    words = (name for name, below in folders if _TIME.fullmatch(below))
    return next(words, "").replace("_", " ")


def date_in(names: Sequence[str]) -> str:
    """Returns the acquisition date of a path's time folder, ISO or `""`.

    The stamp in the file's own name is that of the upload.
    """
    times = (name for name in names[:-1] if _TIME.fullmatch(name))
    return iso_date(next(times, "")[:10])


def modality_in(names: Sequence[str]) -> str:
    """Returns `MR` or `CT` where the file's name has it, else `""`."""
    match = _MODALITY.search(names[-1])
    return match[1].upper() if match else ""


def tracer_of(description: str) -> str:
    """Returns the tracer of a series description.

    Returns:
        The tracer it names; `"FDG"` if it names none but describes PET of ADNI
        (`Coreg, Avg, ...`), else `"unknown"`.
    """
    if named := tracer_in(description):
        return named
    if _TAU.search(description.replace("_", " ")):
        return "AV1451"
    return "unknown" if level_of(description) == "unknown" else "FDG"


def level_of(description: str) -> str:
    """Returns the processing level of a description, one of `LEVELS`."""
    words = description.replace("_", " ")
    found = (n for n, pattern in _LEVELS.items() if pattern.search(words))
    return next(found, "unknown")
