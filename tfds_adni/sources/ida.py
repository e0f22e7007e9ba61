"""Reads a download from LONI's Image and Data Archive (IDA).

An image is recognised by the image id in its own name (`..._I900015.nii`) or,
failing that, by its folder (`I900015`), wherever it lies. The collection CSV,
the XML file of the image and the names of its path tell the rest, each what
the one before it does not.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Sequence

from tfds_adni.sources.collection import Row, read_collections
from tfds_adni.sources.copies import lacks_frame, tell_apart
from tfds_adni.sources.descriptions import tracer_named
from tfds_adni.sources.images import ImageFile
from tfds_adni.sources.names import (
    date_in,
    description_in,
    image_id_in,
    modality_in,
    subject_in,
)
from tfds_adni.sources.record import SUBJECT_PATTERN, ScanRecord
from tfds_adni.sources.refused import refuse
from tfds_adni.sources.sidecars import Sidecar, read_sidecars
from tfds_adni.sources.spreadsheet import age_in_years, iso_date, sex_letter
from tfds_adni.sources.tree import Tree, parts_below

_PET = ("PET", "PT", "")
_BIDS_NAME = "a BIDS name outside a BIDS folder; give the BIDS folder itself"
_MISSING_ID = "no image id in the file's name or folder"
_LACKS_FRAME = "another frame of this image is missing or unreadable"
_UNLISTED = "not in the collection CSV"
_TWO_SUBJECTS = "the tables and the path name two subjects"
_NO_SUBJECT = "no subject id in the path or a table"


def read(tree: Tree, images: Sequence[ImageFile]) -> list[ScanRecord]:
    """Reads an IDA download into scan records.

    Args:
        tree: The folder the zips were unpacked into.
        images: Its images.

    Returns:
        One record for each image id, one for each further copy of an image,
        and one for each image without an id; none for those with a problem.
    """
    rows = read_collections(tree)
    sidecars = read_sidecars(tree)
    records = []
    for image_id, files in _by_id(tree, images).items():
        if not image_id:
            records += [_nameless(f, tree) for f in files if not f.problem]
            continue
        row = rows.get(image_id)
        sidecar = sidecars.get(image_id)
        unlisted = "" if row or sidecar or not rows else _UNLISTED
        for record in _scans(tree, files, row or Row(), sidecar or Sidecar()):
            records.append(
                dataclasses.replace(
                    record, image_id=image_id, unlisted=unlisted
                )
            )
    return records


def _scans(
    tree: Tree, files: Sequence[ImageFile], row: Row, sidecar: Sidecar
) -> Iterator[ScanRecord]:
    """Yields the copies of one image, the one to use first at the front."""
    sound = [file for file in files if not file.problem]
    broken = [f for f in files if f.problem and not f.is_of_another_format]
    for rank, (frames, copy) in enumerate(tell_apart(sound)):
        names = parts_below(frames[0].path, tree.root)
        record = _join(names, row, sidecar)
        lack = _LACKS_FRAME if lacks_frame(frames, broken) else ""
        yield dataclasses.replace(
            record,
            paths=tuple(frame.path for frame in frames),
            problem=record.problem or lack,
            rank=rank,
            copy=copy,
        )


def _by_id(
    tree: Tree, images: Sequence[ImageFile]
) -> dict[str, list[ImageFile]]:
    """Groups images by image id; those without one under `""`."""
    groups = defaultdict(list)
    for image in images:
        groups[image_id_in(parts_below(image.path, tree.root))].append(image)
    return groups


def _nameless(image: ImageFile, tree: Tree) -> ScanRecord:
    """Words the record of an image without an image id."""
    bids = image.stem.startswith("sub-")
    return refuse([image.path], tree.root, _BIDS_NAME if bids else _MISSING_ID)


def _join(names: Sequence[str], row: Row, sidecar: Sidecar) -> ScanRecord:
    """Joins what tables, XML file and names say, in that order.

    The diagnosis and the age of the XML file go before the table's: its DX
    Group is of the scan's visit and its age has decimals.
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
    names: Sequence[str], subject: str, row: Row, sidecar: Sidecar
) -> str:
    """Says why what is known of an image does not do."""
    subjects = {row.subject, sidecar.subject, subject_in(names)}
    adni = {s for s in subjects if SUBJECT_PATTERN.fullmatch(s)}
    modality = row.modality or sidecar.modality or modality_in(names)
    if row.problem or len(adni) > 1:
        return row.problem or _TWO_SUBJECTS
    if sidecar.problem and not row.subject:
        return sidecar.problem
    if not subject:
        return _NO_SUBJECT
    return "" if modality.upper() in _PET else f"not PET ({modality})"
