"""Reads a download from LONI's Image and Data Archive (IDA).

An image is recognised by the image id in its own name (`..._I900015.nii`) or,
failing that, in its folder's (`I900015`). The rest comes from the collection
CSV, the XML file of the image and the names in its path, each filling the gaps
of the one before.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Sequence

from tfds_adni.sources.ida_metadata import (
    ImageMetadata,
    read_collections,
    read_sidecars,
)
from tfds_adni.sources.images import ImageFile, lacks_frame, split_copies
from tfds_adni.sources.record import (
    ScanRecord,
    date_in,
    description_in,
    image_id_in,
    modality_in,
    reject,
    subject_in,
    tracer_named,
)
from tfds_adni.sources.tree import Tree
from tfds_adni.tables.cells import (
    SUBJECT_PATTERN,
    age_in_years,
    iso_date,
    sex_letter,
)

_BIDS_NAME = "a BIDS name outside a BIDS folder; give the BIDS folder itself"
NO_SUBJECT = "no subject id in the path or a table"
_MISSING_ID = "no image id in the file's name or folder"


def read(tree: Tree, images: Sequence[ImageFile]) -> list[ScanRecord]:
    """Reads an IDA download into scan records.

    Args:
        tree: The folder the zips were unpacked into.
        images: Its images.

    Returns:
        One record for each image id, one for each further copy of an image,
        and one for each image without an id; none for those with a problem.
    """
    rows, sidecars = read_collections(tree), read_sidecars(tree)
    by_id = defaultdict(list)
    for image in images:
        by_id[image_id_in(tree.parts(image.path))].append(image)
    records = []
    for image in by_id.pop("", ()):
        if not image.problem:
            bids = image.stem.startswith("sub-")
            why = _BIDS_NAME if bids else _MISSING_ID
            records.append(reject(tree, [image.path], why))
    for image_id, files in by_id.items():
        row, sidecar = rows.get(image_id), sidecars.get(image_id)
        listed = row or sidecar or not rows
        records += _scans(
            tree,
            files,
            row or ImageMetadata(),
            sidecar or ImageMetadata(),
            image_id=image_id,
            unlisted="" if listed else "not in the collection CSV",
        )
    return records


def _scans(
    tree: Tree,
    files: Sequence[ImageFile],
    row: ImageMetadata,
    sidecar: ImageMetadata,
    **known: str,
) -> Iterator[ScanRecord]:
    """Yields the copies of one image, the one to use first."""
    sound = [file for file in files if not file.problem]
    broken = [f for f in files if f.problem and not f.needs_conversion]
    for rank, (frames, copy) in enumerate(split_copies(sound)):
        record = _join(tree.parts(frames[0].path), row, sidecar)
        problem = record.problem
        if not problem and lacks_frame(frames, broken):
            problem = "another frame of this image is missing or unreadable"
        yield dataclasses.replace(
            record,
            paths=tuple(frame.path for frame in frames),
            problem=problem,
            rank=rank,
            copy=copy,
            **known,
        )


def _join(
    names: Sequence[str], row: ImageMetadata, sidecar: ImageMetadata
) -> ScanRecord:
    """Fills a record from table, XML file and names, in that order.

    Diagnosis and age come from the XML file first: its DX Group is of the
    scan's visit and its age has decimals.
    """
    subject = row.subject or sidecar.subject or subject_in(names)
    age = age_in_years(sidecar.age)
    return ScanRecord(
        paths=(),
        image_id="",
        subject=subject,
        visit=row.visit or sidecar.visit,
        date=iso_date(row.date) or iso_date(sidecar.date) or date_in(names),
        description=(
            row.description or sidecar.description or description_in(names)
        ),
        tracer=tracer_named(sidecar.tracer),
        labels=sidecar.labels + row.labels,
        age=age if age > 0 else age_in_years(row.age),
        sex=sex_letter(row.sex or sidecar.sex),
        problem=_problem(names, subject, row, sidecar),
    )


def _problem(
    names: Sequence[str],
    subject: str,
    row: ImageMetadata,
    sidecar: ImageMetadata,
) -> str:
    """Returns why an image cannot be used, `""` if it can."""
    subjects = {row.subject, sidecar.subject, subject_in(names)}
    modality = row.modality or sidecar.modality or modality_in(names)
    if row.problem:
        return row.problem
    if len([s for s in subjects if SUBJECT_PATTERN.fullmatch(s)]) > 1:
        return "the tables and the path name two subjects"
    if sidecar.problem and not row.subject:
        return sidecar.problem
    if not subject:
        return NO_SUBJECT
    return (
        "" if modality.upper() in ("PET", "PT", "") else f"not PET ({modality})"
    )
